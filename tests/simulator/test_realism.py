"""Does the simulated cohort with arrhythmias resemble the real one?"""

import keras
import numpy as np
import pandas as pd
import pytest

from ecg_lessons.data import recordings
from ecg_lessons.models import beat_image
from ecg_lessons.signals import beat_sets, beats, images
from ecg_lessons.simulator import simulate_arrhythmias

CLASSES = "NLRAV/"

pytestmark = pytest.mark.real


@pytest.fixture(scope="module")
def simulated(tmp_path_factory):
    return simulate_arrhythmias(tmp_path_factory.mktemp("cohorts") / "forty", 40, 3.0, seed=0)


def examples(found, most: int = 10**9):
    """Give curves, RR intervals and class numbers, at most so many beats of one kind and patient."""
    signal, info = beat_sets.between_neighbours(found, symbols=tuple(CLASSES))
    info = info.sample(frac=1, random_state=0).groupby(["patient", "symbol"]).head(most)
    curve = images.curves(signal, info["start"].to_numpy(), info["stop"].to_numpy() - 1)
    x = {"curve": curve, "rr": info[list(beats.RR)].to_numpy()}
    return x, np.array([CLASSES.index(symbol) for symbol in info["symbol"]])


def test_a_network_trained_on_real_patients_recognises_the_simulated_beats(real, simulated):
    records = [*recordings.DS1, *recordings.PACED]
    x, y = examples(recordings.mitdb(real / "mitdb" / "1.0.0", records), most=120)
    keras.utils.set_random_seed(0)
    network = beat_image.build("signal", classes=len(CLASSES), rr=True)
    epochs = 12
    rate = keras.optimizers.schedules.CosineDecay(2e-3, epochs * -(-len(y) // 64))
    network.compile(keras.optimizers.Adam(rate), "sparse_categorical_crossentropy")
    weights = np.minimum(len(y) / len(CLASSES) / np.bincount(y), 4)
    network.fit(x, y, batch_size=64, epochs=epochs, class_weight=dict(enumerate(weights)), verbose=0)

    x, y = examples(recordings.mitdb(simulated))
    seen = network.predict(x, batch_size=512, verbose=0).argmax(axis=1)
    recall = {name: (seen[y == i] == i).mean() for i, name in enumerate(CLASSES)}
    floor = {"N": 0.8, "V": 0.8, "L": 0.6, "R": 0.6, "A": 0.6, "/": 0.6}
    assert all(recall[name] >= floor[name] for name in CLASSES), recall


def _width(signal: np.ndarray, samples: np.ndarray, rate: float) -> float:
    """Measure from the first to the last steep place of the median beat, within 0.13 s of the annotation (s)."""
    cut, _ = beats.windows(signal, samples, round(0.13 * rate), round(0.13 * rate))
    slope = np.abs(np.diff(np.median(cut, axis=0)))
    return np.ptp(np.flatnonzero(slope > 0.15 * slope.max())) / rate


def statistics(found, least: int) -> pd.DataFrame:
    """Measure each recording: rate, R, QRS width of N, A and V, coupling and pause of A and V; NaN for fewer beats."""
    rows = {}
    for recording in found:
        table = beat_sets.table(recording).iloc[1:-1]
        signal = beats.bandpass(beats.lead(recording, "MLII", "V5"), recording.rate, 0.5, 40)
        peaks = table[table["symbol"].isin(list("NLR"))]["sample"].to_numpy()
        row = {"heart rate": 60 / table["local"].median()}
        if len(peaks) >= least:
            row["R"] = np.median(beats.windows(signal, peaks, 20, 20)[0].max(axis=1))
        for symbol in "NAVLR/":
            of = table[table["symbol"] == symbol]
            if len(of) >= least:
                row[f"width {symbol}"] = _width(signal, of["sample"].to_numpy(), recording.rate)
            if len(of) >= least and symbol in "AV":
                row[f"coupling {symbol}"] = (of["previous"] / of["local"]).median()
                row[f"pause {symbol}"] = ((of["previous"] + of["next"]) / of["local"] / 2).median()
        rows[recording.name] = row
    return pd.DataFrame(rows).T


def test_intervals_and_amplitudes_lie_where_the_real_ones_lie(real, simulated):
    ours = statistics(recordings.mitdb(simulated), least=4)
    theirs = statistics(recordings.mitdb(real / "mitdb" / "1.0.0"), least=10)
    rare = ["width L", "width R", "width /"]  # four to six people have them: compare means
    apart = (ours[rare].mean() - theirs[rare].mean()) / theirs[rare].mean()
    assert (apart.abs() < 0.25).all(), apart
    ours, theirs = ours.drop(columns=rare), theirs.drop(columns=rare)
    typical, (low, high) = ours.median(), (theirs.quantile(share) for share in (0.2, 0.8))
    table = pd.DataFrame({"simulated": typical, "low": low, "high": high})
    assert typical.between(low, high).all(), table
    inside = ours.isna() | ((ours >= theirs.quantile(0.05)) & (ours <= theirs.quantile(0.95)))
    assert (inside.mean() >= 0.7).all(), inside.mean()
    assert typical["width V"] > 1.3 * typical["width N"]
    assert typical["pause A"] < 0.95 < typical["pause V"]  # one resets the sinus node, the other does not


def earliness(found) -> pd.Series:
    """Give the coupling intervals of all V after a usual beat, as a share of the local interval, by record."""
    parts = {}
    for recording in found:
        table = beat_sets.table(recording).iloc[1:-1]
        chosen = table[(table["symbol"] == "V") & table["symbol"].shift(1).isin(list("NLR"))]
        if len(chosen) >= 5:
            parts[recording.name] = chosen["previous"] / chosen["local"]
    return pd.concat(parts)


def test_ventricular_beats_come_as_early_and_as_scattered_as_real_ones(real, simulated):
    ours, theirs = earliness(recordings.mitdb(simulated)), earliness(recordings.mitdb(real / "mitdb" / "1.0.0"))
    assert abs(ours.mean() - theirs.mean()) < 0.04
    assert 0.75 < ours.std() / theirs.std() < 1.33
    assert 0.6 < ours.groupby(level=0).mean().std() / theirs.groupby(level=0).mean().std() < 1.5


def test_flutter_is_regular_and_as_large_as_in_record_207(real, simulated):
    """From summit to valley a third of the QRS complexes before, or more; the intervals differ by less than 10 %."""
    number = 0
    for recording in recordings.mitdb(simulated):
        peaks = recording.beats.samples[recording.beats.symbols == "!"]
        if len(peaks) < 12:
            continue
        number += 1
        cycle = np.diff(peaks)[np.diff(peaks) < 0.6 * recording.rate]
        assert cycle.std() / cycle.mean() < 0.1
        signal = beats.bandpass(beats.lead(recording, "MLII", "V5"), recording.rate, 0.5, 40)
        usual = recording.beats.samples[np.isin(recording.beats.symbols, list("NL"))][2:50]
        wave, qrs = (
            np.median([np.ptp(signal[max(at - 20, 0) : at + after]) for at in found])
            for found, after in ((peaks[1:-1], 108), (usual, 60))
        )
        assert wave > qrs / 3, recording.name
    assert number >= 3
