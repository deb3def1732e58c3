"""The routes of the function `probe`, one file for each resource."""
