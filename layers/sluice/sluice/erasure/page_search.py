"""Searching a page for a record whose key the documents of its datasource may have named differently over time."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from sluice.domain.datasource import Datasource
from sluice.domain.run import PageReceipt
from sluice.erasure.matching import Key, Located, Rows, texts_of
from sluice.erasure.quotations import Quotations
from sluice.erasure.records import KeyedRows
from sluice.formats.limits import Limits


@dataclass(frozen=True)
class Result:
    """What a page has of a record.

    Args:
        located: the records with the key.
        texts: the texts that tell them.
        is_doubtful: whether the page's records lack the columns of the key, and one of them has the key elsewhere.
    """

    located: list[Located]
    texts: set[str]
    is_doubtful: bool


@dataclass(frozen=True)
class PageSearch:
    """Searches pages of one datasource for one record.

    Args:
        key: the key of the record.
        rows: the rows of versions that have it.
        documents: the documents of the datasource, the present one first.
        limits: the caps of the readers.
    """

    key: Key
    rows: KeyedRows
    documents: Sequence[Datasource]
    limits: Limits

    def search(self, records: Sequence[Located], run: str, receipt: PageReceipt, datasource: Datasource) -> Result:
        """Search the records of a page, and the rows of versions that were made of it.

        The columns of the key are those of the document that has read the page or of the present one, or, if both
        lack them, of an earlier one. If all lack them, the record is known by the primary key of the first.

        Args:
            records: the records of the page.
            run: the run that has the page.
            receipt: its receipt.
            datasource: the document that has read it.
        """
        positions = set(self.rows.named.get((run, receipt.number), ()))
        readings = self._readings(datasource)
        is_named = not records
        for index, reading in enumerate(readings):
            if is_named and index >= 2:
                break
            rows = Rows(reading, self.limits)
            for one in records:
                row = rows.of(one, receipt)
                is_named = is_named or self.key.is_named_in(row)
                if self.key.matches(row):
                    positions.add(one.position)
        if not is_named:
            positions |= self.rows.renamed.get((run, receipt.number), set())
            positions |= self._named_by(records, receipt, datasource)
        located = [one for one in records if one.position in positions]
        texts = {text for one in located for text in self._texts(one, receipt, readings)}
        return Result(located, texts, not (located or is_named) and self._is_quoted(records))

    def _readings(self, datasource: Datasource) -> list[Datasource]:
        """The document that has read a page, and what it is with the columns of the others."""
        fields: list[Any] = []
        for document in (datasource, *self.documents):
            if document.fields not in fields:
                fields.append(document.fields)
        return [datasource.model_copy(update={"fields": one}) for one in fields]

    def _named_by(self, records: Sequence[Located], receipt: PageReceipt, datasource: Datasource) -> set[int]:
        """The positions of the records that have the key in the primary key of a document."""
        key, rows = self.key.under(datasource.primary_key or []), Rows(datasource, self.limits)
        return {one.position for one in records if key is not None and key.matches(rows.of(one, receipt))}

    def _texts(self, located: Located, receipt: PageReceipt, readings: Sequence[Datasource]) -> set[str]:
        rows = [Rows(reading, self.limits).of(located, receipt) for reading in readings]
        return texts_of([located.record, *rows])

    def _is_quoted(self, records: Sequence[Located]) -> bool:
        """Whether one of the records has all values of the key, wherever."""
        quotes = [Quotations([text]) for text in self.key.texts]
        return any(all(quote.has(one.record) for quote in quotes) for one in records)
