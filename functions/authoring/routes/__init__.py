"""The routes of the function `authoring`."""
