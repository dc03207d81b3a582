"""Do the simulated rhythms resemble the real recordings of CinC 2017?"""

import numpy as np
import pandas as pd
import pytest
from scipy import signal as filters
from sklearn.ensemble import RandomForestClassifier
from sklearn.metrics import f1_score

from ecg_lessons.data.recordings import RHYTHMS, challenge_2017, rhythm_labels
from ecg_lessons.simulator import simulate_rhythms

RATE = 300
EACH = 250  # real recordings of every label
BANDS = ((0.3, 1), (1, 4), (4, 9), (9, 20), (20, 45))

pytestmark = pytest.mark.real


def band(signal, kind, *edges):
    return filters.sosfiltfilt(filters.butter(2, np.squeeze(edges), kind, fs=RATE, output="sos"), signal)


def peaks(signal):
    """Find R peaks: where the energy between 5 and 20 Hz stands out, at most four a second."""
    steep = band(signal, "band", 5, 20)
    energy = np.convolve(steep**2, np.ones(30) / 30, "same")
    typical = np.median([part.max() for part in np.array_split(energy, max(1, len(energy) // 600))])
    found, _ = filters.find_peaks(energy, height=typical / 4, distance=75)
    starts = np.maximum(found - 20, 0)
    return np.unique([start + np.abs(steep[start : start + 40]).argmax() for start in starts])


def features(signal):
    """Measure rhythm, spectrum, the median beat and what differs from it."""
    at = peaks(signal)
    rr = np.diff(at) / RATE if len(at) > 3 else np.ones(3)
    change = np.abs(np.diff(rr))
    row = {
        "rate": 60 / np.median(rr),
        "spread": np.median(np.abs(rr - np.median(rr))) / np.median(rr),
        "deviation": rr.std() / rr.mean(),
        "change": np.median(change) / np.median(rr),
        "changes": np.mean(change > 0.05 * np.median(rr)),
        "early": np.mean(rr < 0.8 * np.median(rr)),
        "late": np.mean(rr > 1.3 * np.median(rr)),
    }
    frequency, power = filters.welch(signal - signal.mean(), RATE, nperseg=1024)
    total = power[(frequency >= BANDS[0][0]) & (frequency < BANDS[-1][1])].sum()
    for low, high in BANDS:
        row[f"{low}-{high} Hz"] = power[(frequency >= low) & (frequency < high)].sum() / total
    row["range"] = np.subtract(*np.quantile(signal, [0.95, 0.05]))
    row["extreme"] = np.abs(signal - np.median(signal)).max()
    inner = at[(at > 120) & (at < len(signal) - 160)]
    inner = inner if len(inner) > 2 else np.arange(150, len(signal) - 200, 300)
    beats = band(signal, "band", 0.5, 40)[inner[:, None] + np.arange(-90, 150)]
    beats -= np.median(beats, axis=1, keepdims=True)
    beat, atrial = np.median(beats, axis=0), slice(15, 75)
    row["QRS"] = np.ptp(beat[75:105]) + 1e-6
    row["P"] = np.ptp(beat[20:65]) / row["QRS"]
    row["T"] = np.ptp(beat[120:210]) / row["QRS"]
    row["alike P"] = np.median([np.corrcoef(one[atrial], beat[atrial])[0, 1] for one in beats])
    row["alike QRS"] = np.quantile([np.corrcoef(one[75:130], beat[75:130])[0, 1] for one in beats], 0.1)
    row["unrest"] = np.median((beats - beat)[:, atrial].std(axis=1)) / row["QRS"]
    row["width"] = np.mean(np.abs(beat[60:125]) > 0.5 * np.abs(beat[60:125]).max())
    return row


def table(found):
    rows = [features(one.signal[:, 0].astype(float)) | {"label": one.labels["rhythm"]} for one in found]
    return pd.DataFrame(rows).replace([np.inf, -np.inf], np.nan).fillna(0)


@pytest.fixture(scope="module")
def theirs(real):
    folder = real / "challenge-2017" / "1.0.0"
    labels = pd.Series(rhythm_labels(folder))
    return table(challenge_2017(folder, labels.groupby(labels).sample(EACH, random_state=0).index))


@pytest.fixture(scope="module")
def ours(real, tmp_path_factory):  # needs `real` so that nothing is simulated in vain
    return table(challenge_2017(simulate_rhythms(tmp_path_factory.mktemp("rhythms") / "all", 600)))


def score(train, test):
    """Give F1 of the four classes for a forest trained on one table and tried on another."""
    forest = RandomForestClassifier(200, min_samples_leaf=3, class_weight="balanced", random_state=0)
    forest.fit(train.drop(columns="label"), train["label"])
    seen = forest.predict(test.drop(columns="label"))
    return dict(zip(RHYTHMS, f1_score(test["label"], seen, labels=RHYTHMS, average=None), strict=True))


def test_a_forest_trained_on_real_recordings_tells_the_simulated_rhythms_apart(theirs, ours):
    f1 = score(theirs, ours)
    assert f1["A"] >= 0.75, f1
    assert np.mean([f1[name] for name in "NAO"]) >= 0.7, f1
    assert f1["~"] >= 0.4, f1


def test_a_forest_trained_on_simulated_rhythms_tells_real_ones_apart(theirs, ours):
    f1 = score(ours, theirs)
    assert f1["A"] >= 0.6, f1
    assert np.mean([f1[name] for name in "NAO"]) >= 0.55, f1


@pytest.mark.parametrize("label", ["N", "A", "O"])
def test_typical_rhythms_lie_where_the_real_ones_lie(theirs, ours, label):
    real, simulated = (one[one["label"] == label].drop(columns="label") for one in (theirs, ours))
    found = pd.DataFrame({"simulated": simulated.median(), "low": real.quantile(0.15), "high": real.quantile(0.85)})
    outside = found[(found["simulated"] < found["low"]) | (found["simulated"] > found["high"])]
    assert outside.empty, outside


def test_noise_is_stronger_than_in_the_other_recordings_as_in_the_real_ones(theirs, ours):
    for one in (theirs, ours):
        noisy, others = one[one["label"] == "~"].median(numeric_only=True), one[one["label"] != "~"]
        others = others.median(numeric_only=True)
        assert noisy["unrest"] > 4 * others["unrest"]
        assert noisy["extreme"] > 1.4 * others["extreme"]
        assert noisy["deviation"] > 2 * others["deviation"]


def quiet_bands(found):
    """Measure noise where it is quiet, in log10 mV: above 40 Hz, at 50 and 60 Hz; and the share above 20 Hz."""
    rows = []
    for one in found:
        signal = one.signal[:, 0].astype(float)
        row = {"label": one.labels["rhythm"]}
        edges = {"above 40 Hz": ("high", 40), "50 Hz": ("band", 48, 52), "60 Hz": ("band", 58, 62)}
        for name, (kind, *edge) in edges.items():
            parts = band(signal, kind, *edge)[: len(signal) // 15 * 15].reshape(-1, 15)
            row[name] = np.log10(np.percentile(parts.std(axis=1), 30) + 1e-5)
        frequency, power = filters.welch(signal, RATE, nperseg=1024)
        row["muscle"] = np.log10(power[frequency > 20].sum() / power[frequency > 0.3].sum())
        rows.append(row)
    return pd.DataFrame(rows)


def test_noise_above_the_heart_is_as_loud_as_in_real_recordings(real, tmp_path):
    """By label the medians lie within 1.6 deviations of the real ones; they were up to 2.8 below."""
    folder = real / "challenge-2017" / "1.0.0"
    labels = pd.Series(rhythm_labels(folder))
    theirs = quiet_bands(challenge_2017(folder, labels.groupby(labels).sample(100, random_state=0).index))
    ours = quiet_bands(challenge_2017(simulate_rhythms(tmp_path / "all", 300, seed=1)))
    spread = theirs.groupby("label").std()
    apart = (ours.groupby("label").median() - theirs.groupby("label").median()) / spread
    assert (apart.abs() < 1.6).all(axis=None), apart
    assert (apart.loc["~"].abs() < 1).all(), apart  # what cannot be read trembles, and does not only drift
