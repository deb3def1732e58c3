"""Propose the document of an HTTP datasource from live responses of its address.

`detector` requests the first page and asks the other modules: `records` which part of the page holds the records,
`columns`, `types` and `primary_key` what they consist of, and `pagination` how further pages are requested. A proposed
pagination is tried on the upstream by `verification`, with the paginators that runs use.
"""
