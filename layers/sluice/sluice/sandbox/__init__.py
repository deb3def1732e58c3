"""Where users' SQL is run: a process of its own that can reach the files of one query, and nothing else."""
