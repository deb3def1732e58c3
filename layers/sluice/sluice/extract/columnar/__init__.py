"""Reading by column with the engine: JSON, JSON Lines, CSV and Parquet.

Where the engine would read something differently than `extract.by_record`, a reader raises NotColumnar and the
pages are read by record. Tests compare the two.
"""
