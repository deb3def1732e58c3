"""Published endpoints: a query behind an address, its answers kept until the data changes."""
