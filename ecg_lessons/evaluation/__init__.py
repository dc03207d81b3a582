"""Scores, plots and explanations."""
