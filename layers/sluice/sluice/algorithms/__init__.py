"""Algorithms: what they declare, the registry that finds them, and their runs."""
