"""Alarms: judging readings by the limits of their sensors, and watching for missing data."""
