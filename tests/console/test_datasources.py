"""Datasources: found out, written by form and YAML, tried, saved, fed, replayed, deleted and restored."""

from __future__ import annotations

import json
import secrets
from http.server import BaseHTTPRequestHandler
from pathlib import Path
from urllib.parse import parse_qs, urlsplit

import pytest
from playwright.sync_api import Browser, Locator, Page, Route, expect

from support.browser import Console
from support.server import Server, send
from support.stack import Deployed, until


@pytest.fixture
def slug() -> str:
    return f"ds-{secrets.token_hex(3)}"


def _coins(server: Server, path: str) -> str:
    """An API of two pages; its address."""

    def answer(handler: BaseHTTPRequestHandler) -> None:
        page = int(parse_qs(urlsplit(handler.path).query).get("page", ["1"])[0])
        first = (page - 1) * 10
        rows = [
            {"code": f"C{number:03}", "price": number / 4} for number in range(first, first + 10 if page < 3 else 0)
        ]
        body = {"data": rows, "next": f"{server.url}{path}?page={page + 1}" if page < 2 else None}
        send(handler, json.dumps(body).encode())

    server.routes[path] = answer
    return f"{server.url}{path}"


def _type_yaml(page: Page, text: str) -> None:
    editor = page.get_by_role("textbox", name="YAML")
    expect(page.locator(".cm-editor")).to_be_visible()
    editor.click()
    page.keyboard.press("Control+a")
    page.keyboard.insert_text(text)


def _yaml(page: Page) -> Locator:
    return page.locator(".cm-content")


@pytest.mark.long
def test_an_address_is_found_out_taken_over_saved_and_run(
    console: Console, deployed: Deployed, server: Server, slug: str
) -> None:
    address = _coins(server, f"/{slug}")
    page = console.page
    console.go("/datasources")
    page.get_by_role("link", name="New datasource").click()
    page.get_by_label("Address of an API").fill(address)
    page.keyboard.press("Enter")
    expect(page.get_by_role("list", name="Why")).to_contain_text("verified")
    expect(page.get_by_role("region", name="First records: rows")).to_contain_text("C000")
    console.screenshot("datasource-detected")
    console.check_accessibility()
    page.get_by_role("button", name="Take it over").click()
    page.get_by_label("Name in addresses").fill(slug)
    page.get_by_label("Name", exact=True).fill(f"Coins {slug}")
    expect(_yaml(page)).to_contain_text(f"slug: {slug}")
    page.get_by_role("button", name="Preview").click()
    expect(page.get_by_role("region", name="Preview: rows")).to_contain_text("C000")
    page.get_by_role("button", name="Create").click()
    console.heading(f"Coins {slug}")
    page.get_by_role("button", name="Run now").click()
    run = page.get_by_role("status").filter(has_text="Open the run")
    expect(run).to_contain_text("20 rows, version 1")
    expect(page.get_by_role("row").filter(has_text="version 1")).to_be_visible()
    console.screenshot("datasource")
    console.check_accessibility()
    page.get_by_role("link", name="Schema").click()
    expect(page.get_by_role("region", name="Columns")).to_contain_text("price")
    page.get_by_role("button", name="Replay").click()
    page.get_by_role("dialog").get_by_role("button", name="Replay").click()
    expect(run).to_contain_text("20 rows, version 2")
    console.check_narrow()
    console.leave()
    deployed.done("DELETE", f"/datasources/{slug}")


@pytest.mark.long
def test_what_is_not_known_yet_is_not_called_missing(
    console: Console, deployed: Deployed, server: Server, slug: str
) -> None:
    document = {"name": slug, "kind": "http", "http": {"url": _coins(server, f"/{slug}")}, "records": "data[]"}
    deployed.done("PUT", f"/datasources/{slug}", document)
    deployed.ended(deployed.done("POST", f"/datasources/{slug}/runs"))
    page = console.page
    held: list[Route] = []
    page.route("**/versions?*", lambda route: held.append(route), times=1)
    console.go(f"/datasources/{slug}")
    facts = page.locator("section.panel").filter(has_text="How it stands")
    expect(facts.get_by_text("…", exact=True)).to_be_visible()
    expect(facts.get_by_text("none yet")).to_have_count(0)
    for route in held:
        route.continue_()
    expect(facts.get_by_role("link", name="1", exact=True)).to_be_visible()


def test_form_and_yaml_follow_each_other_and_show_errors_at_both(
    console: Console, deployed: Deployed, slug: str
) -> None:
    console.expect_refusals(412, 422)
    document = {"name": slug, "kind": "http", "http": {"url": "https://api.example.com/v1"}, "primary_key": ["id"]}
    deployed.done("PUT", f"/datasources/{slug}", document)
    page = console.page
    console.go(f"/datasources/{slug}/edit")
    _type_yaml(page, f"# kept\nname: {slug}\nkind: http\nhttp:\n  url: ftp://x\n  body: {{a: 1}}\n")
    expect(page.get_by_label("URL")).to_have_value("ftp://x")
    page.get_by_label("Pages", exact=True).select_option("page")
    page.get_by_label("Primary key").press_sequentially("id, code")
    for part in ("# kept", "body: {a: 1}", "type: page", "- code"):
        expect(_yaml(page)).to_contain_text(part)
    page.get_by_role("button", name="Check").click()
    faults = page.get_by_role("list", name="Faults")
    expect(faults).to_contain_text("Line 5: Give a whole address such as https://api.example.com/v1/coins")
    expect(faults).to_contain_text("/http/pagination/page_param: This field is required")
    expect(page.get_by_label("Parameter of the page number")).to_have_attribute("aria-invalid", "true")
    expect(page.get_by_label("URL")).to_have_attribute("aria-invalid", "true")
    console.screenshot("datasource-edit")
    console.check_accessibility()
    page.get_by_role("button", name="URL", exact=True).click()
    expect(page.get_by_label("URL")).to_be_focused()
    page.get_by_label("URL").fill("https://api.example.com/v2")
    expect(page.get_by_label("URL")).not_to_have_attribute("aria-invalid", "true")
    expect(page.get_by_label("Parameter of the page number"), "only what was mended").to_have_attribute(
        "aria-invalid", "true"
    )
    page.get_by_label("Parameter of the page number").fill("p")
    page.get_by_label("Method").select_option("POST")
    # Somebody else saves it meanwhile: nothing is lost before the user has chosen.
    deployed.done("PUT", f"/datasources/{slug}", document | {"description": "theirs"})
    page.get_by_role("button", name="Save").click()
    expect(page.get_by_role("alert")).to_contain_text("Somebody else has changed")
    page.get_by_text("What is saved now").click()
    expect(page.get_by_role("alert")).to_contain_text("description: theirs")
    page.get_by_role("button", name="Keep mine").click()
    page.get_by_role("button", name="Save").click()
    console.heading(slug)
    saved = deployed.done("GET", f"/datasources/{slug}")
    assert saved["http"]["url"] == "https://api.example.com/v2"
    assert saved["http"]["body"] == {"a": 1}
    assert saved["primary_key"] == ["id", "code"]
    _type_in_broken_yaml(console, slug)
    console.leave()
    deployed.done("DELETE", f"/datasources/{slug}")


def _type_in_broken_yaml(console: Console, slug: str) -> None:
    console.go(f"/datasources/{slug}/edit")
    _type_yaml(console.page, "name: [x\n")
    expect(console.page.get_by_text("The YAML cannot be read")).to_be_visible()
    expect(console.page.get_by_role("button", name="Save")).to_be_disabled()
    console.check_narrow()


@pytest.mark.long
def test_a_template_is_pushed_to_then_disabled_deleted_and_restored(
    console: Console, deployed: Deployed, slug: str
) -> None:
    console.expect_refusals(404)
    page = console.page
    console.go("/datasources/new")
    page.get_by_role("button", name="Pushed records").click()
    page.get_by_label("Name", exact=True).fill(slug)
    page.get_by_role("button", name="Create").click()
    console.heading(slug)
    records = page.get_by_label("Records")
    records.fill("[{")
    expect(page.get_by_text("This is no JSON")).to_be_visible()
    records.fill('[{"id": 1, "v": 2}, {"id": 2, "v": 3}]')
    page.get_by_role("button", name="Push 2 records").click()
    expect(page.get_by_role("status").filter(has_text="Open the run")).to_contain_text("2 rows, version 1")
    page.get_by_role("button", name="Disable").click()
    page.get_by_role("dialog").get_by_role("button", name="Disable").click()
    expect(page.get_by_role("heading", level=1)).to_contain_text("disabled")
    page.get_by_role("link", name="Members").click()
    expect(page.get_by_role("row", name="owner")).to_be_visible()
    page.get_by_role("link", name="Overview").click()
    page.get_by_role("button", name="Delete").click()
    page.get_by_role("dialog").get_by_role("button", name="Delete").click()
    expect(page.get_by_text(f"There is no datasource {slug}.")).to_be_visible()
    console.check_accessibility()
    page.get_by_role("button", name="Restore it").click()
    page.get_by_role("dialog").get_by_role("button", name="Restore it").click()
    expect(page.get_by_role("link", name="Definition")).to_be_visible()
    console.heading(slug)
    console.leave()
    deployed.done("DELETE", f"/datasources/{slug}")


@pytest.mark.long
def test_a_deletion_says_which_projects_lose_the_datasource(console: Console, deployed: Deployed, slug: str) -> None:
    console.expect_refusals(404, 409)
    deployed.done("PUT", f"/datasources/{slug}", {"name": slug, "kind": "push"})
    deployed.done("PUT", f"/projects/uses-{slug}", {"name": slug, "merge": {"strategy": "union"}})
    deployed.done("PUT", f"/projects/uses-{slug}/datasources/{slug}", {})
    page = console.page
    console.go(f"/datasources/{slug}")
    page.get_by_role("button", name="Delete").click()
    dialog = page.get_by_role("dialog")
    dialog.get_by_role("button", name="Delete").click()
    expect(dialog).to_contain_text(f"It is taken out of uses-{slug}")
    dialog.get_by_role("button", name="Delete it nevertheless").click()
    expect(page.get_by_text(f"There is no datasource {slug}.")).to_be_visible()
    console.leave()
    deployed.done("DELETE", f"/projects/uses-{slug}")


@pytest.mark.long
def test_a_header_that_was_typed_counts_without_its_button(console: Console, slug: str) -> None:
    page = console.page
    console.go("/datasources/new", kind="http")
    page.get_by_label("Headers: new name").fill("X-A")
    page.get_by_label("Headers: new value").fill("b")
    page.get_by_label("Name", exact=True).fill(slug)
    expect(page.get_by_label("Headers: X-A")).to_have_value("b")
    expect(_yaml(page)).to_contain_text("X-A: b")


@pytest.mark.long
def test_a_refused_reading_is_in_quarantine_until_it_is_discarded(
    console: Console, deployed: Deployed, slug: str
) -> None:
    deployed.done("PUT", f"/datasources/{slug}", {"name": slug, "kind": "stream"})
    deployed.drop(f"_readings/{slug}.csv", f"sensor,time,value\n{slug},2026-01-31T12:00:00Z,high\n".encode())
    until(lambda: slug in json.dumps(deployed.done("GET", "/readings/quarantine?limit=200")))
    page = console.page
    console.go(f"/datasources/{slug}")
    page.get_by_role("link", name="Quarantine").click()
    console.heading("Quarantine")
    row = page.get_by_role("row").filter(has_text=slug)
    row.get_by_role("checkbox").check()
    page.get_by_role("button", name="Take in 1 again").click()
    page.get_by_role("dialog").get_by_role("button", name="Take in 1 again").click()
    expect(page.get_by_text("Still refused:")).to_be_visible()
    console.screenshot("datasource-quarantine")
    console.check_accessibility()
    row.get_by_role("checkbox").check()
    page.get_by_role("button", name="Discard 1").click()
    page.get_by_role("dialog").get_by_role("button", name="Discard 1").click()
    expect(row).to_have_count(0)
    console.check_narrow()
    console.leave()
    deployed.done("DELETE", f"/datasources/{slug}")


@pytest.mark.long
def test_a_viewer_reads_but_changes_nothing(browser: Browser, deployed: Deployed, screenshots: Path, slug: str) -> None:
    deployed.done("PUT", f"/datasources/{slug}", {"name": slug, "kind": "push"})
    key = deployed.done("POST", "/keys", {"name": slug, "role": "viewer"})
    with Console(browser, deployed, screenshots).opened(key["key"]) as console:
        console.go("/datasources", search=slug)
        expect(console.page.get_by_role("link", name=slug)).to_be_visible()
        expect(console.page.get_by_role("link", name="New datasource")).to_have_count(0)
        console.screenshot("datasources")
        console.check_accessibility()
        console.page.get_by_role("link", name=slug).click()
        console.heading(slug)
        console.settle()
        for name in ("Push", "Disable", "Delete", "Run now"):
            expect(console.page.get_by_role("button", name=name)).to_have_count(0)
        console.page.get_by_role("link", name="Definition").click()
        expect(_yaml(console.page)).to_contain_text("kind: push")
        expect(console.page.get_by_role("button", name="Save")).to_have_count(0)
    deployed.done("DELETE", f"/keys/{key['id']}")
    deployed.done("DELETE", f"/datasources/{slug}")


@pytest.mark.long
def test_a_missing_secret_is_told_at_its_field(console: Console) -> None:
    console.expect_refusals(422)
    page = console.page
    console.go("/datasources/new")
    page.get_by_label("Address of an API").fill("https://api.example.com/v1/things")
    page.get_by_label("Credentials").select_option("bearer token")
    page.get_by_label("Secret").fill("no-such-secret")
    page.get_by_role("button", name="Detect").click()
    expect(page.get_by_label("Secret")).to_have_attribute("aria-invalid", "true")
    expect(page.get_by_text("There is no secret 'no-such-secret'; set it in the console")).to_have_count(1)
    console.check_accessibility()
