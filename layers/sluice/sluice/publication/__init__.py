"""Publications: the followers of published versions, and the delivery of publications to them."""
