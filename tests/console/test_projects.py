"""Projects: the list, a refresh with its lineage and versions, and the merge with its preview."""

from __future__ import annotations

import json
import re
import secrets
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
from playwright.sync_api import Browser, Page, expect

from support.browser import Console
from support.server import Server
from support.stack import Deployed

RANKS = [{"symbol": "BTC", "rank": 1, "price": 1.0}, {"symbol": "ETH", "rank": 2, "price": None}]
PRICES = [{"symbol": "BTC", "price": 100.5}, {"symbol": "ETH", "price": 10.25}, {"symbol": "XRP", "price": 0.5}]


@dataclass(frozen=True)
class Coins:
    """A project of two datasources, `{slug}-ranks` before `{slug}-prices`, with one version."""

    slug: str
    server: Server

    def serve(self, name: str, records: list[dict[str, Any]]) -> None:
        self.server.answer(f"/{self.slug}-{name}", json.dumps(records).encode())


@pytest.fixture(scope="module")
def coins(deployed: Deployed, server: Server) -> Iterator[Coins]:
    slug = f"coins-{secrets.token_hex(3)}"
    coins = Coins(slug, server)
    coins.serve("ranks", RANKS)
    coins.serve("prices", PRICES)
    merge = {"strategy": "join", "key": ["symbol"]}
    deployed.done("PUT", f"/projects/{slug}", {"name": f"Coins {slug}", "merge": merge, "refresh_on": "manual"})
    for priority, name in enumerate(("ranks", "prices"), 1):
        document = {"name": f"{slug} {name}", "kind": "http", "http": {"url": f"{server.url}/{slug}-{name}"}}
        deployed.done("PUT", f"/datasources/{slug}-{name}", document)
        deployed.done("PUT", f"/projects/{slug}/datasources/{slug}-{name}", {"priority": priority * 10, "alias": name})
    tests = [{"type": "row_count", "max": 0, "severity": "warn"}]
    cheap = {"sql": "SELECT symbol, price FROM merged WHERE price < 50", "tests": tests}
    deployed.done("PUT", f"/projects/{slug}/models/cheap", cheap)
    deployed.done("PUT", f"/projects/{slug}/models/all_coins", {"sql": "SELECT symbol FROM merged"})
    section = {"type": "table", "sql": "SELECT c.symbol FROM cheap c JOIN prices p ON p.symbol = c.symbol"}
    deployed.done("PUT", f"/projects/{slug}/reports/bargains", {"title": "Bargains", "sections": [section]})
    for endpoint in ("best", "top"):
        deployed.done("PUT", f"/projects/{slug}/endpoints/{endpoint}", {"sql": "SELECT * FROM merged"})
    run = deployed.ended(deployed.done("POST", f"/projects/{slug}/runs"))
    assert run["status"] == "succeeded", run
    yield coins
    deployed.done("DELETE", f"/projects/{slug}")
    for name in ("ranks", "prices"):
        deployed.done("DELETE", f"/datasources/{slug}-{name}")


@pytest.mark.long
def test_a_project_is_created_by_keyboard_and_deleted(console: Console, coins: Coins) -> None:
    console.expect_refusals(404)  # the list asks how a project stands until it knows that it is gone
    page = console.page
    name = f"New {secrets.token_hex(3)}"
    console.go("/projects")
    row = page.get_by_role("row", name=f"Coins {coins.slug}")
    expect(row).to_contain_text("2 of 2 sources fetched")
    expect(row).to_contain_text("complete")
    console.screenshot("projects")
    page.get_by_role("button", name="Create a project").focus()
    page.keyboard.press("Enter")
    expect(page.get_by_role("dialog").get_by_label("Name")).to_be_focused()
    page.keyboard.type(name)
    page.get_by_label("Key columns").fill("symbol")
    page.get_by_label(f"{coins.slug} prices").press("Space")
    console.check_accessibility()
    page.get_by_role("button", name="Create", exact=True).press("Enter")
    console.heading(name)
    expect(page.get_by_role("link", name=re.compile(f"datasource {coins.slug} prices"))).to_be_visible()
    expect(page.get_by_text("join by symbol")).to_be_visible()
    page.get_by_role("link", name="Projects").first.click()
    page.get_by_role("row", name=name).get_by_role("button", name="Delete").click()
    page.get_by_role("dialog").get_by_role("button", name="Delete").click()
    expect(page.get_by_role("row", name=name)).to_have_count(0)
    console.check_narrow()


def test_a_refresh_its_lineage_and_its_versions(console: Console, deployed: Deployed, coins: Coins) -> None:
    added = [{"symbol": "ETH", "price": 11.5}, {"symbol": "SOL", "price": 5.0}, {"symbol": "ADA", "price": 0.25}]
    coins.serve("prices", [*PRICES[:1], *added])
    page = console.page
    console.go(f"/projects/{coins.slug}")
    console.heading(f"Coins {coins.slug}")
    lineage = page.get_by_role("group", name="Lineage")
    expect(lineage.get_by_role("link", name=re.compile("merge merged: complete, version 1,"))).to_be_visible()
    page.get_by_label("Fetch").select_option("all")
    page.get_by_role("button", name="Refresh now").click()
    expect(page.get_by_role("progressbar")).to_be_visible()
    expect(page.get_by_role("button", name="Refresh now")).to_be_enabled()
    expect(page.get_by_text("2 of 2 sources fetched.")).to_be_visible()
    for name in (
        "merge merged: complete, version 2",
        "model cheap: 1 of 1 tests failed",
        "report Bargains",
        "endpoint top",
    ):
        expect(lineage.get_by_role("link", name=re.compile(name))).to_be_visible()
    page.get_by_text("The same as a list").click()
    expect(page.get_by_role("row", name="Bargains report")).to_contain_text(f"cheap, {coins.slug} prices")
    expect(page).to_have_url(re.compile("lineage=list"))
    console.screenshot("project")
    console.check_accessibility()
    lineage.get_by_role("link", name=re.compile("merge merged")).press("Enter")
    console.heading("Merge")
    page.get_by_role("link", name="Versions").click()
    page.get_by_role("button", name="Changes of version 2").press("Enter")
    changes = page.get_by_role("region", name="Changes")
    expect(page.get_by_text("2 added")).to_be_visible()
    expect(changes.get_by_role("row", name="XRP")).to_contain_text("removed")
    expect(changes.get_by_role("row", name="SOL")).to_contain_text("added")
    assert "from=1" in page.url
    assert "to=2" in page.url
    expect(page.get_by_label("with").get_by_role("option", name="1", exact=True)).to_be_disabled()
    expect(changes).to_be_in_viewport()
    console.screenshot("versions")
    console.check_accessibility()
    page.get_by_role("button", name="Manifest of version 1").click()
    expect(page.get_by_role("dialog")).to_contain_text("Output hash")
    expect(page.get_by_role("dialog").get_by_role("link", name=f"{coins.slug}-ranks")).to_be_visible()
    console.check_accessibility()
    page.keyboard.press("Escape")
    page.get_by_role("button", name="Promote 1").click()
    page.get_by_role("dialog").get_by_role("button", name="Promote 1").click()
    expect(page.get_by_role("row", name="1 published")).to_be_visible()
    assert deployed.done("GET", f"/projects/{coins.slug}/data")["version"] == 1
    console.check_narrow()


@pytest.mark.long
def test_after_a_promotion_every_page_speaks_of_what_readers_get(
    console: Console, deployed: Deployed, coins: Coins
) -> None:
    coins.serve("prices", [*PRICES, {"symbol": "DOT", "price": 2.0}])
    run = deployed.ended(deployed.done("POST", f"/projects/{coins.slug}/runs", {"ingest": "all"}))
    deployed.done("POST", f"/projects/{coins.slug}/versions/1/promote")
    page = console.page
    console.go(f"/projects/{coins.slug}")
    expect(page.get_by_text(f"Version {run['version']} is newer, but readers get version 1.")).to_be_visible()
    lineage = page.get_by_role("group", name="Lineage")
    for name in ("merge merged: complete, version 1,", "endpoint top: served from version 1,"):
        expect(lineage.get_by_role("link", name=re.compile(name))).to_be_visible()
    console.check_accessibility()
    for place in ("/", "/projects"):
        console.go(place)
        row = page.get_by_role("row", name=f"Coins {coins.slug}")
        expect(row.get_by_role("cell", name="3", exact=True), "the rows of version 1").to_be_visible()


@pytest.mark.long
def test_the_lineage_leads_to_the_very_model_and_endpoint(console: Console, coins: Coins) -> None:
    page = console.page
    for kind, name in (("model", "cheap"), ("endpoint", "top")):
        console.go(f"/projects/{coins.slug}")
        page.get_by_role("group", name="Lineage").get_by_role("link", name=re.compile(f"{kind} {name}:")).click()
        expect(page).to_have_url(re.compile(f"{kind}={name}$"))
        expect(page.locator("nav a[aria-current=true]")).to_contain_text(name)


# How many points of the lines are within the box of a node; a line begins and ends at the edge of one.
_HIDDEN_POINTS = """svg => {
    const boxes = [...svg.querySelectorAll('.lineage-node g')].map(node => {
        const { e, f } = node.transform.baseVal.consolidate().matrix
        const box = node.querySelector('.box')
        return [e + 1, f + 1, e + box.width.baseVal.value - 1, f + box.height.baseVal.value - 1]
    })
    const points = [...svg.querySelectorAll('.lineage-line')].flatMap(line =>
        Array.from({ length: line.getTotalLength() / 4 }, (_, index) => line.getPointAtLength(index * 4)))
    return points.filter(({ x, y }) => boxes.some(([left, top, right, bottom]) =>
        x > left && x < right && y > top && y < bottom)).length
}"""


@pytest.mark.long
def test_lines_of_the_lineage_pass_no_node_that_they_do_not_end_in(console: Console, coins: Coins) -> None:
    console.go(f"/projects/{coins.slug}")
    lineage = console.page.get_by_role("group", name="Lineage")
    # It reads a model and a datasource, which are in the columns before and after the merge.
    expect(lineage.get_by_role("link", name=re.compile("report Bargains"))).to_be_visible()
    assert lineage.evaluate(_HIDDEN_POINTS) == 0
    console.screenshot("lineage")


@pytest.mark.long
def test_counts_are_those_of_the_versions_that_are_compared(console: Console, deployed: Deployed) -> None:
    slug = f"counts-{secrets.token_hex(3)}"
    document = {"name": slug, "kind": "push", "primary_key": ["id"]}
    deployed.done("PUT", f"/datasources/{slug}", document)
    merge = {"strategy": "join", "key": ["id"]}
    deployed.done("PUT", f"/projects/{slug}", {"name": slug, "merge": merge, "refresh_on": "manual"})
    deployed.done("PUT", f"/projects/{slug}/datasources/{slug}", {})
    for records in ([{"id": 1}], [{"id": 1}, {"id": 2}], [{"id": 1}, {"id": 2}, {"id": 3}]):
        deployed.ended({"id": deployed.done("POST", f"/datasources/{slug}/records", records)["run"]})
        assert deployed.ended(deployed.done("POST", f"/projects/{slug}/runs"))["status"] == "succeeded"
    page = console.page
    console.go("/projects")
    with console.held("**/diff?from=1&to=2*", "GET"):
        console.go(f"/projects/{slug}/versions", **{"from": "1", "to": "2"})
        page.get_by_label("with").select_option("3")
        expect(page.get_by_text("2 added")).to_be_visible()
    page.wait_for_load_state("networkidle")
    expect(page.get_by_text("2 added")).to_be_visible()
    console.leave()
    deployed.done("DELETE", f"/projects/{slug}")


@pytest.mark.long
def test_the_navigation_says_where_a_page_is(console: Console, coins: Coins) -> None:
    page = console.page
    sections = page.get_by_role("navigation", name="Sections")
    console.go(f"/projects/{coins.slug}")
    parts = page.get_by_role("navigation", name="Parts of").get_by_role("link")
    expect(parts).to_have_count(9)
    for part in parts.all_inner_texts():
        parts.get_by_text(part, exact=True).click()
        expect(parts.and_(page.locator("[aria-current=page]"))).to_have_text(part)
        expect(sections.locator("[aria-current=page]")).to_have_text("Projects")
    places = {
        f"/projects/{coins.slug}/reports/bargains": "Projects",
        f"/projects/{coins.slug}/algorithms/anomalies": "Projects",
        f"/datasources/{coins.slug}-ranks/data": "Datasources",
        "/algorithms/anomalies": "Algorithms",
        "/runs/compare": "Algorithms",
        "/administration/audit": "Administration",
    }
    for place, name in places.items():
        console.go(place)
        expect(sections.locator("[aria-current=page]")).to_have_text(name)
    console.leave()


@pytest.mark.long
def test_the_merge_is_edited_beside_its_preview(console: Console, deployed: Deployed, coins: Coins) -> None:
    console.expect_refusals(412, 422)
    page = console.page
    console.go(f"/projects/{coins.slug}/merge")
    preview = page.get_by_role("grid", name="Preview of the merged rows")
    ethereum = preview.get_by_role("row", name="ETH")
    expect(ethereum).to_contain_text("null")  # the price of the best ranked datasource
    page.get_by_label("Field for a new rule").fill("price")
    page.keyboard.press("Enter")
    expect(ethereum).not_to_contain_text("null")
    page.get_by_label("Rule of price", exact=True).select_option("newest")
    rules = page.get_by_role("list", name="Rules of fields")
    expect(rules).to_contain_text("The rule newest needs by")
    console.screenshot("merge")
    console.check_accessibility()
    page.get_by_label("Rule of price", exact=True).select_option("max")
    expect(rules).not_to_contain_text("needs by")
    # Somebody else changes the project in the meantime.
    deployed.done("PATCH", f"/projects/{coins.slug}", {"description": "Prices by symbol."})
    page.get_by_role("button", name="Save", exact=True).click()
    page.get_by_role("button", name="Keep mine").click()
    page.get_by_role("button", name="Save", exact=True).click()
    expect(page.get_by_text("Everything is saved.")).to_be_visible()
    assert deployed.done("GET", f"/projects/{coins.slug}")["merge"]["fields"]["price"]["rule"] == "max"
    page.get_by_role("button", name="YAML").click()
    editor = page.get_by_role("textbox", name="The project as YAML")
    expect(editor).to_contain_text("rule: max")
    editor.press("Control+Home")
    page.keyboard.type("- ")
    expect(page.get_by_text(re.compile("^Line [0-9]+: ")).first).to_be_visible()
    page.get_by_role("button", name="Discard").click()
    expect(page.get_by_text("Everything is saved.")).to_be_visible()
    console.check_accessibility()
    console.check_narrow()


def _add(page: Page, entry: str, name: str, value: str, text: str, of: str) -> None:
    """Fill in a new entry of the columns of a datasource, or of `the result`."""
    page.get_by_label(f"{entry} in {of}", exact=True).fill(name)
    page.get_by_label(f"{value} of the next in {of}", exact=True).fill(text)


@pytest.mark.long
def test_columns_of_a_datasource_are_changed_with_errors_at_their_fields(console: Console, coins: Coins) -> None:
    console.expect_refusals(422)
    page, prices = console.page, f"{coins.slug}-prices"
    console.go(f"/projects/{coins.slug}/merge")
    preview = page.get_by_role("grid", name="Preview of the merged rows")
    expect(preview).to_be_visible()
    page.locator("summary", has_text=prices).click()
    expect(page.get_by_text("price (double)")).to_be_visible()
    _add(page, "Column to rename", "price", "New name", "price_usd", prices)
    page.keyboard.press("Enter")
    expect(preview.get_by_role("columnheader", name="price_usd")).to_be_visible()
    expect(page.get_by_role("combobox", name=f"Column to rename in {prices}")).to_be_focused()
    _add(page, "Column with another type", "price_usd", "Type", "money", prices)
    page.keyboard.press("Enter")
    kind = page.get_by_label(f"Type of price_usd in {prices}", exact=True)
    expect(kind).to_have_accessible_description(re.compile("The type must be one of string, bigint"))
    kind.fill("decimal(18,2)")
    page.keyboard.press("Tab")
    expect(kind).not_to_have_attribute("aria-invalid", "true")
    _add(page, "New column", "cents", "SQL expression", "cost * 100", prices)
    page.keyboard.press("Enter")
    cents = page.get_by_label(f"SQL expression of cents in {prices}", exact=True)
    expect(cents).to_have_accessible_description(re.compile("names 'cost', which is not a column; the columns are"))
    console.screenshot("merge-columns")
    console.check_accessibility()
    cents.fill("price_usd * 100")
    page.keyboard.press("Tab")
    expect(preview.get_by_role("row", name="BTC")).to_contain_text("10050")
    console.check_narrow()
    console.screenshot("merge-columns-narrow")
    page.get_by_role("button", name="Discard").click()
    expect(page.get_by_text("Everything is saved.")).to_be_visible()


@pytest.mark.long
def test_columns_of_the_result_are_computed_and_saved(console: Console, deployed: Deployed, coins: Coins) -> None:
    console.expect_refusals(422)
    page, prices = console.page, f"{coins.slug}-prices"
    console.go(f"/projects/{coins.slug}/merge")
    preview = page.get_by_role("grid", name="Preview of the merged rows")
    page.locator("summary", has_text=prices).click()
    # Who leaves the row has finished it.
    _add(page, "Column to rename", "price", "New name", "price_usd", prices)
    page.locator("summary", has_text="the merged rows").click()
    expect(preview.get_by_role("columnheader", name="price_usd")).to_be_visible()
    _add(page, "New column", "twice", "SQL expression", "rank * 2", "the result")
    where = page.get_by_label("Only rows of the result where")
    where.fill("rank IS")
    page.keyboard.press("Tab")
    expect(where).to_have_attribute("aria-invalid", "true")
    where.fill("rank IS NOT NULL")
    page.keyboard.press("Tab")
    expect(preview.get_by_role("columnheader", name="twice")).to_be_visible()
    expect(preview.get_by_role("row", name="XRP")).to_have_count(0)
    page.get_by_role("button", name="Save", exact=True).click()
    expect(page.get_by_text("Everything is saved.")).to_be_visible()
    merge = deployed.done("GET", f"/projects/{coins.slug}")["merge"]
    assert merge["sources"][prices]["rename"] == {"price": "price_usd"}
    assert (merge["result"]["compute"], merge["result"]["where"]) == ({"twice": "rank * 2"}, "rank IS NOT NULL")
    expect(page.get_by_text("1 computed, some rows left out")).to_be_visible()
    page.get_by_role("button", name=f"Remove New name of price in {prices}").click()
    expect(page.get_by_text("not saved yet")).to_be_visible()
    page.get_by_role("button", name="Discard").click()
    expect(page.get_by_text("1 renamed", exact=True)).to_be_visible()
    deployed.done("PATCH", f"/projects/{coins.slug}", {"merge": {"sources": None, "result": None}})


@pytest.mark.long
def test_datasources_are_assigned_and_overrides_removed(console: Console, deployed: Deployed, coins: Coins) -> None:
    body = {"value": 99, "reason": "a typing error of the exchange"}
    deployed.done("PUT", f"/projects/{coins.slug}/overrides/rank?key=BTC", body)
    page = console.page
    console.go(f"/projects/{coins.slug}/merge")
    row = page.get_by_role("row", name=f"{coins.slug}-prices")
    row.get_by_role("button", name="Edit").click()
    page.get_by_label("Priority").fill("5")
    page.get_by_label("Optional").check()
    page.keyboard.press("Enter")
    expect(row).to_contain_text("optional")
    expect(page.get_by_role("row", name="-ranks ranks 10")).to_be_visible()
    override = page.get_by_role("row", name="a typing error of the exchange")
    expect(override).to_contain_text("99")
    override.get_by_role("button", name="Remove").click()
    page.get_by_role("dialog").get_by_role("button", name="Remove").click()
    expect(override).to_have_count(0)
    assert deployed.done("GET", f"/projects/{coins.slug}/overrides")["items"] == []


@pytest.mark.long
def test_settings_are_changed_with_errors_at_their_fields(console: Console, deployed: Deployed, coins: Coins) -> None:
    console.expect_refusals(422)
    page = console.page
    console.go(f"/projects/{coins.slug}")
    page.get_by_role("button", name="Change").click()
    page.get_by_label("Refreshes").select_option("schedule")
    page.get_by_label("Schedule").fill("every hour")
    page.get_by_role("button", name="Save").click()
    expect(page.get_by_label("Schedule")).to_have_attribute("aria-invalid", "true")
    page.get_by_label("Refreshes").select_option("manual")
    page.get_by_label("Schedule").fill("")
    page.get_by_label("Description").fill("By symbol.")
    page.get_by_role("button", name="Save").click()
    expect(page.get_by_text("By symbol.")).to_be_visible()
    page.get_by_role("button", name="Disable").click()
    page.get_by_role("dialog").get_by_role("button", name="Disable").click()
    expect(page.get_by_role("button", name="Enable")).to_be_visible()
    assert deployed.done("GET", f"/projects/{coins.slug}")["enabled"] is False


@pytest.mark.long
def test_a_viewer_sees_the_project_and_no_buttons(
    browser: Browser, deployed: Deployed, screenshots: Path, coins: Coins
) -> None:
    key = deployed.done("POST", "/keys", {"name": coins.slug, "role": "viewer", "projects": [coins.slug]})
    with Console(browser, deployed, screenshots).opened(key["key"], theme="dark") as console:
        page = console.page
        console.go(f"/projects/{coins.slug}")
        expect(page.get_by_role("group", name="Lineage").get_by_role("link").first).to_be_visible()
        for name in ("Refresh now", "Change", "Delete", "Disable", "Enable"):
            expect(page.get_by_role("button", name=name, exact=True)).to_have_count(0)
        console.check_accessibility()
        console.go(f"/projects/{coins.slug}/merge")
        expect(page.get_by_label("Strategy")).to_be_disabled()
        for name in ("Save", "Assign a datasource", "Remove"):
            expect(page.get_by_role("button", name=name, exact=True)).to_have_count(0)
        console.check_accessibility()
    deployed.done("DELETE", f"/keys/{key['id']}")
