"""Drafting a version of a dataset: its manifest, its fingerprint, and the reuse of a version that has the same."""
