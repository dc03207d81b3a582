"""Train lesson 1's network on the built-in cohort and write it for the live page: ``python site/export_network.py``.

It writes site/live/electrodes.data.js: weights as 16-bit floats in base64, batch normalisation folded into a scale
and an offset; and median beats of simulated people whom the network has not trained on, in microvolts.
"""

import base64
import json
import tempfile
from pathlib import Path

from ecg_lessons import machine

machine.setup(seed=42)

import numpy as np  # noqa: E402
from keras import layers  # noqa: E402

from ecg_lessons.lessons import inversion as lesson  # noqa: E402
from ecg_lessons.signals import leads  # noqa: E402

HERE = Path(__file__).parent / "live"
SHOWN = {"NORM": 3, "LAFB": 1, "CLBBB": 1, "AMI": 1, "LVH": 1}
NAMES = {
    "NORM": "healthy heart",
    "LAFB": "left anterior fascicle blocked",
    "CLBBB": "left bundle branch block",
    "AMI": "anterior infarction",
    "LVH": "thick left ventricle",
}


def encode(array: np.ndarray) -> dict:
    """Give an array as its shape and its 16-bit floats in base64."""
    return {"shape": array.shape, "data": base64.b64encode(np.asarray(array, "<f2").tobytes()).decode()}


def folded(network) -> dict:
    """List the convolutions of E, each with what batch normalisation does to its result, and the last weights."""
    inner, stages = network.get_layer("looks_right"), []
    for layer in inner.layers:
        if isinstance(layer, layers.Conv1D):
            stages.append({"kernel": encode(layer.kernel.numpy())})
        elif isinstance(layer, layers.BatchNormalization):
            scale = layer.gamma.numpy() / np.sqrt(layer.moving_variance.numpy() + layer.epsilon)
            offset = layer.beta.numpy() - scale * layer.moving_mean.numpy()
            stages[-1] |= {"scale": encode(scale), "offset": encode(offset)}
    return {"stages": stages, "last": encode(inner.layers[-1].kernel.numpy()[:, 0])}


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


def main() -> None:
    """Train, choose, write."""
    from ecg_lessons import simulator
    from ecg_lessons.data import recordings

    correct = lesson.examples("sample")
    codes = {one.name: one.labels["diagnoses"][0] for one in recordings.ptb_xl(simulator.sample_cohort())}
    with tempfile.TemporaryDirectory() as folder:
        run = lesson.train(Path(folder) / "run", "hypotheses", "sample", examples=correct)
        split = lesson.split(correct, "by-patient")
        others = correct.take(np.concatenate([split.test, split.validation]))
        data = {
            "rate": 250,
            "states": list(lesson.STATES),
            "swaps": [m.astype(int).tolist() for m in leads.SWAPS.values()],
            "prior": run.model.get_layer("swap").prior.tolist(),
            "network": folded(run.model),
            "people": people(others, codes),
        }
    (HERE / "electrodes.data.js").write_text(
        f"const DATA = {json.dumps(data, separators=(',', ':'))};\n", encoding="utf-8"
    )


if __name__ == "__main__":
    main()
