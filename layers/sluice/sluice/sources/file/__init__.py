"""Datasources whose data is files that are dropped into the inbox."""
