"""Simulated patients whose recordings are written as WFDB files: the built-in cohorts of the lessons."""
# ruff: noqa: F401, I001 - names to hand on

from ecg_lessons.simulator.cohorts import sample_arrhythmias, sample_cohort, sample_infarctions, sample_rhythms
from ecg_lessons.simulator.cohorts import simulate_arrhythmias, simulate_cohort
from ecg_lessons.simulator.cohorts import simulate_infarctions, simulate_rhythms
