"""Fixtures for all tests."""

import json
import os
import shutil
import signal
import sys
import threading
import time
from functools import partial
from pathlib import Path

import pytest
from filelock import FileLock

from ecg_lessons import machine

machine.setup()  # before anything imports Keras
if signal.getsignal(signal.SIGINT) is signal.SIG_IGN:  # as in the background of a shell; tests send Ctrl-C
    signal.signal(signal.SIGINT, signal.default_int_handler)

#: A small network, as a model file tells of it.
MODEL = """about = "A small network."
augmentation = {window_seconds = 6, dropout_bursts = 0.05}
convolutions = {over = "time", blocks = 2, layers = 1, halves = "pool", first_channels = 8}
recurrence = {cell = "gru", layers = 1, units = 6}
training = {epochs = 1, batch_size = 16}
"""


@pytest.fixture(scope="session")
def real() -> Path:
    """Give the folder of the real recordings."""
    root = os.environ.get("ECG_LESSONS_DATA")
    if not root:
        pytest.skip("ECG_LESSONS_DATA is not set: the real recordings are not at hand")
    return Path(root)


@pytest.fixture(scope="session")
def once(tmp_path_factory):
    """Make a folder once for all workers of this session: ``once(name, make)`` gives it, made by ``make(folder)``."""
    base = tmp_path_factory.getbasetemp()
    base = base.parent if "PYTEST_XDIST_WORKER" in os.environ else base

    def give(name: str, make) -> Path:
        folder, done = base / "shared" / name, base / "shared" / f"{name}.done"
        folder.mkdir(parents=True, exist_ok=True)
        with FileLock(f"{folder}.lock"):
            if not done.exists():
                make(folder)
                done.touch()
        return folder

    return give


@pytest.fixture(scope="session")
def physionet(once) -> Path:
    """Give a data folder in PhysioNet's layout, of people who do not exist."""
    return once("physionet", _simulate)


def _simulate(root: Path) -> None:
    import wfdb

    from ecg_lessons import simulator

    twelve = simulator.simulate_cohort(root / "ptb-xl" / "1.0.3", patients=50) / "records500" / "00000"
    simulator.simulate_arrhythmias(root / "mitdb" / "1.0.0", patients=20, minutes=2)
    one = simulator.simulate_rhythms(root / "challenge-2017" / "1.0.0", 100)
    shutil.make_archive(str(one / "training2017"), "zip", one, "training2017")
    names, form = [], {"fmt": ["16"] * 12, "adc_gain": [1000.0] * 12, "baseline": [0] * 12}
    for k, reason in enumerate(["Healthy control", "Myocardial infarction"] * 6):
        signal, about = wfdb.rdsamp(str(twelve / f"{k + 1:05d}_hr"))
        folder = root / "ptbdb" / "1.0.0" / f"patient{k:03d}"
        folder.mkdir(parents=True)
        form |= {"write_dir": str(folder), "comments": [f"Reason for admission: {reason}"]}
        wfdb.wrsamp(f"s{k:04d}", 500, ["mV"] * 12, about["sig_name"], signal, **form)
        (folder / f"s{k:04d}.xyz").write_bytes(b"")
        names.append(f"patient{k:03d}/s{k:04d}\n")
    (root / "ptbdb" / "1.0.0" / "RECORDS").write_text("".join(names))


@pytest.fixture
def at_hand(monkeypatch, physionet):
    """Let every command find the simulated recordings."""
    monkeypatch.setenv("ECG_LESSONS_DATA", str(physionet))


@pytest.fixture(scope="session")
def trained(physionet, once, tmp_path_factory):
    """Train a lesson for one epoch by the command line, once a session; gives a copy of the run folder.

    ``trained.words[name]`` are the words of the command, for that copy.
    """
    from ecg_lessons import cli

    root, ready = tmp_path_factory.mktemp("trained"), {}
    (root / "small.toml").write_text(MODEL)
    more = {
        "rhythm": "--network {}/small.toml --fold 1",
        "beat-images": "--network signal --most 6 --split random-beats",
        "heartbeat": "--balance focal --rule published",
        "infarction": "--transfer-from {}/heartbeat --frozen --share 0.5",
        "patients": "--leave-one-out --adapt-minutes 1 --preset quick --patients a001",
    }

    def words(name: str, made: Path, out: Path) -> list[str]:
        return f"train {name} --source physionet --epochs 1 --out {out} {more.get(name, '')}".format(made).split()

    def make(name: str, made: Path) -> None:
        (made / "small.toml").write_text(MODEL)
        if name == "infarction":
            shutil.copytree(train("heartbeat"), made / "heartbeat")
        with pytest.MonkeyPatch.context() as patch:
            patch.setenv("ECG_LESSONS_DATA", str(physionet))
            patch.setattr("sys.argv", ["ecg-lessons", *words(name, made, made / "run")])
            with pytest.raises(SystemExit) as end:
                cli.main()
        assert not end.value.code

    def train(name: str) -> Path:
        if name not in ready:
            made = once(f"trained-{name}", partial(make, name))
            shutil.copytree(made / "run", root / name)
            ready[name] = words(name, made, root / name)
        return root / name

    train.folder, train.words = root, ready
    return train


@pytest.fixture
def call(monkeypatch, capsys):
    """Run the command line in this process; gives status, standard output, standard error."""
    from ecg_lessons import cli

    def run(*words):
        monkeypatch.setattr("sys.argv", ["ecg-lessons", *map(str, words)])
        status = 0
        try:
            cli.main()
        except SystemExit as end:
            status = end.code or 0
        return (status, *capsys.readouterr())

    return run


@pytest.fixture
def refused(call):
    """Run the command line, which must say one sentence and do nothing; gives that sentence."""

    def run(*words):
        status, _, error = call(*words)
        assert status == 2, error
        assert error.startswith("ecg-lessons: ")
        assert error.count("\n") == 1
        return error

    return run


class Project:
    """A folder with models and jobs of a lesson that trains nothing, and where trials go."""

    def __init__(self, root: Path):
        self.root, self.out, self.gate = root, root / "out", root / "gate"
        for name in ("models", "jobs"):
            (root / name).mkdir()
        for name in ("compact", "crnn"):
            self.model(name, 'about = "A network."\n')

    def model(self, name: str, text: str) -> Path:
        path = self.root / "models" / f"{name}.toml"
        path.write_text(text)
        return path

    def job(self, name: str = "job", plan: dict | None = None, options: dict | None = None, **entries) -> Path:
        entries = {"lesson": "slow", "models": ["compact"], "folds": [0, 1]} | entries
        tables = {"": entries, "[plan]": plan or {}, "[options]": options or {}}
        lines = []
        for title, table in tables.items():
            lines += [title] + [f"{key} = {json.dumps(value)}" for key, value in table.items() if value is not None]
        path = self.root / "jobs" / f"{name}.toml"
        path.write_text("\n".join(lines) + "\n")
        return path

    def trials(self, path: Path) -> list:
        from ecg_lessons.sweeps import JobFile

        job = JobFile.read(path)
        planned = job.trials(self.out)
        for model, trial in planned:
            job.prepare(model, trial.folder)
        return [trial for _, trial in planned]

    def starts(self, trial) -> list[list[str]]:
        """Give process, epochs before and threads of every start of a trial."""
        return [line.split() for line in (trial.folder / "starts.txt").read_text().splitlines()]

    @staticmethod
    def until(happens, seconds: float = 600) -> None:
        """Wait for what must happen, however busy the machine is."""
        end = time.monotonic() + seconds
        while not happens():
            assert time.monotonic() < end, "it did not happen"
            time.sleep(0.05)

    def kill_a_worker(self, run) -> list:
        """Let two trials wait after the second epoch, kill the first, then open the gate; two others are refused.

        ``run(trials)`` gives why some were refused. All that must hold is asked here; gives the trials.
        """
        options = {"refuse": "fold-1", "wait": str(self.gate)}
        found = self.trials(self.job(models=["compact", "crnn"], plan={"epochs": 8}, options=options))

        over = threading.Event()

        def kill():
            try:
                self.until(lambda: over.is_set() or found[0].epochs == found[1].epochs == 2)
                if not over.is_set():
                    os.kill(int(self.starts(found[0])[0][0]), signal.SIGKILL)
            finally:
                self.gate.touch()

        killer = threading.Thread(target=kill, daemon=True)
        killer.start()
        try:
            refused = {str(trial): reason for trial, reason in run(found).items()}
        finally:
            over.set()
            killer.join()
        gone = "the data of this fold are gone: fetch them."
        assert refused == {"compact fold-1": gone, "crnn fold-1": gone}
        first, second = self.starts(found[0])
        assert first[0] != second[0]
        assert (second[1], second[2]) == ("2", "1")  # it went on, with as many threads as CPUs
        assert [trial.result()["epochs"] for trial in found[:2]] == [8, 8]
        return found


@pytest.fixture
def project(tmp_path, monkeypatch):
    """Make a project whose lesson this process and others find."""
    from ecg_lessons import lessons

    place = tmp_path / "mine" / "ecg_lessons" / "lessons"
    place.mkdir(parents=True)
    shutil.copy(Path(__file__).with_name("slow_lesson.py"), place / "slow.py")
    paths = [str(tmp_path / "mine"), str(Path(lessons.__file__).parents[2]), os.environ.get("PYTHONPATH", "")]
    monkeypatch.setenv("PYTHONPATH", os.pathsep.join(filter(None, paths)))
    monkeypatch.syspath_prepend(paths[0])
    monkeypatch.setattr(lessons, "__path__", [*lessons.__path__, str(place)])
    monkeypatch.delitem(sys.modules, "ecg_lessons.lessons.slow", raising=False)
    monkeypatch.delenv("RAY_ADDRESS", raising=False)
    lessons._declared.cache_clear()
    yield Project(tmp_path)
    sys.modules.pop("ecg_lessons.lessons.slow", None)
    lessons._declared.cache_clear()


@pytest.fixture(scope="module")  # Playwright allows one at a time in a process
def browser():
    chromium = shutil.which("chromium") or shutil.which("chromium-browser") or shutil.which("google-chrome")
    if not chromium:
        pytest.skip("there is no Chromium")
    playwright = pytest.importorskip("playwright.sync_api", reason="playwright is not installed")
    with playwright.sync_playwright() as play:
        opened = play.chromium.launch(executable_path=chromium, args=["--no-sandbox"])
        yield opened
        opened.close()
