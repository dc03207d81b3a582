"""One way to write each function that the exercises ask for; `checks.solution` prints it.

The checks compare with these functions, and a lesson goes on with them until the student's own are right.
"""

import numpy as np
import pandas as pd


# Lesson 0
def heart_rate(rr):
    return 60 / np.median(rr)


def third(one, two):
    return two - one


def axis(one, avf):
    return np.degrees(np.arctan2(avf * 2 / np.sqrt(3), one))


def aVL_from(one, two):
    return one - two / 2


# Lesson 1
def exchange_arms(signal):
    I, II, III, aVR, aVL, aVF = np.moveaxis(signal[..., :6], -1, 0)
    limb = [-I, III, II, aVL, aVR, aVF]
    return np.stack([*limb, *np.moveaxis(signal[..., 6:], -1, 0)], axis=-1)


def shares(called_exchanged, exchanged):
    sensitivity = called_exchanged[exchanged].mean()
    specificity = 1 - called_exchanged[~exchanged].mean()
    return sensitivity, specificity


def predictive_value(sensitivity, specificity, prevalence):
    true = sensitivity * prevalence
    false = (1 - specificity) * (1 - prevalence)
    return true / (true + false)


def is_flat(signal):
    return signal[:, 1].std() < 0.1 * signal[:, 2].std()


def arms_exchanged(beat):
    one, v6 = beat[60:90, 0], beat[60:90, 11]
    return one.sum() < 0 and np.corrcoef(one, v6)[0, 1] < 0


def with_prior(probability, correct):
    old = np.array([0.5] + [0.5 / 9] * 9)
    new = np.array([correct] + [(1 - correct) / 9] * 9)
    weighed = probability * new / old
    return weighed / weighed.sum(axis=1, keepdims=True)


# Lesson 2
def irregular(rr):
    return np.std(rr) / np.mean(rr)


def frames(samples):
    return (samples - 64) // 32 + 1


def mean_over_time(features, true):
    return features[:true].mean(axis=0)


def challenge_score(confusion):
    f1 = 2 * np.diag(confusion) / (confusion.sum(axis=0) + confusion.sum(axis=1))
    return f1[:3].mean()


def vote(verdicts):
    named = verdicts[..., None] == np.arange(4)  # (networks, recordings, classes)
    return named.sum(axis=0).argmax(axis=-1)


# Lesson 3
def cut(peaks, i):
    return peaks[i - 1] + 20, peaks[i + 1] - 20


def windows():
    starts = (0, 16, 32)
    return [(slice(top, top + 96), slice(left, left + 96)) for top in starts for left in starts]


def random_crop(picture, rng):
    top, left = 16 * rng.integers(0, 3, 2)
    return picture[top : top + 96, left : left + 96]


def parameters(width, channels, filters):
    return (width * width * channels + 1) * filters


# Lesson 4
def others(record, who):
    person = np.where(record == "202", "201", record)
    return person != who


def sides(time, minutes):
    return time < 60 * minutes, time >= 600


def frequent_f1(confusion):
    f1 = 2 * np.diag(confusion) / (confusion.sum(axis=0) + confusion.sum(axis=1))
    return f1[confusion.sum(axis=1) >= 10].mean()


# Lesson 5
def cut_beat(window, peak, T):
    beat = window[peak : peak + round(1.2 * T)][:187]
    return np.pad(beat, (0, 187 - len(beat)))


def scores_of(confusion):
    precision, recall = (np.diag(confusion) / confusion.sum(axis=axis) for axis in (0, 1))
    return precision, recall, 2 * precision * recall / (precision + recall)


def wrong_cells(precision, recall, f1):
    harmonic = 2 * precision * recall / (precision + recall)
    return np.abs(harmonic - f1) > 0.02


def earliness(time, record):
    interval = pd.Series(time).groupby(record).diff()
    return (interval / interval.groupby(record).transform("median")).to_numpy()


# Lesson 6
def by_recording(probability, record):
    return pd.DataFrame(probability).groupby(np.asarray(record), sort=False).mean().to_numpy()


def raised(beat):
    level = beat[58:63].mean(axis=0)  # before QRS
    return beat[95] - level >= 0.1  # 80 ms after R, for each lead
