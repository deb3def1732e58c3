"""Projects: their models, reports, endpoints and overrides, and the outputs of a refresh."""
