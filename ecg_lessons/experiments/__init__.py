"""Experiments: job files become trials, and trials run one after the other or by Ray. No lesson is known here."""
