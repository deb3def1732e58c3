"""Where users' SQL runs: a separate process that can access the files of one query and nothing else."""
