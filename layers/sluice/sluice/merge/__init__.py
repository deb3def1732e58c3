"""Merging: from the datasources' records to one dataset per project."""
