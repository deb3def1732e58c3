"""Inputs on the deployed stack: workbooks through the gateway, and many writers at once."""

from __future__ import annotations

import secrets
from collections import Counter
from concurrent.futures import ThreadPoolExecutor

import httpx
import pytest

from support.stack import Deployed
from support.workbooks import topology, topology_workbook

XLSX = "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet"
NORTH = topology("A", "B", "C")


@pytest.mark.parametrize("media_type", [XLSX, "application/octet-stream", "application/x-www-form-urlencoded"])
def test_workbook_arrives_unchanged(deployed: Deployed, media_type: str) -> None:
    assert deployed.http is not None
    path, headers = f"/inputs/book-{secrets.token_hex(3)}", {"Content-Type": media_type}
    query = {"kind": "topology"}
    answer = deployed.http.post(f"{path}/import", params=query, content=topology_workbook(NORTH), headers=headers)
    assert (answer.status_code, deployed.done("GET", path)["document"]) == (201, NORTH)


def test_blank_workbook_is_downloaded(deployed: Deployed) -> None:
    answer = deployed.call("GET", "/inputs/templates/topology")
    assert answer.status_code == 303
    file = httpx.get(answer.headers["Location"], trust_env=False)
    assert (file.headers["Content-Type"], file.content[:2]) == (XLSX, b"PK")


def test_writers_at_once_make_a_version_each(deployed: Deployed) -> None:
    path = f"/inputs/many-{secrets.token_hex(3)}"

    def write(number: int) -> httpx.Response:
        return deployed.call("PUT", path, {"kind": "document", "document": {"writer": number}})

    with ThreadPoolExecutor(8) as pool:
        answers = list(pool.map(write, range(8)))
    assert Counter(answer.status_code for answer in answers) == {201: 1, 200: 7}
    versions = deployed.done("GET", f"{path}/versions")["items"]
    assert [version["number"] for version in versions] == list(range(8, 0, -1))
    written = [deployed.done("GET", f"{path}?version={number}")["document"]["writer"] for number in range(1, 9)]
    assert sorted(written) == list(range(8))
