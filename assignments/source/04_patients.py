# %% [markdown]
# # Assignment 4 · One patient at a time
#
# 100 points. Write your code where it says YOUR CODE HERE, and keep the names. The cells below your code show some
# of the tests. Others are run when your notebook is graded.
#
# **Begin with your name.** Your data follow from it: six simulated patients, four minutes each, that nobody else has.

# %% grade_id="name" solution=true
NAME = "Ada Example"  # your own name

# %%
import matplotlib.pyplot as plt
import numpy as np

from ecg_lessons import checks, simulator
from ecg_lessons.data import recordings
from ecg_lessons.signals import labels


def beats_of(recording):
    """Give the samples and the symbols of the beats; other annotations, such as a change of rhythm, are left out."""
    beat = labels.is_peak(recording.beats.symbols)
    return np.asarray(recording.beats.samples)[beat], np.asarray(recording.beats.symbols)[beat]


cohort = list(recordings.mitdb(simulator.sample_arrhythmias(6, 4.0, checks.own_seed(NAME))))
for recording in cohort:
    kinds, numbers = np.unique(beats_of(recording)[1], return_counts=True)
    print(recording.patient, dict(zip(kinds.tolist(), numbers.tolist(), strict=True)))

# %% [markdown]
# ## 1 · Windows (15 points)
#
# `windows(signal, peaks, before, after)` cuts a window around each peak: from `before` samples before it to `after` samples from it on, the peak
# itself among these. `signal` has the shape (samples, leads). Windows that would reach over an end are left out. It gives the windows, shape
# (n, before + after, leads), and the numbers of the peaks that have one.


# %% grade_id="windows" solution=true
def windows(signal, peaks, before, after):
    ### BEGIN SOLUTION
    signal, peaks = np.asarray(signal), np.asarray(peaks, dtype=int)
    kept = np.flatnonzero((peaks >= before) & (peaks + after <= len(signal)))
    return signal[peaks[kept, None] + np.arange(-before, after)], kept
    ### END SOLUTION


# %% grade_id="windows-test" points=15
cut, kept = windows(np.zeros((100, 2)), [5, 50, 99], 10, 10)
assert np.shape(cut) == (1, 20, 2)
assert list(kept) == [1]
### BEGIN HIDDEN TESTS
ramp = np.stack([np.arange(40.0), -np.arange(40.0)], axis=1)
check("windows", [{"array": ramp.tolist()}, {"array": [3, 10, 20, 35, 36]}, 3, 5])
check("windows", [{"array": ramp.tolist()}, {"array": [2, 4, 37]}, 4, 3])
### END HIDDEN TESTS

# %% [markdown]
# ## 2 · Scaling that does not know the future (20 points)
#
# `scaled(signal, rate)` scales each lead by its first minute alone. Its median in that minute becomes 0, and half the distance from percentile 1
# to percentile 99 in that minute becomes 1. If that half is below 0.25 mV, 0.25 mV becomes 1 instead. A recording that is shorter than a
# minute is its own first minute.


# %% grade_id="scaled" solution=true
def scaled(signal, rate):
    ### BEGIN SOLUTION
    signal = np.asarray(signal, dtype=float)
    low, middle, high = np.percentile(signal[: round(60 * rate)], [1, 50, 99], axis=0)
    return (signal - middle) / np.maximum((high - low) / 2, 0.25)
    ### END SOLUTION


# %% grade_id="scaled-test" points=20
grown = np.sin(np.arange(200.0))[:, None] * np.where(np.arange(200) < 120, 1, 9)[:, None]
assert np.allclose(scaled(grown, 2)[:120], scaled(grown[:120], 2)), "what comes later changes what was before"
### BEGIN HIDDEN TESTS
noise = np.random.default_rng(5).normal(size=(150, 2)).round(3) * [1.0, 0.05]
check("scaled", [{"array": noise.tolist()}, 1], tolerance=1e-6)
check("scaled", [{"array": (noise + np.arange(150)[:, None] / 9).tolist()}, 2], tolerance=1e-6)
check("scaled", [{"array": noise[:30].tolist()}, 1], tolerance=1e-6)
### END HIDDEN TESTS

# %% [markdown]
# ## 3 · Before and after (25 points)
#
# A network adapts to the first minutes and is tested on the rest. `before_and_after(times, kinds, minutes)` takes the time of each beat in seconds
# and its kind. It gives three numbers: how many beats come before the end of these minutes, how many come at or after it, and how many of
# these later ones are of a kind that the first minutes do not show.
#
# `own_split` is a list with these three numbers for each of your patients and the first half minute, in the order of `cohort`. A time is the
# sample of the beat, divided by `recording.rate`; its kind is its symbol.


# %% grade_id="split" solution=true
def before_and_after(times, kinds, minutes):
    ### BEGIN SOLUTION
    times, kinds = np.asarray(times), np.asarray(kinds)
    first = times < 60 * minutes
    return [int(first.sum()), int((~first).sum()), int((~np.isin(kinds[~first], kinds[first])).sum())]
    ### END SOLUTION


### BEGIN SOLUTION
own_split = []
for one in cohort:
    samples, symbols = beats_of(one)
    own_split.append(before_and_after(samples / one.rate, symbols, 0.5))
### END SOLUTION

# %% grade_id="split-test" points=13
assert list(before_and_after([1, 59, 60, 61], ["N", "N", "N", "V"], 1)) == [2, 2, 1]
### BEGIN HIDDEN TESTS
check("before_and_after", [{"array": [1.0, 2.0, 119.9, 120.0, 300.0]}, {"array": ["N", "V", "A", "L", "V"]}, 2])
check("before_and_after", [[200, 210], ["N", "V"], 3])
check("before_and_after", [[10, 20], ["N", "V"], 3])
### END HIDDEN TESTS

# %% grade_id="split-own" points=12
assert np.shape(own_split) == (6, 3)
### BEGIN HIDDEN TESTS
check("own_split")
### END HIDDEN TESTS

# %% [markdown]
# ## 4 · A fair F1 (15 points)
#
# `frequent_f1(confusion, least)` is the mean F1 over the classes with at least `least` beats. Rows are what the beats are, columns what they were
# called. A class below `least` has no F1 of its own, but its beats that were called something else count against that. Without any class that is
# frequent enough it gives NaN.


# %% grade_id="frequent" solution=true
def frequent_f1(confusion, least):
    ### BEGIN SOLUTION
    confusion = np.asarray(confusion, dtype=float)
    beats = confusion.sum(axis=1)
    f1 = 2 * np.diag(confusion) / np.maximum(beats + confusion.sum(axis=0), 1)
    return float(f1[beats >= least].mean()) if (beats >= least).any() else float("nan")
    ### END SOLUTION


# %% grade_id="frequent-test" points=15
assert frequent_f1([[10, 0], [0, 3]], 5) == 1
### BEGIN HIDDEN TESTS
check("frequent_f1", [[[90, 8, 2], [5, 12, 3], [1, 0, 4]], 10], tolerance=1e-6)
check("frequent_f1", [[[90, 8, 2], [5, 12, 3], [1, 0, 4]], 5], tolerance=1e-6)
check("frequent_f1", [[[3, 1], [0, 2]], 10])
check("frequent_f1", [[[0, 20], [0, 20]], 10], tolerance=1e-6)
### END HIDDEN TESTS

# %% [markdown]
# ## 5 · See it (10 points, marked by hand)
#
# Choose a patient of yours with two kinds of beat or more. Draw the mean beat of each kind that has ten beats or more, in one lead, from 0.22 s before
# the annotation to 0.22 s after it, against time, with a legend that says how many beats each mean has.

# %% grade_id="beats-plot" solution=true points=10
### BEGIN SOLUTION
chosen = max(cohort, key=lambda one: np.sum(np.unique(beats_of(one)[1], return_counts=True)[1] >= 10))
samples, symbols = beats_of(chosen)
cut, kept = windows(chosen.signal, samples, 80, 80)
symbols = symbols[kept]
for kind in np.unique(symbols):
    if (number := np.sum(symbols == kind)) >= 10:
        plt.plot(
            np.arange(-80, 80) / chosen.rate, cut[symbols == kind, :, 0].mean(axis=0), label=f"{kind}, {number} beats"
        )
plt.xlabel("seconds")
plt.ylabel(f"{chosen.leads[0]}, mV")
plt.legend()
plt.show()
### END SOLUTION
### BEGIN RUBRIC
# 4 a mean beat for each frequent kind
# 3 time from -0.22 to 0.22 s, axes with units
# 3 a legend with the numbers of beats
### END RUBRIC

# %% [markdown]
# ## 6 · Explain it (15 points, marked by hand)
#
# Look at `own_split`. For which of your patients could adapting to the first half minute not help, and why? The original scaled each lead of
# the test record by its lowest and highest value over all minutes: what would that give away? And records 201 and 202 of MIT-BIH come from one man: what
# goes wrong if only record 202 is left out?

# %% grade_id="split-table" solution=true
### BEGIN SOLUTION
for one, (learnt, tested, unknown) in zip(cohort, own_split, strict=True):
    print(f"{one.patient}: {learnt} beats to learn from, {tested} to test, {unknown} of a kind not met before")
### END SOLUTION

# %% [markdown] grade_id="split-words" solution=true points=15
### BEGIN SOLUTION
# The table above says who. Beats of a kind that the first minutes do not show cannot be learnt from them, and where these minutes show one kind
# alone the network may forget the others. Scaling by the whole record lets the largest later beat, or a later drift, change what minute one looks like:
# the future is known. With record 202 left out and 201 kept, the network trains on the very man whom it is tested on.
### END SOLUTION
### BEGIN RUBRIC
# 5 the own patients with beats of unknown kinds, or of one kind alone
# 5 later samples change earlier ones
# 5 the same person on both sides
### END RUBRIC
