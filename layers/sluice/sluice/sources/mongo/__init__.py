"""Datasources that are collections of MongoDB: fetching and trying them."""
