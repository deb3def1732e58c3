"""The commands of `sluice`, by topic; their docstrings are the help texts."""
