"""A trial that trains nothing: it counts epochs into a history, slowly, and can be killed in between."""

import os
import time
from pathlib import Path

from ecg_lessons.errors import InputError


def train(*, model_file, network, split, folder, source, recordings, changes, tensorboard, progress):
    """Go on from the history; each start leaves its process and the epoch it began after."""
    history = Path(folder) / "history.csv"
    if not history.exists():
        history.write_text("epoch,loss\n")
    before = history.read_text().count("\n") - 1
    with (Path(folder) / "starts.txt").open("a") as file:
        file.write(f"{os.getpid()} {before} {os.environ.get('TF_NUM_INTRAOP_THREADS', '')}\n")
    if changes.get("refuse") == split:
        raise InputError("the data of this fold are gone: fetch them.")
    for epoch in range(before + 1, changes.get("epochs", 2) + 1):
        time.sleep(changes.get("pause", 0))
        with history.open("a") as file:
            file.write(f"{epoch},{1 / epoch}\n")
        if progress:
            progress(epoch, {"epoch": epoch, "loss": 1 / epoch})
    number = int(split[-1]) if split[-1].isdigit() else 0
    return {"F1 N": 0.8 + number / 100, "mean(N,A,O)": 0.7 + number / 100, "accuracy": 0.75}
