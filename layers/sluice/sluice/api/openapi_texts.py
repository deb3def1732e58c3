"""Texts of the OpenAPI document that belong to no single route or model."""

from __future__ import annotations

from typing import Any

INTRODUCTION = """\
Sluice fetches data from APIs, files, databases and pushes, keeps every byte as received, merges it by key, and serves
the result with the origin of each value. It also takes readings of the sensors of vessels, factories and plants, rolls
them up, and raises alarms. [Try requests](docs), [read the reference](redoc), or
[download this document](openapi.json).

**Credentials.** Send an API key as `Authorization: Bearer <key>`. `make up` writes the first key of a local stack
to `.local/stack.json`, as `api_key`. On AWS an admin creates keys with `POST /keys`. Routes without a lock
need no key.

**Errors** are problem details (RFC 9457): `detail` says what to do, and `errors` points to each invalid field.

**Lists** come in pages: `next` is the `cursor` of the next page, null on the last one.

**Changes.** Each resource has an `ETag`. Send it as `If-Match`, and the change is refused (412) if somebody else was
faster. Send an `Idempotency-Key` with POST, and a repeated request gets the first answer.

**Long work** is a run: `202` with the run at once, or `200` with its result if you send `Prefer: wait=20`.
"""

# In the order in which a newcomer needs them.
TAGS = {
    "datasources": "Where data comes from: HTTP APIs, files, databases, and records that clients push. Create a "
    "datasource, check and preview it, then start a run.",
    "projects": "Which datasources are merged, in which order and by which rules; refreshes and manual overrides.",
    "data": "The published data: rows, single records, the origin of each value, and the differences between versions.",
    "models": "SQL over a project's tables: queries, models with tests, and reports.",
    "algorithms": "Computations that take minutes: what there is, how a project runs it, and the results of its runs.",
    "endpoints": "Queries published under URLs of their own, and signed links for people without a key.",
    "versions": "The immutable versions of datasources and projects, and the promotion of one to all readers.",
    "runs": "What works now and what has worked: progress, timelines, and every page as received.",
    "inputs": "The inputs of algorithms: versioned documents, such as topologies, each version with a comment. "
    "Compare, restore and import them, and pin versions in projects.",
    "sites": "Vessels, factories and plants, and their equipment.",
    "operations": "What was done on equipment, what it cost, and exact aggregates of the costs.",
    "sensors": "The sensors of equipment, and the limits of their values.",
    "readings": "Readings of sensors: sent in, and read back as they are or by minute, hour and day.",
    "alarms": "Alarms of sensors: values beyond their limits, and missing data. List and acknowledge them.",
    "subscriptions": "Events that are sent to webhooks, signed and at least once, and what became of each delivery.",
    "secrets": "Credentials of upstreams. Their values are written and never read back.",
    "members": "With whom projects, datasources and inputs are shared, and as what.",
    "users": "The people who have signed in, and whom to share with.",
    "keys": "The API keys of people and programs.",
    "audit": "Who did what, when, from where, and with which result.",
    "platform": "The API itself: health, the caller's identity, and this documentation.",
}

# The first one is what `/docs` offers.
SECURITY_SCHEMES: dict[str, dict[str, str]] = {
    "bearer": {
        "type": "http",
        "scheme": "bearer",
        "description": "Paste an API key (`slc_…`) without `Bearer`. A local stack's key is `api_key` in "
        "`.local/stack.json`; on AWS an admin creates keys with `POST /keys`. A JWT of the issuer works too.",
    },
    "api_key": {
        "type": "apiKey",
        "in": "header",
        "name": "x-api-key",
        "description": "The same API key in a header of its own, for clients that cannot set `Authorization`.",
    },
    "basic": {
        "type": "http",
        "scheme": "basic",
        "description": "The API key as the user name, and no password. GET and HEAD only: for Excel and browsers.",
    },
}

# The description and example of each path parameter, by the segment before it.
PATH_PARAMETERS = {
    "datasources/{slug}": ("The slug of the datasource.", "cmc-listings"),
    "datasources/{datasource}": ("The slug of the datasource.", "cmc-listings"),
    "projects/{slug}": ("The slug of the project.", "top-coins"),
    "endpoints/{project}": ("The slug of the project that publishes the endpoint.", "top-coins"),
    "{project}/{name}": ("The name of the endpoint.", "top"),
    "endpoints/{name}": ("The name of the endpoint.", "top"),
    "models/{name}": ("The name of the model.", "top"),
    "reports/{name}": ("The name of the report.", "today"),
    "{name}/{run}": ("`latest`, or the id of the run that rendered the report.", "latest"),
    "algorithms/{name}": ("The name of the algorithm.", "profile"),
    "files/{name}": ("The name of the file.", "materials.xlsx"),
    "tables/{name}": ("The name of the table.", "main"),
    "secrets/{name}": ("The name of the secret.", "cmc"),
    "keys/{key_id}": ("The id of the key.", "3f9c2k7d1m5x"),
    "alarms/{alarm_id}": ("The id of the alarm.", "100649add4493000-33ab63d22674"),
    "subscriptions/{subscription_id}": ("The id of the subscription.", "01jb5zk3v6q8y0m2n4p6r8t0w2"),
    "deliveries/{delivery_id}": ("The id of the delivery.", "dlv_0192f3c4d5e61b6d7f8091a2b3c4"),
    "members/{principal}": ("The principal: `user:<subject>`, `group:<name>` or `key:<id>`.", "group:planners"),
    "links/{link_id}": ("The id of the link.", "5d41402abc4b2a76"),
    "overrides/{field}": (
        "The name of the merged field, percent-encoded where it has special characters.",
        "price_usd",
    ),
    "runs/{run_id}": ("The id of the run, a ULID.", "01JB5ZK3V6Q8Y0M2N4P6R8T0W2"),
    "pages/{number}": ("The number of the page in the run, from 1.", "1"),
    "pages/{page_hash}": (
        "The SHA-256 of the page's bytes, in hexadecimal.",
        "9f86d081884c7d659a2feaa0c55ad015a3bf4f1b2b0b822cd15d6c15b0f00a08",
    ),
    "inputs/{slug}": ("The slug of the input.", "north"),
    "inputs/{input_slug}": ("The slug of the input.", "north"),
    "templates/{kind}": ("The kind of input.", "topology"),
    "sites/{code}": ("The code of the site.", "FPSO-1"),
    "vessels/{code}": ("The code of the vessel.", "FPSO-1"),
    "equipment/{code}": ("The code of the equipment.", "P-101"),
    "sensors/{sensor_id}": ("The id of the sensor.", "P-101-temperature"),
    "operations/{operation_id}": ("The id of the operation, a ULID.", "01JB5ZK3V6Q8Y0M2N4P6R8T0W2"),
    "versions/{number}": ("The number of the version; to read it, also `published` for the one that readers get.", "1"),
    "console/{asset}": ("The file name of a script or style sheet, or `config.json`.", "config.json"),
    "docs/{asset}": ("The file name of a script or style sheet.", "swagger-ui.css"),
}

# The slug in these paths belongs to a datasource of a certain kind.
PATH_EXAMPLES = {"push_records": "orders", "create_upload": "price-list"}

PROBLEM: dict[str, Any] = {
    "type": "object",
    "description": "RFC 9457 problem details.",
    "required": ["type", "title", "status", "detail"],
    "properties": {
        "type": {
            "type": "string",
            "description": "The URN of the error, for programs.",
            "examples": ["urn:sluice:problem:not-found"],
        },
        "title": {"type": "string", "description": "The error in a few words; the same for every request with it."},
        "status": {"type": "integer", "description": "The HTTP status of the answer."},
        "detail": {"type": "string", "description": "What is wrong with this request, and what to do."},
        "instance": {"type": "string", "description": "The path of the request."},
        "document": {
            "type": "object",
            "description": "What was read from a workbook that was only checked: beside each bad value, `{name}_error` "
            "has the code and message. Absent if it is too large.",
        },
        "errors": {
            "type": "array",
            "description": "The invalid parts of the request; absent if no single part is invalid.",
            "items": {
                "type": "object",
                "required": ["pointer", "message"],
                "properties": {
                    "pointer": {
                        "type": "string",
                        "description": "A JSON Pointer into the body, or `?name` for a query parameter. Of a CSV file: "
                        "`/row/column`. Of a workbook: into `document`.",
                    },
                    "message": {"type": "string", "description": "What is wrong with it, as a sentence."},
                    "sheet": {"type": "string", "description": "The sheet of a workbook."},
                    "row": {
                        "anyOf": [{"type": "integer"}, {"type": "null"}],
                        "description": "The row of a CSV file or a sheet, counted from 1. Null: the whole sheet.",
                    },
                    "column": {
                        "anyOf": [{"type": "string"}, {"type": "null"}],
                        "description": "The header of the column. Null: the whole row.",
                    },
                    "cell": {
                        "anyOf": [{"type": "string"}, {"type": "null"}],
                        "description": "The cell of a workbook, such as `B7`. Null: more than one cell.",
                    },
                    "code": {
                        "anyOf": [{"type": "integer"}, {"type": "null"}],
                        "description": "What is wrong with a cell, for programs; the kind of input has the codes. "
                        "Null: the fault has no code.",
                    },
                },
            },
        },
    },
}
