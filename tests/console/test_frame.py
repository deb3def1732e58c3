"""What all pages share: a title, and tables that a phone can show."""

from __future__ import annotations

import secrets
from collections.abc import Iterator

import pytest
from playwright.sync_api import Page, expect

from support.browser import Console
from support.stack import Deployed


@pytest.fixture(scope="module")
def project(deployed: Deployed) -> Iterator[str]:
    """A project with a version, of a datasource of the same name."""
    name = f"frame-{secrets.token_hex(3)}"
    deployed.done("PUT", f"/datasources/{name}", {"name": name, "kind": "push", "primary_key": ["id"]})
    pushed = deployed.done("POST", f"/datasources/{name}/records", [{"id": 1, "name": "Anna"}])
    assert deployed.ended({"id": pushed["run"]})["status"] == "succeeded"
    deployed.done("PUT", f"/projects/{name}", {"name": name, "refresh_on": "manual"})
    deployed.done("PUT", f"/projects/{name}/datasources/{name}", {"priority": 1})
    run = deployed.call("POST", f"/projects/{name}/runs", {"ingest": "none"}, prefer="wait=20").json()
    assert deployed.ended(run)["status"] == "succeeded"
    yield name
    deployed.done("DELETE", f"/projects/{name}")
    deployed.call("DELETE", f"/datasources/{name}?force=true")


@pytest.mark.long
def test_each_page_has_a_title_of_its_own(console: Console, project: str) -> None:
    page = console.page
    expect(page).to_have_title("Home · Sluice")
    console.go(f"/projects/{project}/versions")
    expect(page).to_have_title(f"Versions · {project} · Projects · Sluice")
    page.get_by_role("link", name="Members").click()
    expect(page).to_have_title(f"Members · {project} · Projects · Sluice")
    console.go("/no-such-page")
    expect(page).to_have_title("There is no such page · Sluice")
    page.get_by_role("button", name="Sign out").click()
    expect(page).to_have_title("Sign in · Sluice")


def _hidden_parts(page: Page) -> list[str]:
    """The tables that are wider than the place that they have."""
    found: list[str] = page.evaluate(
        "[...document.querySelectorAll('.table-box')]"
        ".filter((box) => box.scrollWidth > box.clientWidth).map((box) => `${box.scrollWidth}: ${box.innerText}`)"
    )
    return found


PLACES = {
    "/": "Last run",
    "/projects": "Last run",
    "/datasources": "Age",
    "/runs": "Outcome",
    "/projects/{}/versions": "Fingerprint",
    "/projects/{}/merge": "Needed",
    "/administration/keys": "Created",
    "/administration/audit": "Outcome",
}


@pytest.mark.long
@pytest.mark.parametrize("place", PLACES)
def test_a_phone_shows_all_of_a_table(console: Console, project: str, place: str) -> None:
    page = console.page
    page.set_viewport_size({"width": 390, "height": 844})
    console.go(place.format(project))
    cell = page.locator(f"td[data-label='{PLACES[place]}']").first
    expect(cell).to_be_visible()
    console.check_narrow()
    assert _hidden_parts(page) == []
    console.check_accessibility()
    tab = page.locator(".tabs [aria-current]")
    if tab.count() > 0:
        expect(tab).to_be_in_viewport(ratio=1)
    console.screenshot(f"phone{place.format('project').replace('/', '-')}")
    console.leave()


@pytest.mark.long
def test_a_document_that_is_longer_than_its_editor_can_be_scrolled_by_keyboard(console: Console, project: str) -> None:
    fields = {f"field_{number}": f"part.p{number}" for number in range(60)}
    source = {"name": "Long", "kind": "http", "fields": fields, "http": {"url": "https://api.example.com/"}}
    console.deployed.done("PUT", f"/datasources/{project}-long", source)
    console.go(f"/datasources/{project}-long/edit")
    expect(console.page.locator(".cm-content").first).to_contain_text("field_1")
    console.check_accessibility()
    console.leave()
    console.deployed.call("DELETE", f"/datasources/{project}-long?force=true")
