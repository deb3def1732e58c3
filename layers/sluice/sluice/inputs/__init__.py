"""Inputs of algorithms: versioned documents, their kinds, and their workbooks."""
