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
