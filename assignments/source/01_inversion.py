# %% [markdown]
# # Assignment 1 · Exchanged electrodes
#
# 100 points. Write your code where it says YOUR CODE HERE; keep the names of the functions. The cells below your code show some
# of the tests. Others are run when your notebook is graded.
#
# **Begin with your name:** your data follow from it, so nobody else has them.

# %% grade_id="name" solution=true
NAME = "Ada Example"  # your own name
### BEGIN SOLUTION
NAME = "Reference"
### END SOLUTION

# %%
import zlib

import matplotlib.pyplot as plt
import numpy as np

rng = np.random.default_rng(zlib.crc32(NAME.encode()))
seconds = np.arange(0, 2, 1 / 250)
beat = np.exp(-(((seconds % 0.8) - 0.3) ** 2) / 0.0004)
lead_one, lead_two = rng.uniform(0.4, 1.2) * beat, rng.uniform(0.8, 1.6) * beat

# %% [markdown]
# ## 1 · The limb leads (20 points)
#
# `limb(one, two)` gives the leads III, aVR, aVL and aVF in this order, from leads I and II; its shape is (4, samples).


# %% grade_id="limb" solution=true
def limb(one, two):
    ### BEGIN SOLUTION
    return np.stack([two - one, -(one + two) / 2, one - two / 2, two - one / 2])
    ### END SOLUTION


# %% grade_id="limb-test" points=20
assert np.shape(limb(lead_one, lead_two)) == (4, 500)
### BEGIN HIDDEN TESTS
check("limb", [{"array": [0.3, 1.1, -0.2]}, {"array": [0.5, 0.7, 0.4]}], tolerance=1e-4)
check("limb", [{"array": [1.0, 0.0]}, {"array": [0.0, 1.0]}], tolerance=1e-4)
### END HIDDEN TESTS

# %% [markdown]
# ## 2 · A swap is a matrix (30 points)
#
# The electrodes of the arms are exchanged. `arms(one, two)` gives what is then recorded as leads I and II, shape (2, samples), and
# `legs(one, two)` the same for left arm and left leg.


# %% grade_id="swap" solution=true
def arms(one, two):
    ### BEGIN SOLUTION
    return np.stack([-one, two - one])
    ### END SOLUTION


def legs(one, two):
    ### BEGIN SOLUTION
    return np.stack([two, one])
    ### END SOLUTION


# %% grade_id="arms-test" points=15
assert np.allclose(np.asarray(arms(lead_one, lead_two))[0], -lead_one)
### BEGIN HIDDEN TESTS
check("arms", [{"array": [0.3, 1.1, -0.2]}, {"array": [0.5, 0.7, 0.4]}], tolerance=1e-4)
### END HIDDEN TESTS

# %% grade_id="legs-test" points=15
assert np.shape(legs(lead_one, lead_two)) == (2, 500)
### BEGIN HIDDEN TESTS
check("legs", [{"array": [0.3, 1.1, -0.2]}, {"array": [0.5, 0.7, 0.4]}], tolerance=1e-4)
### END HIDDEN TESTS

# %% [markdown]
# ## 3 · What an alarm is worth (25 points)
#
# `alarm(sensitivity, specificity, prevalence)` is the probability that an ECG with an alarm is really exchanged.


# %% grade_id="alarm" solution=true
def alarm(sensitivity, specificity, prevalence):
    ### BEGIN SOLUTION
    true, false = sensitivity * prevalence, (1 - specificity) * (1 - prevalence)
    return true / (true + false)
    ### END SOLUTION


# %% grade_id="alarm-test" points=25
assert abs(alarm(1, 1, 0.5) - 1) < 1e-6
### BEGIN HIDDEN TESTS
check("alarm", [0.9, 0.8, 0.02], tolerance=1e-4)
check("alarm", [0.95, 0.99, 0.02], tolerance=1e-4)
### END HIDDEN TESTS

# %% [markdown]
# ## 4 · See it (10 points, marked by hand)
#
# Draw your lead I as it is, and as it is recorded with exchanged arms, with names of the axes and a legend.

# %% grade_id="swap-plot" solution=true points=10
### BEGIN SOLUTION
plt.plot(seconds, lead_one, label="I")
plt.plot(seconds, arms(lead_one, lead_two)[0], label="I, arms exchanged")
plt.xlabel("seconds")
plt.ylabel("mV")
plt.legend()
plt.show()
### END SOLUTION
### BEGIN RUBRIC
# 5 both curves, one upside down; 5 axes with units and legend
### END RUBRIC

# %% [markdown]
# ## 5 · Explain it (15 points, marked by hand)
#
# A network finds 95 % of the swaps and raises a false alarm on 1 % of correct ECGs. Should a hospital with 2 % of swaps correct every
# ECG with an alarm by itself? Use your function.

# %% [markdown] grade_id="alarm-words" solution=true points=15
### BEGIN SOLUTION
# No. About 66 % of the alarms are right, so every third correction would spoil a correct ECG. An alarm is a reason to look.
### END SOLUTION
### BEGIN RUBRIC
# 5 the number; 5 what it means for a correct ECG; 5 a decision that follows
### END RUBRIC
