"""Runs of algorithms: what they are asked for, their steps, their results, and comparisons."""
