"""So that tests here find their neighbours, and nbval runs nothing that a student handed in."""

import sys
from pathlib import Path

import pytest

from ecg_lessons.grading import assignments, grade

sys.path.insert(0, str(Path(__file__).parent))

collect_ignore_glob = ["submissions/*"]


@pytest.fixture(autouse=True, scope="session")
def _impatient():
    """Wait 15 seconds for a cell that never ends, and not the minute that a training may take."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(grade, "SECONDS", 15)
        patch.setattr(assignments.Assignment, "seconds", 15)
        yield
