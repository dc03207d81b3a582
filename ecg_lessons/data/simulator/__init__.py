"""Simulated patients whose recordings are written as WFDB files: the built-in cohorts of the lessons."""

from ecg_lessons.data.simulator.arrhythmia import sample_arrhythmias, simulate_arrhythmias
from ecg_lessons.data.simulator.cohort import sample_cohort, simulate_cohort
from ecg_lessons.data.simulator.infarctions import sample_infarctions, simulate_infarctions
from ecg_lessons.data.simulator.rhythms import sample_rhythms, simulate_rhythms

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
