"""Sluice: fetch, keep every byte, merge by key, serve."""

__version__ = "0.3.0.dev0"
