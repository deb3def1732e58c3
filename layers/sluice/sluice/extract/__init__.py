"""Extracting: from raw pages to typed records in Parquet, with page and row of each."""
