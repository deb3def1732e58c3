"""The routes of the function `query`, one file for each resource."""
