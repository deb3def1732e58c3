"""Numbers keep all their digits: what is shown, what a click leads to, and what is stored is what the API has."""

from __future__ import annotations

import secrets
from dataclasses import dataclass

import pytest
from playwright.sync_api import Locator, Page, expect

from support.browser import Console
from support.stack import Deployed

# Doubles cannot tell these two apart.
_ANNA, _BOB = 9007199254740992, 9007199254740993
_LONG = "9" * 119 + "12345"


@dataclass(frozen=True)
class People:
    """A datasource, and a project that merges it by an id beyond the integers of a double."""

    datasource: str
    project: str


@pytest.fixture(scope="module")
def people(deployed: Deployed) -> People:
    suffix = secrets.token_hex(3)
    names = People(f"people-{suffix}", f"merged-{suffix}")
    common = {"neg": 1, "-neg": 2, "note": _LONG, "ids": [_BOB, 0.1]}
    records = [{"id": _ANNA, "who": "Anna", **common}, {"id": _BOB, "who": "Bob", **common, "neg": 2, "-neg": 1}]
    deployed.done("PUT", f"/datasources/{names.datasource}", {"name": "People", "kind": "push", "primary_key": ["id"]})
    receipt = deployed.done("POST", f"/datasources/{names.datasource}/records", records)
    deployed.ended({"id": receipt["run"]})
    merge = {"strategy": "join", "key": ["id"]}
    deployed.done("PUT", f"/projects/{names.project}", {"name": "Merged", "merge": merge, "refresh_on": "manual"})
    deployed.done("PUT", f"/projects/{names.project}/datasources/{names.datasource}", {"priority": 1})
    run = deployed.done("POST", f"/projects/{names.project}/runs", {"ingest": "none"})
    assert deployed.ended(run)["status"] == "succeeded"
    return names


def _cell(page: Page, row: int, column: str) -> Locator:
    expect(page.locator("[data-cell='0,0']")).to_be_visible()
    headers = page.get_by_role("columnheader").all_inner_texts()
    index = next(at for at, header in enumerate(headers) if header.rstrip(" ↑↓") == column)
    return page.locator(f"[data-cell='{row},{index}']")


@pytest.mark.long
def test_a_click_leads_to_the_record_whose_long_id_is_shown(
    console: Console, deployed: Deployed, people: People
) -> None:
    page = console.page
    console.go(f"/projects/{people.project}/data")
    expect(_cell(page, 0, "id")).to_have_text(str(_ANNA))
    expect(_cell(page, 1, "id")).to_have_text(str(_BOB))
    expect(_cell(page, 1, "ids")).to_have_text(f"[{_BOB},0.1]")
    _cell(page, 1, "who").click()
    panel = page.get_by_role("dialog")
    expect(panel.locator(".big-value")).to_contain_text("Bob")
    assert f"key={_BOB}" in page.url
    expect(panel.get_by_role("row", name="note")).to_contain_text("… (124 characters)")
    panel.get_by_role("button", name="Set the value by hand").click()
    panel.get_by_label("Value", exact=True).fill("Robert")
    panel.get_by_label("Reason").fill("His whole name.")
    panel.get_by_role("button", name="Set", exact=True).click()
    expect(panel.get_by_text("the next refresh does")).to_be_visible()
    (override,) = deployed.call("GET", f"/projects/{people.project}/overrides").json()["items"]
    assert override["key"] == [str(_BOB)]


@pytest.mark.long
def test_a_value_of_a_long_id_is_found_in_the_right_record(console: Console, people: People) -> None:
    page = console.page
    console.go(f"/datasources/{people.datasource}/data")
    _cell(page, 1, "who").click()
    expect(page.get_by_role("dialog").locator("mark")).to_have_text('"Bob"')


@pytest.mark.long
def test_columns_with_a_minus_in_front_are_sorted_by(console: Console, people: People) -> None:
    page = console.page
    console.go(f"/projects/{people.project}/data")
    page.get_by_role("button", name="-neg", exact=True).click()
    expect(page.get_by_role("columnheader", name="-neg ↓", exact=True)).to_have_attribute("aria-sort", "descending")
    expect(_cell(page, 0, "who")).to_have_text("Anna")
    page.get_by_role("button", name="-neg ↓", exact=True).click()
    page.get_by_role("button", name="neg", exact=True).click()
    page.get_by_role("button", name="neg ↑", exact=True).click()
    expect(page.get_by_role("columnheader", name="neg ↓", exact=True)).to_be_visible()
    expect(_cell(page, 0, "who")).to_have_text("Bob")


@pytest.mark.long
def test_a_cell_that_is_cut_has_its_whole_text_as_tooltip(console: Console, people: People) -> None:
    page = console.page
    console.go(f"/projects/{people.project}/data")
    expect(_cell(page, 0, "note")).to_have_attribute("title", _LONG)
    identifier = _cell(page, 0, "id")
    assert identifier.get_attribute("title") is None
    assert identifier.evaluate("element => element.scrollWidth <= element.clientWidth"), "the number is cut"


@pytest.mark.long
def test_pushed_records_are_sent_as_they_were_typed(console: Console, deployed: Deployed) -> None:
    slug = f"push-{secrets.token_hex(3)}"
    deployed.done("PUT", f"/datasources/{slug}", {"name": slug, "kind": "push", "primary_key": ["id"]})
    page = console.page
    console.go(f"/datasources/{slug}")
    page.get_by_label("Records").fill(f'[{{"id": {_BOB}, "exact": 12345678901234567890}}]')
    page.get_by_role("button", name="Push 1 record").click()
    expect(page.get_by_role("status").filter(has_text="Open the run")).to_contain_text("1 row")
    (record,) = deployed.rows(f"datasources/{slug}")
    assert (record["id"], str(record["exact"])) == (_BOB, "12345678901234567890")


@pytest.mark.long
def test_a_definition_keeps_the_numbers_that_nobody_touched(console: Console, deployed: Deployed) -> None:
    slug = f"mongo-{secrets.token_hex(3)}"
    mongo = {"uri": "m", "database": "d", "collection": "c", "filter": {"account": {"$gt": 1234567890123456789}}}
    deployed.done("PUT", f"/datasources/{slug}", {"name": slug, "kind": "mongo", "mongo": mongo})
    page = console.page
    console.go(f"/datasources/{slug}/edit")
    expect(page.locator(".cm-content")).to_contain_text("1234567890123456789")
    page.get_by_label("Description").fill("Accounts")
    page.get_by_role("button", name="Save").click()
    page.wait_for_url(f"**/datasources/{slug}")
    stored = deployed.call("GET", f"/datasources/{slug}").json()
    assert (stored["description"], stored["mongo"]["filter"]) == ("Accounts", mongo["filter"])


@pytest.mark.long
def test_the_yaml_of_an_input_keeps_all_digits(console: Console, deployed: Deployed) -> None:
    slug = f"digits-{secrets.token_hex(3)}"
    deployed.done("PUT", f"/inputs/{slug}", {"kind": "document", "document": {"seed": 12345678901234567890}})
    page = console.page
    console.go(f"/inputs/{slug}")
    editor = page.get_by_role("textbox", name="The document as YAML")
    expect(editor).to_contain_text("seed: 12345678901234567890")
    editor.click()
    page.keyboard.press("Control+End")
    page.keyboard.insert_text("share: 0.12345678901234567891\nnone: .inf\n")
    expect(page.get_by_text("JSON has no number .inf")).to_be_visible()
    page.keyboard.press("ArrowUp")
    page.keyboard.press("Shift+End")
    page.keyboard.insert_text("least: -0.0")
    page.get_by_role("button", name="Save as a new version").click()
    expect(page.get_by_text("Version 2").first).to_be_visible()
    text = deployed.call("GET", f"/inputs/{slug}").text.replace(" ", "")
    for part in ('"seed":12345678901234567890', '"share":0.12345678901234567891', '"least":-0.0'):
        assert part in text
    page.reload()
    expect(editor).to_contain_text("share: 0.12345678901234567891")


@pytest.mark.long
def test_small_values_of_a_sensor_are_not_rounded(console: Console, deployed: Deployed) -> None:
    suffix = secrets.token_hex(3)
    sensor = f"s-{suffix}.pressure"
    deployed.done("POST", "/vessels", {"code": f"S-{suffix}", "name": "Small"})
    deployed.done("POST", f"/sites/S-{suffix}/equipment", {"code": f"S-{suffix}-P1"})
    limits = {"high": 0.0001, "high_high": 0.0003}
    body = {"id": sensor, "equipment": f"S-{suffix}-P1", "metric": "pressure", "unit": "bar", "limits": limits}
    deployed.done("POST", "/sensors", body)
    deployed.done("POST", "/readings", [{"sensor": sensor, "time": "2026-01-02T03:04:05Z", "value": 0.00042}])
    page = console.page
    console.go(f"/sensors/{sensor}")
    expect(page.get_by_text("0.00042 bar (high high)")).to_be_visible()
    expect(page.get_by_text("high 0.0001 bar, high high 0.0003 bar").first).to_be_visible()
    console.go("/alarms")
    expect(page.get_by_text("0.00042 bar is above high high, 0.0003 bar.")).to_be_visible()
    console.leave()
    for path in (f"/sensors/{sensor}", f"/equipment/S-{suffix}-P1", f"/sites/S-{suffix}"):
        deployed.done("DELETE", path)


@pytest.mark.long
def test_a_seed_that_is_no_number_is_refused_at_its_field(console: Console, deployed: Deployed) -> None:
    console.expect_refusals(422)
    project = f"seeded-{secrets.token_hex(3)}"
    deployed.done("PUT", f"/projects/{project}", {"name": project, "merge": {"strategy": "union"}})
    page = console.page
    console.go(f"/projects/{project}/algorithms/grooming", part="start")
    seed = page.get_by_label("seed", exact=True)
    seed.fill("abc")
    page.get_by_role("button", name="Start the run").click()
    expect(seed).to_have_attribute("aria-invalid", "true")
