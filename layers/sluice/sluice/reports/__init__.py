"""Reports: text, tables and charts in one file that needs nothing else."""
