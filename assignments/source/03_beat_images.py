# %% [markdown]
# # Assignment 3 · Heartbeats as pictures
#
# 100 points. Write your code where it says YOUR CODE HERE. Every question names a function; keep its name and its arguments.
# The cells below your code show some of the tests. Others are run when your notebook is graded.
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
epochs = np.arange(1, 31)
training_loss = 1.8 * np.exp(-epochs / rng.uniform(6, 10)) + 0.05
validation_loss = training_loss + 0.15 + 0.001 * (epochs - rng.integers(10, 16)) ** 2

# %% [markdown]
# ## 1 · Loss against epochs (10 points)
#
# `best_epoch(loss)` gives the number of the epoch with the lowest loss, counted from 1; the first of those that tie.


# %% grade_id="best-epoch" solution=true
def best_epoch(loss):
    ### BEGIN SOLUTION
    return int(np.argmin(loss)) + 1
    ### END SOLUTION


# %% grade_id="best-epoch-test" points=4
assert best_epoch([3.0, 1.0, 2.0]) == 2
### BEGIN HIDDEN TESTS
check("best_epoch", [[0.5, 0.4, 0.4, 0.6]])
check("best_epoch", [{"array": [9, 8, 7, 6, 5.5]}])
check("best_epoch", [[0.25]])
### END HIDDEN TESTS

# %% [markdown]
# Draw both losses against the epoch, with names of the axes and a legend, and mark the best epoch (6 points, marked by hand).

# %% grade_id="loss-plot" solution=true points=6
### BEGIN SOLUTION
plt.plot(epochs, training_loss, label="training")
plt.plot(epochs, validation_loss, label="validation")
plt.axvline(best_epoch(validation_loss), color="grey", label="best epoch")
plt.xlabel("epoch")
plt.ylabel("loss")
plt.legend()
plt.show()
### END SOLUTION
### BEGIN RUBRIC
# 2 both curves; 2 axes and legend; 2 best epoch of the validation loss marked
### END RUBRIC

# %% [markdown]
# ## 2 · What each kind of layer does (10 points)
#
# `after_convolution(size, kernel, stride)` gives the width of a picture after a convolution without padding, and
# `after_pooling(size, pool)` after pooling. `weights(kernel, channels_in, channels_out)` counts the parameters of a
# convolution with square kernels and biases.


# %% grade_id="layers" solution=true
def after_convolution(size, kernel, stride):
    ### BEGIN SOLUTION
    return (size - kernel) // stride + 1
    ### END SOLUTION


def after_pooling(size, pool):
    ### BEGIN SOLUTION
    return size // pool
    ### END SOLUTION


def weights(kernel, channels_in, channels_out):
    ### BEGIN SOLUTION
    return (kernel * kernel * channels_in + 1) * channels_out
    ### END SOLUTION


# %% grade_id="layers-test" points=6
assert after_convolution(128, 3, 1) == 126
assert after_pooling(126, 2) == 63
### BEGIN HIDDEN TESTS
check("after_convolution", [128, 5, 4])
check("after_convolution", [97, 3, 2])
check("after_pooling", [63, 2])
check("after_pooling", [31, 3])
check("weights", [3, 1, 64])
check("weights", [5, 16, 32])
### END HIDDEN TESTS

# %% [markdown]
# In one sentence each: what do convolution, pooling, dropout and the dense layer do? (4 points, marked by hand)

# %% [markdown] grade_id="layers-words" solution=true points=4
### BEGIN SOLUTION
# A convolution finds the same small pattern anywhere. Pooling keeps that it was there and forgets exactly where. Dropout hides
# units at random in training, so that none is relied on. The dense layer weighs everything to a decision.
### END SOLUTION
### BEGIN RUBRIC
# 1 point for each kind of layer
### END RUBRIC

# %% [markdown]
# ## 3 · Nine crops in the generator (30 points)
#
# `nine_crops(picture)` gives the nine crops of 96 x 96 of a picture of 128 x 128: first those from row 0, then 16, then 32; in
# each row from column 0, 16, 32. Its shape is (9, 96, 96).


# %% grade_id="crops" solution=true
def nine_crops(picture):
    ### BEGIN SOLUTION
    places = [(top, left) for top in (0, 16, 32) for left in (0, 16, 32)]
    return np.stack([picture[top : top + 96, left : left + 96] for top, left in places])
    ### END SOLUTION


# %% grade_id="crops-test" points=15
assert np.shape(nine_crops(np.zeros((128, 128)))) == (9, 96, 96)
### BEGIN HIDDEN TESTS
picture = np.random.default_rng(7).integers(0, 255, (128, 128))
check("nine_crops", [{"array": picture.tolist()}])
check("nine_crops", [{"array": picture.T.tolist()}])
### END HIDDEN TESTS

# %% [markdown]
# `order(beats, classes)` is what a generator goes through in an epoch: for beats 0, 1, ... the pairs (beat, crop) of all nine crops,
# but of beats of class 0 (normal) only crop 4, the middle one. It gives a list of pairs.


# %% grade_id="generator" solution=true
def order(beats, classes):
    ### BEGIN SOLUTION
    return [(beat, crop) for beat in range(beats) for crop in (range(9) if classes[beat] else (4,))]
    ### END SOLUTION


# %% grade_id="generator-test" points=15
assert [tuple(pair) for pair in order(1, [0])] == [(0, 4)]
### BEGIN HIDDEN TESTS
check("order", [3, [0, 2, 0]])
check("order", [4, [1, 0, 7, 0]])
### END HIDDEN TESTS

# %% [markdown]
# ## 4 · Another network (50 points)
#
# `parameters(sizes)` counts the parameters of a network for pictures of 128 x 128 with one channel: for each entry of `sizes` a
# convolution 3 x 3 with so many channels, padding "same", and pooling by 2; then one dense layer of 8 units. Biases count.


# %% grade_id="network" solution=true
def parameters(sizes):
    ### BEGIN SOLUTION
    count, before, side = 0, 1, 128
    for channels in sizes:
        count, before, side = count + weights(3, before, channels), channels, side // 2
    return count + (side * side * before + 1) * 8
    ### END SOLUTION


# %% grade_id="network-test" points=20
assert parameters([]) == (128 * 128 + 1) * 8
### BEGIN HIDDEN TESTS
check("parameters", [[8]])
check("parameters", [[16, 32]])
check("parameters", [[64, 128, 256]])
### END HIDDEN TESTS

# %% [markdown]
# Change one thing of the lesson's `light` network, train both on the patient split, and explain the difference: what you changed,
# why, both scores with their intervals, and whether the difference is more than chance (30 points, marked by hand).

# %% [markdown] grade_id="network-words" solution=true points=30
### BEGIN SOLUTION
# I halved the channels. Fewer weights can memorise less of the training patients, so I expected a smaller gap. Accuracy on new
# people stayed within the interval of the first network: with a dozen test patients this difference is not more than chance.
### END SOLUTION
### BEGIN RUBRIC
# 10 one change, with a reason; 10 both scores on the patient split with intervals; 10 the conclusion follows from them
### END RUBRIC
