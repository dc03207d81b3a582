"""Sweeps without Ray, and what is told of them."""

import pytest
from ecg_lessons.experiments import summary, trials

from ecg_lessons import errors

pytestmark = pytest.mark.usefixtures("without_ray")


def test_one_after_the_other_then_nothing_then_what_is_new(project, call):
    job = project.job()
    status, said, _ = call("sweep", job, "--out", project.out)
    assert status == 0
    assert "compact fold-1 finished  mean(N,A,O) 0.710  accuracy 0.750  (2 epochs" in said
    status, said, _ = call("sweep", job, "--out", project.out)
    assert status == 0
    assert "finished  mean" not in said
    project.job(folds=[0, 1, 2])
    status, said, _ = call("sweep", job, "--out", project.out)
    assert "2 of 3 trials are finished already" in said
    assert "compact fold-2 finished" in said
    found = project.trials(job)
    assert [len(project.starts(trial)) for trial in found] == [1, 1, 1]


def test_a_refused_trial_does_not_stop_the_others(project, call):
    job = project.job(folds=[0, 1, 2], plan={"refuse": "fold-0"})
    status, said, told = call("sweep", job, "--out", project.out)
    assert status == 2
    assert "compact fold-0: the data of this fold are gone" in said
    assert told.count("\n") == 1
    assert "1 of 3 trials did not finish" in told
    assert [trial.finished for trial in project.trials(job)] == [False, True, True]


def test_an_interrupted_sweep_goes_on_where_it_was(project, call, monkeypatch):
    job = project.job(plan={"epochs": 4})
    original = trials.Trial.run

    def interrupted(self, train, progress=None):
        def stop(epoch, row):
            if epoch == 3:
                raise KeyboardInterrupt

        return original(self, train, stop)

    monkeypatch.setattr(trials.Trial, "run", interrupted)
    status, _, told = call("sweep", job, "--out", project.out)
    assert status == 130
    assert "the same command goes on from here" in told
    monkeypatch.setattr(trials.Trial, "run", original)
    status, said, _ = call("sweep", job, "--out", project.out)
    assert status == 0
    assert "compact fold-0 starts after epoch 3" in said
    assert [start[1] for start in project.starts(project.trials(job)[0])] == ["0", "3"]


def test_one_model_is_trained_aloud(project, call):
    job = project.job(models=["compact", "crnn"])
    status, said, _ = call("sweep", job, "--out", project.out, "--one", "crnn")
    assert status == 0
    assert "epoch 2  loss 0.5" in said
    assert [trial.finished for trial in project.trials(job)] == [False, True, False, False]
    assert call("sweep", job, "--out", project.out, "--one", "cnn")[0] == 2


def test_a_lesson_without_sweeps(project, call):
    status, _, told = call("sweep", project.job(lesson="patients"))
    assert status == 2
    assert "'patients' takes no part in sweeps; choose rhythm" in told


def test_a_submitted_job_must_say_where_results_stay(project, call, monkeypatch):
    monkeypatch.setenv("RAY_JOB_CONFIG_JSON_ENV_VAR", "{}")
    status, _, told = call("sweep", project.job(), "--out", "runs/sweeps")
    assert status == 2
    assert "give a whole path that all machines share" in told


def test_two_sweeps_of_one_job_keep_apart(project, call):
    with trials.alone(project.out, "job"):
        status, _, told = call("sweep", project.job(), "--out", project.out)
    assert status == 2
    assert "Another sweep of job is at work" in told


def test_the_table_gives_mean_and_deviation_and_names_what_is_missing(project, call):
    job = project.job(models=["compact", "crnn"], folds=[0, 1, 2])
    found = project.trials(job)
    for trial in found[:5]:
        trial.run("fake_trial:train")
    rows = {row.model: row for row in summary.summarise(project.out)}
    assert rows["compact"].mean["F1 N"] == pytest.approx(0.81)
    assert rows["compact"].deviation["F1 N"] == pytest.approx(0.01)
    assert rows["compact"].missing == ()
    assert rows["crnn"].missing == ("fold-2",)
    status, said, _ = call("summarize", project.out)
    assert status == 0
    assert "81.0±1.0" in said
    assert "crnn job: missing fold-2" in said
    for place in (project.out / "crnn", project.out / "crnn" / "job"):
        assert [row.model for row in summary.summarise(place)] == ["crnn"]


def test_the_table_of_a_model_by_name(project, call, monkeypatch):
    for trial in project.trials(project.job(models=["compact", "crnn"])):
        trial.run("fake_trial:train")
    monkeypatch.setattr("ecg_lessons.cli.experiments.SWEEPS", project.out)
    status, said, _ = call("summarize", "crnn")
    assert status == 0
    assert "compact" not in said
    assert call("summarize", "cnn")[0] == 2


def test_no_trials_and_damaged_results(project, call):
    with pytest.raises(errors.InputError, match="holds no trials"):
        summary.summarise(project.root / "nowhere")
    (trial, _) = project.trials(project.job())
    trial.run("fake_trial:train")
    (trial.folder / trials.RESULT).write_text("{")
    status, _, told = call("summarize", project.out)
    assert status == 2
    assert "trial.json is damaged" in told
