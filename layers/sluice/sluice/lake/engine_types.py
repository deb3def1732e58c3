"""Column types for the types of DuckDB."""

from __future__ import annotations

import re

_WHOLE = re.compile(r"^U?(TINY|SMALL|BIG|HUGE)?INT(EGER)?$")
_WIDE = ("HUGEINT", "UHUGEINT", "UBIGINT")
_DECIMAL = re.compile(r"DECIMAL\(\d+,\d+\)")
_TIMESTAMP = re.compile(r"TIMESTAMP(_S|_MS|_NS)?( WITH TIME ZONE)?")
_ENUM = re.compile(r"ENUM\([^\[\]]*\)")
_KINDS = {
    "VARCHAR": "string",
    "FLOAT": "double",
    "DOUBLE": "double",
    "BOOLEAN": "boolean",
    "DATE": "date",
    "TIME": "string",
    "INTERVAL": "string",
    "UUID": "string",
    "BLOB": "string",
    "BIT": "string",
    "TIME WITH TIME ZONE": "string",
    "JSON": "json",
    '"NULL"': "string",
}


def is_wide(engine_type: str) -> bool:
    """Whether an integer type of DuckDB has values beyond 64 bits with a sign."""
    return engine_type in _WIDE


def kind_of(engine_type: str) -> str:
    """The column type for a type of DuckDB; nested types are `json`."""
    if _WHOLE.match(engine_type):
        return "bigint"
    if _DECIMAL.fullmatch(engine_type):
        return engine_type.lower()
    if _TIMESTAMP.fullmatch(engine_type):
        return "timestamp"
    return "string" if _ENUM.fullmatch(engine_type) else _KINDS.get(engine_type, "json")
