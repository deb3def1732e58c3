"""From a page's bytes to the document in it, for each format."""
