"""A kind of datasource that no part of the platform knows: one page with some ticks of a clock."""
