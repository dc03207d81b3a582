# ---
# jupyter:
#   jupytext:
#     text_representation:
#       extension: .py
#       format_name: percent
#   kernelspec:
#     display_name: Python 3 (ipykernel)
#     language: python
#     name: python3
# ---

# %% [markdown]
# # Lesson 5 · From heartbeats to infarction
#
# A table promises 93 %, and in the next patient the program finds hardly one premature atrial beat.
#
# ![One beat, two questions: its class, and then infarction](../images/beat_to_heart.png)
#
# | | |
# |---|---|
# | **Questions** | What is a macro F1 of 92.83 worth? Does a network that knows heartbeats learn infarction sooner? What can one lead see? |
# | **You will be able to** | cut beats and say which are lost; audit a table of scores; catch four faults that raise no error; report S and V as the standard asks; test a transfer against training from scratch |
# | **You need** | Python, NumPy, one trained network in your past; lesson 0 |
# | **Minutes** | reading 25 · running 3 · exercises 30 |
# | **Data** | two built-in cohorts (simulated); stored results from MIT-BIH and PTB-XL (real patients) |
# | **GPU** | no |
#
# The lesson rebuilds Kachuee et al. (2018), who named heartbeats and carried the network over to myocardial infarction, and a
# later project that set CNet, their network, beside three recurrent ones.

# %%
from ecg_lessons import machine

machine.setup(seed=42, figures=True)

# %%
import os
import tempfile
from pathlib import Path

import keras
import numpy as np
import pandas as pd
from keras import layers
from scipy.signal import find_peaks
from sklearn.metrics import balanced_accuracy_score, f1_score
from sklearn.model_selection import train_test_split
from sklearn.neighbors import KNeighborsClassifier

from ecg_lessons import checks, simulator, study, training
from ecg_lessons.data import fetch, recordings
from ecg_lessons.evaluation import beat_plots, heartbeat_plots, plots
from ecg_lessons.examples import Examples
from ecg_lessons.lessons import heartbeat as lesson
from ecg_lessons.models import heartbeat as models
from ecg_lessons.models import museum
from ecg_lessons.signals import balance, beats, kachuee, labels

SOURCE = os.environ.get("ECG_LESSONS_SOURCE", "sample")
whose = "simulated" if SOURCE == "sample" else "real"
RUNS = Path(tempfile.mkdtemp())

# %% [markdown]
# ## 1 · The beat
#
# The built-in cohort is simulated; no number measured on it says anything about a clinic. Take ten seconds of one
# lead at 125 Hz, and scale them to 0 and 1. What rises above 0.9 is an R peak: that is the published rule.

# %%
folder = simulator.sample_arrhythmias() if SOURCE == "sample" else fetch.locate("mitdb")
recording = next(one for one in recordings.mitdb(folder) if (one.beats.symbols == "V").sum() > 15)
lead = beats.resample(beats.lead(recording, *kachuee.LEADS), recording.rate, kachuee.RATE)
begin, end = 20 * kachuee.RATE, 30 * kachuee.RATE
window = lead[begin:end]
scaled = (window - window.min()) / np.ptp(window)
found = find_peaks(scaled, height=0.9)[0]
peak = labels.is_peak(recording.beats.symbols)
known = np.round(recording.beats.samples[peak] * kachuee.RATE / recording.rate).astype(int)
known = known[(known >= begin) & (known < end)] - begin
for name, places in (("above 0.9", found), ("annotated", known)):
    print(f"{name}: {len(places)} peaks, median distance T {np.median(np.diff(places)) / kachuee.RATE:.2f} s")

# %% [markdown]
# A beat is what follows an R peak for 1.2 T, filled up with zeros to 187 samples.


# %%
def cut(window, peak, T):
    beat = window[peak : peak + round(1.2 * T)][:187]
    return np.pad(beat, (0, 187 - len(beat)))


checks.expect("05.cut", cut)

# %%
T = np.median(np.diff(found))
print("one beat:", cut(scaled, found[0], T).shape)
heartbeat_plots.peaks(scaled, kachuee.RATE, found, known, slice(found[0], found[0] + round(1.2 * T)))

# %% [markdown]
# *Ten seconds of a simulated patient. A drifting baseline holds most peaks under the line. T comes out too long: one cut holds three beats.*
#
# **Predict:** what share of the annotated beats does this rule find?
# <details><summary>Answer</summary>About half: 56 % on MIT-BIH. The published files hold all but 48 of 109,494 beats, so they cannot come
# from the rule as written.</details>

# %%
given, published = lesson.examples(SOURCE), lesson.examples(SOURCE, rule="published")
table = given.counts().assign(found=published.counts()["examples"])
print(f"{len(given):,} annotated beats; the published rule gives {len(published):,}")
table

# %% [markdown]
# From here on we cut at the annotated peaks. The classes are those of the standard ANSI/AAMI EC57: **N** comes from the
# sinus node (bundle branch block too), **S** is a premature beat from above the ventricles, **V** one from the ventricles, **F** a fusion of V
# and normal, **Q** paced or unknown.

# %%
several = pd.crosstab(given.patient, given.y)[[0, 1, 2, 3]].min(axis=1).idxmax()
paced = pd.crosstab(given.patient, given.y)[4].idxmax()
mine = [(given.patient == (paced if name == "Q" else several)) for name in given.classes]
drawn = {name: given.x["beat"][(given.y == k) & mine[k], :, 0] for k, name in enumerate(given.classes)}
print("beats of each:", {name: len(x) for name, x in drawn.items()})
heartbeat_plots.beats(drawn, kachuee.RATE)

# %% [markdown]
# *Beats of one simulated patient (Q: of another), their median in front. V has another shape. S has that of N: it is premature, but the cut
# begins at R, when the early beat has come.*
#
# ## 2 · CNet
#
# One convolution, five residual blocks, two dense layers. The beat shrinks: 187, 183, 90, 43, 20, 8, 2.


# %%
def cnet(classes):
    inputs = keras.Input((187, 1))
    x = layers.Conv1D(32, 5)(inputs)
    for _ in range(5):
        y = layers.Conv1D(32, 5, padding="same", activation="relu")(x)
        y = layers.Conv1D(32, 5, padding="same")(y)
        x = layers.MaxPooling1D(5, 2)(layers.ReLU()(layers.Add()([x, y])))
    x = layers.Dense(32, activation="relu")(layers.Flatten()(x))
    return keras.Model(inputs, layers.Dense(classes, activation="softmax")(x))


print(f"parameters: {cnet(5).count_params():,}; in the package: {models.cnet().count_params():,}")

# %% [markdown]
# **Predict:** where are they?
# <details><summary>Answer</summary>Ten convolutions have 5 x 32 x 32 + 32 = 5,152 each, 51,520 in all. The first has 192, the
# dense layers 2,080 and 165.</details>
#
# The original tested a random fifth of the beats, whosever they were: a *random split*. We train once that way, and once with
# a *patient split*: nobody in training and test.

# %%
for name in ("random-beats", "by-patient"):
    split = lesson.split(given, name)
    both = set(given.patient[split.train]) & set(given.patient[split.test])
    print(f"{name}: {len(both)} of {len(set(given.patient))} people on both sides")

# %%
plan = lesson.plan("cnet").but(epochs=6, batch_size=32)
mixed = lesson.train(RUNS / "mixed", "cnet", SOURCE, "random-beats", plan, examples=given)
apart = lesson.train(RUNS / "apart", "cnet", SOURCE, "by-patient", plan, examples=given)
on_mixed, on_apart = lesson.evaluate(mixed, examples=given), lesson.evaluate(apart, examples=given)

# %%
print("epochs:", len(mixed.history))
plots.learning_curves(mixed.history)

# %% [markdown]
# *Random split, simulated. Validation follows training: it holds other beats of the same hearts.*

# %%
fall = {name: on_mixed["by_class"][name]["f1"].value - on_apart["by_class"][name]["f1"].value for name in "SV"}
for name, difference in fall.items():
    checks.verdict(f"{whose}, F1 of {name} with the patient split: lower by more than 10 points", difference > 0.1)

# %% tags=["nbval-ignore-output"]
for name, result in (("random split", on_mixed), ("patient split", on_apart)):
    print(f"{name}: macro F1 {result['macro_f1']}, majority {result['majority'].value:.3f}")

# %% [markdown]
# ## 3 · Three numbers, on real patients
#
# The whole MIT-BIH database, measured with the code of this lesson: the random split of the original, and de Chazal's patient split:
# half of the hearts train (DS1), the others are tested (DS2). Paced hearts are in neither.

# %%
real = study.read("../data/results", "heartbeat")
print("beats:", sum(real["data"]["examples"].values()))
pd.DataFrame(real["data"]).T

# %% [markdown]
# Macro F1 in per cent. *Published plan*: 80 epochs, Adam at 1e-3, the best epoch by a validation part, not the test. *Ours*: 30 epochs (CNet)
# or 10. These recurrent networks run over time; the original's did not (section 5).


# %%
def macro(protocol, network, balance="none"):
    found = real["protocols"][protocol].get(network, {}).get(balance)
    return tuple(found["macro_f1"].values()) if found else None


claimed, table = real["claimed"]["macro F1"], {}
for name in lesson.ORIGINALS:
    for plan, how in ((", published plan", "none"), ("", "none"), ("", "smote")):
        found = [macro(split + plan, name, how) for split in ("random beats", "DS1 to DS2")]
        scores = (claimed[how][name], *(one and one[0] for one in found))
        table[name, how, plan[2:] or "ours"] = [f"{100 * score:.1f}" if score else "-" for score in scores]
pd.DataFrame(table, ["claimed", "random split", "DS1 to DS2"]).T

# %% [markdown]
# *CNet: means of three trainings; the others one.* CNet's claim can be had again, to half a point, by testing on the same hearts. With
# new people two thirds of it are gone, and nothing here reaches 40. SMOTE fills rare classes up with synthetic beats, here from training
# beats only, and takes a point from CNet, as it did there. (With it the recurrent networks had two epochs only.)


# %%
def three(network, plan=""):
    same, honest = (macro(split + plan, network) for split in ("random beats", "DS1 to DS2"))
    return {"name": network, "claimed": claimed["none"][network], "same": same, "honest": honest}


share = real["protocols"]["DS1 to DS2"]["cnet"]["none"]["majority"]["value"]
always = 2 * share / (1 + share) / 5
print(f"mean over {len(lesson.CLASSES['heartbeat'])} classes; always N, DS2: {100 * always:.1f}")
numbers = [three("cnet", ", published plan"), *map(three, lesson.ORIGINALS[1:])]
plots.three_numbers(numbers, "macro F1", always=always)

# %% [markdown]
# *Real beats. "Same protocol" is the original's split; CNet has its plan too. Whiskers, where they were measured: 95 % intervals over
# people; lopsided, since F and Q come from few hearts. F and Q weigh as much as N, although DS2 holds seven beats of Q.*
#
# Class by class:


# %%
def by_class(protocol, network="cnet"):
    found = real["protocols"][protocol][network]["none"]["by_class"]
    return [found[name]["sensitivity"] if name in found else None for name in given.classes]


honest = real["protocols"]["DS1 to DS2, published plan"]["cnet"]["none"]
print(f"accuracy {honest['accuracy']['value']:.3f}; always N: {honest['majority']['value']:.3f}")
beat_plots.protocols(given.classes, {p: by_class(f"{p}, published plan") for p in ("random beats", "DS1 to DS2")})

# %% [markdown]
# *Sensitivity of CNet on real beats. With new people S and Q fall to nothing and F to an eighth; V holds best, with many false alarms.*
#
# ## 4 · Audit the table
#
# A table of scores can be checked without data. The original's README prints precision, recall and F1 of every class for eight trainings
# (`README.md`, "Results", commit 7138c41 of dl-4-health-uiuc/ecg_classification). F1 is the harmonic mean of the other two. First write
# all three from one confusion matrix (rows: truth, columns: verdict).


# %%
def scores_of(confusion):
    precision, recall = (np.diag(confusion) / confusion.sum(axis=axis) for axis in (0, 1))
    return precision, recall, 2 * precision * recall / (precision + recall)


checks.expect("05.scores", scores_of)

# %% [markdown]
# **Predict:** in how many of the 48 cells does F1 not follow from precision and recall?

# %%
NAMES = [*given.classes, "MI"]
for balance_, networks in real["claimed"]["table"].items():
    for network, scores in networks.items():
        rows = pd.DataFrame(scores, NAMES)
        f1 = 2 * rows["precision"] * rows["recall"] / (rows["precision"] + rows["recall"])
        for name in f1.index[(f1 - rows["f1"]).abs() > 0.02]:
            print(f"{network}, {balance_}, {name}: printed {rows['f1'][name]:.2f}, should be {f1[name]:.2f}")
print("CNet, means over classes:")
pd.DataFrame(real["claimed"]["table"]["none"]["cnet"], NAMES)[:5].mean().round(2)

# %% [markdown]
# So the table is good work, but for one cell. A later README sums it up: "overall F1-score of 0.9366 on arrhythmia classification, 0.9677
# on MI prediction using the learned representation through transfer learning and 0.9957 on MI prediction when the model is trained from
# scratch". These are the table's *precisions*; its F1 are 92.83, 96.74 and 99.71. (The cell is printed 99.06, and should be 99.47.)
#
# ## 5 · The fault museum
#
# **Fault one: recurrence over the batch.** A recurrent layer runs along one axis. In the original's BiLSTM and BiGRU it was the batch:
# beats that happened to be judged together (`models.py`, lines 120-121, commit 064a7e0).


# %%
batch = given.x["beat"][:64]
order = np.random.default_rng(0).permutation(64)
for name, network in (("over the batch", museum.bilstm_over_batch()), ("over time", models.bilstm())):
    straight = network.predict(batch, batch_size=64, verbose=0)
    turned = network.predict(batch[order], batch_size=64, verbose=0)[np.argsort(order)]
    print(f"{name}: same answers in another order: {np.allclose(straight, turned, atol=1e-4)}")

# %% [markdown]
# Nothing warns you: the shapes fit.
#
# **Fault two: a sequence of length one.** The encoder of the original's "Seq2Seq" takes the whole beat as one step (`models.py`, lines 73-74).
# We erase all weights with which an LSTM looks back, first the encoder's, then the decoder's, which starts from the encoder's state:

# %%
one_step = museum.seq2seq_one_step()
for part in ("encoder", "decoder"):
    before = one_step.predict(batch, verbose=0)
    memory = [w for w in one_step.get_layer(part).weights if "recurrent_kernel" in w.path]
    for weight in memory:
        weight.assign(np.zeros(weight.shape))
    same = np.allclose(before, one_step.predict(batch, verbose=0), atol=1e-6)
    print(f"{part}: {sum(int(np.prod(w.shape)) for w in memory):,} weights erased; same answers: {same}")
scored = [100 * macro(f"{p}, published plan", "seq2seq_one_step")[0] for p in ("random beats", "DS1 to DS2")]
print("macro F1 with this fault, random split {:.1f}, DS1 to DS2 {:.1f}".format(*scored))

# %% [markdown]
# 80,000 weights were never used, and the random split rewards the network all the same (claimed: 90.4).
#
# **Fault three: the best epoch, chosen on the test.** The original scores the test after every epoch and prints the best (`train_ecg.py`,
# lines 95-99, commit 064a7e0). What is that worth to a network that tosses a coin, for sixty people, half of them ill?

# %%
rng = np.random.default_rng(0)
ill = np.arange(60) % 2
epochs = [f1_score(ill, rng.integers(0, 2, 60), average="macro") for _ in range(80)]
print(f"macro F1, mean of 80 epochs: {np.mean(epochs):.2f}; the last: {epochs[-1]:.2f}; the best: {max(epochs):.2f}")

# %% [markdown]
# The best of many noisy numbers is too good. Choose on a validation part, and look at the test once.
#
# **Fault four: SMOTE before the split** (not of this original). SMOTE puts a synthetic beat between a rare beat and a neighbour. Before the
# split, one part of a family trains and the other is tested. CNet, twice, on 3,000 simulated beats; only the order of the two steps
# differs:


# %%
def tested(name, train_x, test_x, train_y, test_y):
    sides = (train_x, train_y), (test_x, test_y)
    train, test = (Examples(x, y, np.full(len(y), "anybody"), given.classes) for x, y in sides)
    run = training.fit(models.cnet, train, test, lesson.plan("cnet").but(epochs=3), RUNS / name)
    return f1_score(test_y, training.predict(run, test_x).argmax(axis=1), average="macro")


some = given.take(np.random.default_rng(0).permutation(len(given))[:3000])
x, y, names = some.x["beat"], some.y, some.classes
train_x, test_x, train_y, test_y = train_test_split(x, y, test_size=0.2, random_state=0, stratify=y)
more_x, more_y = balance.smote(train_x, train_y, names)
after = tested("after", more_x, test_x, more_y, test_y)
before = tested("before", *train_test_split(*balance.smote(x, y, names), test_size=0.2, random_state=0))
checks.verdict(f"{whose}: SMOTE before the split adds more than 15 points of macro F1", before - after > 0.15)

# %% [markdown]
# A better network? Draw the labels from a hat: a nearest neighbour should be right once in five.


# %%
def hat(first):
    x, y = some.x["beat"][:1500, :, 0], np.random.default_rng(1).permutation(some.y[:1500])
    if first:
        x, y = balance.smote(x, y, names, neighbours=3)
    train_x, test_x, train_y, test_y = train_test_split(x, y, test_size=0.2, random_state=0, stratify=y)
    if not first:
        train_x, train_y = balance.smote(train_x, train_y, names, neighbours=3)
    neighbour = KNeighborsClassifier(1).fit(train_x, train_y)
    return balanced_accuracy_score(test_y, neighbour.predict(test_x))


checks.verdict("labels from a hat, SMOTE after the split: below 35 %", hat(first=False) < 0.35)
checks.verdict("labels from a hat, SMOTE before the split: above 75 %", hat(first=True) > 0.75)

# %% [markdown]
# The test got worse, not the network better.
#
# ## 6 · What the standard asks for
#
# ANSI/AAMI EC57 wants sensitivity (Se) and positive predictivity (+P, the precision) of S and of V. Real patients, DS1 to DS2:


# %%
def shown(one):
    return "-" if one["low"] is None else f"{one['value']:.2f} ({one['low']:.2f}-{one['high']:.2f})"


rows = []
for network in lesson.ORIGINALS:
    found = real["protocols"]["DS1 to DS2"][network]["none"]["by_class"]
    rows.append([network, *(shown(found[k][score]) for k in "SV" for score in ("sensitivity", "precision"))])
print("people with S:", found["S"]["patients"], "- with V:", found["V"]["patients"])
pd.DataFrame(rows, columns=["network", "S: Se", "S: +P", "V: Se", "V: +P"]).set_index("network")

# %% [markdown]
# In brackets, 95 % intervals over people.
#
# ## 7 · From beats to infarction
#
# In an infarction part of the heart muscle dies. *Acute*, the leads that look at it show a raised ST segment, those opposite a lowered one.
# *Old*, it leaves a Q wave: dead muscle makes no force. A second simulated cohort has both, in five territories.

# %%
folder = simulator.sample_infarctions() if SOURCE == "sample" else fetch.locate("ptb-xl")
stadium = pd.read_csv(folder / "ptbxl_database.csv", index_col="ecg_id")["infarction_stadium1"]
twelve = list(recordings.ptb_xl(folder))
median = {one.name: beats.median_beat(one.twelve(), one.rate) for one in twelve}
print(len(twelve), "recordings; a median beat:", median[twelve[0].name].shape)


# %%
LEADS = ("II", "III", "aVL", "V2", "V4", "V6")


def those(code, acute=None):
    mine = (one for one in twelve if code in one.labels["diagnoses"])
    return [one for one in mine if acute is None or (stadium[int(one.name)] == "Stadium I") == acute]


def typical(found, leads=LEADS):  # mV above the level before QRS
    beat = np.median([median[one.name] for one in found], axis=0)
    return (beat - beat[58:63].mean(axis=0))[:, [recordings.LEADS.index(lead) for lead in leads]]


# %%
acute = max(those("IMI", acute=True) or those("IMI"), key=lambda one: typical([one], ["II"])[95])
raised = typical([acute], recordings.LEADS)[95] >= 0.1  # 80 ms after R
print("ST raised by 0.1 mV or more:", *np.array(recordings.LEADS)[raised])
title = f"{whose} patient {acute.patient}: acute inferior infarction"
plots.ecg_page(acute, title=title, highlight=("II", "III", "aVF"))

# %% [markdown]
# *II, III and aVF look at the inferior wall: ST is raised. aVL looks from the other side: lowered.*

# %% tags=["cover"]
CODES = dict(anteroseptal="ASMI", anterior="AMI", inferior="IMI", lateral="LMI", inferolateral="ILMI")
rows = {"normal": {"old": typical(those("NORM"))}}
for name, code in CODES.items():
    phases = {"old": those(code, acute=False), "acute": those(code, acute=True)}
    rows[name] = {phase: typical(found) for phase, found in phases.items() if found}
raised = [name for name in CODES if "acute" in rows[name] and rows[name]["acute"][95, 0] >= 0.1]
print("acute, ST in lead II raised by 0.1 mV or more:", ", ".join(raised))
heartbeat_plots.territories(rows, beats.BEAT_RATE, LEADS, marked="II")

# %% [markdown]
# *Median beats of simulated patients: old infarctions thin, acute ones thick. The network gets lead II only.*
#
# **Predict:** which territories will it miss most?
# <details><summary>Answer</summary>Those in front and at the side. Lead II looks from below, and it finds the inferior ones best.</details>
#
# We cut lead II by the published rule (nobody annotated these R peaks) and call every beat by its recording's diagnosis, as Kachuee did.
# Then CNet learns from 10 % or all of the training patients: from *scratch*; *frozen*, with the heartbeat network's layers fixed and a
# new head; or *full*, from the same start with everything free.

# %%
mi = lesson.INFARCTION.load(SOURCE)
print("beats:", len(mi), "of", len(set(mi.patient)), "people")
mi.counts()


# %%
def learn(start, share):
    options = {} if start == "scratch" else {"transfer_from": RUNS / "mixed", "frozen": start == "frozen"}
    plan = lesson.INFARCTION.plan("cnet").but(batch_size=32, epochs=10 if share == 1 else 15)
    folder = RUNS / f"{start}-{share}"
    run = lesson.INFARCTION.train(folder, None, SOURCE, plan=plan, examples=mi, share=share, **options)
    return lesson.INFARCTION.evaluate(run, examples=mi)


starts = ("scratch", "frozen", "full")
results = {(start, share): learn(start, share) for share in (0.1, 1.0) for start in starts}


# %%
learnt = {start: training.Run(RUNS / f"{start}-1.0").history["accuracy"].iloc[-1] for start in starts}
gap = learnt["scratch"] - learnt["frozen"]
checks.verdict(f"{whose}, on the training beats: frozen 5 points or more below scratch", gap > 0.05)
gain = results["full", 1.0]["macro_f1"].value - results["frozen", 1.0]["macro_f1"].value
checks.verdict(f"{whose}, on new people: full above frozen", gain > 0)
told = pd.read_csv(RUNS / "scratch-1.0" / "predictions.csv", dtype={"record": str}).set_index("record")
hit = told["verdict"] == "infarction"
below = hit.index.isin([one.name for code in ("IMI", "ILMI") for one in those(code)])
others = (told["label"] == "infarction") & ~below
gap = hit[below].mean() - hit[others].mean()
checks.verdict(f"{whose}, scratch: inferior ones found more often, by 10 points or more", gap > 0.1)

# %% tags=["nbval-ignore-output"]
for (start, share), result in results.items():
    print(f"{start}, {share:.0%} of the people: macro F1 {result['macro_f1']}")

# %% [markdown]
# The frozen layers were made to tell premature beats from normal ones. They need not see ST, and the new head cannot even learn its
# training beats. Set free, the same layers can. What lead II does not see, no start finds.
#
# Real patients: normal ones and infarctions among the first 500 of 21,799 recordings of PTB-XL, five folds of a patient split:

# %%
mi_real = study.read("../data/results", "infarction")
found = mi_real["protocols"]
arms = {
    start: {s: found["by patient"][f"cnet, {start}, {s:.0%}"]["macro_f1"] for s in lesson.SHARES} for start in starts
}
beats_of = mi_real["data"]["examples"]
print("beats:", sum(beats_of.values()), "of", mi_real["data"]["recordings"], "recordings")
for share in ("1%", "10%"):
    seeds = found["by patient"][f"cnet, scratch, {share}"]["by_seed"].values()
    print(f"scratch, {share} of the people, {len(seeds)} draws: macro F1", *(f"{100 * one:.0f}" for one in seeds))
normal = beats_of["normal"] / sum(beats_of.values())
heartbeat_plots.shares(arms, "macro F1", floor=0.3, always=normal / (1 + normal))

# %% [markdown]
# *CNet on real patients. Macro F1 beat by beat; whiskers are 95 % intervals over people. Dotted: naming every beat normal, 0.40.*
#
# With 1 % of the people a fold has about three to learn from; which they are, and the draw of the weights, decide much. Scratch is the mean
# of five draws there; the first alone would say that more people make it worse. Each transferred network had one.
#
# With everybody to learn from, beside the claims, which are for another database (PTB Diagnostic):

# %%
rows = []
for start in starts:
    same, honest = (found[p][f"cnet, {start}, 100%"] for p in ("random beats", "by patient"))
    claimed = mi_real["claimed"]["macro F1"].get(start, {}).get("cnet")
    ours = (one["macro_f1"]["value"] for one in (same, honest, honest["by_recording"]))
    rows.append([start, *(f"{100 * score:.1f}" if score else "-" for score in (claimed, *ours))])
columns = ["start", "claimed", "random split", "patient split, by beat", "by recording"]
pd.DataFrame(rows, columns=columns).set_index("start")

# %% [markdown]
# *Macro F1 in per cent; the first column is of another database.* The three starts cannot be told apart: full lies 0.6 points above
# scratch, frozen 1.7 below, and both intervals include zero. With fewer people the transferred networks stand higher by beat, and zero
# stays inside every interval. By recording, as a doctor judges, little is left: with 1 % 59 and 62 against 57, with 10 % 50 and 52
# against 55. Naming every recording normal gives 44.
#
# The patient split takes 14 points by beat, and 9 more by recording: the rule finds 14 beats in an infarction and 8 in a normal
# recording, so the score by beat leans towards infarctions.
#
# ## 8 · A network that knows its patient
#
# A beat is not early by the clock. It is early for *its* heart. A shape is odd beside this patient's usual beat. Both can be found in any
# whole recording without a label. (The median knows the future too: that fits a Holter that is read the next day.)

# %%
record = given.info["record"]
interval = given.info.groupby("record")["time"].diff()
early = (interval / interval.groupby(record).transform("median")).to_numpy()
beat = pd.DataFrame(given.x["beat"][:, :40, 0])  # R and what follows for 0.3 s
usual = beat.groupby(record).transform("median")
alike = beat.corrwith(usual, axis=1).to_numpy()
print("half of all S come at less than 0.85 of the usual interval:", np.nanmedian(early[given.y == 1]) < 0.85)
print("half of all V correlate less than 0.8 with the usual beat:", np.median(alike[given.y == 2]) < 0.8)

# %%
groups = {name: (early[given.y == k], alike[given.y == k]) for k, name in ((0, "N"), (2, "V"), (1, "S"))}
print("beats drawn:", sum(len(x) for x, _ in groups.values()))
heartbeat_plots.unusual(groups, "interval before the beat / usual interval", "correlation with the usual beat")

# %% [markdown]
# *Simulated patients, every beat beside its own heart. S is early with the usual shape; V is early with another shape (the late ones are
# escape beats).*
#
# Our network sees such comparisons and nothing else. In some hearts most beats are premature. DS1 has no such heart, so we make some, for
# training alone: of hearts with many S we keep the premature beats and few others.

# %%
run_ours = lesson.train(RUNS / "ours", "ours", SOURCE, "by-patient", examples=given)
on_ours = lesson.evaluate(run_ours, examples=given)
for name in "SV":
    gain = on_ours["by_class"][name]["f1"].value - on_apart["by_class"][name]["f1"].value
    checks.verdict(f"{whose}, patient split, F1 of {name}: more than 10 points above CNet's", gain > 0.1)


# %%
def f1_of(network):
    found = real["protocols"]["DS1 to DS2"][network]["none"]
    return [found["by_class"][name]["f1"] for name in "SV"]


many = real["protocols"]["DS1 to DS2"]["ours"]["none"]
print("ours, five trainings: macro F1", *(f"{score:.2f}" for score in many["by_seed"].values()))
for usual, p in {"the whole recording": "after five minutes", "five minutes": "usual of five minutes"}.items():
    one = real["protocols"][f"DS1 to DS2, {p}"]["ours"]["none"]["by_class"]
    print(f"usual from {usual}: F1 of S {one['S']['f1']['value']:.2f}, of V {one['V']['f1']['value']:.2f}")
figure = beat_plots.protocols("SV", {"CNet": f1_of("cnet"), "ours": f1_of("ours")})
figure.axes[0].set_xlabel("F1, DS1 to DS2")
figure

# %% [markdown]
# *Real patients, single networks, pooled over their trainings; 95 % intervals over people.* It is not steady: one training alone lies between
# 0.40 and 0.70 for S, with seed 42 at 0.38. The best published are 0.83 (S) and 0.92 (V). One
# confession: we looked at DS2 three times on the way. At the first look, before we made those hearts, S stood at 0.13.
#
# Simulated V gain nothing: two of the test people have paced stretches, and our network calls such beats V, since they too are odd
# beside the usual one.
#
# At the bedside the usual comes from the first five minutes, and what is around a beat lies in the past, with a
# delay of four beats. V hardly minds. For S two fifths of the score came from knowing the rest of the recording.
#
# ## 9 · Exercises
#
# **One.** A doctor judges a recording. Average the probabilities over the beats of each recording (in the order in which they first appear).


# %%
def by_recording(probability, record):
    return probability  # your mean: (beats, classes) and (beats,) become (recordings, classes)


checks.expect("05.by_recording", by_recording)

# %% [markdown]
# <details><summary>Solution</summary>
#
# `return pd.DataFrame(probability).groupby(np.asarray(record), sort=False).mean().to_numpy()`.
# </details>
#
# **Two.** Train a recurrent network and carry it over, on the command line:
# `ecg-lessons train heartbeat --network bigru --smote --out runs/bigru`, then
# `ecg-lessons train infarction --transfer-from runs/bigru --out runs/mi` and `ecg-lessons evaluate runs/mi`. Does it beat `--network bigru`
# from scratch?
#
# <details><summary>Solution</summary>Compare the intervals over people, and train both with three seeds before you say yes.</details>
#
# ## 10 · Quiz
#
# 1. You shuffle the beats of a batch and the answers change. What is wrong?
# <details><summary>Answer</summary>Something runs over the batch, such as a recurrent layer along the wrong axis.</details>
#
# 2. A colleague balances the classes, splits, and reports 99 %. What do you ask?
# <details><summary>Answer</summary>To split first, by patient; balance the training part only; and try labels from a hat.</details>
#
# 3. Why does lead II miss an anteroseptal infarction?
# <details><summary>Answer</summary>That wall lies in front, and lead II looks from below. V1 to V4 look at it.</details>
#
# ## Recap
#
# - The published rule loses almost half of the beats.
# - A table of scores can be audited. Report sensitivity and +P of S and V, by patient.
# - Shuffle the batch, toss a coin, draw labels from a hat: tests that cost a minute.
# - Transfer is a hypothesis. Training from scratch is its control.
# - Compare a beat with its own heart, and new patients become less new.
#
# ## References
#
# - M. Kachuee, S. Fazeli, M. Sarrafzadeh, ECG heartbeat classification: a deep transferable representation (2018). arXiv:1805.00794
# - S. Mousavi, F. Afghah, Inter- and intra-patient ECG heartbeat classification: a sequence to sequence approach (2018). arXiv:1812.07421
# - N. Chawla et al., SMOTE (2002). arXiv:1106.1813
# - ANSI/AAMI EC57, Testing and reporting performance results of cardiac rhythm and ST segment measurement algorithms.
# - P. de Chazal, M. O'Dwyer, R. Reilly, *IEEE Trans. Biomed. Eng.* 51, 1196 (2004). doi:10.1109/TBME.2004.827359
# - G. B. Moody, R. G. Mark, The impact of the MIT-BIH Arrhythmia Database, *IEEE Eng. Med. Biol.* 20(3), 45 (2001). doi:10.1109/51.932724
# - K. Thygesen et al., Fourth universal definition of myocardial infarction, *Circulation* 138, e618 (2018). doi:10.1161/CIR.0000000000000617
# - P. Wagner et al., PTB-XL, *Scientific Data* 7, 154 (2020). doi:10.1038/s41597-020-0495-6
