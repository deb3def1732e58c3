"""How commands print rows and documents."""
