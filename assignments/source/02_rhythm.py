# %% [markdown]
# # Assignment 2 · Rhythm in one lead
#
# 100 points. Write your code where it says YOUR CODE HERE, and keep the names. The cells below your code show some
# of the tests. Others are run when your notebook is graded.
#
# **Begin with your name.** Your data follow from it: eighty simulated recordings of one lead that nobody else has.

# %% grade_id="name" solution=true
NAME = "Ada Example"  # your own name

# %%
import matplotlib.pyplot as plt
import numpy as np

from ecg_lessons import checks, simulator
from ecg_lessons.data import recordings
from ecg_lessons.signals import beats

KINDS = ["N", "A", "O", "~"]  # normal, atrial fibrillation, other rhythm, noise
folder = simulator.sample_rhythms(80, checks.own_seed(NAME))
cohort = list(recordings.challenge_2017(folder))
known = recordings.rhythm_labels(folder)
truth = np.array([KINDS.index(known[recording.name]) for recording in cohort])
print(len(cohort), "recordings; of each kind:", np.bincount(truth, minlength=4))

# %% [markdown]
# ## 1 · How irregular is a rhythm? (20 points)
#
# `irregularity(peaks, rate)` takes the samples of the R peaks and the rate in Hz. It gives the root of the mean square of the differences
# between neighbouring RR intervals, divided by the mean RR interval. With fewer than three peaks there is no difference: it gives NaN.


# %% grade_id="irregularity" solution=true
def irregularity(peaks, rate):
    ### BEGIN SOLUTION
    intervals = np.diff(np.asarray(peaks, dtype=float)) / rate
    if len(intervals) < 2:
        return float("nan")
    return float(np.sqrt(np.mean(np.diff(intervals) ** 2)) / intervals.mean())
    ### END SOLUTION


# %% grade_id="irregularity-test" points=20
assert irregularity([0, 300, 600, 900], 300) == 0
assert np.isnan(irregularity([100, 400], 300))
### BEGIN HIDDEN TESTS
check("irregularity", [[0, 240, 560, 780, 1100], 300], tolerance=1e-6)
check("irregularity", [{"array": [10, 310, 590, 900]}, 360], tolerance=1e-6)
check("irregularity", [[5], 300])
check("irregularity", [[], 300])
### END HIDDEN TESTS

# %% [markdown]
# ## 2 · Your recordings (20 points)
#
# Find the R peaks of each of your recordings with `beats.r_peaks(lead, rate)`, where `lead` is `recording.signal`, of shape (samples, 1). `own` holds the
# irregularity of each recording, in the order of `cohort`. `medians` holds its median for N, A, O and ~, without the recordings that gave
# NaN.

# %% grade_id="own-irregularity" solution=true
### BEGIN SOLUTION
own = np.array([irregularity(beats.r_peaks(one.signal, one.rate), one.rate) for one in cohort])
medians = [np.nanmedian(own[truth == kind]) for kind in range(4)]
### END SOLUTION

# %% grade_id="own-test" points=20
assert len(own) == len(cohort)
assert len(medians) == 4
### BEGIN HIDDEN TESTS
check("own", tolerance=1e-3)
check("medians", tolerance=1e-3)
### END HIDDEN TESTS

# %% [markdown]
# ## 3 · The score of the challenge (20 points)
#
# `challenge_score(confusion)` takes how often class k (rows: N, A, O, ~) was called m (columns), and gives the mean F1 of N, A and O. Noise is not
# in the mean, yet a normal recording that was called noise counts against N. A class that nobody has and nobody was called has an F1 of 0.


# %% grade_id="score" solution=true
def challenge_score(confusion):
    ### BEGIN SOLUTION
    confusion = np.asarray(confusion, dtype=float)
    both = confusion.sum(axis=0) + confusion.sum(axis=1)
    f1 = np.divide(2 * np.diag(confusion), both, out=np.zeros(4), where=both > 0)
    return float(f1[:3].mean())
    ### END SOLUTION


# %% grade_id="score-test" points=20
assert challenge_score(np.diag([5, 5, 5, 5])) == 1
### BEGIN HIDDEN TESTS
check("challenge_score", [[[50, 2, 7, 1], [1, 20, 3, 0], [6, 4, 30, 2], [2, 5, 1, 6]]], tolerance=1e-6)
check("challenge_score", [[[10, 0, 0, 5], [0, 0, 0, 0], [3, 0, 4, 0], [0, 0, 0, 0]]], tolerance=1e-6)
check("challenge_score", [[[0, 0, 9, 0], [0, 0, 9, 0], [0, 0, 9, 0], [0, 0, 9, 0]]], tolerance=1e-6)
### END HIDDEN TESTS

# %% [markdown]
# ## 4 · Recordings of unequal length (15 points)
#
# Shorter recordings are filled up with zeros. A network that averages over time must not average over the filling.
# `mean_over_time(features, lengths)` takes features of shape (recordings, steps, channels) and the number of true steps of each recording, and
# gives the mean over the true steps alone, shape (recordings, channels). What stands in the filling has no say, even if it is not zero.


# %% grade_id="masked" solution=true
def mean_over_time(features, lengths):
    ### BEGIN SOLUTION
    features, lengths = np.asarray(features, dtype=float), np.asarray(lengths)
    true = np.arange(features.shape[1]) < lengths[:, None]
    return (features * true[..., None]).sum(axis=1) / lengths[:, None]
    ### END SOLUTION


# %% grade_id="masked-test" points=15
assert np.allclose(mean_over_time(np.ones((2, 4, 3)), np.array([4, 2])), 1)
### BEGIN HIDDEN TESTS
steps = np.random.default_rng(3).normal(size=(3, 5, 2)).round(3)
check("mean_over_time", [{"array": steps.tolist()}, {"array": [5, 1, 3]}], tolerance=1e-6)
check("mean_over_time", [{"array": (steps + 7).tolist()}, {"array": [2, 2, 4]}], tolerance=1e-6)
### END HIDDEN TESTS

# %% [markdown]
# ## 5 · See it (10 points, marked by hand)
#
# Draw the irregularity of your recordings by kind, each recording a point, so that one sees where the kinds overlap.

# %% grade_id="irregularity-plot" solution=true points=10
### BEGIN SOLUTION
aside = np.random.default_rng(0).uniform(-0.2, 0.2, len(own))
plt.plot(truth + aside, own, ".")
plt.xticks(range(4), KINDS)
plt.ylabel("irregularity of RR intervals")
plt.show()
### END SOLUTION
### BEGIN RUBRIC
# 4 every recording is there, by kind
# 3 names of kinds and of the axis
# 3 the overlap can be seen
### END RUBRIC

# %% [markdown]
# ## 6 · One number against a network (15 points, marked by hand)
#
# Choose a threshold above which you call atrial fibrillation, by your picture. How many A does it find, and how many of N, O and ~ does it call A?
# Why does it fail on O and ~, and what can a network see that this number cannot? You chose the threshold on the recordings that you count on:
# what does that do to your numbers?

# %% grade_id="threshold" solution=true
### BEGIN SOLUTION
threshold = (medians[0] + medians[1]) / 2
called = own > threshold
print({kind: f"{called[truth == k].sum()} of {np.sum(truth == k)}" for k, kind in enumerate(KINDS)})
### END SOLUTION

# %% [markdown] grade_id="threshold-words" solution=true points=15
### BEGIN SOLUTION
# The cell above prints the counts for my threshold, half way between the medians of N and A. Premature beats make other rhythms irregular too, and
# in noise the peaks themselves are wrong. A network sees P waves, the shape of the beats, and whether the irregularity has an order. I chose the
# threshold on the recordings that I count on, so on new ones it will do worse. An honest test keeps recordings apart.
### END SOLUTION
### BEGIN RUBRIC
# 5 the own counts, all four kinds
# 5 why O and ~ are irregular, and what else there is to see
# 5 the threshold was chosen on the test
### END RUBRIC
