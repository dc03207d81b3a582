"""Run trials one after the other, or by Ray Tune on whatever CPUs and GPUs are free."""

from __future__ import annotations

import importlib
import importlib.util
import logging
import os
import shutil
import socket
import tempfile
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager, suppress

from ecg_lessons.errors import InputError
from ecg_lessons.experiments.jobs import Job
from ecg_lessons.experiments.trials import Trial

#: How often a trial may lose its worker and go on.
RETRIES = 3
#: Told of every trial that starts, ends, is refused or lost its worker, as ``tell(trial, event)``.
Tell = Callable[[Trial, str], None]
#: Ray without banners, usage reports, result files of its own, or a way of its own to treat Ctrl-C.
_QUIET = {
    "RAY_USAGE_STATS_ENABLED": "0",
    "RAY_DEDUP_LOGS": "0",
    "RAY_ACCEL_ENV_VAR_OVERRIDE_ON_ZERO": "0",
    "RAY_AIR_NEW_OUTPUT": "0",
    "TUNE_DISABLE_AUTO_CALLBACK_LOGGERS": "1",
    "TUNE_DISABLE_SIGINT_HANDLER": "1",
    "TUNE_WARN_EXCESSIVE_EXPERIMENT_CHECKPOINT_SYNC_THRESHOLD_S": "0",
}


def ray_is_there() -> bool:
    """Tell whether Ray is installed, with Tune."""
    return importlib.util.find_spec("ray") is not None and importlib.util.find_spec("ray.tune") is not None


def serial(trials: Sequence[Trial], train: str, tell: Tell, tick: Callable[[], None]) -> dict[Trial, str]:
    """Run trials one after the other, in this process.

    Parameters
    ----------
    trials : sequence of Trial
        Prepared, unfinished.
    train : str
        See `Trial.run`.
    tell : callable
    tick : callable
        Called after every epoch, to show how far all came.

    Returns
    -------
    dict
        Why trials were refused; the others went on.
    """
    refused = {}
    for trial in trials:
        tell(trial, "starts")
        try:
            trial.run(train, lambda epoch, row: tick())
        except InputError as error:
            refused[trial] = str(error)
        tell(trial, "refused" if trial in refused else "finished")
    return refused


def by_ray(
    trials: Sequence[Trial],
    train: str,
    tell: Tell,
    tick: Callable[[], None],
    cpus: int | None = None,
    imports: str = "",
) -> dict[Trial, str]:
    """Run trials by Ray Tune, on this machine or on the cluster at ``RAY_ADDRESS``.

    A trial whose worker dies goes on from its folder on another one. On a cluster, the folders must be in a place that
    all machines share.

    Parameters
    ----------
    trials, train, tell, tick
        As in `serial`; `tick` is called about once a second.
    cpus : int, optional
        Of this machine, instead of all.
    imports : str
        A module that this machine's workers import while Ray starts, so that trials need not wait for TensorFlow.

    Raises
    ------
    InputError
        If the cluster does not answer, no machine has what a trial takes, or Ray dies.
    """
    job = trials[0].job
    with _ray(cpus, _environment(job, imports)) as ray:
        _fits(ray, job.cpus, job.gpus)
        # Tune keeps its own notes where every machine can read them; the trials' folders know more.
        notes = tempfile.mkdtemp(prefix=".tune-", dir=trials[0].folder.parents[2])
        try:
            return _tune(trials, train, tell, tick, notes)
        finally:
            shutil.rmtree(notes, ignore_errors=True)


def _environment(job: Job, imports: str) -> dict:
    """Say what a worker of this machine finds: as many threads as the trial has CPUs, and TensorFlow imported.

    GPUs are given to a worker with its trial; TensorFlow must not look for them before.
    """

    def imported() -> None:
        with suppress(Exception):  # the trial will tell why
            importlib.import_module(imports)

    early = {"worker_process_setup_hook": imported} if imports and not job.gpus else {}
    return {"env_vars": _threads(job)} | early


def _threads(job: Job) -> dict[str, str]:
    """Name the variables that TensorFlow reads when it is imported."""
    threads = str(max(1, round(job.cpus)))
    names = ("TF_NUM_INTRAOP_THREADS", "OMP_NUM_THREADS")
    return dict.fromkeys(names, threads) | {"TF_CPP_MIN_LOG_LEVEL": "2"}


@contextmanager
def _ray(cpus: int | None, environment: dict) -> Iterator:
    """Start Ray, or join the cluster; leave it in the end."""
    os.environ.update({name: value for name, value in _QUIET.items() if name not in os.environ})
    logging.getLogger("ray").setLevel(logging.ERROR)
    # Of a lost worker, `tell` is told in one line.
    logging.getLogger("ray.tune").setLevel(logging.CRITICAL)
    address = os.environ.get("RAY_ADDRESS")
    if address and address.startswith("http"):
        raise InputError(
            f"RAY_ADDRESS is {address}, where jobs are handed in: use 'ray job submit', or set it to host:port."
        )
    if address:
        _reach(address)
    import ray

    options = {"log_to_driver": False, "logging_level": logging.ERROR}
    if not address:
        # Nothing large travels between the workers: a small store lets laptops take part.
        options |= {"address": "local", "include_dashboard": False, "num_cpus": cpus}
        options |= {"object_store_memory": 100 * 2**20, "runtime_env": environment}
    _start(ray, options, address)
    try:
        yield ray
    finally:
        ray.shutdown()


def _reach(address: str) -> None:
    """Refuse a cluster that nobody answers for: Ray itself would try for minutes."""
    host, colon, port = address.rpartition("://")[2].rpartition(":")
    try:
        if colon:  # other names, such as "auto", are Ray's to look up
            socket.create_connection((host, int(port)), timeout=10).close()
    except (OSError, ValueError) as error:
        raise InputError(
            f"No cluster answers at RAY_ADDRESS={address} ({error}): mend or unset it."
        ) from None


def _start(ray, options: dict, address: str | None, tries: int = 3) -> None:
    """Start Ray; it gives up after 30 s, which a busy machine may need more than once."""
    for left in reversed(range(tries)):
        try:
            ray.init(**options)
            return
        except Exception as error:  # Ray's own time-out is no narrower one
            ray.shutdown()
            if left and "timed out during startup" in str(error):
                continue
            reason = str(error).strip().split("\n")[0].rstrip(".")
            where = (
                f"The Ray cluster at RAY_ADDRESS={address} does not answer"
                if address
                else "Ray did not start"
            )
            raise InputError(f"{where} ({reason}): mend that, or add --serial.") from None


def _fits(ray, cpus: float, gpus: float) -> None:
    """Refuse trials that would wait for ever."""
    machines = [machine["Resources"] for machine in ray.nodes() if machine["Alive"]]
    if not any(one.get("CPU", 0) >= cpus and one.get("GPU", 0) >= gpus for one in machines):
        most = {name: max((one.get(name, 0) for one in machines), default=0) for name in ("CPU", "GPU")}
        raise InputError(
            f"A trial of this job takes {cpus:g} CPUs and {gpus:g} GPUs, but a machine here has at most "
            f"{most['CPU']:g} and {most['GPU']:g}: change cpus and gpus in the job file, or set RAY_ADDRESS."
        )


def _tune(trials: Sequence[Trial], train: str, tell: Tell, tick: Callable[[], None], notes: str):
    """Let Tune place the trials and start anew those whose workers die."""
    from ray import tune

    job = trials[0].job
    with_resources = tune.with_resources(_worker(trials, train), {"cpu": job.cpus, "gpu": job.gpus})
    results = tune.Tuner(
        with_resources,
        param_space={"number": tune.grid_search(list(range(len(trials))))},
        # A worker that is done takes the next trial: importing TensorFlow takes as long as a short training.
        tune_config=tune.TuneConfig(max_concurrent_trials=None, reuse_actors=True),
        run_config=tune.RunConfig(
            name=job.name,
            storage_path=notes,
            verbose=0,
            failure_config=tune.FailureConfig(max_failures=RETRIES),
            callbacks=[_watcher(trials, tell, tick)],
        ),
    ).fit()
    refused = {}
    for result in results:
        if result.error is not None:
            last = str(result.error).strip().splitlines()[-1]
            refused[trials[result.config["number"]]] = f"{last}; 'ecg-lessons sweep --one' shows all of it."
        elif result.metrics.get("refused"):
            refused[trials[result.config["number"]]] = result.metrics["refused"]
    return refused


def _worker(trials: Sequence[Trial], train: str) -> Callable[[dict], dict]:
    """Make what a worker runs; on a cluster, TensorFlow is imported only then."""

    def work(config: dict) -> dict:
        trial = trials[config["number"]]
        os.environ.update(_threads(trial.job))
        try:
            if not trial.finished:  # a worker may die after its last deed
                trial.run(train)
        except InputError as error:
            return {"refused": str(error)}
        return {"refused": ""}

    return work


def _watcher(trials: Sequence[Trial], tell: Tell, tick: Callable[[], None]):
    """Make Tune's events ours."""
    import ray
    from ray import tune

    class Watcher(tune.Callback):
        last = 0.0

        def __reduce__(self):  # Tune notes how it was called, and consoles cannot be written down
            return (tune.Callback, ())

        def on_step_end(self, iteration, trials, **info):
            if time.monotonic() - self.last > 1:
                self.last = time.monotonic()
                tick()
                if not alive():  # Tune would wait for ever
                    raise InputError(
                        "Ray itself died, not a trial: give the same command again, and all go on."
                    )

        def on_trial_start(self, iteration, trials, trial, **info):
            tell(ours(trial), "starts")

        def on_trial_recover(self, iteration, trials, trial, **info):
            if alive():
                tell(ours(trial), "lost its worker and goes on")

        def on_trial_complete(self, iteration, trials, trial, **info):
            tell(ours(trial), "finished" if ours(trial).finished else "refused")

        def on_trial_error(self, iteration, trials, trial, **info):
            tell(ours(trial), "failed")

    def alive() -> bool:
        return any(machine["Alive"] for machine in ray.nodes())

    def ours(trial) -> Trial:
        return trials[trial.config["number"]]

    return Watcher()
