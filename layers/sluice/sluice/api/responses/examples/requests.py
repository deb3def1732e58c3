"""Examples of request bodies that have several forms: each with a summary, by a label.

The first one is what `/docs` sends. Together they describe one small workspace, in which all of them are accepted.
"""

from __future__ import annotations

from typing import Any

Requests = dict[str, dict[str, tuple[str, Any]]]

_LISTINGS: dict[str, Any] = {
    "name": "CMC listings",
    "kind": "http",
    "http": {
        "url": "https://pro-api.example.com/v1/listings",
        "params": {"convert": "USD"},
        "pagination": {
            "type": "offset",
            "offset_param": "start",
            "start": 1,
            "limit_param": "limit",
            "limit": 100,
            "total": "status.total_count",
        },
    },
    "records": "data[]",
    "fields": {"symbol": "symbol", "price_usd": "quote.USD.price", "updated_at": "last_updated"},
    "types": {"price_usd": "double", "updated_at": "timestamp"},
    "primary_key": ["symbol"],
    "schedule": {"expression": "rate(10 minutes)", "timezone": "UTC"},
}
_RATES: dict[str, Any] = {
    "name": "Rates",
    "kind": "http",
    "http": {
        "url": "https://rates.example.com/v1/rates",
        "auth": {"type": "api_key", "in": "header", "name": "X-API-Key", "secret": "cmc"},
        "pagination": {"type": "next_url", "path": "links.next"},
    },
    "records": "rates",
    "primary_key": ["code"],
    "max_age_seconds": 3600,
}
_PRICE_LIST: dict[str, Any] = {
    "name": "Price list",
    "kind": "file",
    "format": "csv",
    "csv": {"delimiter": ";", "decimal": ",", "date_format": "%d.%m.%Y"},
    "types": {"article": "string", "price": "decimal(10,2)", "valid_from": "date"},
    "primary_key": ["article"],
}
_ORDERS: dict[str, Any] = {
    "name": "Orders",
    "kind": "push",
    "types": {"ordered_at": "timestamp"},
    "primary_key": ["id"],
}
_CUSTOMERS: dict[str, Any] = {
    "name": "Customers",
    "kind": "sql",
    "sql": {
        "engine": "postgresql",
        "host": "db.example.com",
        "database": "shop",
        "user": "shop-user",
        "password": "shop-password",
        "query": "SELECT id, name, country FROM customers WHERE country = $country",
        "parameters": {"country": "DE"},
    },
    "primary_key": ["id"],
}
_PRODUCTS: dict[str, Any] = {
    "name": "Products",
    "kind": "mongo",
    "mongo": {
        "uri": "shop-mongo",
        "database": "shop",
        "collection": "products",
        "filter": {"active": True},
        "projection": {"_id": 1, "title": 1, "price": 1},
    },
    "primary_key": ["_id"],
}
_PUMPS: dict[str, Any] = {
    "name": "Pump temperatures",
    "kind": "stream",
    "stream": {"resolution": "1h", "days": 30, "metrics": ["temperature"]},
    "max_age_seconds": 600,
}
_HTTP = {
    "http": ("An HTTP API, page by page", _LISTINGS),
    "http_key": ("An HTTP API that needs a key, which is stored as a secret", _RATES),
}

REQUESTS: Requests = {
    "Subscription": {
        "failures": (
            "Failed runs of a project",
            {"event": "run.failed", "webhook": "https://hooks.example.com/sluice", "project": "top-coins"},
        ),
        "versions": (
            "Every published version",
            {"event": "version.published", "webhook": "https://hooks.example.com/versions"},
        ),
        "alarms": (
            "Alarms at a site",
            {"event": "alarm.raised", "webhook": "https://hooks.example.com/alarms", "site": "FPSO-1"},
        ),
    },
    "Datasource": {
        **_HTTP,
        "file": ("CSV files that are dropped into the inbox", _PRICE_LIST),
        "push": ("Records that clients post", _ORDERS),
        "sql": ("The rows of a query in PostgreSQL", _CUSTOMERS),
        "mongo": ("The documents of a MongoDB collection", _PRODUCTS),
        "stream": ("Readings of sensors, by the hour", _PUMPS),
    },
    # Only what is pulled can be tried.
    "check_document.body": _HTTP,
    "preview_document.body": _HTTP,
    "patch_datasource.body": {
        "pause": ("Pause its schedule", {"enabled": False}),
        "url": ("Change a part of a block", {"http": {"params": {"convert": "EUR"}}}),
        "remove": ("Remove its schedule", {"schedule": None}),
    },
    "IngestRequest": {
        "fetch": ("Fetch from the upstream", {}),
        "replay": ("Read the raw pages of version 1 again", {"replay": 1}),
    },
    "ErasureRequest": {
        "count": (
            "Count what would be removed",
            {"key": {"symbol": "BTC"}, "reason": "Request 4711 of the person concerned", "dry_run": True},
        ),
        "erase": ("Erase a record", {"key": ["BTC"], "reason": "Request 4711 of the person concerned"}),
    },
    "post_readings.body": {
        "readings": (
            "Readings of one sensor",
            [
                {"sensor": "pump-7.temperature", "time": "2026-11-03T12:00:00Z", "value": 71.4},
                {"sensor": "pump-7.temperature", "time": "2026-11-03T12:00:10Z", "value": 71.9, "quality": "uncertain"},
            ],
        ),
        "correction": (
            "A correction: of two values for one time, the one with the higher revision counts",
            [{"sensor": "pump-7.temperature", "time": "2026-11-03T12:00:00Z", "value": 71.5, "revision": 1}],
        ),
    },
    "push_records.body": {
        "records": ("Two records", [{"id": 1, "ordered_at": "2026-01-31T12:00:00Z", "total": 19.9}, {"id": 2}]),
    },
    "Project": {
        "join": (
            "One row for each key, with the fields of all datasources",
            {
                "name": "Top coins",
                "merge": {
                    "strategy": "join",
                    "key": ["symbol"],
                    "fields": {"price_usd": {"rule": "newest", "by": "updated_at"}},
                },
            },
        ),
        "union": (
            "All rows of all datasources, every morning",
            {
                "name": "All orders",
                "merge": {"strategy": "union", "key": ["id"]},
                "refresh_on": "schedule",
                "schedule": {"expression": "cron(0 6 * * ? *)", "timezone": "Europe/Paris"},
            },
        ),
        "document": (
            "One document of all datasources",
            {"name": "Site settings", "merge": {"strategy": "recursive"}, "refresh_on": "manual"},
        ),
    },
    "RefreshRequest": {
        "stale": ("Fetch what is stale, then merge", {"ingest": "stale"}),
        "all": ("Fetch everything, then merge", {"ingest": "all"}),
        "dry_run": ("Merge what is there and publish nothing", {"ingest": "none", "dry_run": True}),
    },
    "KeyRequest": {
        "viewer": (
            "A key that reads one project",
            {
                "name": "dashboard",
                "role": "viewer",
                "projects": ["top-coins"],
                "expires_at": "2099-12-31T00:00:00Z",
            },
        ),
        "editor": ("A key that writes and runs everything", {"name": "pipeline", "role": "editor"}),
    },
    "RotationRequest": {
        "planned": ("Keep the old secret for two days", {"keep_old_seconds": 172_800}),
        "leaked": ("Refuse the old secret at once", {"keep_old_seconds": 0}),
    },
    "LinkRequest": {
        "endpoint": (
            "An endpoint, for one day",
            {"target": "endpoints/top?limit=3", "expires_in_seconds": 86_400},
        ),
        "report": ("The latest report, for seven days", {"target": "reports/today/latest"}),
        "data": ("Rows as CSV, for seven days", {"target": "data?format=csv"}),
    },
    "PreviewRequest": {
        "own": ("The project's own merge", {}),
        "other": (
            "Another merge, on chosen versions",
            {"merge": {"strategy": "union", "key": ["symbol"]}, "inputs": {"cmc-listings": 1}},
        ),
    },
}
