"""Examples of data and its provenance."""

from __future__ import annotations

from typing import Any

from sluice.api.responses.examples.common import HASH, RUN, TIME
from sluice.api.responses.examples.runs import INPUT

_ROW = {"symbol": "BTC", "price_usd": 67000.5}
_COLUMNS = [{"name": "symbol", "type": "string"}, {"name": "price_usd", "type": "double"}]
_CITATION: dict[str, Any] = {
    "page": {"hash": HASH, "url": "https://pro-api.example.com/v1/listings?start=1", "number": 1, "run": RUN},
    "pointer": "/data/0/quote/USD/price",
    "exact": True,
    "expression": None,
}
_SOURCE: dict[str, Any] = {"value": 67000.5, "datasource": "cmc-listings", "version": 7, **_CITATION}
_RESULT: dict[str, Any] = {
    "items": [_ROW],
    "columns": _COLUMNS,
    "truncated": False,
    "versions": {"project/top-coins": 12},
    "completeness": "complete",
    "stale": [],
}
_PAGE: dict[str, Any] = {
    "items": [_ROW],
    "next": None,
    "version": 12,
    "run": RUN,
    "completeness": "complete",
    "stale": [],
    "data_as_of": TIME,
}

EXAMPLES: dict[str, Any] = {
    "DataPage": _PAGE,
    "LinkedData": _PAGE,
    "MergedRecord": _ROW,
    "Explanation": {
        "key": ["BTC"],
        "version": 12,
        "fields": {
            "price_usd": {
                "value": 67000.5,
                "rule": "newest",
                "winners": [_SOURCE],
                "losers": [{**_SOURCE, "value": 66990.0, "datasource": "exchange"}],
                "expression": None,
            }
        },
    },
    "RowExplanation": {
        "version": 12,
        "row": 0,
        "fields": {"price_usd": {**_CITATION, "value": 67000.5, "missing": False}},
    },
    "Diff": {
        "items": [{"key": ["BTC"], "change": "changed", "fields": {"price_usd": [66990.0, 67000.5]}}],
        "next": None,
        "from": 11,
        "to": 12,
        "counts": {"added": 0, "removed": 0, "changed": 1},
    },
    "MergePreview": {
        "items": [_ROW],
        "schema": [{**column, "nullable": True} for column in _COLUMNS],
        "rows": 1,
        "warnings": [],
        "completeness": "complete",
        "completeness_reasons": [],
        "stale": [],
        "inputs": [INPUT],
    },
    "ProjectFetch": {
        "result": {"size": 1, "data": [_ROW]},
        "errors": {"size": 1, "data": [{"datasource": "exchange", "error": "it has no data yet"}]},
    },
    "QueryRequest": {
        "sql": "SELECT symbol, price_usd FROM merged WHERE price_usd > $least",
        "parameters": {"least": 1000},
    },
    "QueryResult": _RESULT,
    "EndpointResult": {
        **_RESULT,
        "version": 12,
        "completeness": "stale",
        "stale": [
            {"datasource": "exchange", "version": 3, "data_as_of": TIME, "error": "5 attempts failed (HTTP 500)"}
        ],
        "data_as_of": TIME,
    },
}
