"""Tests of this folder share a hub and its browsers."""

import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parent))
