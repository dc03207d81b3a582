"""Simulated patients whose recordings are written as WFDB files: the built-in cohort of the lessons."""

from ecg_lessons.data.simulator.cohort import sample_cohort, simulate_cohort

__all__ = ["sample_cohort", "simulate_cohort"]
