"""The data grid, and the explanation of a cell with the page as it was received."""

from __future__ import annotations

import csv
import json
import re
import secrets
from dataclasses import dataclass
from pathlib import Path

import pytest
from playwright.sync_api import Browser, Page, expect

from support.browser import Console
from support.server import Server
from support.stack import Deployed

# More than a page of the API has, so that the rest is read as Arrow.
_ROWS = 260


@dataclass(frozen=True)
class Coins:
    """A project that merges an exchange and a list by symbol; the newest price wins."""

    project: str
    exchange: str
    notes: str


def _coin(number: int) -> dict[str, object]:
    quote = {"price": 100 + number / 4, "at": "2026-01-02T00:00:00Z"}
    return {"symbol": f"C{number:03}", "name": f"Coin {number}", "quote": {"USD": quote}}


@pytest.fixture(scope="module")
def coins(deployed: Deployed, server: Server) -> Coins:
    names = Coins(*(f"{part}-{secrets.token_hex(3)}" for part in ("coins", "exchange", "notes")))
    server.answer(f"/{names.exchange}", json.dumps({"data": [_coin(number) for number in range(_ROWS)]}).encode())
    notes = (
        'symbol,price,at,note\nC001,7.5,2026-01-01T00:00:00Z,"Bought, not sold"\nC002,900.125,2026-01-03T00:00:00Z,\n'
    )
    server.answer(f"/{names.notes}", notes.encode(), content_type="text/csv")
    fields = {"symbol": "symbol", "name": "name", "price": "quote.USD.price", "at": "quote.USD.at"}
    common = {"kind": "http", "primary_key": ["symbol"], "types": {"at": "timestamp"}}
    exchange = {"records": "data[]", "fields": fields, "http": {"url": f"{server.url}/{names.exchange}"}}
    deployed.done("PUT", f"/datasources/{names.exchange}", {"name": "Exchange", **common, **exchange})
    list_ = {"http": {"url": f"{server.url}/{names.notes}"}}
    deployed.done("PUT", f"/datasources/{names.notes}", {"name": "Notes", **common, **list_})
    newest = {"rule": "newest", "by": "at"}
    merge = {"strategy": "join", "key": ["symbol"], "fields": {"price": newest, "at": newest}}
    deployed.done("PUT", f"/projects/{names.project}", {"name": "Coins", "merge": merge, "refresh_on": "manual"})
    for priority, slug in enumerate((names.exchange, names.notes)):
        deployed.done("PUT", f"/projects/{names.project}/datasources/{slug}", {"priority": priority})
    run = deployed.call("POST", f"/projects/{names.project}/runs", {"ingest": "all"}, prefer="wait=20").json()
    assert deployed.ended(run)["status"] == "succeeded"
    return names


def _cell(page: Page, row: int, column: str) -> None:
    """Click a cell."""
    index = page.get_by_role("columnheader").all_inner_texts().index(column)
    page.locator(f"[data-cell='{row},{index}']").click()


@pytest.mark.long
def test_a_cell_tells_where_its_value_comes_from(console: Console, coins: Coins) -> None:
    page = console.page
    console.go(f"/projects/{coins.project}/data")
    expect(page.get_by_text(f"{_ROWS} rows", exact=True)).to_be_visible()
    console.screenshot("data")
    console.check_accessibility()
    _cell(page, 1, "price")
    panel = page.get_by_role("dialog")
    expect(panel.get_by_text(f"{coins.exchange} has the newest value, by at.")).to_be_visible()
    # The value as it stands in the page, not another 100.25 of it.
    expect(panel.locator("mark")).to_have_text("100.25")
    expect(panel.locator("li.marked")).to_contain_text('"price"')
    expect(panel.locator(".source-card.lost")).to_contain_text("7.5")
    console.screenshot("explain")
    console.check_accessibility()
    panel.locator(".source-card.lost").get_by_role("button", name="Show in the page").click()
    expect(panel.locator("mark")).to_have_text("7.5")
    expect(panel.locator("li.marked")).to_contain_text("Bought, not sold")

    page.reload()
    expect(panel.locator("mark"), "a link to the explanation can be shared").to_have_text("7.5")
    panel.get_by_role("button", name="note").click()
    expect(panel.locator("mark")).to_contain_text("Bought, not sold")
    console.check_narrow()
    page.keyboard.press("Escape")
    expect(panel).to_have_count(0)
    assert "key=" not in page.url


@pytest.mark.long
def test_back_undoes_an_order_and_a_filter(console: Console, coins: Coins) -> None:
    page = console.page
    console.go("/")
    console.heading("Home")
    console.go(f"/projects/{coins.project}/data")
    first = page.locator("[data-cell='0,0']")
    expect(first).to_have_text("C000")
    page.get_by_role("columnheader", name="symbol").click()
    page.get_by_role("columnheader", name="symbol").click()
    expect(first).to_have_text(f"C{_ROWS - 1}")
    page.get_by_role("button", name="Add a filter").click()
    page.get_by_label("Value").fill("C001")
    page.keyboard.press("Enter")
    expect(first).to_have_text("C001")
    page.go_back()
    expect(first).to_have_text(f"C{_ROWS - 1}")
    page.go_back()
    page.go_back()
    expect(first).to_have_text("C000")
    page.go_back()
    console.heading("Home")


@pytest.mark.long
def test_a_time_is_entered_in_the_zone_that_its_label_names(console: Console, coins: Coins) -> None:
    page = console.page
    page.context.new_cdp_session(page).send("Emulation.setTimezoneOverride", {"timezoneId": "Europe/Berlin"})
    page.reload()
    console.go(f"/projects/{coins.project}/versions")
    page.get_by_label("Data as of (Europe/Berlin)").fill("2099-07-01T02:00:00")
    page.keyboard.press("Enter")
    expect(page).to_have_url(re.compile(r"as_of=2099-07-01T00%3A00%3A00Z"))
    field = page.get_by_label("as of (Europe/Berlin)")
    expect(field).to_have_value("2099-07-01T02:00")
    expect(page.get_by_text("is version 1")).to_be_visible()
    field.fill("2099-07-01T03:00:00")
    expect(page).to_have_url(re.compile(r"as_of=2099-07-01T01%3A00%3A00Z"))


@pytest.mark.long
def test_rows_are_reached_by_keyboard(console: Console, coins: Coins) -> None:
    page = console.page
    console.go(f"/projects/{coins.project}/data")
    expect(page.get_by_text(f"{_ROWS} rows", exact=True)).to_be_visible()
    page.locator("[data-cell='0,0']").focus()
    page.keyboard.press("Control+End")
    last = page.locator(f"[data-cell='{_ROWS - 1},0']")
    expect(last).to_have_text(f"C{_ROWS - 1}")
    page.keyboard.press("Home")
    expect(last).to_be_focused()
    page.keyboard.press("Enter")
    panel = page.get_by_role("dialog")
    expect(panel).to_contain_text(f"Why symbol of C{_ROWS - 1}")
    page.keyboard.press("Escape")
    expect(last).to_be_focused()


@pytest.mark.long
def test_rows_are_filtered_sorted_and_downloaded(console: Console, coins: Coins) -> None:
    page = console.page
    console.go(f"/projects/{coins.project}/data")
    page.get_by_role("button", name="Add a filter").click()
    page.get_by_label("Column").select_option("price")
    page.get_by_label("Condition").select_option("gt")
    page.get_by_label("Condition").select_option("contains")
    page.get_by_label("Value").fill("1%4")
    expect(page.get_by_text("Here, too, % is any text and _ any character.")).to_be_visible()
    page.get_by_label("Condition").select_option("gt")
    page.get_by_label("Value").fill("164")

    console.expect_refusals(422)
    page.get_by_label("Value").fill("much")
    page.keyboard.press("Enter")
    value = page.get_by_label("Value")
    expect(value, "what is refused stays in the form").to_have_attribute("aria-invalid", "true")
    expect(value).to_have_value("much")
    value.fill("164")
    page.keyboard.press("Enter")
    expect(page.get_by_text(f"4 of {_ROWS} rows fit the filter")).to_be_visible()
    page.get_by_role("button", name="price", exact=True).click()
    page.get_by_role("button", name="price ↑").click()
    expect(page.get_by_role("columnheader", name="price")).to_have_attribute("aria-sort", "descending")
    expect(page.locator("[data-cell='0,0']")).to_have_text("C002")
    page.get_by_text("Columns", exact=True).click()
    page.get_by_label("note string").uncheck()
    page.keyboard.press("Escape")
    expect(page.get_by_role("columnheader", name="note")).to_have_count(0)
    page.get_by_text("Download", exact=True).click()
    console.check_accessibility()
    with page.expect_download() as download:
        page.get_by_role("button", name="CSV").click()
    rows = list(csv.DictReader(Path(download.value.path()).read_text().splitlines()))
    assert [row["symbol"] for row in rows] == ["C002", "C259", "C258", "C257"]
    assert "note" not in rows[0]
    page.reload()
    expect(page.get_by_text(f"4 of {_ROWS} rows fit the filter"), "the view can be shared").to_be_visible()
    page.get_by_role("button", name="Remove the condition").click()
    expect(page.get_by_text(f"{_ROWS} rows", exact=True)).to_be_visible()
    time = page.get_by_role("gridcell", name="2026-01-02 00:00:00").first
    expect(time).to_have_attribute("title", "2026-01-02T00:00:00Z")
    page.locator("[data-cell='0,0']").click()
    page.get_by_role("button", name="Filter by this value").click()
    expect(page.get_by_role("dialog")).to_have_count(0)
    expect(page.get_by_text(f"1 of {_ROWS} rows fit the filter")).to_be_visible()


@pytest.mark.long
def test_a_value_of_a_datasource_is_found_in_its_page(console: Console, coins: Coins) -> None:
    page = console.page
    console.go(f"/datasources/{coins.exchange}/data")
    expect(page.get_by_text(f"{_ROWS} rows", exact=True)).to_be_visible()
    _cell(page, 3, "price")
    panel = page.get_by_role("dialog")
    expect(panel.locator("mark")).to_have_text("100.75")
    expect(panel.locator(".pointer")).to_have_text("data › 3 › quote › USD › price")
    console.check_accessibility()


@pytest.mark.long
def test_records_with_similar_keys_are_told_apart(console: Console, deployed: Deployed) -> None:
    slug = f"codes-{secrets.token_hex(3)}"
    push = {"name": slug, "kind": "push", "primary_key": ["sku"]}
    deployed.done("PUT", f"/datasources/{slug}", push)
    values = {"7": "seven", "007": "bond", "1000": "thousand", "1e3": "exponent"}
    # The key comes twice: only the second record is in the table.
    records = [{"sku": "7", "v": "old"}, *({"sku": sku, "v": value} for sku, value in values.items())]
    run = {"id": deployed.done("POST", f"/datasources/{slug}/records", records)["run"]}
    assert deployed.ended(run)["status"] == "succeeded"
    rows = deployed.rows(f"datasources/{slug}")
    page = console.page
    console.go(f"/datasources/{slug}/data")
    expect(page.get_by_text("4 rows", exact=True)).to_be_visible()
    panel = page.get_by_role("dialog")
    for sku, value in values.items():
        _cell(page, [row["sku"] for row in rows].index(sku), "v")
        expect(panel.locator("mark")).to_have_text(f'"{value}"')
        page.keyboard.press("Escape")


@pytest.mark.long
def test_records_that_are_alike_are_told_apart_in_their_page(console: Console, deployed: Deployed) -> None:
    slug = f"twice-{secrets.token_hex(3)}"
    deployed.done("PUT", f"/datasources/{slug}", {"name": slug, "kind": "push"})
    records = [{"v": "same"}, {"v": "other"}, {"v": "same"}, {}]
    run = {"id": deployed.done("POST", f"/datasources/{slug}/records", records)["run"]}
    assert deployed.ended(run)["status"] == "succeeded"
    panel = console.page.get_by_role("dialog")
    for query, cell, place in (({}, 2, "2 › v"), ({"where": "v.eq:same"}, 1, "2 › v"), ({"order": "v"}, 0, "1 › v")):
        console.go(f"/datasources/{slug}/data", **query)
        expect(console.page.get_by_text(re.compile(r"^(4 rows|2 of 4 rows)"))).to_be_visible()
        console.page.locator(f"[data-cell='{cell},0']").click()
        expect(panel.get_by_text(place)).to_be_visible()
        expect(panel.locator("mark")).to_be_visible()
        console.page.keyboard.press("Escape")
    console.go(f"/datasources/{slug}/data")
    expect(console.page.get_by_text("4 rows", exact=True)).to_be_visible()
    console.page.locator("[data-cell='3,0']").click()
    expect(panel.get_by_text("This record does not have the field at all.")).to_be_visible()


@pytest.mark.long
def test_a_page_is_read_as_its_definition_says(console: Console, deployed: Deployed, server: Server) -> None:
    slug = f"cities-{secrets.token_hex(3)}"
    content = '"Price, net, in EUR";id;name\n1;1;Łódź\n2;2;Żory\n'
    server.answer(f"/{slug}", content.encode("iso-8859-2"), content_type="text/csv")
    document = {"name": slug, "kind": "http", "primary_key": ["id"], "http": {"url": f"{server.url}/{slug}"}}
    deployed.done("PUT", f"/datasources/{slug}", {**document, "csv": {"encoding": "iso8859_2"}})
    merge = {"strategy": "join", "key": ["id"]}
    deployed.done("PUT", f"/projects/{slug}", {"name": slug, "merge": merge, "refresh_on": "manual"})
    deployed.done("PUT", f"/projects/{slug}/datasources/{slug}", {})
    run = deployed.done("POST", f"/projects/{slug}/runs", {"ingest": "all"})
    assert deployed.ended(run)["status"] == "succeeded"
    page = console.page
    panel = page.get_by_role("dialog")
    for place in (f"/datasources/{slug}/data", f"/projects/{slug}/data"):
        console.go(place)
        expect(page.get_by_text("2 rows", exact=True)).to_be_visible()
        _cell(page, 0, "name")
        expect(panel.locator("mark")).to_have_text("Łódź")
        expect(panel.get_by_text("read as iso-8859-2")).to_be_visible()


@pytest.mark.long
def test_values_that_look_like_others_are_told_apart(console: Console, deployed: Deployed) -> None:
    slug = f"x{secrets.token_hex(100)}"[:50]
    document = {"name": "n" * 200, "kind": "push", "primary_key": ["id"]}
    deployed.done("PUT", f"/datasources/{slug}", document)
    values = ["abc\u202e321\u202c", "null", None, "x" * 50_000]
    records = [{"id": number, "v": value} for number, value in enumerate(values)]
    run = {"id": deployed.done("POST", f"/datasources/{slug}/records", records)["run"]}
    assert deployed.ended(run)["status"] == "succeeded"
    page = console.page
    panel = page.get_by_role("dialog")
    console.go(f"/datasources/{slug}/data", column="v", row="-1")
    expect(page.get_by_text("4 rows", exact=True)).to_be_visible()
    expect(panel, "there is no such row").to_have_count(0)
    marked = "abc[U+202E]321[U+202C]"
    expect(page.locator("[data-cell='0,1']")).to_have_text(marked)
    expect(page.locator("[data-cell='2,1']")).to_have_css("font-style", "italic")
    _cell(page, 0, "v")
    expect(panel.locator(".big-value")).to_contain_text(marked)
    expect(panel.locator("mark")).to_have_text(f'"{marked}"')
    for row, style in ((1, "normal"), (2, "italic")):
        page.keyboard.press("Escape")
        _cell(page, row, "v")
        expect(panel.locator(".big-value")).to_contain_text("null")
        expect(panel.locator(".big-value")).to_have_css("font-style", style)
    page.keyboard.press("Escape")
    _cell(page, 3, "v")
    expect(panel.locator(".big-value")).not_to_contain_text("x" * 20_001)
    panel.locator(".big-value").get_by_role("button", name="Show all 50,000 characters").click()
    expect(panel.locator(".big-value")).to_contain_text("x" * 50_000)
    page.keyboard.press("Escape")
    console.go(f"/datasources/{slug}")
    console.heading("n" * 200)
    assert page.evaluate("document.documentElement.scrollWidth") <= 1280
    console.check_narrow()


@pytest.mark.long
def test_a_value_is_set_by_hand(console: Console, coins: Coins) -> None:
    console.expect_refusals(422)
    page = console.page
    console.go(f"/projects/{coins.project}/data", column="price", key="C005")
    panel = page.get_by_role("dialog")
    panel.get_by_role("button", name="Set the value by hand").click()
    panel.get_by_label("Value", exact=True).fill("about 12")
    panel.get_by_label("Reason").fill("The exchange was closed.")
    panel.get_by_role("button", name="Set", exact=True).click()
    expect(panel.get_by_role("alert")).to_be_visible()
    panel.get_by_label("Value", exact=True).fill("12.5")
    page.keyboard.press("Enter")
    expect(panel.get_by_text("the next refresh does")).to_be_visible()
    panel.get_by_role("button", name="Refresh now").click()
    expect(panel.get_by_role("progressbar", name="Progress of the run")).to_be_visible()
    # The refresh is followed, and what it has published is shown.
    expect(panel.get_by_text("The value was set by hand.")).to_be_visible()
    expect(page.locator(".version-bar select")).to_contain_text("2, the published one")
    expect(panel).to_contain_text("The exchange was closed.")
    expect(panel.locator(".big-value")).to_contain_text("12.5")
    expect(panel.locator("mark"), "the value of the source lost").to_have_text("101.25")
    # Who looks at a version that was chosen stays at it.
    console.go(f"/projects/{coins.project}/data", column="price", key="C006", version="1")
    panel.get_by_role("button", name="Set the value by hand").click()
    panel.get_by_label("Value", exact=True).fill("13.5")
    panel.get_by_label("Reason").fill("The exchange was closed.")
    page.keyboard.press("Enter")
    panel.get_by_role("button", name="Refresh now").click()
    panel.get_by_role("button", name="Show the published version").click()
    expect(panel.locator(".big-value")).to_contain_text("13.5")


@pytest.mark.long
def test_a_table_without_rows_says_why(console: Console, deployed: Deployed, coins: Coins) -> None:
    console.expect_refusals(404)
    page = console.page
    console.go(f"/projects/{coins.project}/data", as_of="2020-01-01T00:00:00Z")
    expect(page.get_by_text("Nothing was published at 2020-01-01T00:00:00Z")).to_be_visible()
    expect(page.get_by_text("Version 1 was made")).to_be_visible()
    console.check_accessibility()
    page.get_by_role("button", name="Back to the published one").click()
    expect(page.get_by_text(f"{_ROWS} rows", exact=True)).to_be_visible()
    deployed.done("PUT", f"/projects/{coins.project}/models/later", {"sql": "SELECT symbol FROM merged"})
    console.go(f"/projects/{coins.project}/data", model="later")
    expect(page.get_by_text("The model later has no rows yet.")).to_be_visible()
    page.get_by_role("link", name="Go to the model").click()
    expect(page).to_have_url(re.compile("models[?]model=later"))
    console.leave()
    deployed.done("DELETE", f"/projects/{coins.project}/models/later")


@pytest.mark.long
def test_a_part_of_a_merged_document_leads_to_its_page(console: Console, deployed: Deployed, server: Server) -> None:
    name = f"rates-{secrets.token_hex(3)}"
    deployed.done(
        "PUT", f"/projects/{name}", {"name": name, "merge": {"strategy": "recursive"}, "refresh_on": "manual"}
    )
    for currency, rate in (("CHF", 1.25), ("NOK", 0.0625)):
        slug = f"{name}-{currency.lower()}"
        server.answer(f"/{slug}", json.dumps({"rates": {currency: rate}}).encode())
        deployed.done(
            "PUT", f"/datasources/{slug}", {"name": slug, "kind": "http", "http": {"url": f"{server.url}/{slug}"}}
        )
        deployed.done("PUT", f"/projects/{name}/datasources/{slug}", {})
    deployed.ended(deployed.call("POST", f"/projects/{name}/runs", {"ingest": "all"}, prefer="wait=20").json())
    page = console.page
    console.go(f"/projects/{name}/data")
    page.get_by_role("button", name="0.0625").click()
    panel = page.get_by_role("dialog")
    expect(panel.locator("mark")).to_have_text("0.0625")
    expect(panel.locator(".source-card")).to_contain_text(f"{name}-nok")
    console.check_accessibility()


@pytest.mark.long
def test_a_viewer_reads_no_page_and_sets_no_value(
    browser: Browser, deployed: Deployed, screenshots: Path, coins: Coins
) -> None:
    key = deployed.done("POST", "/keys", {"name": coins.project, "role": "viewer"})
    with Console(browser, deployed, screenshots).opened(key["key"]) as console:
        console.go(f"/projects/{coins.project}/data", column="price", key="C001")
        panel = console.page.get_by_role("dialog")
        expect(panel.get_by_text("Editors of its datasource can read the page as it was received.")).to_be_visible()
        expect(panel.get_by_role("button", name="Set the value by hand")).to_have_count(0)
    deployed.done("DELETE", f"/keys/{key['id']}")
