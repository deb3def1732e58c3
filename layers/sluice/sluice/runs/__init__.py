"""Runs from their start to their last word: starting, planning, settling, redriving, schedules."""
