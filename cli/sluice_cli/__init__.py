"""The `sluice` command: a client of the API, and the local stack."""
