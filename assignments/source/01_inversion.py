# %% [markdown]
# # Assignment 1 · Exchanged electrodes
#
# 100 points. Write your code where it says YOUR CODE HERE, and keep the names. The cells below your code show some
# of the tests. Others are run when your notebook is graded.
#
# **Begin with your name.** Your data follow from it: thirty simulated patients that nobody else has. Some come twice, so there are a few
# more recordings.

# %% grade_id="name" solution=true
NAME = "Ada Example"  # your own name

# %%
import matplotlib.pyplot as plt
import numpy as np

from ecg_lessons import checks, simulator
from ecg_lessons.data import recordings

LEADS = ["I", "II", "III", "aVR", "aVL", "aVF", "V1", "V2", "V3", "V4", "V5", "V6"]
cohort = list(recordings.ptb_xl(simulator.sample_cohort(30, checks.own_seed(NAME))))
signals = np.stack([recording.twelve() for recording in cohort])
rate = cohort[0].rate
print(signals.shape, "recordings, samples, leads; in mV, at", rate, "Hz")

# %% [markdown]
# ## 1 · The limb leads (15 points)
#
# Leads I and II are enough. `limb(one, two)` gives III, aVR, aVL and aVF from them, in this order; its shape is (4, samples).


# %% grade_id="limb" solution=true
def limb(one, two):
    ### BEGIN SOLUTION
    return np.stack([two - one, -(one + two) / 2, one - two / 2, two - one / 2])
    ### END SOLUTION


# %% grade_id="limb-test" points=15
assert np.shape(limb(signals[0, :, 0], signals[0, :, 1])) == (4, signals.shape[1])
assert np.allclose(limb(np.array([1.0]), np.array([1.0]))[0], 0)
### BEGIN HIDDEN TESTS
check("limb", [{"array": [0.3, 1.1, -0.2]}, {"array": [0.5, 0.7, 0.4]}], tolerance=1e-4)
check("limb", [{"array": [1.0, 0.0]}, {"array": [0.0, 1.0]}], tolerance=1e-4)
### END HIDDEN TESTS

# %% [markdown]
# ## 2 · An exchange is a matrix (25 points)
#
# `exchange(one, other)` gives the matrix of an exchange of two electrodes of the limbs, called `"RA"`, `"LA"` and `"LL"`. Its shape
# is (6, 6), for the leads I, II, III, aVR, aVL and aVF: `recorded = matrix @ correct`. An electrode that is exchanged with itself changes
# nothing. Hint: a lead is a difference of potentials, and `I = LA - RA`, `II = LL - RA`, `III = LL - LA`.


# %% grade_id="exchange" solution=true
def exchange(one, other):
    ### BEGIN SOLUTION
    names = ["RA", "LA", "LL"]
    place = [names.index({one: other, other: one}.get(name, name)) for name in names]
    augmented = np.array([[1, -0.5, -0.5], [-0.5, 1, -0.5], [-0.5, -0.5, 1]])
    electrodes = np.vstack([[[-1, 1, 0], [-1, 0, 1], [0, -1, 1]], augmented])  # leads from RA, LA, LL
    # Which leads hold what an electrode now measures: each is one of the six with a sign.
    return np.array(
        [
            [(np.allclose(wrong, lead) - 1.0 * np.allclose(wrong, -lead)) for lead in electrodes]
            for wrong in electrodes[:, place]
        ]
    )
    ### END SOLUTION


# %% grade_id="exchange-arms" points=10
assert np.shape(exchange("RA", "LA")) == (6, 6)
assert np.array_equal(exchange("LL", "LL"), np.eye(6))
### BEGIN HIDDEN TESTS
check("exchange", ["RA", "LA"])
check("exchange", ["LA", "RA"])
### END HIDDEN TESTS

# %% grade_id="exchange-legs" points=15
assert np.array_equal(np.asarray(exchange("LA", "LL")) @ exchange("LA", "LL"), np.eye(6))
### BEGIN HIDDEN TESTS
check("exchange", ["LA", "LL"])
check("exchange", ["LL", "RA"])
check("exchange", ["LA", "LA"])
### END HIDDEN TESTS

# %% [markdown]
# ## 3 · A rule, and how often it is right (20 points)
#
# An old rule says: if lead I points down, the arms are exchanged. `down(lead)` tells, for a lead of shape (samples,), whether its
# largest deflection points down: subtract the median, take the sample that is furthest from 0, and look at its sign.
#
# Then try the rule on your patients. All were recorded correctly. `false_alarms` counts the recordings that the rule calls exchanged;
# `found` counts those that it calls exchanged after you exchanged their arms.


# %% grade_id="rule" solution=true
def down(lead):
    ### BEGIN SOLUTION
    centred = np.asarray(lead) - np.median(lead)
    return bool(centred[np.argmax(np.abs(centred))] < 0)
    ### END SOLUTION


### BEGIN SOLUTION
one = signals[:, :, 0]
false_alarms = sum(down(lead) for lead in one)
found = sum(down(-lead) for lead in one)  # exchanged arms turn lead I upside down
### END SOLUTION

# %% grade_id="rule-test" points=8
assert down(np.array([0.0, 0.0, -1.0, 0.5]))
assert not down(np.array([2.0, 2.0, 3.0, 2.0]))
### BEGIN HIDDEN TESTS
check("down", [{"array": [0.1, 0.1, 0.4, 0.1, -0.1, 0.1]}])
check("down", [{"array": [-3.0, -3.0, -3.0, -2.5]}])
check("down", [{"array": [5.0, 5.0, 4.0, 5.9, 5.0]}])
### END HIDDEN TESTS

# %% grade_id="rule-own" points=12
assert 0 <= false_alarms <= len(signals)
assert 0 <= found <= len(signals)
### BEGIN HIDDEN TESTS
check("false_alarms")
check("found")
### END HIDDEN TESTS

# %% [markdown]
# ## 4 · What an alarm is worth (15 points)
#
# `alarm(sensitivity, specificity, prevalence)` is the probability that an ECG with an alarm is really exchanged.


# %% grade_id="alarm" solution=true
def alarm(sensitivity, specificity, prevalence):
    ### BEGIN SOLUTION
    true, false = sensitivity * prevalence, (1 - specificity) * (1 - prevalence)
    return true / (true + false)
    ### END SOLUTION


# %% grade_id="alarm-test" points=15
assert abs(alarm(1, 1, 0.5) - 1) < 1e-6
### BEGIN HIDDEN TESTS
check("alarm", [0.9, 0.8, 0.02], tolerance=1e-4)
check("alarm", [0.95, 0.99, 0.02], tolerance=1e-4)
check("alarm", [0.5, 0.5, 0.3], tolerance=1e-4)
### END HIDDEN TESTS

# %% [markdown]
# ## 5 · See it (10 points, marked by hand)
#
# Choose one of your patients. Draw three seconds of lead I and of aVR as they are, and as they are with exchanged arms, against time in
# seconds, in mV, with a legend.

# %% grade_id="swap-plot" solution=true points=10
### BEGIN SOLUTION
seconds = np.arange(3 * round(rate)) / rate
shown = signals[0, : len(seconds), :6] @ exchange("RA", "LA").T
figure, rows = plt.subplots(2, 1, sharex=True)
for row, number in zip(rows, (0, 3), strict=True):
    row.plot(seconds, signals[0, : len(seconds), number], label=f"{LEADS[number]}, correct")
    row.plot(seconds, shown[:, number], label=f"{LEADS[number]}, arms exchanged")
    row.set_ylabel("mV")
    row.legend()
rows[1].set_xlabel("seconds")
plt.show()
### END SOLUTION
### BEGIN RUBRIC
# 4 lead I, once upside down
# 3 aVR, which becomes aVL
# 3 axes with units, legend
### END RUBRIC

# %% [markdown]
# ## 6 · Explain it (15 points, marked by hand)
#
# Take the sensitivity and the specificity of your rule on your thirty patients, and a hospital where 2 % of ECGs are exchanged. How much is
# an alarm worth? Should the hospital correct every ECG with an alarm by itself? And how far would you trust a number from thirty patients?

# %% grade_id="alarm-value" solution=true
### BEGIN SOLUTION
sensitivity, specificity = found / len(signals), 1 - false_alarms / len(signals)
print(
    f"sensitivity {sensitivity:.2f}, specificity {specificity:.2f}, value {alarm(sensitivity, specificity, 0.02):.2f}"
)
### END SOLUTION

# %% [markdown] grade_id="alarm-words" solution=true points=15
### BEGIN SOLUTION
# The cell above prints the numbers. With 2 % exchanged, even a few false alarms in a hundred correct ECGs outnumber the true ones, so most
# corrections would spoil a correct ECG. An alarm is a reason to look, and no reason to change. Thirty patients are few: one false alarm
# more or less moves the specificity by three points, and the worth of an alarm by far more.
### END SOLUTION
### BEGIN RUBRIC
# 5 the number, from the own sensitivity and specificity
# 5 what an automatic correction does to correct ECGs
# 5 how little thirty patients tell
### END RUBRIC
