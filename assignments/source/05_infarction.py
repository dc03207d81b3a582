# %% [markdown]
# # Assignment 5 · From heartbeats to infarction
#
# 100 points. Write your code where it says YOUR CODE HERE, and keep the names. The cells below your code show some
# of the tests. Others are run when your notebook is graded.
#
# **Begin with your name.** Your data follow from it: forty simulated patients that nobody else has, with and without infarction.

# %% grade_id="name" solution=true
NAME = "Ada Example"  # your own name

# %%
import matplotlib.pyplot as plt
import numpy as np

from ecg_lessons import checks, simulator
from ecg_lessons.data import recordings
from ecg_lessons.signals import kachuee

seed, names = checks.own_seed(NAME), ("normal", "infarction")
found = []
for recording in recordings.ptb_xl(simulator.sample_infarctions(40, seed)):
    kind = "MI" in recording.labels["superclasses"]
    cut, table = kachuee.beat_of_diagnosis(recording, names[kind])
    found.append((cut, table["patient"].astype(str), np.full(len(cut), int(kind))))
curves, patient, sick = (np.concatenate(column) for column in zip(*found, strict=True))
print(curves.shape, "beats and samples,", len(set(patient)), "people,", sick.sum(), "beats with infarction")

# %% [markdown]
# ## 1 · Five classes (15 points)
#
# `aami(symbols)` turns annotation symbols into the classes N, S, V, F and Q of AAMI EC57, as numbers 0 to 4. N: N, L, R, e, j. S: A, a, J, S. V: V, E.
# F: F. Q: /, f, Q. It gives an array; a symbol that is no beat, such as `+` or `~`, becomes -1.


# %% grade_id="aami" solution=true
def aami(symbols):
    ### BEGIN SOLUTION
    groups = ["NLRej", "AaJS", "VE", "F", "/fQ"]
    number = {symbol: k for k, group in enumerate(groups) for symbol in group}
    return np.array([number.get(symbol, -1) for symbol in symbols], dtype=int)
    ### END SOLUTION


# %% grade_id="aami-test" points=15
assert list(aami(["N", "V", "+"])) == [0, 2, -1]
### BEGIN HIDDEN TESTS
check("aami", [["N", "L", "R", "e", "j", "A", "a", "J", "S"]])
check("aami", [["V", "E", "F", "/", "f", "Q", "~", "|"]])
### END HIDDEN TESTS

# %% [markdown]
# ## 2 · The same people on both sides (25 points)
#
# `on_both_sides(patient, test)` counts the people who have beats in the test and beats outside it; `patient` is a name a beat, `test` is True or False a
# beat. `own_random` is that number for your beats and the random test below. Then choose the test by person: `own_test` is True for all
# beats of the people in the list `chosen` below, and False for all others.

# %%
rng = np.random.default_rng(seed)
random_test = rng.random(len(curves)) < 0.2
chosen = rng.permutation(np.unique(patient))[:8]


# %% grade_id="sides" solution=true
def on_both_sides(patient, test):
    ### BEGIN SOLUTION
    patient, test = np.asarray(patient), np.asarray(test, dtype=bool)
    return len(set(patient[test]) & set(patient[~test]))
    ### END SOLUTION


### BEGIN SOLUTION
own_random = on_both_sides(patient, random_test)
own_test = np.isin(patient, chosen)
### END SOLUTION

# %% grade_id="sides-test" points=13
assert on_both_sides(["a", "a", "b"], [True, False, False]) == 1
### BEGIN HIDDEN TESTS
check("on_both_sides", [["a", "b", "a", "c", "c", "b"], [True, True, False, False, False, True]])
check("on_both_sides", [{"array": ["x", "y", "x", "y", "z"]}, {"array": [True, True, False, False, True]}])
check("on_both_sides", [["a"], [False]])
### END HIDDEN TESTS

# %% grade_id="sides-own" points=12
assert on_both_sides(patient, own_test) == 0
### BEGIN HIDDEN TESTS
check("own_random")
check("own_test")
### END HIDDEN TESTS

# %% [markdown]
# ## 3 · Beats between beats (20 points)
#
# SMOTE makes new examples of a rare class: each lies on the line from one of its examples to a neighbour. `between(one, other, share)` gives the example
# that lies the share of the way from `one` to `other`. `missing(y, classes)` gives for each class 0 to `classes - 1` how many new examples make it as
# frequent as the most frequent class; a class that nobody has gets none, since there is nothing to lie between.


# %% grade_id="smote" solution=true
def between(one, other, share):
    ### BEGIN SOLUTION
    return np.asarray(one) + share * (np.asarray(other) - np.asarray(one))
    ### END SOLUTION


def missing(y, classes):
    ### BEGIN SOLUTION
    counts = np.bincount(y, minlength=classes)
    return np.where(counts > 0, counts.max() - counts, 0)
    ### END SOLUTION


# %% grade_id="smote-test" points=20
assert list(between([0, 2], [4, 2], 0.5)) == [2, 2]
assert list(missing([0, 0, 1], 2)) == [0, 1]
### BEGIN HIDDEN TESTS
check("between", [{"array": [1.0, -2.0, 0.5]}, {"array": [3.0, 2.0, 0.0]}, 0.25], tolerance=1e-6)
check("between", [{"array": [1.0, -2.0]}, {"array": [3.0, 2.0]}, 0.0], tolerance=1e-6)
check("missing", [{"array": [0, 0, 0, 2, 2, 4]}, 5])
check("missing", [{"array": [1, 1]}, 3])
### END HIDDEN TESTS

# %% [markdown]
# ## 4 · Audit a table (15 points)
#
# An F1 is the harmonic mean of a precision and a recall. `wrong_rows(table, most)` takes rows of precision, recall and F1, all in per cent, and gives the
# numbers of the rows, counted from 0, whose printed F1 is further than `most` from the harmonic mean.


# %% grade_id="audit" solution=true
def wrong_rows(table, most):
    ### BEGIN SOLUTION
    precision, recall, printed = np.asarray(table, dtype=float).T
    return np.flatnonzero(np.abs(2 * precision * recall / (precision + recall) - printed) > most).tolist()
    ### END SOLUTION


# %% grade_id="audit-test" points=15
assert list(wrong_rows([[50, 50, 50], [90, 10, 50]], 0.05)) == [1]
### BEGIN HIDDEN TESTS
check("wrong_rows", [[[99.57, 99.38, 99.06], [99.38, 99.38, 99.38], [90.0, 84.0, 86.9]], 0.05])
check("wrong_rows", [[[80.0, 60.0, 68.57], [80.0, 60.0, 70.0], [75.0, 75.0, 75.0], [99.0, 1.0, 50.0]], 0.05])
### END HIDDEN TESTS

# %% [markdown]
# ## 5 · See it (10 points, marked by hand)
#
# Draw the mean beat of your people without infarction and of those with one, against time (the beats have 125 samples a second). Average each
# person's beats first, so that everybody counts the same. Say in the legend how many people each curve stands for.

# %% grade_id="infarction-plot" solution=true points=10
### BEGIN SOLUTION
for kind, name in enumerate(names):
    who = np.unique(patient[sick == kind])
    each = [curves[(patient == person) & (sick == kind)].mean(axis=0) for person in who]
    plt.plot(np.arange(curves.shape[1]) / 125, np.mean(each, axis=0), label=f"{name}, {len(who)} people")
plt.xlabel("seconds")
plt.ylabel("scaled to 0 to 1")
plt.legend()
plt.show()
### END SOLUTION
### BEGIN RUBRIC
# 4 both means, of people and not of beats
# 3 time in seconds, axes named
# 3 a legend with the numbers of people
### END RUBRIC

# %% [markdown]
# ## 6 · Explain it (15 points, marked by hand)
#
# How many of your people stand on both sides of the random test? What does a network that recognises people score there, and what in a new
# hospital? Somebody fills the rare class up with SMOTE *before* the split: what goes wrong? And why can a network that was taught on heartbeats, and of
# which only the last layers learn about infarction, do worse than one that starts from nothing?

# %% [markdown] grade_id="infarction-words" solution=true points=15
### BEGIN SOLUTION
# Nearly everybody: `own_random` says how many of my forty. A network that remembers people is nearly always right there, and knows nothing about a new
# hospital's people. With SMOTE before the split, new examples lie on lines to beats of the test: parts of the test are learnt. The frozen layers
# look for what tells kinds of heartbeat apart, and need not keep what shows an infarction; then no last layer can bring it back.
### END SOLUTION
### BEGIN RUBRIC
# 5 the own number, and what it does to a score
# 5 test beats are in the synthetic ones
# 5 frozen layers may have lost what matters
### END RUBRIC
