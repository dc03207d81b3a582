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
# # Start here · Reading an electrocardiogram
#
# Whoever trains a network on curves that they cannot read will not notice when it learns the wrong thing.
#
# ![One heartbeat on ECG paper: P, QRS and T, the PR and QT intervals and the ST segment](../images/waves.svg)
#
# | | |
# |---|---|
# | **Questions** | What does an ECG show? How do ten electrodes make twelve leads? What is in a WFDB file? |
# | **You will be able to** | measure rate, intervals and axis; compute leads from electrodes; read a record |
# | **You need** | Python and a little NumPy; no medicine |
# | **Minutes** | reading 25 · running 1 · exercises 60 (5, 15 and 40) |
# | **Data** | the built-in cohort (simulated) |
# | **GPU** | no |
#
# **A requirement:** whoever trains networks on ECGs measures one by eye to within a small square or two (0.04 s each). Exercise B puts you to it.
#
# Words that are new stand in bold type where they are explained, and once more in the [glossary](glossary.md).

# %%
import importlib.util

if importlib.util.find_spec("ecg_lessons") is None:  # as in Colab; elsewhere this does nothing
    get_ipython().run_line_magic("pip", "install --quiet ecg-lessons")  # noqa: F821

from ecg_lessons import machine

machine.setup(figures=True)

# %%
import matplotlib.pyplot as plt
import numpy as np
import pandas as pd
import wfdb
from scipy.signal import find_peaks

from ecg_lessons import checks, simulator
from ecg_lessons.data import recordings
from ecg_lessons.evaluation import plots
from ecg_lessons.signals import beats

# %% [markdown]
# ## 1 · A heartbeat
#
# A cell of the heart at rest is charged like a small battery. It **depolarises** (loses that charge), contracts, and charges again. This
# spreads from cell to cell, and quickly along a **conduction system**:
#
# ![The four chambers of the heart, and the way of a beat from the sinus node to the ventricles](../images/heart.png)
#
# *From the sinus node over the atria, through the AV node, and down the bundle branches. A branch of the left one is called fascicle.*
#
# On the skin a thousandth of
# a volt is left of it, and an electrocardiogram (ECG) is that voltage over time. The picture at the top names its parts:
# the **P** wave is the atria depolarising, the **QRS** complex the ventricles, the **T** wave their recovery.
#
# Our patients are simulated: nobody in the built-in cohort ever lived. The first call makes it, in seconds.

# %%
folder = simulator.sample_cohort()
cohort = list(recordings.ptb_xl(folder))
print(len(cohort), "simulated recordings of", len({one.patient for one in cohort}), "patients")

# %%
recording = cohort[8]
two = recording.signal[:, recording.leads.index("II")]
print(f"{len(two)} samples at {recording.rate:g} Hz are {recording.seconds:g} s")
plots.ecg_strip(two[:2500], recording.rate, ["II"], "Five seconds of simulated patient 9")

# %% [markdown]
# *Lead II of a simulated healthy patient. Find P, QRS and T in each beat, and the pulse of 1 mV at the left.*
#
# ## 2 · Paper, millimetres, seconds
#
# | on paper | time (25 mm/s) | voltage (10 mm/mV) |
# |---|---|---|
# | small square, 1 mm | 40 ms | 0.1 mV |
# | big square, 5 mm | 200 ms | 0.5 mV |
#
# **Predict:** count the big squares between two R peaks of the strip. A rule of thumb says that the heart rate is 300
# divided by that count. Now measure it. A cell with `...` is yours to write; until then the lesson goes on with our way, and
# `checks.solution("00.rate")` shows it.

# %%
peaks, _ = find_peaks(two, height=two.max() / 2, distance=0.3 * recording.rate)
rr = np.diff(peaks) / recording.rate
print(f"{len(peaks)} R peaks; {np.median(rr):.2f} s between them are {25 * np.median(rr):.1f} mm")


# %%
def heart_rate(rr):
    return ...  # beats a minute, from RR intervals in seconds


heart_rate = checks.expect("00.rate", heart_rate)
print(f"{heart_rate(rr):.0f} beats a minute")

# %% [markdown]
# The **median**, the middle of the sorted values, does not mind one missed peak. The package finds R peaks in all leads at once, which
# works even where lead II is flat.

# %%
found = beats.r_peaks(recording.signal, recording.rate)
print(len(found), "peaks, within 20 ms of ours:", np.abs(found - peaks).max() <= 0.02 * recording.rate)

# %% [markdown]
# What is usual in adults at rest:
#
# | | usual | what it tells |
# |---|---|---|
# | rate | 60 to 100 a minute | athletes are slower |
# | PR interval | 120 to 200 ms | the way from atria to ventricles |
# | QRS | up to 110 ms | wider: a blocked bundle branch |
# | QTc = QT / √RR (both in s) | below 450 ms (men), 460 ms (women) | longer: a danger of arrhythmia, a wrong rhythm |
# | ST segment | level with the line before P | raised: think of an infarction, muscle that dies |
# | axis | -30° to 90° | see section 4 |
#
# QRS and axis after Surawicz 2009, QTc after Rautaharju 2009.
#
# ## 3 · Ten electrodes, twelve leads
#
# ![The places of the ten electrodes, and Einthoven's triangle](../images/electrodes.png)
#
# *Arms and legs act as wires: the triangle spans the trunk. Only V1 to V6 lie close to the heart.*
#
# A **lead** is a difference of potentials. Give the limbs any potentials you like, here at three moments of time:

# %%
RA, LA, LL = np.array([-0.4, 0.1, 0.0]), np.array([0.3, 0.2, -0.1]), np.array([0.9, -0.3, 0.2])

# Einthoven: the three sides of the triangle
lead_I, lead_II, lead_III = LA - RA, LL - RA, LL - LA

# Goldberger: one limb against the mean of the two others
aVR, aVL, aVF = RA - (LA + LL) / 2, LA - (RA + LL) / 2, LL - (RA + LA) / 2

print("I + III = II:", np.allclose(lead_I + lead_III, lead_II))
print("aVR + aVL + aVF = 0:", np.allclose(aVR + aVL + aVF, 0))

# %% [markdown]
# Three potentials have two differences, and so six limb leads carry the information of two. The chest leads share one second pole, the mean of the three limbs
# (Wilson's terminal): V1 is its electrode minus (RA + LA + LL) / 3.
#
# **Predict:** write lead III from I and II alone. How far will it be from the recorded one?


# %%
def third(one, two):
    return ...  # lead III


third = checks.expect("00.einthoven", third)
one, two, three = recording.twelve()[:, :3].T
print("lead III is II - I within 2 µV:", np.abs(third(one, two) - three).max() < 0.002)

# %% tags=["cover"]
print("columns:", *recording.leads)
plots.ecg_page(recording, title="Simulated patient 9: a healthy heart", note="simulated")

# %% [markdown]
# *A whole page: four columns of 2.5 s, and lead II for ten seconds below. aVR points down; R grows from V1 to V4.*
#
# ## 4 · The axis
#
# Limb leads look at the heart from the front, each from its own angle: I from 0° (the patient's left), II from 60°, aVF
# from 90° (the feet). The *axis* is the direction in which the QRS complex points. Two leads are enough to tell it:
#
# | QRS in I | QRS in aVF | axis |
# |---|---|---|
# | up | up | normal, 0° to 90° |
# | up | down | left; normal still if II is up (down to about -30°) |
# | down | up | right, or exchanged arms (RA/LA): they turn I over and leave aVF as it is |
# | down | down | extreme, or right arm and left leg exchanged (RA/LL): I becomes -III, aVF becomes aVR |
#
# Which of the two it is, lesson 1 asks. Now the angle itself. aVF is the mean of II and III, and each of them points down by only sin 60° = √3/2 of
# its length. So aVF is too small, by the factor √3/2: divide by it.


# %%
def axis(one, avf):
    return ...  # degrees, from the net QRS in I and in aVF; np.arctan2 knows all four quarters


axis = checks.expect("00.axis", axis)
print(f"I = 1, aVF = 0: {axis(1, 0):.0f} degrees; I = 1, aVF = 1: {axis(1, 1):.0f} degrees")

# %% [markdown]
# The net QRS is the area above the line minus the area below. We take it from the *median beat*, the typical one of a
# recording: 0.8 s at 250 Hz, with the R peak at sample 75.


# %%
def net_qrs(recording):
    qrs = beats.median_beat(recording.twelve(), recording.rate)[60:95]
    return qrs[:, recordings.LEADS.index("I")].sum(), qrs[:, recordings.LEADS.index("aVF")].sum()


print(f"patient 9: {axis(*net_qrs(recording)):.0f} degrees")

# %% [markdown]
# **Predict:** when the left anterior fascicle is blocked (LAFB), the part of the muscle that it serves comes last. Find it in the drawing
# of section 1. Where will the axis point?

# %%
angles = np.array([axis(*net_qrs(one)) for one in cohort])
code = np.array([one.labels["diagnoses"][0] for one in cohort])
for name in ("NORM", "LAFB"):
    print(f"{name}: {sum(angles[code == name] < -30)} of {sum(code == name)} left of -30 degrees")

figure, ax = plt.subplots(figsize=(4.4, 4), subplot_kw={"projection": "polar", "theta_direction": -1})
ax.fill_between(np.radians(np.linspace(-30, 90)), 0, 1.1, color="0.92", label="-30° to 90°")
for name, look, ring in (("NORM", "oC0", 0.75), ("LAFB", "^C1", 1)):
    ax.plot(np.radians(angles[code == name]), np.full(sum(code == name), ring), look, label=name, alpha=0.7)
ax.set_thetagrids([0, 60, 90, 120, 210, 330], ["I 0°", "II 60°", "aVF 90°", "III 120°", "aVR -150°", "aVL -30°"])
ax.set(rticks=[], rlim=(0, 1.1))
ax.legend(loc="lower left", bbox_to_anchor=(-0.32, -0.12), frameon=False)
plt.show()

# %% [markdown]
# *Axes of the simulated cohort, the patient facing you; angles run clockwise from lead I. LAFB turns up to the patient's left. Most healthy hearts (NORM)
# lie in the grey sector, not all. It is the same with real ones: of 297 recordings that PTB-XL calls normal (among its
# first 500), 43 lie outside when we measure them like this.*
#
# ## 5 · What a record is made of
#
# PhysioNet's databases come as WFDB records: a header (`.hea`, text) and the samples (`.dat`, whole numbers).

# %%
path = folder / "records500" / "00000" / "00009_hr"
header = path.with_suffix(".hea").read_text().splitlines()
print(*header[:3], "...", header[-1], sep="\n")

# %% [markdown]
# First line: name, 12 signals, 500 Hz, 5,000 samples. Then a line for each lead: its file; format 16, two bytes a
# sample; 1,000 steps a millivolt, and (0), the step that means 0 mV; the bits of the converter and its zero; the first sample; a sum to
# check the others; the block size; and the name. So one line of NumPy reads the samples:

# %%
steps = np.fromfile(path.with_suffix(".dat"), dtype="<i2").reshape(-1, 12)
record = wfdb.rdrecord(str(path))
print(steps.shape, "and the library wfdb agrees:", np.allclose(steps / 1000, record.p_signal))

# %% [markdown]
# The lessons use `recordings.read`. It spells leads in one way, gives millivolts, and says in one sentence what is
# wrong with a bad file.

# %%
again = recordings.read(path)
print(record.sig_name[3], "->", again.leads[3], "|", again.signal.dtype, again.signal.shape)

# %% [markdown]
# ## 6 · The built-in cohort
#
# The patients come from a model: the heart is a dipole that turns in space, and the leads are its shadows
# (McSharry 2003). Its waves were fitted to averages of PTB-XL. The shares of diagnoses are chosen for teaching, and no
# result on these patients says anything about real ones.

# %%
names = pd.read_csv(folder / "scp_statements.csv", index_col=0)["description"]
table = pd.DataFrame({"code": code, "patient": [one.patient for one in cohort]}).groupby("code")["patient"]
table = table.agg(recordings="count", patients="nunique").join(names)
pd.options.display.max_colwidth = 60
table.sort_values("recordings", ascending=False, kind="stable")

# %% [markdown]
# More recordings than patients: some came twice. An honest split keeps both recordings of a patient on one side.

# %%
infarction = cohort[list(code).index("AMI")]
print(
    "patient", infarction.patient, "code", infarction.labels["diagnoses"][0], "of", *infarction.labels["superclasses"]
)
plots.ecg_page(infarction, title="Acute anterior infarction", highlight=["V2", "V3"], note="simulated")

# %% [markdown]
# *Simulated acute anterior infarction (part of the heart muscle dies). In V2 and V3 the ST segment does not come back to the line. Which other leads
# are raised?* The codes are those of PTB-XL, after the standard SCP-ECG. It gathers them in five **superclasses**: NORM, MI (infarction), STTC (changes of ST and T), CD
# (conduction) and HYP (thick muscle).
#
# ## 7 · Real patients
#
# Point `ECG_LESSONS_DATA` to a folder with PhysioNet's own paths (`ptb-xl/1.0.3/...`), or let `ecg-lessons fetch
# ptb-xl` download it; that shows licence and citation, and goes on where it stopped. Then `--source physionet` on the
# command line takes those instead, and so do lessons 1 to 6 in `make lab` with `ECG_LESSONS_SOURCE=physionet`. This lesson
# stays with the built-in cohort. Numbers that the lessons call *real* were measured on real patients, and are stored in
# `data/results/`.
#
# ## 8 · Your machine

# %% tags=["nbval-ignore-output"]
print(machine.check())

# %% [markdown]
# Lines with `!!` say what to do. No lesson needs a GPU.
#
# ## 9 · How the lessons work
#
# *Predict*, then run, then check. `checks.expect` looks at what you wrote; it hints and never tells. `checks.verdict`
# writes a score as a sentence, because its last digits differ between machines. The three exercises at the end take some 5, 15 and 40 minutes.
# In JupyterLab, the menu Help has a *Tour of the First Minute*.
#
# Each lesson begins with a *requirement* in a clinician's words, and ends with a verdict on it. It rebuilds a published project and gives **three numbers**: what was *claimed*, where anything was claimed;
# what the *same protocol* gives here; and what an *honest* one gives, with no patient on both sides. The *fault museum*
# rebuilds a fault of the original in ten lines and measures it.
#
# | lesson | what goes wrong without it |
# |---|---|
# | [1 · Exchanged electrodes](01_inversion_detection.ipynb) | a healthy heart is treated for an infarction |
# | [2 · Rhythm](02_crnn_rhythm.ipynb) | fibrillation is missed in a short strip |
# | [3 · Beats as images](03_beat_images_2d_cnn.ipynb) | 99 % accuracy that no new patient sees |
# | [4 · One patient at a time](04_patient_transfer.ipynb) | a network that is good on average is bad for you |
# | [5 · Heartbeats](05_heartbeats.ipynb) | a table promises 93 %, and the next patient's early beats are missed |
# | [6 · From heartbeats to infarction](06_infarction_transfer.ipynb) | a transfer is praised for what training from scratch gives too |
#
# ## Exercises
#
# **A** (5 minutes). Write aVL from I and II alone.


# %%
def aVL_from(one, two):
    return ...


aVL_from = checks.expect("00.goldberger", aVL_from)

# %% [markdown]
# <details><summary>Solution</summary>
#
# aVL = LA - (RA + LL)/2 = ((LA - RA) + (LA - LL))/2 = (I - III)/2, and III = II - I, so `return one - two / 2`.
#
# </details>
#
# **B** (15 minutes). Measure this ECG: rate (beats a minute), PR, QRS and QT (ms), axis (degrees).
#
# ![Leads I, II and aVF of a simulated patient on ECG paper, to be measured](../images/measure.png)

# %%
measured = {"rate": ..., "PR": ..., "QRS": ..., "QT": ..., "axis": ...}
measured = checks.expect("00.measure", measured)

# %% [markdown]
# <details><summary>Solution</summary>
#
# Lead II has the clearest borders. Between two R peaks lie 19 small squares, 0.76 s: a rate of 79. P begins 186 ms before QRS, QRS takes 82 ms, QT 354 ms. QRS
# is up in I, about even in II, a little down in aVF: the axis is near -21°, left, and just normal. (QTc is 354 / √0.76 = 406 ms.) T ends where its falling side, drawn on as a
# straight line, meets the line between beats. A reading by eye is good to a small square or two.
#
# </details>
#
# **C** (40 minutes). How wide is QRS in the whole cohort? In a median beat, QRS is where the leads are steep. Write a function that gives its width in
# ms, and compare the diagnoses. Which hearts are wider than 110 ms? (Hint: take the largest absolute step of all leads from sample to sample, and
# find where it exceeds a share of its own maximum, near sample 75.)
#
# <details><summary>Solution</summary>
#
# ```python
# def qrs_ms(recording, share=0.12):
#     steep = np.abs(np.diff(beats.median_beat(recording.twelve(), recording.rate), axis=0)).max(axis=1)[45:110]
#     above = np.flatnonzero(steep > share * steep.max())
#     return (above[-1] - above[0] + 1) * 1000 / beats.BEAT_RATE
#
# widths = pd.Series([qrs_ms(one) for one in cohort])
# print(widths.groupby(code).median())
# print((widths > 110).groupby(code).mean())
# ```
#
# Wider than 110 ms are 13 hearts of 129: all ten with a left bundle branch block (CLBBB) and all three with a right one (CRBBB), about 132 ms; the normal ones
# have 80 ms. The share is a choice: with 0.08 two normal-looking T waves are taken for QRS, with 0.2 one block is missed. Try both.
#
# </details>
#
# ## Quiz
#
# 1. Two R peaks are three big squares apart. What is the rate?
# 2. A page shows I + III ≠ II. Were electrodes exchanged?
# 3. Your network reaches 99 % on the built-in cohort. What may you write?
#
# <details><summary>Answers</summary>
#
# 1. 300 / 3 = 100 a minute.
# 2. No: exchanged electrodes keep that sum. A lead was mixed up, inverted or rescaled after the recording.
# 3. "99 % on simulated patients." Nothing about real ones.
#
# </details>
#
# ## Recap
#
# - 25 mm are a second, 10 mm a millivolt; the rate is 60 divided by RR.
# - Leads are differences of potentials: six limb leads carry the information of two.
# - QRS up in I and in aVF: a normal axis.
# - A WFDB record is a text header and a table of whole numbers.
# - The built-in cohort is simulated: for learning, not for claims.
#
# ## References
#
# - Kligfield P et al. Standardization and interpretation of the ECG, part I. Circulation 2007. [doi:10.1161/CIRCULATIONAHA.106.180200](https://doi.org/10.1161/CIRCULATIONAHA.106.180200)
# - Bazett HC. An analysis of the time-relations of electrocardiograms. Heart 1920 (QTc).
# - Surawicz B et al. Part III (QRS, axis). Circulation 2009. [doi:10.1161/CIRCULATIONAHA.108.191095](https://doi.org/10.1161/CIRCULATIONAHA.108.191095)
# - Rautaharju PM et al. Part IV (ST, T, QT). Circulation 2009. [doi:10.1161/CIRCULATIONAHA.108.191096](https://doi.org/10.1161/CIRCULATIONAHA.108.191096)
# - McSharry PE et al. A dynamical model for generating synthetic ECG signals. IEEE Trans Biomed Eng 2003. [doi:10.1109/TBME.2003.808805](https://doi.org/10.1109/TBME.2003.808805)
# - Wagner P et al. PTB-XL. Scientific Data 2020. [doi:10.1038/s41597-020-0495-6](https://doi.org/10.1038/s41597-020-0495-6)
# - Goldberger AL et al. PhysioBank, PhysioToolkit, and PhysioNet. Circulation 2000. [doi:10.1161/01.CIR.101.23.e215](https://doi.org/10.1161/01.CIR.101.23.e215)
