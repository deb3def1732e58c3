"""The journey of an analyst, by mouse and keyboard alone: two APIs and a file, merged; a price explained; a report."""

from __future__ import annotations

import json
import secrets
from pathlib import Path

import pytest
from playwright.sync_api import Browser, Page, expect

from support.browser import Console
from support.server import Server
from support.stack import Deployed

LISTINGS = [{"symbol": "BTC", "price": 95005.953}, {"symbol": "ETH", "price": 3311.07}, {"symbol": "ADA", "price": 0.8}]
RANKS = [{"symbol": "ETH", "rank": 2}, {"symbol": "BTC", "rank": 1}]
NOTES = "symbol,note\nBTC,never sold\n"


@pytest.fixture
def names(server: Server) -> dict[str, str]:
    """Names that no other run of this test uses, each with an upstream of its name."""
    suffix = secrets.token_hex(3)
    names = {kind: f"{kind} {suffix}" for kind in ("listings", "ranks", "notes", "coins")}
    for kind, records in (("listings", LISTINGS), ("ranks", RANKS)):
        server.answer(f"/{kind}-{suffix}", json.dumps({"data": records}).encode())
    return names


def section(page: Page, name: str) -> None:
    page.get_by_role("navigation", name="Sections").get_by_role("link", name=name).click()


def slug(name: str) -> str:
    return name.replace(" ", "-")


def add_api(console: Console, server: Server, name: str) -> None:
    """Detect an API by its address, name it, and run it."""
    page = console.page
    section(page, "Datasources")
    page.get_by_role("link", name="New datasource").first.click()
    page.get_by_label("Address of an API").fill(f"{server.url}/{slug(name)}")
    page.keyboard.press("Enter")
    page.get_by_role("button", name="Take it over").click()
    page.get_by_label("Name in addresses").fill(slug(name))
    page.get_by_label("Name", exact=True).fill(name)
    page.get_by_label("Primary key").fill("symbol")
    page.keyboard.press("Tab")
    page.get_by_role("button", name="Create").click()
    console.heading(name)
    page.get_by_role("button", name="Run now").click()
    expect(page.get_by_text("succeeded").first).to_be_visible()


def add_file(console: Console, name: str) -> None:
    """A datasource that takes files, and a file for it."""
    page = console.page
    section(page, "Datasources")
    page.get_by_role("link", name="New datasource").first.click()
    page.get_by_role("button", name="Files").click()
    page.get_by_label("Name", exact=True).fill(name)
    page.get_by_label("Primary key").fill("symbol")
    page.keyboard.press("Tab")
    page.get_by_role("button", name="Create").click()
    console.heading(name)
    content = {"name": "notes.csv", "mimeType": "text/csv", "buffer": NOTES.encode()}
    page.get_by_label("Files to upload").set_input_files(content)  # type: ignore[arg-type]
    expect(page.get_by_text("succeeded").first).to_be_visible()


def test_an_analyst_merges_explains_and_reports(
    console: Console, server: Server, names: dict[str, str], browser: Browser, deployed: Deployed, screenshots: Path
) -> None:
    console.expect_refusals(404)  # a report that was never rendered
    page = console.page
    for kind in ("listings", "ranks"):
        add_api(console, server, names[kind])
    add_file(console, names["notes"])

    section(page, "Projects")
    page.get_by_role("button", name="Create a project").first.click()
    page.get_by_label("Name").fill(names["coins"])
    page.get_by_label("Key columns").fill("symbol")
    for kind in ("listings", "ranks", "notes"):
        page.get_by_role("checkbox", name=names[kind]).check()
    page.get_by_role("dialog").get_by_role("button", name="Create").click()
    console.heading(names["coins"])
    page.get_by_role("button", name="Refresh now").click()
    expect(page.get_by_text("succeeded").first).to_be_visible()

    page.get_by_role("navigation", name="Parts of").get_by_role("link", name="Data").click()
    price = page.get_by_role("gridcell", name="95005.953")
    price.focus()
    page.keyboard.press("Enter")
    panel = page.get_by_role("dialog")
    expect(panel).to_contain_text(slug(names["listings"]))
    expect(panel.locator("mark").first).to_have_text("95005.953")
    console.screenshot("analyst-explain")
    shared = page.url
    page.keyboard.press("Escape")

    page.get_by_role("navigation", name="Parts of").get_by_role("link", name="Reports").click()
    page.get_by_role("button", name="report").first.click()
    page.get_by_label("Name").fill("weekly")
    page.get_by_role("button", name="Save").click()
    page.get_by_role("button", name="Run", exact=True).click()
    expect(page.frame_locator("iframe").get_by_text("95,005.95")).to_be_visible()
    page.get_by_role("button", name="Share").click()
    page.get_by_role("button", name="Create a link").click()
    link = page.get_by_role("dialog").get_by_role("link", name="Open").first.get_attribute("href")

    # Somebody without a key reads the report; somebody with one sees the same explanation.
    other = browser.new_context().new_page()
    assert link is not None
    other.goto(link)
    expect(other.get_by_text("never sold")).to_be_visible()
    other.context.close()
    with Console(browser, deployed, screenshots).opened(deployed.description["api_key"]) as second:
        second.page.goto(shared)
        expect(second.page.get_by_role("dialog").locator("mark").first).to_have_text("95005.953")
