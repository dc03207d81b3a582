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
# # Lesson 4 · One patient at a time
#
# A network that knows forty hearts may still call a new patient's every beat by the wrong name.
#
# ![Everybody else trains, the patient's first ten minutes adapt, what follows is tested](../images/one_patient.png)
#
# | | |
# |---|---|
# | **Questions** | What is personal about a heartbeat? What do ten minutes of a patient teach? Who needs the others at all? |
# | **You will be able to** | leave one patient out; adapt a network without touching the test; draw who gains and who loses; keep the future out of the scaling; judge probabilities |
# | **You need** | Python, NumPy, one trained network in your past; lesson 3 |
# | **Minutes** | reading 40 · running 3 · exercises 60 (5, 15 and 40) |
# | **Data** | the built-in cohort (simulated); stored results from the MIT-BIH Arrhythmia Database (real patients) |
# | **GPU** | no |
#
# **A requirement:** after ten minutes of a new patient, the network reaches an F1 frequent (section 4) of 0.8 for 45 of 47 patients, and nobody loses more than 5 points. Section 7 answers.
#
# The lesson rebuilds a published project: a small 1-D network learns from all patients but one, and is then tuned to the first
# ten minutes of that one. It stored a run without the second step.

# %%
import importlib.util

if importlib.util.find_spec("ecg_lessons") is None:  # as in Colab; elsewhere this does nothing
    get_ipython().run_line_magic("pip", "install --quiet ecg-lessons")  # noqa: F821

from ecg_lessons import machine

machine.setup(seed=42, figures=True)

# %%
import os
import tempfile
from dataclasses import replace
from pathlib import Path

import keras
import numpy as np
import pandas as pd
from keras import layers

from ecg_lessons import checks, simulator, study
from ecg_lessons.data import fetch, recordings
from ecg_lessons.evaluation import beat_plots, calibration_plots, patient_plots, plots
from ecg_lessons.lessons import patients as lesson
from ecg_lessons.lessons.beat_images import thin
from ecg_lessons.lessons.patient_arms import Reused, Shared
from ecg_lessons.models import museum, table
from ecg_lessons.models import patient as models
from ecg_lessons.splits import persons

SOURCE = os.environ.get("ECG_LESSONS_SOURCE", "sample")
RUNS = Path(tempfile.mkdtemp())

# %% [markdown]
# ## 1 · What is personal about a heartbeat?
#
# The built-in cohort is simulated, and no number measured on it says anything about a clinic. A beat is a window of 160
# samples (0.44 s) in two leads. It has one of fourteen letters of MIT-BIH: N normal, L and R bundle branch block, A and V premature, / paced, F and f fusion, j, e and E escape, and the rare a, J and S.

# %%
given = lesson.examples(SOURCE)
people = lesson.people(given)
print(len(given), "beats of", len(people), "people; one beat:", given.x.shape[1:])
given.counts()[lambda table: table["examples"] > 0]

# %% [markdown]
# All of the next beats bear the letter N, and all of them are right.

# %%
normal = thin(given.where(symbol="N"), 150)
five = {f"patient {one}": normal.x[normal.patient == one, :, 0] for one in np.unique(normal.patient)[:5]}
print("normal beats drawn from:", ", ".join(five))
patient_plots.hearts(five, lesson.RATE, lesson.BEFORE)

# %% [markdown]
# *Normal beats of five simulated patients, lead MLII (nearly II), with their medians in blue. One class, five shapes.*
#
# **Predict:** take one normal beat of the last five minutes, and the *usual* beat (the median) of each heart in the first ten.
# How often is its own heart the nearest? By chance it would be one time in ten.

# %%
time = normal.info["time"].to_numpy()
early, late = normal.take(time < 600), normal.take(time >= 600)
hearts = np.unique(early.patient)
usual = np.stack([np.median(early.x[early.patient == one], axis=0) for one in hearts])
distance = np.sqrt(((late.x[:, None] - usual) ** 2).mean(axis=(2, 3)))

# %%
own = late.patient[:, None] == hearts
checks.verdict(
    "its own heart is nearest in more than 75 % of the cases",
    (hearts[distance.argmin(1)] == late.patient).mean() > 0.75,
)
groups = {"own heart": distance[own], "other hearts": distance[~own]}
beat_plots.distributions(groups, "distance to a heart's usual beat (root mean square, both leads)", 0.8)

# %% [markdown]
# *Simulated patients. To other hearts it is about twice as far as to its own.* A network that has met a heart may use this.
#
# ## 2 · The network
#
# Three convolutions of 16, 32 and 64 filters, a pooling after each, and two dense layers. The last two are the **head**, which decides; what stands before them,
# the **body**, looks.


# %%
def our_network():
    x = beat = keras.Input((160, 2))
    for filters in (16, 32, 64):
        x = layers.MaxPooling1D(2)(layers.Conv1D(filters, 3, activation="relu")(x))
    x = layers.Dense(32, activation="relu")(layers.Flatten()(x))
    return keras.Model(beat, layers.Dense(14)(x))


body, head = models.parts(models.build())
print(f"parameters: {our_network().count_params():,}; in the head: {head.count_params():,}")
table(our_network())

# %% [markdown]
# The last layer gives **logits**: any real numbers. The loss turns them into probabilities with a softmax: exponentials, divided by their sum.
#
# **Fault museum, one: a ReLU on the logits.** The original (a notebook that stops before its transfer step) set one, and it ran without
# a warning. **Predict:** the true class has the
# logit -1. Which way does the loss push it, with the ReLU?


# %%
def push(logits, right, relu):
    shown = np.maximum(logits, 0) if relu else logits
    probability = np.exp(shown) / np.exp(shown).sum()
    slope = probability - np.eye(len(logits))[right]
    return -slope * (logits > 0) if relu else -slope


logits = np.array([-1.0, 2.0, 0.5])
print("push on the true class, linear:", push(logits, 0, relu=False)[0].round(2))
print("push on the true class, ReLU:", push(logits, 0, relu=True)[0])

# %% [markdown]
# Nowhere. No gradient passes where the ReLU cuts. A class that is below zero for every beat is *dead*: no example
# pushes it up again, and only a change in the layers below, made for other classes, can.  Now train both from the same first weights. We show seeds 2, 3 and 4 because
# in two of them a class dies:

# %%
few = thin(given, 60)


def trained(build, seed):
    keras.utils.set_random_seed(seed)
    model = build()
    loss = keras.losses.SparseCategoricalCrossentropy(from_logits=True)
    model.compile("adam", loss, steps_per_execution=16)  # sixteen batches at a time: quicker
    loss = model.fit(few.x, few.y, epochs=3, verbose=0).history["loss"][-1]
    highest = model.predict(few.x, verbose=0).max(axis=0)
    return loss, [few.classes[k] for k in np.unique(few.y) if highest[k] <= 0]


# %%
linear = [trained(models.patient, seed) for seed in (2, 3, 4)]
cut = [trained(museum.relu_logits, seed) for seed in (2, 3, 4)]
checks.verdict("with the ReLU, a class that is there died", any(dead for _, dead in cut))
checks.verdict("without it, none did", not any(dead for _, dead in linear))
losses = [np.mean([loss for loss, _ in runs]) for runs in (linear, cut)]
checks.verdict("mean training loss with the ReLU more than doubled", losses[1] > 2 * losses[0])

# %% tags=["nbval-ignore-output"]
print("dead classes, run by run:", [dead for _, dead in cut])
print(f"training loss: linear {losses[0]:.2f}, with the ReLU {losses[1]:.2f}")

# %% [markdown]
# Who dies is decided by the first random weights: some runs are spared. A fault that spares some runs is hard to
# find. Our network has linear logits, and differs in nothing else.
#
# ## 3 · The protocol
#
# Everybody else trains. The patient's first ten minutes *adapt*. The rest is tested, and decides nothing.
#
# **Record against patient.** Records 201 and 202 of MIT-BIH come from one man. Leave out 201 and keep 202, and the network has met
# him. Which rows may train when somebody is left out?


# %%
def others(record, who):
    return ...  # True for the rows that may train; the man of 201 and 202 is called 201


others = checks.expect("04.others", others)
print("the package knows it too:", persons(np.array(["200", "201", "202"])))


# %% [markdown]
# **Time.** With one minute of adaptation instead of ten, the test must stay the same, or the lengths cannot be compared.


# %%
def sides(time, minutes):
    return ..., ...  # which beats adapt, and which are tested; time in s


sides = checks.expect("04.sides", sides)

# %%
mine = given.take(persons(given.patient) == people[0])
for minutes in (1, 10):
    adapt, test = (side.sum() for side in sides(mine.info["time"], minutes))
    print(f"patient {people[0]}, {minutes} min: {adapt} beats adapt, {test} are tested")

# %% [markdown]
# **Validation.** The original *watched* the patient under test in every epoch: it gave him to `fit` as validation data. Nothing was chosen by
# that curve; its last epoch is scored. But who tunes by it trains on the test a little. Here a tenth of the *others* is watched,
# and chooses.
#
# ## 4 · Fault museum, two: scaling that knows the future
#
# The original scales each lead of the test record to [0, 1] by its own smallest and largest value, over all of its minutes. Now let
# the baseline of a record drift away after minute ten. What happens to the beats *before*?


# %%
def to_one(signal):
    low, high = signal.min(axis=0), signal.max(axis=0)
    return (signal - low) / (high - low)


folder = simulator.sample_arrhythmias(20, lesson.SAMPLE_MINUTES) if SOURCE == "sample" else fetch.locate("mitdb")
recording = next(recordings.mitdb(folder))
ten = round(10 * 60 * recording.rate)

# %%
drifting = recording.signal.copy()
drifting[ten:] += np.linspace(0, 4, len(drifting) - ten)[:, None]  # mV
first = slice(0, ten // 10)
height = [np.ptp(to_one(signal)[first, 0]) for signal in (recording.signal, drifting)]
print("height of minute one, of 1: {:.2f} without drift, {:.2f} with it".format(*height))

# %% [markdown]
# Minute one has shrunk because of what happens later. No bedside monitor can do that. We scale by the first minute:

# %%
both = [next(lesson.scaled([replace(recording, signal=s)])).signal for s in (recording.signal, drifting)]
print("the first ten minutes stay as they were:", np.array_equal(both[0][:ten], both[1][:ten]))

# %% [markdown]
# Such scaling also flatters. In record 200 of MIT-BIH the second lead grows about fourfold: quiet minutes have 0.3 mV before minute ten and 1.1 mV after minute 17. Let a lead do so here, at once.

# %%
grown = recording.signal.copy()
grown[ten:, 1] *= 4
shown = slice(ten - ten // 300, ten + ten // 300)
print("range of lead 2 in these seconds, mV:", np.ptp(grown[shown, 1]).round(1))
plots.ecg_strip(grown[shown], recording.rate, leads=recording.leads, start=598)

# %% [markdown]
# *Two seconds before and after minute ten, simulated. From one beat to the next, the lower lead is four times as large.*
#
# We train the network on the first ten minutes, and test it on the rest. Three times both parts are scaled by the first minute, our way. Three times each
# part is scaled by its own range, from percentile 1 to 99. This is milder than the original's way: the whole record, from its smallest value to its largest. **F1** of a class is 2 x right / (all that are so + all that are
# called so). The score is *F1 frequent*: its mean over the classes with ten test beats or more. Section 9 says why.

# %%
beats = lesson.from_recordings([replace(recording, signal=grown)])
parts = lesson.split(beats, recording.patient)
train, test = beats.take(parts.train), beats.take(parts.test)


def by_own_range(x):
    low, middle, high = np.percentile(x, [1, 50, 99], axis=(0, 1))
    return 2 * (x - middle) / (high - low)


# %%
learner = Reused(models.build(), 1e-3)
starts = [models.build().get_weights() for _ in range(3)]
chance = np.bincount(train.y)[train.y] ** -0.5  # rare classes are drawn more often
order = np.random.default_rng(0).choice(len(train), 120 * 32, p=chance / chance.sum())


def frequent(scale, start):
    weights = learner.fit(start, scale(train.x)[order], train.y[order], 32)
    verdict = learner.probabilities(weights, scale(test.x)).argmax(axis=1)
    return lesson.score(test.y, verdict)["F1 frequent"]


honest, flattered = (np.mean([frequent(scale, start) for start in starts]) for scale in (lambda x: x, by_own_range))
checks.verdict("scaled by the test's own range: over ten points better, three trainings each", flattered > honest + 0.1)

# %% [markdown]
# The fault erased the growth of the lead, and with it the hardest part of the task. In a real patient it stays. (In most of our twenty people the difference is smaller.)
#
# ## 5 · Twelve patients, one by one
#
# Five *arms* answer for the same test beats: the *majority* class of the first ten minutes; the *generic* network; its *head*
# (the last two layers) adapted; the *whole* adapted; and the same network *alone*, trained on these minutes and nobody else.
# We leave out twelve of the simulated patients, each in turn.

# %%
plan, settings = lesson.plan(preset="quick"), lesson.SETTINGS["quick"]
who = {"leave_one_out": True, "patients": ",".join(people[:12])}
cohort = lesson.train(RUNS / "loo", source=SOURCE, preset="quick", examples=given, **who)
summary = lesson.summarise(cohort)
print(len(cohort.finished()), "patients,", sum(summary.beats.values()), "beats tested")

# %% [markdown]
# What ten minutes add, as a mean over the patients:

# %%
whose = "simulated" if SOURCE == "sample" else "real"
gain, over_alone = summary.gain("whole"), summary.gain("whole", over="alone")
checks.verdict(f"{whose}: adapted beats generic, 95 % interval over patients above 0", gain.low > 0)
checks.verdict("but it beats 'alone' by less than a fifth of that", over_alone.value < gain.value / 5)

# %% tags=["nbval-ignore-output"]
ten_minutes = summary.table[summary.table.index.get_level_values("minutes").isin([0, 10])]
ten_minutes[["F1 frequent", "gain F1 frequent", "accuracy"]].astype(str)

# %% [markdown]
# Mean over patients, with 95 % intervals; *gain* is the paired difference to the generic network: both scores of one patient, one minus the other. (Macro F1, used below, is the
# mean over all classes that a patient has.) Now patient by patient:

# %%
scored = summary.by_patient()
gained = (scored["whole"] - scored["generic"] > 0.05).sum()
checks.verdict("more than half gain over five points", gained > len(scored) / 2)
named = scored.index[scored["whole"] < 0.95]
patient_plots.gains(scored["generic"].to_dict(), scored["whole"].to_dict(), "F1 frequent", named)

# %% [markdown]
# *Simulated patients, sorted by what they gain. Some had every beat wrong before, and ten minutes repair them.*
#
# ## 6 · How many minutes?
#
# **Predict:** the first minute holds about 70 beats, perhaps one or two of them rare. How much of the gain does it bring?

# %%
rows = summary.table["F1 frequent"]
curve = {arm: {m: vars(rows[arm, m]) for m in lesson.MINUTES} for arm in ("whole", "alone")}
start = {0: vars(rows["generic", 0])}
one = summary.gain("whole", minutes=1.0).value
checks.verdict("one minute brings more than half of the gain", one > gain.value / 2)
patient_plots.adaptation({"adapted": start | curve["whole"], "alone": curve["alone"]}, "F1 frequent")

# %% [markdown]
# *Simulated patients; at 0 stands the generic network. The simulated hearts repeat themselves, so a minute shows nearly all.* Real hearts do not.
#
# ## 7 · Real patients
#
# The same protocol on all of MIT-BIH, 48 records of 47 people:

# %%
real = study.read("patients")
arms = real["summary"]["arms"]
counts = pd.DataFrame(real["data"])
print("beats:", counts["examples"].sum(), f"- of these N: {counts['examples']['N'] / counts['examples'].sum():.1%}")
counts.T


# %%
def measured(arm, minutes, score="F1 frequent"):
    return arms[f"{arm} {minutes:g}"][score]


def words(one):
    return f"{one['value']:.3f} ({one['low']:.3f} to {one['high']:.3f})"


scores = ("F1 frequent", "macro F1", "accuracy")
full = {"majority": 10, "generic": 0, "head": 10, "whole": 10, "alone": 10}
pd.DataFrame({arm: [words(measured(arm, m, score)) for score in scores] for arm, m in full.items()}, scores).T

# %% [markdown]
# *Means over patients with 95 % intervals.* The original as it was has ReLU logits, scales each record by its own range, leaves out one record
# at a time, and trains ten epochs anew for each:

# %%
original = real["original"]
places = ("whole records", "people after minute 10")
theirs, by_patient = original["F1 frequent by patient"], real["summary"]["F1 frequent by patient"]
ahead = lesson.mean(np.array([one["generic"] - theirs[name] for name, one in by_patient.items()]))
print("F1 frequent after minute 10, generic minus original:", words(vars(ahead)))
pd.DataFrame({place: [words(original[place][score]) for score in scores] for place in places}, scores).T

# %% [markdown]
# *48 trainings, one for each record left out.* **The three numbers.** *Claimed:* none was published. *Same protocol:* F1 frequent 56 % (accuracy 71 %) over whole records.
# *Honest:* the patient under test is left out, the whole man (201 and 202), and tested after minute ten. There the original reaches F1
# frequent 58 %, our generic network 62 %, and the same adapted to ten minutes 87 %. The first two differ by 4 points (-1 to 10), which may be
# chance; what adapting brings is not: that is another method, not more honesty. One confession: we chose our way of scaling and the plan by a look at a few patients' test parts.
#
# In accuracy the generic network does worse than always naming the patient's most frequent class: new hearts mislead it.

# %% tags=["cover"]
losers = real["summary"]["hurt"]["whole"]
before, after = ({name: one[arm] for name, one in by_patient.items()} for arm in ("generic", "whole"))
print("adapted:", len(by_patient), "people; lower by more than half a point:",
      ", ".join(f"{name} {100 * lost:+.1f}" for name, lost in losers.items()))  # fmt: skip
patient_plots.gains(before, after, "F1 frequent", names=losers)

# %% [markdown]
# *Real patients, sorted by gain; from the generic network (grey) to the one adapted to ten minutes. Only record 200 loses more than two
# points: 21. Its second lead grows about fourfold after minute ten, and what the network had learnt in these minutes is about
# another picture.*

# %% [markdown]
# **The requirement.** F1 of 0.8 for 45 of 47, and nobody more than 5 points lower:

# %%
reached = [sum(one[arm] >= 0.8 for one in by_patient.values()) for arm in ("generic", "whole")]
print(f"0.8 or more: generic {reached[0]}, adapted {reached[1]} of {len(by_patient)} patients")
print("lower by more than 5 points:", *(name for name, lost in losers.items() if lost < -0.05))

# %% [markdown]
# **Verdict:** no. 36 of 47 instead of 45, and record 200 loses 21 points. Nobody could tell this beforehand.
#
# How much does each minute bring?

# %%
curve = {arm: {m: measured(arm, m) for m in lesson.MINUTES} for arm in ("whole", "alone")}
one, all_ten = (measured("whole", m, "gain F1 frequent")["value"] for m in (1, 10))
print(f"of the gain of ten minutes, one minute brings {100 * one / all_ten:.0f} %")
patient_plots.adaptation(
    {"adapted": {0: measured("generic", 0)} | curve["whole"], "alone": curve["alone"]}, "F1 frequent", floor=0.4
)

# %% [markdown]
# *Real patients. Every minute helps. But look at the two curves: the network without any pre-training is as good, or nearly so.* What do forty-six other
# hearts give, as a mean of paired differences?

# %%
for minutes, one in real["over alone"].items():
    print(f"{minutes} min: {100 * one['value']:+.1f} points ({100 * one['low']:+.1f} to {100 * one['high']:+.1f})")

# %% [markdown]
# With one minute, one or two points, and the interval just leaves out zero. With more, nothing that could be told from chance. The gain comes from the patient, not from the transfer. A report of *adapted against generic* cannot show that. Set *alone* beside it.
#
# ## 8 · Forty-seven trainings for the price of a few
#
# Leave-one-out asks for one pre-training a patient. We *share*. First, a few groups (folds) of patients, and for each group one network, trained on
# those outside. Then, for each patient, this network goes once over the beats of the *others of the group* and as many that it knows, and adapts to nobody yet.

# %%
shared = Shared(thin(given, settings.most, plan.seed), RUNS / "nothing", plan, folds=settings.folds)
whom = persons(shared.taught.patient)
seen = {one: shared.split(one) for one in people}
print("trainings from scratch:", len(shared.folds), "instead of", len(people))
on_a_side = [one in whom[np.r_[split.train, split.validation]] for one, split in seen.items()]
print("patients in the training or validation of their own network:", sum(on_a_side))

# %%
learnt = plan.epochs * sum(len(split.train) for split in seen.values())
first_phase = plan.epochs * sum(len(fold.train) for fold in shared.folds)
joining = sum(2 * (len(set(whom[fold.test])) - 1) * len(fold.test) for fold in shared.folds)
print(f"simulated, beats to learn from, plain against shared: {learnt / (first_phase + joining):.1f} to 1")

# %% [markdown]
# *Approximate:* the networks of a group have one origin, so their errors are alike; the others are seen once, not in
# every epoch. *Exact:* no beat of a patient is in any phase of the network that is tested on him. On real patients, against the plain loop:

# %%
fast = real["fast against plain"]
difference = fast["generic, fast minus plain"]["F1 frequent"]
print("real patients:", fast["patients"], "- times faster:", fast["times faster"])
print("generic network, shared minus plain:", words(difference))

# %% [markdown]
# Six times faster costs the generic network about two points of F1 frequent, and the interval just leaves out zero: the approximation is not free. (One seed, every third patient.) The plain loop stays at hand: `--plain`.
#
# ## 9 · A score that is not ruled by two beats
#
# Macro F1 is the mean over all classes that occur.

# %%
truth = np.repeat([lesson.CLASSES.index(kind) for kind in "NVF"], [900, 60, 2])
verdict = truth.copy()
verdict[-1] = truth[0]  # one of 962 beats is missed
for name, value in lesson.score(truth, verdict).items():
    print(f"{name}: {value:.3f}")

# %% [markdown]
# One beat costs macro F1 eleven points; among sixty it would cost less than half a point.
# *F1 frequent* asks for ten beats before it lets a class speak. It is silent on the rarest kinds, which may be the ones that matter: report them with their counts.

# %%
tested = [n for one in cohort.finished() for n in cohort.metrics(one)["tested on"].values()]
print(
    f"classes of a patient with fewer than {lesson.FREQUENT} test beats:",
    sum(n < 10 for n in tested),
    "of",
    len(tested),
)

# %% [markdown]
# ## 10 · Does it know when it is wrong?
#
# A verdict comes with a probability. Of all verdicts given with 80 %, four in five should be right: that is *calibration*.

# %%
told = pd.concat([cohort.predictions(one) for one in cohort.finished()])


def reliable(arm):
    return told[f"{arm} p"].to_numpy(), (told[arm] == told["symbol"]).to_numpy()


def calibration_error(probability, right):
    tenth = (10 * probability).astype(int).clip(max=9)
    return np.abs(np.bincount(tenth, probability) - np.bincount(tenth, right)).sum() / len(right)


# %%
errors = [calibration_error(*reliable(arm)) for arm in ("generic 0", "whole 10")]
checks.verdict("adaptation at least halves the calibration error", errors[1] < errors[0] / 2)
probability, right = reliable("whole 10")
checks.verdict("adapted, and surer than 90 %: right in 98 % or more", right[probability > 0.9].mean() > 0.98)
calibration_plots.reliability({"generic": reliable("generic 0"), "adapted": reliable("whole 10")})

# %% [markdown]
# *Simulated patients. On the diagonal a network is as sure as it is right; below, too sure; above, too modest. The larger a mark, the more
# verdicts. The generic network is off on both sides; the adapted one keeps to the diagonal where nearly all of its verdicts are.* After
# adaptation a doubtful verdict means something: show it to a person.
#
# ## 11 · Exercises
#
# **One** (5 minutes). Write *F1 frequent* from a confusion matrix: rows are the truth, columns the verdicts. A class with fewer than ten beats leaves the mean; wrong verdicts
# about it stay.


# %%
def frequent_f1(confusion):
    return ...  # the mean over the classes with ten beats or more


frequent_f1 = checks.expect("04.frequent", frequent_f1)

# %% [markdown]
# <details><summary>Solution</summary>
#
# `f1 = 2 * np.diag(confusion) / (confusion.sum(axis=0) + confusion.sum(axis=1))`, and then
# `return f1[confusion.sum(axis=1) >= 10].mean()`.
# </details>
#
# **Two** (15 minutes). `--adapt-minutes 2` of `ecg-lessons train patients` begins the test at minute two, not at ten. Why can its score not be set beside ours? Show it with
# section 3's patient (`mine`; `mine.info["symbol"]` has the letters): how many beats are tested, how many of them are not N, from minute two and from minute ten?
#
# <details><summary>Solution</summary>
#
# ```python
# for minute in (2, 10):
#     tested = mine.take(mine.info["time"].to_numpy() >= 60 * minute)
#     print(f"from minute {minute}: {len(tested)} beats, not N:", int((tested.info["symbol"] != "N").sum()))
# ```
#
# 1,046 beats, 71 of them not N, against 402 and 26: other beats, and more of them. A patient whose rare beats come early has another test. Compare lengths only on one test part, as section 6 does.
# </details>
#
# **Three** (40 minutes). Adapt a network yourself. Leave out `people[0]` and train on the others (at most 60 beats of a class and patient, 5 epochs). Then, with his first ten
# minutes: the head alone (`layer.trainable = False` for the body), the whole, and a new network on these minutes alone; 20 epochs each, Adam at 1e-3. Score all four by F1 frequent after
# minute ten. Which comparison tells what the others gave?
#
# <details><summary>Solution</summary>
#
# ```python
# def fit(model, beats, epochs):
#     model.compile(keras.optimizers.Adam(1e-3), keras.losses.SparseCategoricalCrossentropy(from_logits=True))
#     model.fit(beats.x, beats.y, 32, epochs, verbose=0)
#     return model
#
# def score_of(model, beats):
#     return lesson.score(beats.y, model.predict(beats.x, verbose=0).argmax(axis=1))["F1 frequent"]
#
# keras.utils.set_random_seed(1)
# everybody = thin(given.take(others(given.patient, people[0])), 60)
# adapt, test = (mine.take(side) for side in sides(mine.info["time"].to_numpy(), 10))
# generic = fit(our_network(), everybody, 5)
# start = generic.get_weights()
# print(f"generic {score_of(generic, test):.2f}")
# for arm in ("head", "whole", "alone"):
#     model = our_network()
#     if arm != "alone":
#         model.set_weights(start)
#     for layer in model.layers[:-2]:
#         layer.trainable = arm != "head"
#     print(f"{arm} {score_of(fit(model, adapt, 20), test):.2f}")
# ```
#
# F1 frequent is about 0.57 for the generic network, 0.99 for the head alone and the whole, 0.96 for the network that met nobody else. *Alone* tells what the others gave: next
# to nothing here. The generic network is no fair rival: it has not seen these ten minutes.
# </details>
#
# ## 12 · Quiz
#
# 1. A paper adapts to five minutes of each patient and gains 20 points over the generic network. What do you ask for?
# <details><summary>Answer</summary>The same network trained on these five minutes alone. Perhaps the others gave nothing.</details>
#
# 2. Somebody scales a record by its largest value. What is wrong, if nothing of it trains?
# <details><summary>Answer</summary>The largest value may come later than the beat. At the bedside nobody knows it yet.</details>
#
# 3. Patient 201 is left out, and record 202 trains. Is the test honest?
# <details><summary>Answer</summary>No. Both records are of one man. Leave out people, not files.</details>
#
# ## Recap
#
# - Normal beats of two hearts differ; new hearts mislead a generic network.
# - Ten minutes of the patient repair most of it, and nearly as well without any pre-training.
# - Scale, choose and stop without the test: no later sample may change an earlier beat.
# - A ReLU on logits kills classes without a word.
# - Show each patient before and after; the mean hides who is hurt.
#
# ## References
#
# - Y. H. Hu, S. Palreddy, W. J. Tompkins, A patient-adaptable ECG beat classifier, *IEEE Trans. Biomed. Eng.* 44, 891 (1997). doi:10.1109/10.623058
# - P. de Chazal, R. Reilly, A patient-adapting heartbeat classifier, *IEEE Trans. Biomed. Eng.* 53, 2535 (2006). doi:10.1109/TBME.2006.883802
# - S. Kiranyaz, T. Ince, M. Gabbouj, Real-time patient-specific ECG classification by 1-D convolutional neural networks,
#   *IEEE Trans. Biomed. Eng.* 63, 664 (2016). doi:10.1109/TBME.2015.2468589
# - G. B. Moody, R. G. Mark, The impact of the MIT-BIH Arrhythmia Database, *IEEE Eng. Med. Biol.* 20(3), 45 (2001). doi:10.1109/51.932724
# - C. Guo et al., On calibration of modern neural networks (2017). arXiv:1706.04599
