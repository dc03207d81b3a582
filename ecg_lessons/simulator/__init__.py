"""Simulated patients whose recordings are written as WFDB files: the built-in cohorts of the lessons."""

from ecg_lessons.simulator.cohorts import (
    sample_arrhythmias,
    sample_cohort,
    sample_infarctions,
    sample_rhythms,
    simulate_arrhythmias,
    simulate_cohort,
    simulate_infarctions,
    simulate_rhythms,
)

__all__ = [
    "sample_arrhythmias",
    "sample_cohort",
    "sample_infarctions",
    "sample_rhythms",
    "simulate_arrhythmias",
    "simulate_cohort",
    "simulate_infarctions",
    "simulate_rhythms",
]
