"""Examples of datasources, by page and title."""

from __future__ import annotations

from typing import Any

Documents = dict[str, dict[str, Any]]

CERTIFICATE = """\
-----BEGIN CERTIFICATE-----
MIIBgTCCASegAwIBAgIUZNAYukC9hq90If7ewtATKyT7SqAwCgYIKoZIzj0EAwIw
FTETMBEGA1UEAwwKRXhhbXBsZSBDQTAgFw0yNjExMjYxMDQ4MDVaGA8yMTI2MTEw
MjEwNDgwNVowFTETMBEGA1UEAwwKRXhhbXBsZSBDQTBZMBMGByqGSM49AgEGCCqG
SM49AwEHA0IABJwrqsFieVF9IjWL2nR16duWyiPS50x3qPYhfXM2DmVh9jpa17NU
DJsT3xD2eCFjW3Oawxem0nTzJtT4zrStGlmjUzBRMB0GA1UdDgQWBBS4PgN63Lo5
ngCt8KjYX7fiNfFhNDAfBgNVHSMEGDAWgBS4PgN63Lo5ngCt8KjYX7fiNfFhNDAP
BgNVHRMBAf8EBTADAQH/MAoGCCqGSM49BAMCA0gAMEUCIAmzxeXrvu2FRM6iZ1Ij
3ANhvs8U1FzOhxq65ewDm5QpAiEA3nQ12lyr8/oMhfhQEKDWIX9XsRLP//2K1j/k
WDDuKc8=
-----END CERTIFICATE-----
"""

_SEARCH: dict[str, Any] = {
    "slug": "open-tickets",
    "name": "Open tickets",
    "description": "Every ticket that is not closed. Ask the support team about it.",
    "kind": "http",
    "http": {
        "url": "https://desk.example.com/api/search",
        "method": "POST",
        "headers": {"X-Api-Version": "3"},
        "body": {"query": "status:open"},
        "auth": {"type": "bearer", "secret": "desk-token"},
        "pagination": {
            "type": "cursor",
            "path": "page.after",
            "body_path": "/page/after",
            "has_more": "page.more",
            "max_pages": 200,
            "verify": "never",
        },
        "timeout_seconds": 120,
        "concurrency": 1,
    },
    "records": "tickets",
    "allow_missing": True,
    "primary_key": ["id"],
    "write_disposition": "upsert",
}
_MEMBERS: dict[str, Any] = {
    "name": "Members",
    "kind": "http",
    "http": {
        "url": "https://club.example.com/members",
        "params": {"active": True},
        "auth": {"type": "basic", "username": "reports", "secret": "club-password"},
        "pagination": {
            "type": "page",
            "page_param": "page",
            "start": 0,
            "size_param": "per_page",
            "size": 50,
            "total_pages": "meta.pages",
        },
    },
    "records": "members",
}
_EVENTS: dict[str, Any] = {
    "name": "Events",
    "kind": "http",
    "http": {
        "url": "https://events.example.com/v2/events",
        "auth": {"type": "none"},
        "pagination": {
            "type": "cursor",
            "header": "X-Next-Cursor",
            "param": "cursor",
            "stop_when": "length(@) == `0`",
            "verify": "always",
        },
    },
}
_ISSUES: dict[str, Any] = {
    "name": "Issues",
    "kind": "http",
    "http": {
        "url": "https://code.example.com/issues",
        "params": {"per_page": 100},
        "pagination": {"type": "next_url", "from": "link", "verify": "on_evidence"},
    },
    "fields": {"number": "number", "title": "title", "position": "$position", "fetched_at": "$fetched_at"},
    "types": {"title": "string"},
    "primary_key": ["number"],
}
_BUDGET: dict[str, Any] = {
    "name": "Budget",
    "kind": "http",
    "http": {"url": "https://files.example.com/budget.xlsx", "pagination": {"type": "none"}},
    "format": "xlsx",
    "xlsx": {"sheet": "2026", "header_row": 3},
    "schema_contract": "evolve",
    "incremental": None,
    "retention": {"raw_days": None, "versions": None},
}
_SENSORS: dict[str, Any] = {
    "name": "Sensors",
    "description": "An export without a header, which a logger writes every night.",
    "kind": "file",
    "format": "csv",
    "csv": {
        "delimiter": "\t",
        "quote": "'",
        "escape": "\\",
        "encoding": "windows-1252",
        "decimal": ",",
        "null_strings": ["n/a", "-999"],
        "header": False,
        "date_format": "%d.%m.%Y",
        "timestamp_format": "%d.%m.%Y %H:%M",
    },
    "write_disposition": "append",
    "retention": {"raw_days": 90, "versions": 10},
    "enabled": False,
}
_ORDERS_FILE: dict[str, Any] = {
    "slug": "orders",
    "name": "Orders",
    "kind": "sql",
    "sql": {
        "engine": "sqlite",
        "key": "orders/shop.db",
        "query": "SELECT id, total, placed_at FROM orders WHERE total > $least",
        "parameters": {"least": 10},
    },
    "types": {"total": "decimal(12,2)"},
    "primary_key": ["id"],
    "schedule": {"expression": "cron(0 6 ? * MON-FRI *)", "timezone": "Europe/Paris"},
}
_INVOICES: dict[str, Any] = {
    "name": "Invoices",
    "kind": "sql",
    "sql": {
        "engine": "mysql",
        "host": "db.internal.example.com",
        "port": 3307,
        "database": "accounting",
        "user": "accounting-user",
        "password": "accounting-password",
        "tls": True,
        "verify_certificate": True,
        "ca_certificate": CERTIFICATE,
        "query": "SELECT id, customer, amount FROM invoices ORDER BY id",
        "fetch_rows": 50_000,
        "statement_timeout_seconds": 300,
    },
    "max_age_seconds": 86_400,
}
_VISITS: dict[str, Any] = {
    "name": "Visits",
    "kind": "mongo",
    "mongo": {
        "uri": "site-mongo",
        "database": "site",
        "collection": "visits",
        "filter": {"at": {"$gte": {"$date": "2026-01-01T00:00:00Z"}}},
        "projection": None,
        "ca_certificate": CERTIFICATE,
        "page_documents": 5_000,
        "max_time_seconds": 300,
    },
}
_PRESSURES: dict[str, Any] = {
    "name": "Pressures",
    "kind": "stream",
    "stream": {
        "resolution": "1m",
        "days": 2,
        "sites": ["FPSO-1"],
        "equipment": ["PUMP-7", "PUMP-8"],
        "metrics": ["pressure"],
        "sensors": ["PUMP-7.discharge", "PUMP-8.discharge"],
    },
    "types": {"avg": "double", "time": "timestamp"},
    "schedule": {"expression": "rate(5 minutes)", "timezone": "UTC"},
}
_READINGS: dict[str, Any] = {
    "name": "Readings",
    "kind": "push",
    "format": "jsonl",
    "types": {"at": "timestamp", "value": "double"},
    "write_disposition": "append",
}

DATASOURCES: dict[str, Documents] = {
    "datasource-http": {
        "A search by POST, with a cursor in the body": _SEARCH,
        "Numbered pages, with a user name and password": _MEMBERS,
        "A cursor in a header, with each run verified": _EVENTS,
        "Pages linked by the header `Link`": _ISSUES,
        "A workbook": _BUDGET,
    },
    "datasource-file": {"A dialect that is set instead of detected": _SENSORS},
    "datasource-sql": {
        "A SQLite file in the inbox": _ORDERS_FILE,
        "A MySQL server with a private authority": _INVOICES,
    },
    "datasource-mongo": {"All fields of documents since January": _VISITS},
    "datasource-stream": {"Pressures of two pumps, minute by minute": _PRESSURES},
    "datasource-push": {"Records that are only appended": _READINGS},
}
