"""Datasources that are HTTP APIs: requests, retries, pagination and credentials."""

import sys

# httpx imports its command line if rich and click are installed, as in the environment of the local stack: 70 ms of
# each start. httpx continues without it if the import fails.
sys.modules.setdefault("httpx._main", None)  # type: ignore[arg-type]
