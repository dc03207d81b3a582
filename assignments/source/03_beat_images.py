# %% [markdown]
# # Assignment 3 · Heartbeats as pictures
#
# 100 points. Write your code where it says YOUR CODE HERE. Every question names a function; keep its name and its arguments.
# The cells below your code show some of the tests. Others are run when your notebook is graded.
#
# **Begin with your name.** Your data follow from it: sixteen simulated patients that nobody else has.

# %% grade_id="name" solution=true
NAME = "Ada Example"  # your own name

# %%
import matplotlib.pyplot as plt
import numpy as np

from ecg_lessons import checks, simulator
from ecg_lessons.data import recordings
from ecg_lessons.signals import beat_sets, images, labels

folder = simulator.sample_arrhythmias(16, 1.0, checks.own_seed(NAME))
signal, beats = beat_sets.between_neighbours(recordings.mitdb(folder))
curves = images.curves(signal, beats["start"].to_numpy(), beats["stop"].to_numpy() - 1)
kinds = labels.encode(beats["symbol"].to_numpy(), "eight")  # 0 is normal
patient = beats["patient"].to_numpy().astype(str)
beats["symbol"].value_counts()

# %% [markdown]
# Drawn as pictures of 128 x 128, and made smaller, so that a laptop trains in seconds. Four of your patients are kept for the test.

# %%
pictures = images.draw(curves).reshape(len(beats), 32, 4, 32, 4).mean(axis=(2, 4))[..., None] / 255
test = np.isin(patient, np.unique(patient)[-4:])
print(pictures[~test].shape, "to learn from,", pictures[test].shape, "to test")

# %% [markdown]
# ## 1 · Loss against epochs (10 points)
#
# Train this network for ten epochs, with the test beats as validation data (we look, and choose nothing by it). Keep both losses, one
# number an epoch, as `training_loss` and `validation_loss`.


# %% grade_id="train" solution=true slow=true seconds=60
def network(filters=8):
    """Build a small network for pictures of 32 x 32."""
    import keras
    from keras import layers

    x = picture = keras.Input((32, 32, 1))
    for more in (1, 2):
        x = layers.MaxPooling2D(2)(layers.Conv2D(more * filters, 3, padding="same", activation="elu")(x))
    x = layers.Dropout(0.3)(layers.Flatten()(x))
    model = keras.Model(picture, layers.Dense(8, activation="softmax")(x))
    model.compile(keras.optimizers.Adam(2e-3), "sparse_categorical_crossentropy", metrics=["accuracy"])
    return model


### BEGIN SOLUTION
history = (
    network()
    .fit(pictures[~test], kinds[~test], 32, epochs=10, validation_data=(pictures[test], kinds[test]), verbose=0)
    .history
)
training_loss, validation_loss = history["loss"], history["val_loss"]
### END SOLUTION

# %% [markdown]
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

# %% grade_id="loss-plot" solution=true points=6 slow=true
### BEGIN SOLUTION
epochs = np.arange(1, 11)
plt.plot(epochs, training_loss, label="training")
plt.plot(epochs, validation_loss, label="validation")
plt.axvline(best_epoch(validation_loss), color="grey", label="best epoch")
plt.xlabel("epoch")
plt.ylabel("loss")
plt.legend()
plt.show()
### END SOLUTION
### BEGIN RUBRIC
# 2 both curves, from a training
# 2 axes and legend
# 2 best epoch of the validation loss marked
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
# 1 convolution
# 1 pooling
# 1 dropout
# 1 dense layer
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
# `order(classes)` is what a generator goes through in an epoch, before it shuffles: for beats 0, 1, ... the pairs (beat, crop) of all nine
# crops, but of beats of class 0 (normal) only crop 4, the middle one. It gives a list of pairs. `own_pairs` is how many pairs your beats
# give, and `own_normal` the share of them that is normal, before (`[0]`) and after (`[1]`).


# %% grade_id="generator" solution=true
def order(classes):
    ### BEGIN SOLUTION
    return [(beat, crop) for beat, kind in enumerate(classes) for crop in (range(9) if kind else (4,))]
    ### END SOLUTION


### BEGIN SOLUTION
own_pairs = len(order(kinds))
normal = np.sum(kinds == 0)
own_normal = [normal / len(beats), normal / own_pairs]
### END SOLUTION

# %% grade_id="generator-test" points=9
assert [tuple(pair) for pair in order([0])] == [(0, 4)]
### BEGIN HIDDEN TESTS
check("order", [[0, 2, 0]])
check("order", [[1, 0, 7, 0]])
check("order", [{"array": [5, 5]}])
### END HIDDEN TESTS

# %% grade_id="generator-own" points=6
assert own_pairs >= len(beats)
assert len(own_normal) == 2
### BEGIN HIDDEN TESTS
check("own_pairs")
check("own_normal", tolerance=1e-3)
### END HIDDEN TESTS

# %% [markdown]
# ## 4 · Another network (50 points)
#
# `parameters(sizes)` counts the parameters of a network for pictures of 128 x 128 with one channel: for each entry of `sizes` a
# convolution 3 x 3 with so many channels, padding "same", and pooling by 2; then one dense layer of 8 units on all that is left. Biases
# count.


# %% grade_id="network" solution=true
def parameters(sizes):
    ### BEGIN SOLUTION
    count, before, side = 0, 1, 128
    for channels in sizes:
        count, before, side = count + weights(3, before, channels), channels, side // 2
    return count + (side * side * before + 1) * 8
    ### END SOLUTION


# %% grade_id="network-test" points=10
assert parameters([]) == (128 * 128 + 1) * 8
### BEGIN HIDDEN TESTS
check("parameters", [[8]])
check("parameters", [[16, 32]])
check("parameters", [[64, 128, 256]])
### END HIDDEN TESTS

# %% [markdown]
# Beats of one patient are alike. `by_patient(right, patient)` gives the mean over patients of each one's share of right verdicts, so
# everybody counts the same; `right` is True or False a beat, `patient` a name a beat.


# %% grade_id="by-patient" solution=true
def by_patient(right, patient):
    ### BEGIN SOLUTION
    right, patient = np.asarray(right), np.asarray(patient)
    return float(np.mean([right[patient == name].mean() for name in np.unique(patient)]))
    ### END SOLUTION


# %% grade_id="by-patient-test" points=10
assert by_patient([True, True, False, False], ["a", "a", "a", "b"]) == 1 / 3
### BEGIN HIDDEN TESTS
check("by_patient", [[True, False, True, True, False], ["a", "a", "b", "c", "c"]])
check("by_patient", [{"array": [1, 1, 1, 0]}, {"array": ["x", "x", "x", "y"]}])
check("by_patient", [[False], ["a"]])
### END HIDDEN TESTS

# %% [markdown]
# Now change one thing of `network`: more or fewer filters, another kind of layer, nine crops. Train the old and the new one three times
# each on the same patients, ten epochs. Print the six scores on the test patients with `by_patient` (10 points, marked by hand).

# %% grade_id="compare" solution=true points=10 slow=true seconds=60
### BEGIN SOLUTION
for filters in (8, 4):
    scores = []
    for _ in range(3):
        model = network(filters)
        model.fit(pictures[~test], kinds[~test], 32, epochs=10, verbose=0)
        right = model.predict(pictures[test], verbose=0).argmax(axis=1) == kinds[test]
        scores.append(by_patient(right, patient[test]))
    print(filters, "filters:", np.round(scores, 3))
### END SOLUTION
### BEGIN RUBRIC
# 4 one change, and only one
# 3 the same patients and epochs for both
# 3 three scores each, by patient
### END RUBRIC

# %% [markdown]
# Explain the difference: what you changed and why, what you expected, what came out, and whether it is more than what three trainings of
# one network differ by. What would you need to be sure? (20 points, marked by hand)

# %% [markdown] grade_id="network-words" solution=true points=20
### BEGIN SOLUTION
# I halved the filters: the cell above prints both. Fewer weights can keep less of the training patients, so I expected a smaller gap
# between training and test, and perhaps a lower score. The three scores of one network differ by as much as the two networks do, so
# this is no difference that I could defend. Four test patients are four answers, however many beats they have. I would need many
# patients, and an interval over them.
### END SOLUTION
### BEGIN RUBRIC
# 5 one change, with a reason and an expectation
# 5 compared with the spread of three trainings
# 5 patients counted, and not beats
# 5 a conclusion that follows from the own numbers
### END RUBRIC
