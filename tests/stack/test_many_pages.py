"""A run of many pages on the deployed stack: read in parts, published as one version."""

from __future__ import annotations

import json
from http.server import BaseHTTPRequestHandler
from urllib.parse import parse_qs, urlsplit

from support.server import Server, send
from support.stack import Deployed, athena, until

LIMIT = 20
RECORDS = [{"id": number, "v": number if number < 150 else number + 0.5, "name": f"n{number}"} for number in range(200)]


def serve(server: Server, name: str) -> None:
    def answer(handler: BaseHTTPRequestHandler) -> None:
        at = int(parse_qs(urlsplit(handler.path).query).get("offset", ["0"])[0])
        send(handler, json.dumps({"items": RECORDS[at : at + LIMIT], "total": len(RECORDS)}).encode())

    server.routes[f"/{name}"] = answer


def test_pages_read_in_parts_become_one_version(deployed: Deployed, server: Server, name: str) -> None:
    serve(server, name)
    pagination = {"type": "offset", "offset_param": "offset", "limit_param": "limit", "limit": LIMIT, "total": "total"}
    http = {"url": f"{server.url}/{name}", "pagination": pagination}
    source = {"name": name, "kind": "http", "http": http, "records": "items"}
    deployed.done("PUT", f"/datasources/{name}", source)
    with deployed.configured(["extract"], EXTRACT_PART_BYTES="2500"):
        run = deployed.ended(deployed.done("POST", f"/datasources/{name}/runs"))
    assert (run["status"], run["rows"], run["completeness"]) == ("succeeded", len(RECORDS), "complete"), run
    version = deployed.done("GET", f"/datasources/{name}/versions/{run['version']}")
    assert len(version["objects"]) > 3, "it is in parts"
    assert deployed.rows(f"datasources/{name}")[:150] == [{**one, "v": float(one["v"])} for one in RECORDS[:150]]
    counted = f"SELECT count(*), sum(v) FROM datasource_{name.replace('-', '_')}"
    total = str(sum(float(one["v"]) for one in RECORDS))
    assert until(lambda: found if len(found := athena(deployed, counted)) > 1 else None)[1] == [
        str(len(RECORDS)),
        total,
    ]
