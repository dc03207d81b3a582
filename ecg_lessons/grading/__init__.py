"""Graded assignments: what students hand in is run in a sandbox, and judged outside."""
