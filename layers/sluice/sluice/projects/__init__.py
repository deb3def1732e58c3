"""What a project has beside its datasources: models, reports, overrides, and what a refresh makes of them."""
