"""Simulated patients whose recordings are written as WFDB files: the built-in cohorts of the lessons."""

from ecg_lessons.data.simulator.arrhythmia import sample_arrhythmias, simulate_arrhythmias
from ecg_lessons.data.simulator.cohort import sample_cohort, simulate_cohort

__all__ = ["sample_arrhythmias", "sample_cohort", "simulate_arrhythmias", "simulate_cohort"]
