"""Trials by Ray: on the cluster at ``RAY_ADDRESS``, or on this machine."""

import importlib.util
import logging
import os
import socket
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager

from ecg_lessons.errors import InputError
from ecg_lessons.trials import RETRIES, Tell, Trial, attempt, end, threads_of

#: Ray without banners and usage reports.
_QUIET = {"RAY_USAGE_STATS_ENABLED": "0", "RAY_DEDUP_LOGS": "0", "RAY_ACCEL_ENV_VAR_OVERRIDE_ON_ZERO": "0"}


def is_there() -> bool:
    """Tell whether Ray is installed."""
    return importlib.util.find_spec("ray") is not None


def by_ray(
    trials: Sequence[Trial], needs: tuple[float, float], tell: Tell, tick: Callable[[], None], cpus: int | None = None
) -> dict[Trial, str]:
    """Run trials as Ray tasks; give why some were refused. `needs` are the CPUs and GPUs of a trial.

    A trial whose worker dies goes on from its folder on another one. On a cluster, the folders must be in a place that
    all machines share. `cpus` are those of this machine to use, instead of all.
    """
    with _ray(cpus) as ray:
        _fits(ray, *needs)
        options = {"num_cpus": needs[0], "num_gpus": needs[1], "max_retries": RETRIES}
        task = ray.remote(runtime_env={"env_vars": threads_of(needs[0])}, **options)(attempt)
        pending = {task.remote(trial): trial for trial in trials}
        begun, refused = set(), {}
        while pending:
            done, _ = ray.wait(list(pending), timeout=1)
            for trial in pending.values():
                if trial not in begun and (trial.folder / "run.json").exists():
                    begun.add(trial)
                    tell(trial, "starts")
            for future in done:
                end(pending.pop(future), _outcome(ray, future), refused, tell)
            tick()
            if pending:
                _refuse_death(ray)
        return refused


def _refuse_death(ray) -> None:
    if not any(machine["Alive"] for machine in ray.nodes()):
        raise InputError("Ray itself died, not a trial: give the same command again, and all go on.") from None


def _outcome(ray, future) -> str:
    try:
        return ray.get(future)
    except ray.exceptions.RayError as error:
        _refuse_death(ray)
        return f"{str(error).strip().splitlines()[-1]}; --serial shows all of it."


@contextmanager
def _ray(cpus: int | None) -> Iterator:
    os.environ.update(_QUIET | os.environ)
    logging.getLogger("ray").setLevel(logging.CRITICAL)
    address = os.environ.get("RAY_ADDRESS")
    if address and address.startswith("http"):
        remedy = "use 'ray job submit', or set it to host:port"
        raise InputError(f"RAY_ADDRESS is {address}, where jobs are handed in: {remedy}.")
    if address:
        _reach(address)
    import ray

    options = {"log_to_driver": False, "logging_level": logging.CRITICAL}
    if not address:
        # Nothing large travels between the workers: a small store lets laptops take part.
        options |= dict(address="local", include_dashboard=False, num_cpus=cpus, object_store_memory=100 * 2**20)
        options["_node_ip_address"] = "127.0.0.1"  # nobody else on the network may hand it work
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
        raise InputError(f"No cluster answers at RAY_ADDRESS={address} ({error}): mend or unset it.") from None


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
            where = f"The Ray cluster at RAY_ADDRESS={address} does not answer" if address else "Ray did not start"
            raise InputError(f"{where} ({reason}): mend that, or add --serial.") from None


def _fits(ray, cpus: float, gpus: float) -> None:
    machines = [machine["Resources"] for machine in ray.nodes() if machine["Alive"]]
    if not any(one.get("CPU", 0) >= cpus and one.get("GPU", 0) >= gpus for one in machines):
        most = " and ".join(f"{max((one.get(name, 0) for one in machines), default=0):g}" for name in ("CPU", "GPU"))
        what = f"takes {cpus:g} CPUs and {gpus:g} GPUs, but a machine here has at most {most}"
        raise InputError(f"A trial of this job {what}: change cpus and gpus in the job file, or set RAY_ADDRESS.")
