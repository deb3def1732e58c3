"""A record to erase, and its erasure."""

from __future__ import annotations

from typing import Any

from support.client import Client

CANARY = "canary-7f3a91"
FIELD = "Kanarienvogel-5b2e"
NAMES = ("a", CANARY, "z")
TABLE = [{"id": name, "note": FIELD if name == CANARY else "x", "size": size} for size, name in enumerate(NAMES)]
CSV_TEXT = "id,note,size\n" + "".join(f"{row['id']},{row['note']},{row['size']}\n" for row in TABLE)


def erased(client: Client, slug: str, **body: Any) -> dict[str, Any]:
    """Erase a record of a datasource; the run, which has succeeded."""
    answer = client.post(f"/datasources/{slug}/erase", {"reason": "the customer asked for it", **body})
    assert answer.status == 202, answer.text
    run: dict[str, Any] = client.get(f"/runs/{answer.json()['id']}").json()
    assert run["status"] == "succeeded", run["error"]
    return run
