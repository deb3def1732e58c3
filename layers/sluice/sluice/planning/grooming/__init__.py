"""Grooming: the services of a traffic matrix become lightpaths and devices."""
