"""Random networks, and checks of plans that are written from the specification, not from the product's code."""
