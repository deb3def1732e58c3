"""Runs: starting, planning, queueing, reconciling, redriving and listing them."""
