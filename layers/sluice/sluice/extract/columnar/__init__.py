"""Records made into rows by the engine, a column at a time: JSON, JSON lines, CSV and Parquet.

What the engine would read otherwise than `extract.by_record` does is left to that: each reader
answers nothing then. Tests compare the two.
"""
