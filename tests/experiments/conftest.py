"""A project with models and jobs, and trials that train nothing."""

import json
from pathlib import Path

import pytest
from ecg_lessons.experiments import jobs, runners, trials

from ecg_lessons.cli import experiments as cli

TRAIN = "fake_trial:train"


class Project:
    """Model and job files in a folder, and where trials go."""

    def __init__(self, root: Path):
        self.root, self.out = root, root / "out"
        for name in ("models", "jobs"):
            (root / name).mkdir()
        for name in ("compact", "crnn"):
            self.model(name, 'about = "A network."\n')

    def model(self, name: str, text: str) -> Path:
        path = self.root / "models" / f"{name}.toml"
        path.write_text(text)
        return path

    def job(self, name: str = "job", plan: dict | None = None, **entries) -> Path:
        entries = {"lesson": "rhythm", "models": ["compact"], "folds": [0, 1]} | entries
        lines = [f"{key} = {json.dumps(value)}" for key, value in entries.items() if value is not None]
        lines += ["[plan]"] + [f"{key} = {json.dumps(value)}" for key, value in (plan or {}).items()]
        path = self.root / "jobs" / f"{name}.toml"
        path.write_text("\n".join(lines) + "\n")
        return path

    def trials(self, path: Path) -> list:
        found = trials.of(jobs.read(path), self.out)
        for trial in found:
            trial.prepare()
        return found

    def starts(self, trial) -> list[list[str]]:
        return [line.split() for line in (trial.folder / "starts.txt").read_text().splitlines()]


@pytest.fixture
def project(tmp_path, monkeypatch):
    here = str(Path(__file__).parent)
    monkeypatch.syspath_prepend(here)
    monkeypatch.setenv("PYTHONPATH", here)  # for the workers
    monkeypatch.setattr(cli, "LESSONS", {"rhythm": cli.Wiring(lambda path, changes: jobs.table(path), TRAIN)})
    return Project(tmp_path)


@pytest.fixture
def without_ray(monkeypatch):
    monkeypatch.setattr(runners, "ray_is_there", lambda: False)
