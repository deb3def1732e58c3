"""Where data comes from: one package for each kind of datasource."""
