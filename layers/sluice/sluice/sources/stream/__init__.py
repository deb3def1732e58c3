"""The kind `stream`: readings of sensors as records."""
