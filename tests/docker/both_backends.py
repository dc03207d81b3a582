"""Run inside an image: networks of the lessons, trained by TensorFlow, must give the same verdicts on JAX.

Each is trained for one epoch on a small cohort, then judges on both backends; JAX also trains two epochs itself.
Lesson 4 keeps verdicts and no networks, save those before the patients' own minutes: these judge noise.
"""

import json
import os
import subprocess
import sys
from pathlib import Path

FOLDER = Path(sys.argv[1])
LESSONS = {
    "inversion": "",
    "rhythm": "--network compact --recordings 100 --batch-size 16",
    "beat-images": "--network signal --most 20 --split by-patient",
    "heartbeat": "--split by-patient",
    "infarction": "--network cnet",
}
PATIENTS = "train patients --preset quick --leave-one-out --patients a020 --epochs 1"
JUDGE = """
import json, sys, keras, numpy as np, ecg_lessons.lessons
network = keras.saving.load_model(sys.argv[1], compile=False)
noise = np.random.default_rng(0).normal(size=(256, *network.input_shape[1:])).astype("float32")
print(json.dumps(network.predict(noise, verbose=0).tolist()))
"""


def lessons(words: str, backend: str) -> str:
    return said(["ecg-lessons", *words.split()], backend)


def said(words: list, backend: str) -> str:
    env = os.environ | {"KERAS_BACKEND": backend}
    done = subprocess.run(words, env=env, capture_output=True, text=True, check=False)
    if done.returncode:
        sys.exit(f"{' '.join(map(str, words))} on {backend}: {done.stderr[-2000:]}")
    return done.stdout


def apart(one, other) -> float:
    """Give how far two results are apart at most; what is no number must be equal."""
    if isinstance(one, dict):
        assert set(one) == set(other), (one, other)
        return max((apart(one[key], other[key]) for key in one), default=0)
    if isinstance(one, list):
        assert len(one) == len(other)
        return max(map(apart, one, other), default=0)
    if isinstance(one, int | float) and not isinstance(one, bool) and one == one:
        return abs(one - other)
    assert one == other or one != one, (one, other)
    return 0


for lesson, options in LESSONS.items():
    for backend, epochs in {"tensorflow": 1, "jax": 2}.items():
        lessons(f"train {lesson} {options} --epochs {epochs} --out {FOLDER}/{lesson}-{backend}", backend)
    found = [
        json.loads(lessons(f"evaluate {FOLDER}/{lesson}-tensorflow --json", backend))
        for backend in ("tensorflow", "jax")
    ]
    print(f"{lesson}: scores on both backends differ by {apart(*found):.2g} at most", flush=True)
    assert apart(*found) < 0.02

for backend in ("tensorflow", "jax"):
    lessons(f"{PATIENTS} --out {FOLDER}/patients-{backend}", backend)
(network,) = FOLDER.glob("patients-tensorflow/pretraining/*/model.keras")
found = [json.loads(said([sys.executable, "-c", JUDGE, network], backend)) for backend in ("tensorflow", "jax")]
print(f"patients: probabilities on both backends differ by {apart(*found):.2g} at most", flush=True)
assert apart(*found) < 1e-3
assert [row.index(max(row)) for row in found[0]] == [row.index(max(row)) for row in found[1]]
