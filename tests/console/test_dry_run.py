"""What a refresh would do, said before it is done."""

from __future__ import annotations

import secrets
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from playwright.sync_api import Browser, expect

from support.browser import Console
from support.server import Server
from support.stack import Deployed


@pytest.fixture(scope="module")
def project(deployed: Deployed, server: Server) -> Iterator[str]:
    """A project with pushed records, and datasources that are fetched, disabled, and were never fetched."""
    name = f"dry-{secrets.token_hex(3)}"
    server.answer(f"/{name}", b'[{"id": 9}]')
    address: dict[str, Any] = {"kind": "http", "http": {"url": "https://birds.example.com/"}}
    documents: dict[str, dict[str, Any]] = {
        f"{name}-birds": {"kind": "push", "primary_key": ["id"]},
        f"{name}-off": {**address, "enabled": False},
        f"{name}-hours": {"kind": "http", "http": {"url": f"{server.url}/{name}"}, "max_age_seconds": 36_000},
        f"{name}-new": {**address, "max_age_seconds": 60},
    }
    deployed.done("PUT", f"/projects/{name}", {"name": name, "refresh_on": "manual"})
    for slug, document in documents.items():
        deployed.done("PUT", f"/datasources/{slug}", {"name": slug, **document})
        optional = not slug.endswith("birds")
        deployed.done("PUT", f"/projects/{name}/datasources/{slug}", {"optional": optional})
    push(deployed, name, {"id": 1}, {"id": 2})
    assert deployed.ended(deployed.done("POST", f"/datasources/{name}-hours/runs", {}))["status"] == "succeeded"
    run = deployed.done("POST", f"/projects/{name}/runs", {"ingest": "none"})
    deployed.ended(run)
    yield name
    deployed.done("DELETE", f"/projects/{name}")
    for slug in documents:
        deployed.done("DELETE", f"/datasources/{slug}")


def push(deployed: Deployed, name: str, *records: dict[str, int]) -> None:
    receipt = deployed.done("POST", f"/datasources/{name}-birds/records", list(records))
    assert deployed.ended({"id": receipt["run"]})["status"] == "succeeded"


@pytest.mark.long
def test_a_dry_run_says_what_a_refresh_would_do(console: Console, deployed: Deployed, project: str) -> None:
    page = console.page
    console.go(f"/projects/{project}")
    page.get_by_role("button", name="Dry run").click()
    dialog = page.get_by_role("dialog")
    expect(dialog.get_by_role("heading", level=2)).to_have_text(f"What a refresh of {project} would do")
    expect(dialog).to_contain_text("Nothing: the merge gives what version 1 has already, 3 rows.")
    fetched = dialog.get_by_role("listitem")
    expect(fetched.filter(has_text=f"{project}-birds")).to_contain_text("arrives by itself")
    expect(fetched.filter(has_text=f"{project}-off")).to_contain_text("would not be fetched: it is disabled")
    expect(fetched.filter(has_text=f"{project}-new")).to_contain_text("would be fetched: it never was")
    expect(fetched.filter(has_text=f"{project}-hours")).to_contain_text("counts as stale only in 10 hours")
    expect(dialog).to_contain_text("What the datasources would bring: a dry run fetches nothing")
    console.check_accessibility()
    console.screenshot("project-dry-run")
    page.keyboard.press("Escape")
    expect(page.get_by_text("It is a dry run: it publishes nothing.")).to_be_visible()

    push(deployed, project, {"id": 3})
    deployed.done("PATCH", f"/datasources/{project}-hours", {"max_age_seconds": None})
    page.get_by_role("button", name="Dry run").click()
    expect(fetched.filter(has_text=f"{project}-hours")).to_contain_text("its data counts as stale at once")
    page.keyboard.press("Escape")
    page.get_by_role("combobox", name="Fetch").select_option("none")
    page.get_by_role("button", name="Dry run").click()
    expect(dialog).to_contain_text("It would publish a new version with 4 rows, 1 more than version 1 has.")
    expect(fetched.filter(has_text=f"{project}-new")).to_contain_text("would not be fetched, as chosen")
    expect(dialog).not_to_contain_text("What the datasources would bring")
    console.check_narrow()
    assert [one["number"] for one in deployed.done("GET", f"/projects/{project}/versions")["items"]] == [1]


@pytest.mark.long
def test_a_viewer_is_offered_no_dry_run(browser: Browser, deployed: Deployed, screenshots: Path, project: str) -> None:
    key = deployed.done("POST", "/keys", {"name": project, "role": "viewer"})
    with Console(browser, deployed, screenshots).opened(key["key"]) as console:
        console.go(f"/projects/{project}")
        expect(console.page.get_by_role("heading", name="Lineage")).to_be_visible()
        expect(console.page.get_by_role("button", name="Dry run")).to_have_count(0)
    deployed.done("DELETE", f"/keys/{key['id']}")
