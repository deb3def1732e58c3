"""A kind of run that no part of the platform knows: it says how many rows a project has published."""
