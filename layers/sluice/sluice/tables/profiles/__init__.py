"""Profiles of tables, in SQL that DuckDB runs on tables larger than memory.

Doubles are summed as whole numbers: a sum of doubles would depend on the number of threads.
"""
