"""What the records of one page would be as a dataset, without a platform."""

from __future__ import annotations

import io
from dataclasses import dataclass
from typing import Any

from sluice.domain.datasource import Datasource
from sluice.domain.run import PageReceipt
from sluice.extract.preview_dataset import Preview, preview_run
from sluice.formats.limits import Limits
from sluice.settings import Settings

LIMITS = Limits.of(Settings())
_SECOND = "2026-01-31T00:00:00.000Z"


@dataclass(frozen=True)
class Seen:
    """The records, the types by column, and what a run would say."""

    records: list[dict[str, Any]]
    types: dict[str, str]
    warnings: list[str]

    def column(self, name: str) -> list[Any]:
        """The values of a column."""
        return [record[name] for record in self.records]


def seen(body: bytes, name: str = "a.csv", *, limits: Limits = LIMITS, **datasource: Any) -> Seen:
    """What a file of this name becomes for a datasource of kind file.

    Raises:
        UnreadableData: it is not what the datasource says.
    """
    source = Datasource.model_validate({"name": "n", "kind": "file", **datasource})
    receipt = PageReceipt.model_construct(
        number=1, url=f"drop:{name}", media_type=None, filename=name, ok=True, fetched_at=_SECOND
    )
    preview = Preview(preview_run("n"), source, limits, 1_000_000)
    preview.add_page(receipt, io.BytesIO(body))
    found = preview.response(1)
    types = {column["name"]: column["type"] for column in found["schema"]}
    return Seen(found["records"], types, found["warnings"])
