"""Records that programs post."""
