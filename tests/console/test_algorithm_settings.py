"""How a project runs an algorithm: the settings can be forgotten, but not over somebody's head."""

from __future__ import annotations

import secrets
from collections.abc import Iterator
from pathlib import Path

import pytest
from playwright.sync_api import Browser, expect

from support.browser import Console
from support.stack import Deployed


@pytest.fixture(scope="module")
def project(deployed: Deployed) -> Iterator[str]:
    name = f"settings-{secrets.token_hex(3)}"
    deployed.done("PUT", f"/projects/{name}", {"name": name, "refresh_on": "manual"})
    yield name
    deployed.done("DELETE", f"/projects/{name}")


@pytest.mark.long
def test_settings_of_an_algorithm_are_removed(console: Console, deployed: Deployed, project: str) -> None:
    console.expect_refusals(412)
    path = f"/projects/{project}/algorithms/profile"
    deployed.done("PUT", path, {"inputs": {}, "parameters": {}, "on_refresh": False})
    page = console.page
    console.go(f"/projects/{project}/algorithms")
    row = page.get_by_role("row", name="profile").filter(has_text="on request")
    row.get_by_role("button", name="Remove settings").click()
    dialog = page.get_by_role("dialog")
    deployed.done("PUT", path, {"inputs": {}, "parameters": {}, "on_refresh": False, "seed": 7})
    dialog.get_by_role("button", name="Remove settings").click()
    expect(dialog.get_by_role("alert")).to_contain_text('"seed": 7')
    console.check_accessibility()
    dialog.get_by_role("button", name="Remove it all the same").click()
    expect(page.get_by_text("None has settings yet.")).to_be_visible()
    assert deployed.call("GET", path).status_code == 404


@pytest.mark.long
def test_a_viewer_removes_no_settings(browser: Browser, deployed: Deployed, screenshots: Path, project: str) -> None:
    key = deployed.done("POST", "/keys", {"name": project, "role": "viewer"})
    deployed.done("PUT", f"/projects/{project}/algorithms/profile", {"inputs": {}, "parameters": {}})
    with Console(browser, deployed, screenshots).opened(key["key"]) as console:
        console.go(f"/projects/{project}/algorithms")
        expect(console.page.get_by_text("on request")).to_be_visible()
        expect(console.page.get_by_role("button", name="Remove settings")).to_have_count(0)
    deployed.done("DELETE", f"/keys/{key['id']}")
