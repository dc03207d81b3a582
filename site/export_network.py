"""Train the networks of the live pages on the built-in cohorts: ``python site/export_network.py [PAGE ...]``.

It writes site/live/PAGE.data.js for electrodes, beat and rhythm, or for those that are named: weights in base64, batch
normalisation folded into a scale and an offset, and simulated people whom the network has not trained on. The strips of
rhythm stand in a file of their own, since none is to be larger than 500 kB.
"""

import base64
import json
import sys
import tempfile
from pathlib import Path

from ecg_lessons import machine

machine.setup(seed=42)

import numpy as np  # noqa: E402
from keras import layers  # noqa: E402

from ecg_lessons import simulator  # noqa: E402
from ecg_lessons.data import recordings  # noqa: E402
from ecg_lessons.lessons import beat_images, inversion, rhythm  # noqa: E402
from ecg_lessons.signals import leads  # noqa: E402
from ecg_lessons.signals.spectrograms import RATE  # noqa: E402

HERE = Path(__file__).parent / "live"
SHOWN = {"NORM": 3, "LAFB": 1, "CLBBB": 1, "AMI": 1, "LVH": 1}
NAMES = {
    "NORM": "healthy heart",
    "LAFB": "left anterior fascicle blocked",
    "CLBBB": "left bundle branch block",
    "AMI": "anterior infarction",
    "LVH": "thick left ventricle",
}
#: So many simulated people lend beats to the network that reads drawings.
PEOPLE = 200
#: So many beats or strips of each class can be chosen; a strip lasts 30 s, in differences of 4 µV.
OF_EACH, SECONDS, STEP = 3, 30, 4


def base_64(array: np.ndarray, kind: str) -> str:
    """Give an array as text, its numbers as a kind of NumPy's."""
    return base64.b64encode(np.asarray(array, kind).tobytes()).decode()


def encode(array: np.ndarray) -> dict:
    """Give an array as its shape and its 16-bit floats."""
    return {"shape": array.shape, "data": base_64(array, "<f2")}


def encode_small(array: np.ndarray) -> dict:
    """Give an array as whole numbers from -127 to 127, and what 1 is worth in each of its last columns."""
    worth = np.abs(array).reshape(-1, array.shape[-1]).max(axis=0) / 127
    return {"shape": array.shape, "bytes": base_64(np.rint(array / worth), "i1"), "worth": encode(worth)}


def folded(parts, code=encode) -> list[dict]:
    """List convolutions, each with what batch normalisation does to its result; or to the input, where it is first."""
    stages = []
    for layer in parts:
        if isinstance(layer, layers.Conv1D | layers.Conv2D):
            stages.append({"kernel": code(layer.kernel.numpy())})
        elif isinstance(layer, layers.BatchNormalization):
            scale = layer.gamma.numpy() / np.sqrt(layer.moving_variance.numpy() + layer.epsilon)
            offset = layer.beta.numpy() - scale * layer.moving_mean.numpy()
            stages = stages or [{}]
            stages[-1] |= {"scale": encode(scale), "offset": encode(offset)}
    return stages


def dense(layer) -> dict:
    """Give what a dense layer has learnt."""
    return {"kernel": encode(layer.kernel.numpy()), "offset": encode(layer.bias.numpy())}


def electrodes(folder: Path) -> dict:
    """Train lesson 1's network; choose people by diagnosis."""
    correct = inversion.examples("sample")
    codes = {one.name: one.labels["diagnoses"][0] for one in recordings.ptb_xl(simulator.sample_cohort())}
    run = inversion.train(folder, "hypotheses", "sample", examples=correct)
    split = inversion.split(correct, "by-patient")
    inner = run.model.get_layer("looks_right")
    return {
        "rate": 250,
        "states": list(inversion.STATES),
        "swaps": [m.astype(int).tolist() for m in leads.SWAPS.values()],
        "prior": run.model.get_layer("swap").prior.tolist(),
        "network": {"stages": folded(inner.layers), "last": encode(inner.layers[-1].kernel.numpy()[:, 0])},
        "people": people(correct.take(np.concatenate([split.test, split.validation])), codes),
    }


def people(examples, codes: dict[str, str]) -> list[dict]:
    """Choose simulated people by diagnosis; beats as whole microvolts, lead by lead."""
    left, chosen = dict(SHOWN), []
    for row, record in enumerate(examples.info["record"]):
        code = codes[record]
        if left.get(code, 0):
            left[code] -= 1
            beat = np.round(1000 * examples.x["beat"][row]).astype(int)
            chosen.append({"name": f"patient {examples.patient[row]}, {NAMES[code]}", "beat": beat.T.tolist()})
    return chosen


def beat(folder: Path) -> dict:
    """Train lesson 3's light network on nine crops of beats of many people; choose beats of each class."""
    # The built-in cohort has four people with E and tests one: too few for a page where anybody asks for anything.
    cohort = simulator.simulate_arrhythmias(folder.with_name("cohort"), PEOPLE, minutes=4, seed=1)
    beats = beat_images.from_recordings(recordings.mitdb(cohort))
    plan = beat_images.plan("light").but(epochs=24)
    run = beat_images.train(folder, "light", "sample", "by-patient", plan, examples=beats, nine_crops=True, most=30)
    test = beat_images.judged(run, beats)[0]
    right = beat_images.predict(run, test).argmax(axis=1) == test.y
    chosen = np.concatenate([spread(test, k) for k in range(len(test.classes))])
    return {
        "classes": list(test.classes),
        "right": [round(float(right[test.y == k].mean()), 3) for k in range(len(test.classes))],
        "network": {"stages": folded(run.model.layers), "class": dense(run.model.get_layer("class"))},
        "examples": [{"truth": int(test.y[row]), "curve": encode(test.x["curve"][row])} for row in chosen],
    }


def spread(examples, k: int) -> np.ndarray:
    """Choose rows of a class, far from one another: beats of one patient stand together."""
    rows = np.flatnonzero(examples.y == k)
    return rows[np.linspace(0, len(rows) - 1, OF_EACH + 2).astype(int)[1:-1]]


def strips(folder: Path) -> dict:
    """Train lesson 2's network as its notebook does; choose strips of each class."""
    given = rhythm.examples("sample")
    design = rhythm.design("compact", epochs=24, batch_size=16, average=0.95)
    design = design.but(augmentation=design.augmentation.but(window_seconds=20.0))
    model = folder.with_suffix(".toml")
    model.write_text(design.toml(), encoding="utf-8")
    run = rhythm.train(folder, model, "sample", "fold-0", examples=given)
    test = rhythm.judged(run, given)[0]
    right = rhythm.predict(run, test).argmax(axis=1) == test.y
    whole = test.x["length"][:, 0] == SECONDS * RATE
    chosen = np.sort(np.concatenate([np.flatnonzero(whole & (test.y == k))[:OF_EACH] for k in range(4)]))
    chosen = np.roll(chosen, -right[chosen].argmax())  # the first is one that it names right; none is left out
    read = run.model.get_layer("recurrence_1")
    return {
        "classes": list(test.classes),
        "right": round(float(right.mean()), 3),
        "network": {
            "stages": folded(run.model.get_layer("convolutions").layers, encode_small),
            "recurrence": [remembering(read.forward_layer.cell), remembering(read.backward_layer.cell)],
            "class": dense(run.model.get_layer("class")),
        },
        "STRIPS": [{"truth": int(test.y[row]), "data": differences(test.x["signal"][row])} for row in chosen],
    }


def remembering(cell) -> dict:
    """Give what a GRU has learnt, for what it reads and for what it remembers."""
    read, remembered = cell.bias.numpy()
    return {
        "read": {"kernel": encode_small(cell.kernel.numpy()), "offset": encode(read)},
        "remembered": {"kernel": encode_small(cell.recurrent_kernel.numpy()), "offset": encode(remembered)},
    }


def differences(signal: np.ndarray) -> str:
    """Write a strip as one byte a sample: the difference from what is written so far, so that no error stays."""
    steps, at = [], 0
    for value in signal[: int(SECONDS * RATE)]:
        steps.append(np.clip(np.rint((value - at) / STEP), -127, 127))
        at += STEP * steps[-1]
    return base_64(steps, "i1")


def write(page: str, name: str, value: dict | list) -> None:
    """Write a script that gives a page one constant."""
    text = f"const {name} = {json.dumps(value, separators=(',', ':'))};\n"
    (HERE / f"{page}.{name.lower()}.js").write_text(text, encoding="utf-8")


PAGES = {"electrodes": electrodes, "beat": beat, "rhythm": strips}


def main() -> None:
    """Train, choose, write."""
    for name in sys.argv[1:] or PAGES:
        with tempfile.TemporaryDirectory() as folder:
            data = PAGES[name](Path(folder) / "run")
        strips = data.pop("STRIPS", None)
        write(name, "DATA", data)
        if strips:
            write(name, "STRIPS", strips)


if __name__ == "__main__":
    main()
