"""Job files: what they give, and what is refused before anything starts."""

import tomllib
from pathlib import Path

import pytest
from ecg_lessons.experiments import jobs, trials

from ecg_lessons.errors import InputError

JOBS = sorted((Path(__file__).parents[2] / "experiments" / "jobs").glob("*.toml"))


@pytest.mark.parametrize("path", JOBS, ids=lambda path: path.stem)
def test_the_jobs_of_the_course_can_be_read(path):
    job = jobs.read(path)
    assert job.name == path.stem
    assert all(trial.folder.parts[-3:-1] == (trial.model, job.name) for trial in trials.of(job, "out"))


def test_trials_are_models_times_folds(project):
    job = jobs.read(project.job(models=["compact", "crnn"], folds=[0, 3, 4]))
    found = {(trial.model, trial.split) for trial in trials.of(job, "out")}
    assert found == {(model, f"fold-{fold}") for model in ("compact", "crnn") for fold in (0, 3, 4)}


def test_a_split_from_a_file(project):
    (project.root / "jobs" / "mine.json").write_text("{}")
    (trial,) = project.trials(project.job(folds=None, split="mine.json"))
    assert trial.split == "mine"
    assert (trial.folder / trials.SPLIT).read_text() == "{}"


@pytest.mark.parametrize(
    ("entries", "message"),
    [
        ({"fold": [0]}, "no entry 'fold'; did you mean 'folds'"),
        ({"wibble": 1}, "no entry 'wibble'; it knows models, lesson"),
        ({"models": ["compakt"]}, "no model 'compakt'; choose compact, crnn"),
        ({"models": []}, "names no models"),
        ({"models": "compact"}, "models = 'compact' is not a list of names"),
        ({"folds": [0, 5]}, "no fold 5; choose from 0 to 4"),
        ({"folds": [-1]}, "no fold -1"),
        ({"folds": [0.5]}, "is not a list of whole numbers"),
        ({"folds": None}, "either folds"),
        ({"split": "split.json"}, "either folds"),
        ({"folds": None, "split": "none.json"}, "there is no split"),
        ({"source": "hospital"}, "no source 'hospital'"),
        ({"cpus": 0}, "cpus = 0; it must be at least 0.1"),
        ({"gpus": -1}, "gpus = -1"),
        ({"tensorboard": 1}, "tensorboard = 1 is not true or false"),
        ({"recordings": True}, "recordings = True is not a whole number"),
    ],
)
def test_what_is_refused(project, entries, message):
    path = project.job(**entries)
    with pytest.raises(InputError, match=message) as told:
        jobs.read(path)
    assert str(path) in str(told.value)


def test_files_that_are_no_jobs(project):
    path = project.root / "jobs" / "job.toml"
    with pytest.raises(InputError, match="No such file or directory"):
        jobs.read(path)
    path.write_text("models = [")
    with pytest.raises(InputError, match="is not TOML"):
        jobs.read(path)
    path.write_text("")
    with pytest.raises(InputError, match="names no models: add a line such as models"):
        jobs.read(path)


def test_copies_are_kept_and_a_changed_model_is_refused(project):
    path = project.job()
    trial = project.trials(path)[0]
    copy = trial.folder / trials.MODEL
    assert tomllib.loads(copy.read_text()) == {"about": "A network."}
    project.model("compact", '# only a comment\nabout = "A network."\n')
    project.trials(path)
    project.job(folds=[0, 1, 2], cpus=2)
    project.trials(path)
    model = project.model("compact", 'about = "Another."\n')
    with pytest.raises(InputError, match="has changed since") as told:
        project.trials(path)
    assert str(model) in str(told.value)


def test_a_changed_plan_or_split_is_refused(project):
    path = project.job(plan={"epochs": 2})
    project.trials(path)
    project.job(plan={"epochs": 3})
    with pytest.raises(InputError, match="has changed since"):
        project.trials(path)
    split = project.root / "jobs" / "mine.json"
    split.write_text("{}")
    path = project.job("other", folds=None, split="mine.json")
    project.trials(path)
    split.write_text("[]")
    with pytest.raises(InputError, match="has changed since"):
        project.trials(path)
