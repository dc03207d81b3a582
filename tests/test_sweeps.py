"""Sweeps: what job files give and what is refused, trials one by one and side by side, and what is told of them."""

import json
import os
import re
import signal
import subprocess
import sys
import tomllib
from pathlib import Path

import pandas as pd
import psutil
import pytest

from ecg_lessons import files, sweeps, trials
from ecg_lessons.errors import InputError

JOBS = sorted((Path(__file__).parents[1] / "experiments" / "jobs").glob("*.toml"))


@pytest.mark.parametrize("path", JOBS, ids=lambda path: path.stem)
def test_the_jobs_of_the_course_can_be_read(path, tmp_path):
    job = sweeps.JobFile.read(path)
    assert job.name == path.stem
    for model, trial in job.trials(tmp_path):
        assert job.model_file(model).is_file()
        assert trial.folder.parts[-3:-1] == (model, job.name)


def test_trials_are_models_times_folds_and_every_model_begins_early(project):
    job = sweeps.JobFile.read(project.job(models=["compact", "crnn"], folds=[0, 3, 4]))
    names = [f"{model} fold-{fold}" for fold in (0, 3, 4) for model in ("compact", "crnn")]
    assert [trial.name for _, trial in job.trials("out")] == names
    assert all(trial.folder.is_absolute() for _, trial in job.trials("out"))


def test_a_split_may_be_a_file_or_a_name(project):
    (project.root / "jobs" / "mine.json").write_text("{}")
    (trial,) = project.trials(project.job(folds=None, split="mine.json"))
    assert trial.name == "compact mine"
    assert (trial.folder / sweeps.SPLIT).read_text() == "{}"
    (trial,) = project.trials(project.job("named", folds=None, split="by-patient"))
    assert (trial.name, trial.work.keywords["split"]) == ("compact by-patient", "by-patient")


@pytest.mark.parametrize(
    ("entries", "told"),
    [
        ({"fold": [0]}, "no entry 'fold'; did you mean 'folds'"),
        ({"wibble": 1}, "no entry 'wibble'; it knows lesson, models"),
        ({"lesson": None}, "names no lesson: add a line such as lesson"),
        ({"models": None}, "names no models: add a line such as models"),
        ({"models": []}, "models = (); it must be a list of at least 1"),
        ({"models": "compact"}, "models = 'compact' is not a list in brackets"),
        ({"folds": [0, 5]}, "folds.1 = 5; it must be at most 4"),
        ({"folds": [-1]}, "folds.0 = -1; it must be at least 0"),
        ({"folds": [0.5]}, "folds.0 = 0.5 is not a whole number"),
        ({"folds": None}, "either folds"),
        ({"split": "split.json"}, "either folds"),
        ({"folds": None, "split": "none.json"}, "there is no split"),
        ({"cpus": 0}, "cpus = 0; it must be at least 0.1"),
        ({"gpus": -1}, "gpus = -1"),
        ({"tensorboard": 1}, "tensorboard = 1 is not true or false"),
        ({"recordings": True}, "recordings = True is not a whole number"),
        ({"lesson": "rhytm"}, "there is no lesson 'rhytm'"),
        ({"lesson": "patients"}, "lesson 'patients' takes no part in sweeps"),
        ({"models": ["compakt"]}, "no network 'compakt': did you mean 'compact'"),
        ({"source": "hospital"}, "no source 'hospital'"),
        ({"plan": {"epoch": 2}}, "no entry 'epoch'; did you mean 'epochs'"),
        ({"plan": {"epochs": 0}}, "epochs = 0; it must be above 0"),
        ({"options": {"colour": 2}}, "options: got an unexpected keyword argument 'colour'"),
    ],
)
def test_a_job_with_a_mistake_is_refused_before_anything_starts(project, refused, entries, told):
    path = project.job(**entries)
    error = refused("sweep", path, "--out", project.out, "--serial")
    assert told in error
    assert str(path) in error
    assert not [place for place in project.out.glob("*") if place.is_dir()]


def test_files_that_are_no_jobs(project, refused):
    path = project.root / "jobs" / "job.toml"
    assert "No such file or directory" in refused("sweep", path)
    path.write_text("models = [")
    assert "is not TOML" in refused("sweep", path)


def test_copies_are_kept_and_what_has_changed_is_refused(project, refused):
    path = project.job(plan={"epochs": 2}, options={"refuse": ""})
    trial = project.trials(path)[0]
    assert tomllib.loads((trial.folder / sweeps.MODEL).read_text()) == {"about": "A network."}
    project.model("compact", '# only a comment\nabout = "A network."\n')
    project.job(folds=[0, 1, 2], cpus=2, plan={"epochs": 2}, options={"refuse": ""})
    for trial in project.trials(path):
        trial.run()
    (project.root / "jobs" / "mine.json").write_text("{}")
    split = project.job("other", folds=None, split="mine.json")
    project.trials(split)

    def changed(job, file):
        assert f"{file} has changed since" in refused("sweep", job, "--out", project.out, "--serial")

    model = project.model("compact", 'about = "Another."\n')
    changed(path, model)  # although all of its trials are finished
    project.model("compact", 'about = "A network."\n')
    for entries in ({"plan": {"epochs": 3}}, {"plan": {"epochs": 2}, "options": {"refuse": "fold-4"}}):
        changed(project.job(**entries), path)
    (project.root / "jobs" / "mine.json").write_text("[]")
    changed(split, project.root / "jobs" / "mine.json")


def test_one_after_the_other_then_nothing_then_what_is_new(project, call):
    words = ("sweep", project.job(), "--out", project.out, "--serial")
    status, said, _ = call(*words)
    assert status == 0
    assert "compact fold-1 finished  accuracy 0.710  mean f1 0.760  (2 epochs" in said
    assert f"All trials are in {project.out} (2). Next: ecg-lessons summarize {project.out}" in said
    assert "compact fold-1 finished" not in call(*words)[1]
    project.job(folds=[0, 1, 2])
    status, said, _ = call(*words)
    assert "2 of 3 trials are finished already" in said
    assert "compact fold-2 finished" in said
    assert [len(project.starts(trial)) for trial in project.trials(words[1])] == [1, 1, 1]


def test_one_model_is_trained_aloud(project, call, refused):
    job = project.job(models=["compact", "crnn"])
    status, said, _ = call("sweep", job, "--out", project.out, "--one", "crnn")
    assert status == 0
    assert "epoch 2  loss 0.5" in said
    assert [trial.finished for trial in project.trials(job)] == [False, True, False, False]
    assert "has no model 'cnn': choose compact, crnn" in refused("sweep", job, "--out", project.out, "--one", "cnn")


def test_what_would_be_lost_or_done_twice_is_refused(project, refused, monkeypatch):
    job = project.job()
    with files.alone(project.out / ".job.lock"):
        assert "Another sweep of job is at work" in refused("sweep", job, "--out", project.out)
    monkeypatch.setattr("ecg_lessons.ray_runner.is_there", lambda: False)
    assert "Ray is not installed" in refused("sweep", job, "--out", project.out, "--cluster")
    monkeypatch.setenv("RAY_JOB_CONFIG_JSON_ENV_VAR", "{}")
    assert "give a whole path that all machines share" in refused("sweep", job, "--out", "runs/sweeps")


def test_a_refused_trial_does_not_stop_the_others(project, call):
    job = project.job(folds=[0, 1, 2], options={"refuse": "fold-0"})
    status, said, told = call("sweep", job, "--out", project.out, "--serial")
    assert status == 2
    assert "compact fold-0: the data of this fold are gone" in said
    assert told == "ecg-lessons: 1 of 3 trials did not finish: mend that and sweep again.\n"
    assert [trial.finished for trial in project.trials(job)] == [False, True, True]


def test_side_by_side_a_killed_worker_goes_on_and_a_refused_trial_tells(project):
    events = []
    with trials.Workers(2, 1, "slow") as pool:
        tell = lambda trial, event: events.append(f"{trial} {event}")  # noqa: E731
        project.kill_a_worker(lambda found: pool.run(found, tell, lambda: None))
    assert {"compact fold-0 lost its worker and goes on", "compact fold-0 finished", "crnn fold-1 refused"} <= {*events}


@pytest.mark.parametrize("way", ["side by side", "--serial"])
def test_an_interrupted_sweep_goes_on_where_it_was(project, call, way):
    """Ctrl-C reaches all processes of a terminal: one sentence is said, nobody stays behind."""
    job = project.job(plan={"epochs": 4}, options={"wait": str(project.gate)})
    words = ["sweep", job, "--out", project.out, *([way] if way.startswith("--") else [])]
    command = [sys.executable, "-m", "ecg_lessons", *words]
    process = subprocess.Popen(command, stdout=-1, stderr=-1, text=True, start_new_session=True)
    found = project.trials(job)
    project.until(
        lambda: all(trial.epochs == 2 for trial in found[: 1 if way == "--serial" else min(2, os.cpu_count())])
    )
    workers = psutil.Process(process.pid).children(recursive=True)
    os.killpg(process.pid, signal.SIGINT)
    _, told = process.communicate()
    assert (process.returncode, told) == (130, "ecg-lessons: stopped; the same command goes on from here.\n")
    assert psutil.wait_procs(workers, 60)[1] == []
    project.gate.touch()
    status, said, _ = call("sweep", job, "--out", project.out, "--serial")
    assert status == 0
    assert "compact fold-0 starts after epoch 2" in said
    assert re.search(r"compact fold-0 finished .* \(4 epochs, 2 of them now, \d+ s\)", said)
    assert [start[1] for start in project.starts(found[0])] == ["0", "2"]


def test_the_table_gives_mean_and_deviation_and_names_what_is_missing(project, call, refused, monkeypatch):
    found = project.trials(project.job(models=["compact", "crnn"], folds=[0, 1, 2]))
    for trial in found[:5]:
        trial.run()
    rows = {row.model: row for row in sweeps.summarise(project.out)}
    assert rows["compact"].scores["F1 N"].mean() == pytest.approx(0.81)
    assert (rows["compact"].missing, rows["crnn"].missing) == ((), ("fold-2",))
    status, said, _ = call("summarize", project.out)
    assert status == 0
    assert "81.0±1.0" in said
    assert "crnn job: missing fold-2" in said
    told = json.loads(call("summarize", project.out, "--json")[1])
    assert [(row["model"], row["job"], row["missing"]) for row in told] == [
        ("compact", "job", []),
        ("crnn", "job", ["fold-2"]),
    ]
    pd.testing.assert_frame_equal(pd.DataFrame.from_dict(told[0]["scores"], "index"), rows["compact"].scores)
    for place in (project.out / "crnn", project.out / "crnn" / "job"):
        assert [row.model for row in sweeps.summarise(place)] == ["crnn"]
    monkeypatch.setattr("ecg_lessons.cli.measuring.SWEEPS", project.out)
    assert "compact" not in call("summarize", "crnn")[1]
    assert "cnn is no run" in refused("summarize", "cnn")
    (found[0].folder / "trial.json").write_text("{")
    assert "trial.json is damaged" in refused("summarize", project.out)
    with pytest.raises(InputError, match="holds no trials"):
        sweeps.summarise(project.root / "nowhere")
