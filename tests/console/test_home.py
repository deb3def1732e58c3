"""Signing in, the frame of every page, and the first page."""

from __future__ import annotations

import secrets
from pathlib import Path

import pytest
from playwright.sync_api import Browser, expect

from support.browser import Console, Theme
from support.server import Server
from support.stack import Deployed


def test_a_wrong_key_is_refused_and_a_right_one_is_kept_for_the_tab(
    browser: Browser, deployed: Deployed, screenshots: Path
) -> None:
    console = Console(browser, deployed, screenshots)
    console.expect_refusals(401)
    with console.opened(None) as opened:
        page = opened.page
        page.get_by_label("API key").fill("slc_wrong")
        page.keyboard.press("Enter")
        expect(page.get_by_role("alert")).to_have_text(
            "This key is not valid. Check that it is whole, and not expired or revoked."
        )
        opened.screenshot("sign-in")
        opened.check_accessibility()
        opened.sign_in(deployed.description["api_key"])
        page.reload()
        opened.heading("Home")
        assert page.evaluate("Object.keys(localStorage)") == []
        page.get_by_role("button", name="Sign out").click()
        expect(page.get_by_label("API key")).to_be_focused()
        assert page.evaluate("Object.keys(sessionStorage)") == []


@pytest.mark.parametrize("theme", ["light", "dark"])
def test_home(browser: Browser, deployed: Deployed, screenshots: Path, theme: Theme) -> None:
    key = deployed.description["api_key"]
    with Console(browser, deployed, screenshots).opened(key, theme=theme) as console:
        console.heading("Home")
        console.screenshot(f"home-{theme}")
        console.check_accessibility()
        console.check_narrow()


@pytest.mark.long
def test_an_unknown_place_leads_back(console: Console) -> None:
    console.go("/no/such/place")
    console.heading("There is no such page")
    console.page.get_by_role("link", name="Go to the first page").click()
    console.heading("Home")


@pytest.mark.long
def test_a_name_of_dots_is_no_other_address(console: Console, deployed: Deployed) -> None:
    slug = f"dots-{secrets.token_hex(3)}"
    deployed.done("PUT", f"/projects/{slug}", {"name": slug})
    for place in ("/projects/..", "/datasources/.", "/projects/%2e%2e/data", "/runs/../pages/1"):
        console.go(place)
        console.heading("There is no such page")
    # An address of the API made by hand, and one made by its client.
    for place, query in (("data", {"model": ".."}), ("algorithms/rwa", {"run": ".."})):
        console.go(f"/projects/{slug}/{place}", **query)
        expect(console.page.get_by_role("alert").get_by_text("There is no such name.")).to_be_visible()
    console.leave()
    deployed.done("DELETE", f"/projects/{slug}")


@pytest.mark.long
@pytest.mark.parametrize(
    ("place", "what", "back"),
    [
        ("/projects/nope", "project", "projects"),
        ("/projects/nope/models", "project", "projects"),
        ("/projects/nope/members", "project", "projects"),
        ("/projects/nope/reports/nope", "report", "reports of nope"),
        ("/datasources/nope/data", "datasource", "datasources"),
        ("/sites/nope", "site", "sites"),
        ("/equipment/nope", "piece of equipment", "sites"),
        ("/algorithms/nope", "algorithm", "algorithms"),
        ("/inputs/nope", "input", "inputs"),
    ],
)
def test_what_is_not_there_is_said_once(console: Console, place: str, what: str, back: str) -> None:
    console.expect_refusals(404)
    page = console.page
    console.go(place)
    console.heading("nope")
    expect(page.get_by_text(f"There is no {what} nope.")).to_be_visible()
    expect(page.get_by_role("link", name=f"See all {back}")).to_be_visible()
    console.settle()
    expect(page.get_by_role("button", name="Try again")).to_have_count(0)
    expect(page.get_by_role("alert")).to_have_count(0)


@pytest.mark.long
def test_what_failed_lately_says_whether_a_later_run_went_well(
    console: Console, deployed: Deployed, server: Server
) -> None:
    slug = f"weather-{secrets.token_hex(3)}"
    server.answer(f"/{slug}", b'{"detail": "no such feed"}', 404)
    deployed.done(
        "PUT", f"/datasources/{slug}", {"name": slug, "kind": "http", "http": {"url": f"{server.url}/{slug}"}}
    )
    runs = [deployed.ended(deployed.done("POST", f"/datasources/{slug}/runs", {})) for _ in range(2)]
    assert [run["status"] for run in runs] == ["failed", "failed"]
    page = console.page
    page.reload()
    expect(page.get_by_role("heading", name="Failed in the last 7 days")).to_be_visible()
    row = page.get_by_role("row", name=f"ingest of {slug}")
    expect(row).to_contain_text("and 1 before it")
    expect(row).to_contain_text("404")
    expect(row).to_contain_text("no run has gone well")
    server.answer(f"/{slug}", b'[{"id": 1}]')
    assert deployed.ended(deployed.done("POST", f"/datasources/{slug}/runs", {}))["status"] == "succeeded"
    expect(row).to_contain_text("succeeded")
    console.check_accessibility()


@pytest.mark.long
def test_empty_pages_say_what_to_do_next(console: Console, deployed: Deployed) -> None:
    slug = f"empty-{secrets.token_hex(3)}"
    deployed.done("PUT", f"/datasources/{slug}", {"name": slug, "kind": "push", "primary_key": ["id"]})
    page = console.page
    console.go(f"/datasources/{slug}")
    expect(page.get_by_text("Start one above, or wait for its schedule.")).to_be_visible()
    console.go(f"/datasources/{slug}/schema")
    page.get_by_role("link", name="To the datasource").click()
    console.heading(slug)
    console.go("/administration/users", search="nobody-of-this-name")
    page.get_by_role("button", name="Show everybody").click()
    expect(page.get_by_label("Search")).to_have_value("")
