"""Fetching: requests, retries, pagination, credentials, and every byte kept."""
