"""The engine's types as columns have them."""

from __future__ import annotations

import re

_WHOLE = re.compile(r"^U?(TINY|SMALL|BIG|HUGE)?INT(EGER)?$")
_KINDS = {
    "VARCHAR": "string",
    "FLOAT": "double",
    "DOUBLE": "double",
    "BOOLEAN": "boolean",
    "DATE": "date",
    "TIME": "string",
    "INTERVAL": "string",
    "UUID": "string",
    "JSON": "json",
    '"NULL"': "string",
}


def kind_of(engine_type: str) -> str:
    """The column type that holds an engine's type; what has parts is JSON."""
    if _WHOLE.match(engine_type):
        return "bigint"
    if engine_type.startswith("DECIMAL("):
        return engine_type.lower()
    if engine_type.startswith("TIMESTAMP"):
        return "timestamp"
    return _KINDS.get(engine_type, "json")
