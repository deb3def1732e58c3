"""Published endpoints: queries with an address, whose answers are cached until the data changes."""
