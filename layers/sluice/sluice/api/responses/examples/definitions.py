"""Examples of the documents that users write, and of their answers."""

from __future__ import annotations

from typing import Any

from sluice.api.responses.examples.common import BY, LATER, METADATA, RUN, TIME

_DATASOURCE: dict[str, Any] = {
    "slug": "cmc-listings",
    "name": "CoinMarketCap listings",
    "kind": "http",
    "http": {
        "url": "https://pro-api.example.com/v1/listings",
        "params": {"convert": "USD"},
        "auth": {"type": "api_key", "in": "header", "name": "X-CMC_PRO_API_KEY", "secret": "cmc"},
        "pagination": {
            "type": "offset",
            "offset_param": "start",
            "start": 1,
            "limit_param": "limit",
            "limit": 100,
            "total": "status.total_count",
        },
    },
    "format": "json",
    "records": "data[]",
    "fields": {"symbol": "symbol", "price_usd": "quote.USD.price", "updated_at": "last_updated"},
    "types": {"price_usd": "double", "updated_at": "timestamp"},
    "primary_key": ["symbol"],
    "schedule": {"expression": "rate(10 minutes)", "timezone": "UTC"},
}
_PROJECT: dict[str, Any] = {
    "slug": "top-coins",
    "name": "Top coins",
    "merge": {
        "strategy": "join",
        "key": ["symbol"],
        "fields": {"price_usd": {"rule": "newest", "by": "updated_at"}},
        "default_rule": "priority",
    },
    "refresh_on": "change",
}
_QUARANTINED = {
    "id": "kinesis/sluice-readings/shardId-000000000000:49590338271490256608559692538361571095921575989136588898",
    "reason": "There is no sensor 'pump-8.temperature'. Create it, then redrive the record.",
    "record": '{"sensor": "pump-8.temperature", "time": "2026-01-31T12:00:00Z", "value": 71.4}',
    "page": "0d5f4f4a5c3c8a0f6d1f7c8b9a2e3d4c5b6a79887766554433221100ffeeddcc",
    "position": 3,
    "arrived_at": TIME,
}
_ASSIGNMENT = {"priority": 10, "alias": "listings", "optional": False}
_MODEL: dict[str, Any] = {
    "sql": "SELECT symbol, price_usd FROM merged ORDER BY price_usd DESC LIMIT 10",
    "description": "The ten dearest coins.",
    "tests": [{"type": "not_null", "column": "symbol"}],
    "materialize": True,
}
_TEST_RESULTS = {
    "run": RUN,
    "checked_at": LATER,
    "results": [
        {
            "test": {"type": "not_null", "column": "symbol", "severity": "error"},
            "severity": "error",
            "status": "passed",
            "failures": 0,
            "message": "",
        }
    ],
}
_REPORT: dict[str, Any] = {
    "title": "Coins today",
    "sections": [
        {"type": "markdown", "text": "# Prices"},
        {
            "type": "bar",
            "title": "The dearest",
            "sql": "SELECT symbol, price_usd FROM top",
            "x": "symbol",
            "format": {"price_usd": {"unit": "USD", "decimals": 2}},
        },
    ],
}
_ENDPOINT: dict[str, Any] = {
    "sql": "SELECT symbol, price_usd FROM top LIMIT $limit",
    "parameters": {"limit": {"type": "integer", "default": 10, "min": 1, "max": 200}},
    "cache_seconds": 60,
}
_OVERRIDE: dict[str, Any] = {
    "field": "price_usd",
    "key": ["BTC"],
    "value": 67000.5,
    "exact": None,
    "reason": "The exchange published a wrong price.",
    "created_at": TIME,
    "created_by": BY,
}
_OF_PROJECT = {"name": "top", "project": "top-coins", **METADATA}

EXAMPLES: dict[str, Any] = {
    "DatasourceView": {**_DATASOURCE, **METADATA},
    "DatasourceStats": {
        "calls": 48,
        "average_success_ms": 212.4,
        "success_rate": 97.92,
        "timeout_rate": 0.0,
        "error_rate": 2.08,
        "first_call": TIME,
        "last_call": LATER,
    },
    "Upload": {"filename": "notes.csv"},
    "UploadForm": {
        "url": "https://inbox.s3.amazonaws.com/",
        "fields": {"key": "notes/notes.csv", "policy": "eyJl…", "x-amz-signature": "3a7b…"},
    },
    "ReadingReceipt": {
        "accepted": 2,
        "refused": [{"index": 2, "message": "`value` must be a number, not 'high'."}],
    },
    "SensorReadingList": {
        "items": [
            {
                "time": "2026-01-31T11:00:00Z",
                "avg": 71.25,
                "min": 70.5,
                "max": 72.0,
                "sum": 4275.0,
                "count": 60,
                "last": 71.4,
            }
        ],
        "next": None,
        "resolution": "1h",
    },
    "ReadingList": {
        "items": [
            {"sensor": "pump-7.temperature", "time": "2026-01-31T11:59:00Z", "value": 71.4, "quality": "good"},
            {
                "sensor": "pump-7.temperature",
                "time": "2026-01-31T12:00:00Z",
                "value": 71.5,
                "quality": "uncertain",
                "revision": 1,
            },
        ],
        "next": None,
        "resolution": "raw",
    },
    "LatestReadingList": {
        "items": [{"sensor": "pump-7.temperature", "time": "2026-01-31T12:00:00Z", "value": 71.5, "quality": "good"}],
        "next": None,
    },
    "QuarantinedRecordList": {"items": [_QUARANTINED], "next": None},
    "QuarantinedIds": {"ids": None},
    "DiscardedIds": {"ids": ["file/inbox/_readings/january.csv/3HL4kqtJlcpXroDTDmJ+rmSpXd3dIbrHY/7"]},
    "RedriveReceipt": {
        "accepted": 1,
        "refused": [
            {
                "id": "file/inbox/_readings/january.csv/3HL4kqtJlcpXroDTDmJ+rmSpXd3dIbrHY/7",
                "message": "`value` must be a number, not 'high'.",
            }
        ],
        "next": None,
    },
    "PushReceipt": {"accepted": 1, "run": RUN},
    "CheckResult": {"ok": True, "status": 200, "elapsed_ms": 212, "records": 100, "reason": None},
    "Preview": {
        "records": [{"symbol": "BTC", "price_usd": 67000.5}],
        "schema": [
            {"name": "symbol", "type": "string", "nullable": False},
            {"name": "price_usd", "type": "double", "nullable": True},
        ],
        "pages": 1,
        "warnings": [],
    },
    "DetectRequest": {"url": "https://rates.example.com/v1/rates", "auth": {"type": "none"}},
    "Detection": {
        "document": {
            "slug": "example-coins",
            "name": "example coins",
            "kind": "http",
            "http": {
                "url": "https://api.example.com/v1/coins",
                "params": {"limit": "100"},
                "pagination": {"type": "next_url", "path": "next"},
            },
            "format": "json",
            "records": "data",
            "fields": {"symbol": "symbol", "updated_at": "updated_at"},
            "types": {"updated_at": "timestamp"},
            "primary_key": ["symbol"],
        },
        "reasons": [
            {
                "pointer": "/http/pagination",
                "reason": "`next` is the address of the next page. Verified: a request for the second page brought "
                "other records: 100 records, none of which is on the first page. The last page names no next one.",
                "confidence": "verified",
            },
            {
                "pointer": "/primary_key",
                "reason": "`symbol` is unique and not null in 200 records.",
                "confidence": "likely",
            },
        ],
        "warnings": [],
        "sample": {
            "records": [{"symbol": "BTC", "updated_at": "2026-01-31T12:00:00Z"}],
            "schema": [
                {"name": "symbol", "type": "string", "nullable": False},
                {"name": "updated_at", "type": "timestamp", "nullable": False},
            ],
            "pages": 1,
            "warnings": [],
        },
        "requests": 2,
    },
    "ProjectView": {**_PROJECT, **METADATA},
    "patch_project.body": {"refresh_on": "manual"},
    "Assignment": _ASSIGNMENT,
    "AssignmentView": {
        "project": "top-coins",
        "datasource": "cmc-listings",
        **_ASSIGNMENT,
        "created_at": TIME,
        "created_by": BY,
        "etag": "1",
    },
    "OverrideRequest": {"value": 67000.5, "reason": "The exchange published a wrong price."},
    "OverrideView": {**_OVERRIDE, "etag": "1"},
    "Model": _MODEL,
    "ModelView": {**_MODEL, **_OF_PROJECT, "test_results": _TEST_RESULTS},
    "Report": _REPORT,
    "ReportView": {**_REPORT, **_OF_PROJECT},
    "Endpoint": _ENDPOINT,
    "EndpointView": {**_ENDPOINT, **_OF_PROJECT},
    "LinkView": {
        "id": "5d41402abc4b2a76",
        "url": "https://api.example.com/live/v1/links?token=WyJ0…",
        "target": "endpoints/top?limit=3",
        "created_at": TIME,
        "created_by": BY,
        "expires_at": "2026-02-01T12:00:00.000Z",
    },
}
