"""Files that are dropped into the inbox."""
