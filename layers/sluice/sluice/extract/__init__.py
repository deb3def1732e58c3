"""Extracting: from raw pages to typed records in Parquet, each with its page and row."""
