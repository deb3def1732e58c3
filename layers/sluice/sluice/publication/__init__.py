"""What follows a published version: the followers, and their delivery."""
