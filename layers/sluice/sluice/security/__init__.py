"""Keys, secrets and who may do what."""
