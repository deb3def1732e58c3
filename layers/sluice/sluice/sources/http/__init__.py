"""HTTP APIs: requests, retries, pagination, credentials, and every byte kept."""

import sys

# httpx imports its command line where rich and click are installed, as they are beside the local stack's
# functions: 70 ms of each start. It goes without when it cannot be imported.
sys.modules.setdefault("httpx._main", None)  # type: ignore[arg-type]
