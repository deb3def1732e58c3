"""Examples of projects and of what belongs to them, by page and title."""

from __future__ import annotations

from typing import Any

Documents = dict[str, dict[str, Any]]

_ARTICLES: dict[str, Any] = {
    "slug": "articles",
    "name": "Articles",
    "description": "Master data, prices and stock of every article. Ask purchasing about it.",
    "enabled": True,
    "merge": {
        "strategy": "join",
        "key": ["article"],
        "join": "left",
        "primary": "master-data",
        "default_rule": "first_non_null",
        "fields": {
            "price": {"rule": "newest", "by": "updated_at"},
            "tags": {"rule": "union", "key": "id"},
            "currency": {"rule": "constant", "value": "EUR"},
        },
        "normalizers": {"article": ["nfkc", "trim", "case_fold"]},
        "sources": {
            "stock": {
                "rename": {"sku": "article"},
                "cast": {"in_stock": "bigint"},
                "compute": {"sold_out": "in_stock = 0"},
                "where": "in_stock >= 0",
            }
        },
        "result": {"compute": {"value": "round(price * in_stock, 2)"}, "where": "price IS NOT NULL"},
    },
    "tests": {
        "merged": [
            {"type": "not_null", "column": "price"},
            {"type": "unique", "columns": ["article"]},
            {"type": "range", "column": "price", "min": 0, "max": 100_000, "severity": "warn"},
            {"type": "row_count", "min": 100, "max": 1_000_000},
            {"type": "freshness", "max_age_seconds": 86_400, "column": "updated_at"},
        ],
        "stock": [
            {"type": "accepted_values", "column": "warehouse", "values": ["north", "south"]},
            {"type": "relationships", "column": "sku", "to": "master_data", "field": "article"},
            {"type": "sql", "sql": "SELECT sku FROM stock GROUP BY sku HAVING sum(in_stock) > 10000"},
        ],
    },
    "refresh_on": "schedule",
    "schedule": {"expression": "rate(6 hours)"},
    "datasources": {
        "master-data": {"priority": 10},
        "price-list": {"priority": 20, "alias": "prices"},
        "stock": {"priority": 30, "optional": True},
    },
    "inputs": {"rules": {"version": 3}},
}
_ALL_SHOPS: dict[str, Any] = {
    "name": "All shops",
    "merge": {
        "strategy": "union",
        "key": ["shop", "id"],
        "sources": {"shop-north": {"compute": {"shop": "'north'"}}},
        "result": {"rename": {"total": "amount"}},
        "normalizers": {"shop": ["trim"]},
    },
}
_CATALOG: dict[str, Any] = {"name": "Catalog", "merge": {"strategy": "concatenation"}}
_REPORT: dict[str, Any] = {
    "title": "Prices",
    "description": "Prices of all articles, as of the last refresh.",
    "sections": [
        {"type": "markdown", "text": "Prices are in **EUR**, without tax."},
        {
            "type": "table",
            "title": "Articles",
            "sql": "SELECT article, price FROM merged ORDER BY article",
            "format": {"price": {"unit": "EUR", "decimals": 2}, "article": {"grouping": False}},
        },
        {
            "type": "line",
            "title": "Price over time",
            "sql": "SELECT month, lowest, highest FROM by_month ORDER BY month",
            "x": "month",
            "y": ["lowest", "highest"],
        },
        {
            "type": "bar",
            "title": "Stock",
            "sql": "SELECT warehouse, in_stock FROM by_warehouse ORDER BY warehouse",
            "x": "warehouse",
            "y": ["in_stock"],
        },
        {
            "type": "scatter",
            "title": "Price and stock",
            "sql": "SELECT price, in_stock FROM merged ORDER BY article",
            "x": "price",
            "y": ["in_stock"],
        },
        {
            "type": "histogram",
            "title": "How prices are distributed",
            "sql": "SELECT price FROM merged ORDER BY article",
            "x": "price",
            "bins": 30,
        },
        {
            "type": "network",
            "title": "Routes between warehouses",
            "sql": "SELECT warehouse, lat, lng, kind, target, target_lat, target_lng, target_kind, use FROM routes",
            "source": "warehouse",
            "source_lat": "lat",
            "source_lng": "lng",
            "source_type": "kind",
            "destination": "target",
            "destination_lat": "target_lat",
            "destination_lng": "target_lng",
            "destination_type": "target_kind",
            "load": "use",
            "max": 1,
        },
    ],
}
_ALGORITHM: dict[str, Any] = {
    "inputs": {"topology": "north@3", "traffic_matrix": "north-traffic"},
    "parameters": {"mp1h_threshold": 20, "iterations": 8},
    "seed": 1,
    "on_refresh": True,
}
_ENDPOINT: dict[str, Any] = {
    "description": "The articles of a warehouse, cheapest first.",
    "sql": "SELECT article, price FROM merged WHERE warehouse = $warehouse AND price >= $least ORDER BY 2 LIMIT $rows",
    "parameters": {
        "warehouse": {
            "type": "string",
            "required": True,
            "values": ["north", "south"],
            "description": "The warehouse.",
        },
        "least": {"type": "number", "default": 0},
        "rows": {"type": "integer", "default": 100, "min": 1, "max": 1000},
        "at": {"type": "datetime"},
    },
    "as_of": "$at",
    "cache_seconds": 300,
    "max_age_seconds": 900,
    "public": True,
    "columns": {"article": "Article", "price": "Price in EUR"},
}
_BLUEPRINT: dict[str, Any] = {
    "name": "articles",
    "description": "Master data, prices and stock, merged by article.",
    "project": "articles",
    "secrets": {"erp": {"value": "${ERP_KEY}", "hosts": ["erp.example.com"], "projects": ["articles"]}},
    "sample": {"command": "server.py", "environment": {"ERP_URL": "${SAMPLE_URL}", "ERP_KEY": "sample-key"}},
    "feed": "feed.py",
    "show": {
        "model": "by_warehouse",
        "select": "warehouse,in_stock",
        "where": ["in_stock.gt:0"],
        "order": "-in_stock",
        "limit": 10,
    },
    "addresses": ["/endpoints/articles/cheapest?warehouse=north&format=csv"],
}

PROJECTS: dict[str, Documents] = {
    "project": {
        "A left join with reshaped sources and tests, as a file of a blueprint": _ARTICLES,
        "A union of shops": _ALL_SHOPS,
        "One document for each datasource": _CATALOG,
    },
    "report": {"Every type of section": _REPORT},
    "algorithm": {"A plan that each refresh makes again": _ALGORITHM},
    "endpoint": {"A public endpoint with the prices of any time": _ENDPOINT},
    "blueprint": {"A blueprint with a demonstration": _BLUEPRINT},
}
