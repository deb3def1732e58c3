"""Following runs: what is known of their progress, and how it is shown."""
