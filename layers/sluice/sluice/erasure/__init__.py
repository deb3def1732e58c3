"""Erasing one record from everything that is stored: pages, versions, what was made of them, and caches."""
