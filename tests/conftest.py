"""Fixtures for all tests."""

import os
from pathlib import Path

import pytest


@pytest.fixture(scope="session")
def real() -> Path:
    """Give the folder of the real recordings."""
    root = os.environ.get("ECG_LESSONS_DATA")
    if not root:
        pytest.skip("ECG_LESSONS_DATA is not set: the real recordings are not at hand")
    return Path(root)


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
