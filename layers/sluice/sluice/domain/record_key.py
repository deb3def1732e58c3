"""How the records of a datasource are identified: by their primary key, or by their content."""

from __future__ import annotations

from collections.abc import Callable
from decimal import Decimal
from hashlib import sha256
from importlib.util import MAGIC_NUMBER, source_hash
from typing import Any

import orjson

from sluice.domain.datasource import Datasource
from sluice.domain.expression import RecordContext, search
from sluice.domain.json_text import canonical, canonical_many

IDENTITY_BYTES = 8


def identity_of(datasource: Datasource) -> Callable[[Any], bytes]:
    """A function that hashes the identity of a record, or of its `field_values` if fields depend on its place.

    A record without a value in the primary key is identified by its content. So are all records if the datasource
    has no primary key, or one with metadata such as `$position`.

    The hash has 64 bits. It is `importlib.util.source_hash`, which is the same in all processes of one Python
    release and takes a fifth of the time of SHA-256 for short inputs.

    Returns:
        A function from a record to `IDENTITY_BYTES` bytes.
    """
    # `field_values` has evaluated the expressions already.
    fields = {} if datasource.reads_context else datasource.fields or {}
    columns = [(name, fields.get(name)) for name in _key(datasource)]
    single = columns[0][0] if len(columns) == 1 and columns[0][1] is None else None

    def identity(record: Any) -> bytes:
        value = record.get(single) if single is not None and type(record) is dict else None
        # Fast path: most keys are a single integer, and a page has thousands of them.
        # The same bytes as _key_text gives: `type(…) is` because bool is an int.
        text = b'["%d"]' % value if type(value) is int else _key_text(record, columns)
        return source_hash(text or _content(record))

    return identity if columns else lambda record: source_hash(canonical(record))


def field_values(datasource: Datasource, record: Any, context: RecordContext | None) -> dict[str, Any]:
    """The values of a record's fields without metadata.

    Args:
        datasource: the datasource.
        record: the record.
        context: the record's place.

    Returns:
        The values by column; None for a value whose expression fails, which extract reports.
    """
    selected = {name: text for name, text in (datasource.fields or {}).items() if not text.startswith("$")}
    return {name: _search(expression, record, context) for name, expression in selected.items()}


def content_identities(records: list[Any]) -> bytes:
    """The identities of records that are identified by their content.

    Returns:
        The hashes of all records in order, `IDENTITY_BYTES` bytes each.
    """
    try:
        return b"".join(map(source_hash, canonical_many(records)))
    except TypeError:  # an integer of more than 64 bits
        return b"".join(source_hash(canonical(record)) for record in records)


def identified_by_content(datasource: Datasource) -> bool:
    """Whether all records of the datasource are identified by their content."""
    return not _key(datasource)


def _key(datasource: Datasource) -> list[str]:
    key, fields = datasource.primary_key or [], datasource.fields or {}
    return [] if any(fields.get(name, "").startswith("$") for name in key) else key


def _content(record: Any) -> bytes:
    """The content of a record, with a prefix so that it differs from every primary key."""
    return b"content" + canonical(record)


def _key_text(record: Any, columns: list[tuple[str, str | None]]) -> bytes | None:
    """The values of the primary key as JSON; None if there is no key or a value is missing."""
    values = [_value(record, name, expression) for name, expression in columns]
    if not values or any(value is None for value in values):
        return None
    return canonical([_plain(value) for value in values])


def identity_settings_hash(datasource: Datasource) -> str:
    """A hash of all settings that decide about the identities of a page's records."""
    decides = {"kind", "format", "csv", "xlsx", "records", "allow_missing", "fields", "types", "primary_key"}
    text = orjson.dumps(datasource.model_dump(mode="json", include=decides), option=orjson.OPT_SORT_KEYS)
    # Another Python release may hash differently, so its hashes must not be compared with these.
    return sha256(MAGIC_NUMBER + text).hexdigest()[:12]


def _value(record: Any, column: str, expression: str | None) -> Any:
    if expression is not None:
        return _search(expression, record, None)
    if not isinstance(record, dict):
        return record if column == "value" else None
    return _nested(record, column)


def _search(expression: str, record: Any, context: RecordContext | None) -> Any:
    try:
        return search(expression, record, context)
    except ValueError:
        return None  # extract refuses such a record and reports why


def _nested(record: dict[str, Any], column: str) -> Any:
    """The value of a column of a flattened record: `a_b` may be the key `b` within `a`."""
    if column in record:
        return record[column]
    for name, inner in record.items():
        if isinstance(inner, dict) and column.startswith(f"{name}_"):
            value = _nested(inner, column[len(name) + 1 :])
            if value is not None:
                return value
    return None


def _plain(value: Any) -> Any:
    """Numbers as text: one page may have 7 and the next one "7" for the same record."""
    return str(value) if isinstance(value, int | Decimal) and not isinstance(value, bool) else value
