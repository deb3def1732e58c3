"""SQL on a project's tables, and what it becomes: models, endpoints and reports."""

from __future__ import annotations

import json
import re
import secrets
from pathlib import Path

import httpx
import pytest
from playwright.sync_api import Browser, Locator, expect

from support.browser import Console
from support.server import Server
from support.stack import Deployed

_SALES = [
    {"id": 1, "region": "north", "amount": 10.5, "serial": 9007199254740993},
    {"id": 2, "region": "north", "amount": 4.0, "serial": 2},
    {"id": 3, "region": None, "amount": 7.25, "serial": 3},
]
_BY_REGION = {
    "sql": "SELECT region, sum(amount) AS amount\nFROM sales\nGROUP BY region",
    "tests": [
        {"type": "not_null", "column": "region", "severity": "warn"},
        {"type": "unique", "columns": ["region"]},
    ],
}
_AT_LEAST = {
    "sql": "SELECT id, amount FROM sales WHERE amount >= $least ORDER BY id",
    "parameters": {"least": {"type": "number", "default": 0, "max": 100}},
}
_WEEKLY = {
    "title": "Sales of the week",
    "sections": [
        {"type": "markdown", "text": "All regions."},
        {"type": "table", "title": "Sales", "sql": "SELECT id, amount FROM sales ORDER BY id"},
    ],
}


@pytest.fixture(scope="module")
def project(deployed: Deployed, server: Server) -> str:
    """A project with a datasource `sales`, a model, an endpoint and a report, all of them computed."""
    slug = f"shop-{secrets.token_hex(3)}"
    server.answer(f"/{slug}", json.dumps(_SALES).encode())
    datasource = {"name": "Sales", "kind": "http", "http": {"url": f"{server.url}/{slug}"}, "primary_key": ["id"]}
    deployed.done("PUT", f"/datasources/{slug}", datasource)
    deployed.done("PUT", f"/projects/{slug}", {"name": slug, "refresh_on": "manual"})
    deployed.done("PUT", f"/projects/{slug}/datasources/{slug}", {"alias": "sales"})
    deployed.done("PUT", f"/projects/{slug}/models/by_region", _BY_REGION)
    deployed.done("PUT", f"/projects/{slug}/endpoints/at_least", _AT_LEAST)
    deployed.done("PUT", f"/projects/{slug}/reports/weekly", _WEEKLY)
    run = deployed.ended(deployed.done("POST", f"/projects/{slug}/runs", {"ingest": "all"}))
    assert run["status"] == "succeeded", run["error"]
    return slug


def _editor(console: Console, name: str) -> Locator:
    editor = console.page.locator(".cm-content").and_(console.page.get_by_role("textbox", name=name))
    expect(editor).to_be_visible()
    return editor


def _write(console: Console, name: str, text: str) -> None:
    # Not by a click, which a page that is still being drawn may move under it.
    _editor(console, name).focus()
    expect(_editor(console, name)).to_be_focused()
    console.page.keyboard.press("Control+a")
    console.page.keyboard.insert_text(text)


def _checked(console: Console, name: str) -> None:
    console.screenshot(name)
    console.check_accessibility()
    console.check_narrow()


def test_sql_is_completed_run_and_shared_by_its_address(console: Console, project: str) -> None:
    page = console.page
    console.go("/sql", project=project)
    expect(page.get_by_title("Insert amount")).to_be_visible()
    _write(console, "SQL", "SELECT serial, region, ")
    # Suggestions that come up at once could take the keys.
    page.keyboard.type("amo")
    expect(page.locator(".cm-tooltip-autocomplete")).to_contain_text("amount")
    page.keyboard.press("Escape")
    page.keyboard.insert_text("unt FROM sales ORDER BY id")
    page.keyboard.press("Control+Enter")
    result = page.get_by_role("grid", name="Result")
    # All digits, also of what no JavaScript number can hold.
    expect(result.get_by_role("gridcell", name="9007199254740993")).to_be_visible()
    expect(page.get_by_text("3 rows", exact=True)).to_be_visible()
    result.get_by_role("gridcell", name="9007199254740993").click()
    expect(page.get_by_role("dialog")).to_contain_text("bigint, row 1")
    page.keyboard.press("Escape")
    page.reload()
    expect(page.get_by_role("grid", name="Result").get_by_role("gridcell", name="9007199254740993")).to_be_visible()
    _write(console, "SQL", "SELECT 1")
    past = page.get_by_role("button", name=re.compile("SELECT serial"))
    expect(past).to_contain_text("3 rows")
    past.click()
    expect(_editor(console, "SQL")).to_contain_text("SELECT serial")
    expect(result).to_have_count(0)
    page.get_by_role("button", name="Run").click()
    expect(result).to_be_visible()
    _checked(console, "sql")


@pytest.mark.long
def test_the_values_of_parameters_are_part_of_the_link(console: Console, project: str) -> None:
    page = console.page
    console.go("/sql", project=project, sql="SELECT id FROM sales WHERE amount > $least")
    page.get_by_label("$least").fill("7")
    page.keyboard.press("Enter")
    result = page.get_by_role("grid", name="Result")
    expect(result.get_by_role("row")).to_have_count(3)
    page.get_by_label("$least").fill("9")
    page.keyboard.press("Enter")
    expect(result.get_by_role("row")).to_have_count(2)
    page.reload()
    expect(page.get_by_label("$least")).to_have_value("9")
    expect(result.get_by_role("row")).to_have_count(2)
    page.go_back()
    expect(page.get_by_label("$least")).to_have_value("7")
    expect(result.get_by_role("row")).to_have_count(3)


@pytest.mark.long
def test_an_error_of_sql_is_marked_at_its_place(console: Console, project: str) -> None:
    console.expect_refusals(422)
    page = console.page
    console.go("/sql", project=project)
    _write(console, "SQL", "SELECT id\nFROM sale")
    page.get_by_role("button", name="Run").click()
    expect(page.get_by_role("alert")).to_contain_text("there is no table sale")
    expect(page.locator(".cm-lintRange-error")).to_have_text("sale")
    # A click on a table puts its name where the cursor is; the error is of the old text.
    page.get_by_title("Insert by_region").click()
    expect(_editor(console, "SQL")).to_contain_text("FROM saleby_region")
    expect(page.get_by_role("alert")).to_have_count(0)


@pytest.mark.long
def test_a_query_becomes_a_model_that_is_computed(console: Console, project: str) -> None:
    console.expect_refusals(422)
    page = console.page
    console.go("/sql", project=project, sql="SELECT id, amount FROM sales")
    page.get_by_role("button", name="Model").click()
    dialog = page.get_by_role("dialog")
    dialog.get_by_label("Name").fill("a-b")
    expect(dialog.get_by_text("Use small letters, digits and _ only.")).to_be_visible()
    dialog.get_by_label("Name").fill("1st")
    expect(dialog.get_by_role("button", name="Save")).to_be_enabled()
    page.keyboard.press("Enter")
    expect(dialog.get_by_text("cannot be used in SQL")).to_be_visible()
    dialog.get_by_label("Name").fill("amounts")
    page.keyboard.press("Enter")
    console.heading("Models")
    expect(page.get_by_role("link", name="amounts not computed")).to_be_visible()
    page.get_by_label("Add a test", exact=True).select_option("not_null")
    expect(_editor(console, "Tests of the model")).to_contain_text("type: not_null")
    _write(console, "Tests of the model", "- {type: range, column: amount, max: x}\n- {type: unique}\n")
    page.get_by_role("button", name="Save").click()
    # The second test has no columns: the message is at its line.
    expect(page.get_by_role("alert")).to_contain_text("/tests/1/columns")
    expect(page.locator(".cm-lintRange-error")).to_have_text("- {type: unique}")
    _write(console, "Tests of the model", "- {type: range, column: amount, max: 100}\n")
    page.get_by_role("button", name="Save").click()
    expect(page.get_by_text("The model amounts is saved")).to_be_visible()
    page.get_by_role("button", name="Run", exact=True).click()
    expect(page.get_by_role("link", name="amounts passed")).to_be_visible()


@pytest.mark.long
def test_a_failed_test_shows_the_rows_that_fail_it(console: Console, project: str) -> None:
    page = console.page
    console.go(f"/projects/{project}/models", model="by_region")
    console.heading("Models")
    page.get_by_role("button", name="Show the rows").click()
    rows = page.get_by_role("grid", name="Failing rows")
    expect(rows.get_by_role("gridcell", name="7.25")).to_be_visible()
    expect(rows.get_by_role("row")).to_have_count(2)
    page.get_by_role("button", name="Try the SQL").click()
    expect(page.get_by_role("grid", name="Rows of the SQL").get_by_role("gridcell", name="14.5")).to_be_visible()
    _checked(console, "models")


@pytest.mark.long
def test_a_query_becomes_an_endpoint_that_is_called(console: Console, project: str) -> None:
    console.expect_refusals(422)
    page = console.page
    console.go("/sql", project=project, sql="SELECT id FROM sales WHERE amount <= $most")
    page.get_by_role("button", name="Endpoint").click()
    dialog = page.get_by_role("dialog")
    dialog.get_by_label("Name").fill("at_most")
    dialog.get_by_label("Type").select_option("number")
    dialog.get_by_label("Default").fill("much")
    dialog.get_by_role("button", name="Save").click()
    expect(dialog.get_by_text("Not a number.")).to_be_visible()
    dialog.get_by_label("Default").fill("5")
    console.check_accessibility()
    dialog.get_by_role("button", name="Save").click()
    console.heading("Endpoints")
    page.get_by_role("link", name="at_least").click()
    page.get_by_label("least", exact=True).fill("101")
    page.get_by_role("button", name="Call").click()
    expect(page.get_by_text("it must be at most 100")).to_be_visible()
    page.get_by_label("least", exact=True).fill("7")
    page.keyboard.press("Enter")
    answer = page.get_by_role("grid", name="Answer")
    expect(answer.get_by_role("gridcell", name="10.5")).to_be_visible()
    expect(answer.get_by_role("row")).to_have_count(3)
    address = console.page.get_by_label("Address", exact=True).inner_text()
    assert address == f"{console.deployed.url}/endpoints/{project}/at_least?least=7"
    _checked(console, "endpoints")


@pytest.mark.long
def test_a_report_is_shown_in_place_and_edited(console: Console, project: str) -> None:
    console.expect_refusals(422)
    page = console.page
    console.go(f"/projects/{project}/reports")
    page.get_by_role("link", name="Sales of the week").click()
    console.heading("Sales of the week")
    frame = page.frame_locator("iframe.report")
    expect(frame.get_by_role("cell", name="10.50")).to_be_visible()
    # As high as its page: it scrolls with the console.
    expect(page.locator("iframe.report")).not_to_have_css("height", "600px")
    page.get_by_role("button", name="Edit").click()
    wrong = "title: Sales\nsections:\n  - type: table\n    sql: |\n      SELECT id\n      FROM sale\n"
    _write(console, "Document of the report", wrong)
    page.get_by_role("button", name="Save").click()
    expect(page.locator(".cm-lintRange-error")).to_have_text("      FROM sale")
    _write(console, "Document of the report", wrong.replace("FROM sale", "FROM sales"))
    page.get_by_role("button", name="Save").click()
    expect(page.get_by_text("The report weekly is saved.")).to_be_visible()
    console.heading("Sales")
    page.get_by_role("button", name="Close").click()
    page.get_by_role("button", name="Run", exact=True).click()
    expect(frame.get_by_role("heading", name="Sales", exact=True)).to_be_visible()
    with page.expect_download() as download:
        page.get_by_role("button", name="Download").click()
    assert download.value.suggested_filename.endswith(".html")
    # The earlier run is still there to choose.
    page.get_by_label("As rendered by").select_option(index=2)
    expect(frame.get_by_role("heading", name="Sales of the week")).to_be_visible()
    _checked(console, "report")


@pytest.mark.long
def test_a_new_report_is_written_and_gets_a_section_from_sql(
    console: Console, deployed: Deployed, project: str
) -> None:
    console.expect_refusals(404, 422)  # 404: a report that was not rendered yet
    page = console.page
    console.go(f"/projects/{project}/reports")
    page.get_by_role("button", name="New report").click()
    _write(
        console,
        "Document of the report",
        "title: Of the month\nsections:\n  - type: table\n    sql: SELECT id FROM sale\n",
    )
    page.get_by_label("Name").fill("Wrong name")
    expect(page.get_by_text("Use small letters, digits, - and _ only.")).to_be_visible()
    page.get_by_label("Name").fill("monthly")
    page.get_by_role("button", name="Save").click()
    expect(page.locator(".cm-lintRange-error")).to_contain_text("FROM sale")
    console.check_accessibility()
    _write(console, "Document of the report", "title: Of the month\nsections:\n  - type: markdown\n    text: All.\n")
    page.get_by_role("button", name="Save").click()
    console.heading("Of the month")
    expect(page.get_by_text("It has not been rendered yet.")).to_be_visible()

    console.go("/sql", project=project, sql="SELECT region, amount FROM by_region")
    page.get_by_role("button", name="Report").click()
    dialog = page.get_by_role("dialog")
    dialog.get_by_label("Report").select_option(label="Add to: Of the month")
    dialog.get_by_label("Show the rows as").select_option("bar")
    dialog.get_by_label("Title of the section").fill("By region")
    console.check_accessibility()
    dialog.get_by_role("button", name="Save").click()
    console.heading("Of the month")
    page.get_by_role("button", name="Run", exact=True).click()
    expect(page.frame_locator("iframe.report").get_by_role("heading", name="By region")).to_be_visible()
    sections = deployed.done("GET", f"/projects/{project}/reports/monthly")["sections"]
    assert [section["type"] for section in sections] == ["markdown", "bar"]


@pytest.mark.long
def test_a_query_becomes_a_report_of_its_own(console: Console, deployed: Deployed, project: str) -> None:
    console.expect_refusals(404, 422)
    page = console.page
    console.go("/sql", project=project, sql="SELECT id, amount FROM sales")
    page.get_by_role("button", name="Report").click()
    dialog = page.get_by_role("dialog", name="Save as a report")
    dialog.get_by_label("Name").fill("sold")
    dialog.get_by_label("Title", exact=True).fill("Sold")
    expect(dialog.get_by_role("button", name="Save")).to_be_enabled()
    page.keyboard.press("Enter")
    console.heading("Sold")
    page.get_by_role("button", name="Run", exact=True).click()
    expect(page.frame_locator("iframe.report").get_by_role("cell", name="10.50")).to_be_visible()
    console.check_narrow()
    deployed.done("DELETE", f"/projects/{project}/reports/sold")


@pytest.mark.long
def test_a_link_shares_a_report_until_it_is_revoked(console: Console, project: str) -> None:
    page = console.page
    console.go(f"/projects/{project}/reports/weekly", share="1")
    page.get_by_role("button", name="Create a link").click()
    address = page.get_by_label("New link", exact=True).inner_text()
    with httpx.Client(trust_env=False) as anybody:
        assert "<title>" in anybody.get(address).text
        console.check_accessibility()
        page.get_by_role("button", name="Revoke").click()
        page.get_by_role("dialog", name="Revoke").get_by_role("button", name="Revoke").click()
        expect(page.get_by_text("There are none.")).to_be_visible()
        assert anybody.get(address).status_code in (401, 403, 404, 410)


@pytest.mark.long
def test_a_viewer_reads_and_changes_nothing(
    browser: Browser, deployed: Deployed, screenshots: Path, project: str
) -> None:
    key = deployed.done("POST", "/keys", {"name": project, "role": "viewer", "projects": [project]})["key"]
    with Console(browser, deployed, screenshots).opened(key, theme="dark") as console:
        page = console.page
        console.go("/sql", project=project, sql="SELECT count(*) AS n FROM merged")
        expect(page.get_by_role("gridcell", name="3")).to_be_visible()
        expect(page.get_by_role("button", name="Model")).to_have_count(0)
        console.go(f"/projects/{project}/models", model="by_region")
        expect(page.get_by_role("heading", name="by_region")).to_be_visible()
        console.check_accessibility()
        expect(page.get_by_role("button", name="Run")).to_have_count(0)
        expect(page.get_by_role("button", name="Save")).to_have_count(0)
        console.go(f"/projects/{project}/reports/weekly")
        expect(page.get_by_role("button", name="Download")).to_be_visible()
        expect(page.get_by_role("button", name="Share")).to_have_count(0)
