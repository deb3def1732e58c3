"""Sensor readings: taking them in, storing them and their rollups, and reading them back."""
