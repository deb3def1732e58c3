"""The routes of the function `api`, one file for each resource."""
