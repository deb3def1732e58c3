"""Inputs: their document as tables and YAML, versions, and the projects that use them."""

from __future__ import annotations

import secrets
from collections.abc import Iterator
from pathlib import Path

import pytest
from playwright.sync_api import Browser, FilePayload, expect

from support.browser import Console
from support.network import small_matrix, small_topology
from support.stack import Deployed
from support.workbooks import topology_workbook


@pytest.fixture
def topology(deployed: Deployed) -> Iterator[str]:
    """A topology with two versions."""
    slug = f"topology-{secrets.token_hex(3)}"
    document = small_topology()
    body = {"kind": "topology", "document": document, "comment": "Survey of May"}
    deployed.done("PUT", f"/inputs/{slug}", body)
    document["links"][4]["length"] = 110
    deployed.done("PUT", f"/inputs/{slug}", {"document": document, "comment": "Zwolle measured"})
    yield slug
    deployed.call("DELETE", f"/inputs/{slug}?force=true")


@pytest.mark.long
def test_a_document_is_edited_as_a_table_by_keyboard(console: Console, deployed: Deployed, topology: str) -> None:
    console.expect_refusals(422)
    page = console.page
    console.go(f"/inputs/{topology}", table="links")
    page.get_by_label("Length in km, row 1").focus()
    page.keyboard.press("Enter")
    expect(page.get_by_label("Length in km, row 2")).to_be_focused()
    page.keyboard.press("ArrowUp")
    expect(page.get_by_label("Length in km, row 1")).to_be_focused()
    page.keyboard.press("ControlOrMeta+A")
    page.keyboard.type("-1.5")
    page.get_by_role("button", name="Add a link").click()
    expect(page.get_by_label("Source, row 7")).to_be_focused()
    page.keyboard.type("Utrecht")
    page.keyboard.press("Tab")
    page.keyboard.type("Zwole")
    page.keyboard.press("Tab")
    page.keyboard.type("77")
    page.get_by_label("Comment").fill("A link more")
    page.keyboard.press("Enter")

    # Both errors of the API are at their cells.
    faults = page.get_by_role("alert")
    expect(faults.get_by_role("heading")).to_have_text("2 errors")
    faults.get_by_role("button", name="Links, row 7").click()
    expect(page.get_by_label("Destination, row 7")).to_be_focused()
    expect(page.get_by_text("Row 7, destination: There is no node 'Zwole'.")).to_be_visible()
    console.screenshot("input-errors")
    console.check_accessibility()
    page.get_by_label("Destination, row 7").fill("Zwolle")
    page.get_by_role("button", name="Remove link 1").click()
    page.get_by_role("button", name="Save as a new version").click()
    expect(page.get_by_text("Topology, version 3")).to_contain_text("A link more")
    links = deployed.done("GET", f"/inputs/{topology}")["document"]["links"]
    assert [links[0]["length"], links[-1]["destination"], links[-1]["length"]] == [91, "Zwolle", 77]
    console.check_narrow()


@pytest.mark.long
def test_a_checked_workbook_replaces_no_changes_by_itself(console: Console, topology: str) -> None:
    page = console.page
    document = small_topology()
    document["nodes"][0]["name"] = "Delft"
    for one in document["links"]:
        for end in ("source", "destination"):
            one[end] = "Delft" if one[end] == "Amsterdam" else one[end]
    content = topology_workbook(document)
    upload = FilePayload(name="topology.xlsx", mimeType="application/octet-stream", buffer=content)
    console.go(f"/inputs/{topology}", table="nodes")
    field = page.get_by_label("Node, row 1")
    with console.held("**/import?*"):
        page.get_by_label("Workbook").set_input_files(upload)
        field.fill("Amsterdam Zuid")
        page.keyboard.press("Enter")
    question = page.get_by_role("dialog", name="Take over topology.xlsx?")
    console.check_accessibility()
    question.get_by_role("button", name="Keep the changes").click()
    expect(field).to_have_value("Amsterdam Zuid")
    page.get_by_label("Workbook").set_input_files(upload)
    question.get_by_role("button", name="Take it over").click()
    expect(field).to_have_value("Delft")
    # Nothing was edited since.
    page.get_by_label("Workbook").set_input_files(upload)
    expect(page.get_by_text("topology.xlsx has no errors.").nth(1)).to_be_visible()
    expect(question).to_have_count(0)
    page.get_by_role("button", name="Discard the changes").click()
    expect(field).to_have_value("Amsterdam")


@pytest.mark.long
def test_versions_are_compared_and_restored(console: Console, topology: str) -> None:
    page = console.page
    console.go(f"/inputs/{topology}", part="versions")
    difference = page.get_by_role("row", name="links › Zwolle–Groningen › length")
    expect(difference).to_contain_text("104110")
    page.get_by_role("button", name="Restore version 1").click()
    page.get_by_label("Why").fill("The measurement was wrong")
    page.keyboard.press("Enter")
    restored = page.get_by_role("row", name="The measurement was wrong")
    expect(restored).to_contain_text("restores 1")
    page.get_by_label("Compare from version 1").check()
    page.get_by_label("Compare to version 3").check()
    expect(page.get_by_text("The documents are the same.")).to_be_visible()
    console.screenshot("input-versions")
    console.check_accessibility()
    page.get_by_role("link", name="2", exact=True).click()
    expect(page.get_by_text("This is version 2, which cannot be changed.")).to_be_visible()
    expect(page.get_by_role("button", name="Save as a new version")).to_have_count(0)
    console.go(f"/inputs/{topology}", part="versions")
    console.check_narrow()


@pytest.mark.long
def test_a_deleted_input_is_found_and_restored(console: Console, deployed: Deployed, topology: str) -> None:
    page = console.page
    console.go(f"/inputs/{topology}")
    page.get_by_role("button", name="Delete").click()
    page.get_by_role("dialog").get_by_role("button", name="Delete").click()
    console.heading("Inputs")
    expect(page.get_by_role("link", name=topology)).to_have_count(0)
    page.get_by_label("Show").select_option(label="Deleted ones")
    page.get_by_role("link", name=topology).click()
    expect(page.get_by_text("This input was deleted")).to_be_visible()
    console.check_accessibility()
    page.get_by_role("button", name="Restore version 2").click()
    page.get_by_label("Why").fill("Deleted by mistake")
    page.get_by_role("dialog").get_by_role("button", name="Restore").click()
    expect(page.get_by_role("row", name="Deleted by mistake")).to_contain_text("restores 2")
    expect(page.get_by_text("This input was deleted")).to_have_count(0)
    page.get_by_role("link", name="Document").click()
    expect(page.get_by_label("Node, row 1")).to_have_value("Amsterdam")
    assert deployed.done("GET", f"/inputs/{topology}")["version"] == 3


@pytest.mark.long
def test_services_keep_their_ids_when_their_number_changes(console: Console, deployed: Deployed) -> None:
    slug = f"traffic-{secrets.token_hex(3)}"
    deployed.done("PUT", f"/inputs/{slug}", {"kind": "traffic_matrix", "document": small_matrix()})
    page = console.page
    console.go(f"/inputs/{slug}")
    page.get_by_label("10GE, row 2").fill("4")
    page.get_by_label("100GE, row 1").fill("")
    page.get_by_label("STM16, row 3").fill("1")
    page.get_by_role("button", name="Save as a new version").click()
    expect(page.get_by_text("Traffic matrix, version 2")).to_be_visible()
    demands = deployed.done("GET", f"/inputs/{slug}")["document"]["demands"]
    assert [service["type"] for service in demands["1"]["services"]] == ["10GE"]
    assert demands["2"]["services"][1]["service_id_list"] == ["12", "13", "14", "2-10GE-1"]
    assert demands["3"]["services"][-1] == {"type": "STM16", "quantity": 1, "service_id_list": ["3-STM16-1"]}
    deployed.done("DELETE", f"/inputs/{slug}")


@pytest.mark.long
def test_any_document_is_yaml_and_the_blank_workbook_is_downloaded(console: Console, deployed: Deployed) -> None:
    slug = f"notes-{secrets.token_hex(3)}"
    page = console.page
    console.go("/inputs", new="topology")
    with page.expect_download() as download:
        page.get_by_role("button", name="Download a blank one").click()
    assert Path(download.value.path()).read_bytes()[:2] == b"PK"
    page.get_by_label("Kind").select_option("document")
    page.get_by_label("Slug").fill(slug)
    editor = page.get_by_role("textbox", name="The document as YAML")
    expect(page.locator(".cm-editor")).to_be_visible()
    editor.click()
    page.keyboard.press("ControlOrMeta+A")
    page.keyboard.type("rates: [1.25, 10]")
    page.get_by_role("button", name="Create the input").click()
    console.heading(slug)
    assert deployed.done("GET", f"/inputs/{slug}")["document"] == {"rates": [1.25, 10]}
    page.get_by_role("button", name="Delete").click()
    page.get_by_role("dialog").get_by_role("button", name="Delete").click()
    console.heading("Inputs")
    console.screenshot("inputs")
    console.check_accessibility()
    console.check_narrow()


@pytest.mark.long
def test_a_viewer_reads_only(browser: Browser, deployed: Deployed, screenshots: Path, topology: str) -> None:
    key = deployed.done("POST", "/keys", {"name": topology, "role": "viewer"})
    deployed.done("PUT", f"/inputs/{topology}/members/key:{key['id']}", {"role": "viewer"})
    with Console(browser, deployed, screenshots).opened(key["key"]) as console:
        page = console.page
        console.go(f"/inputs/{topology}")
        expect(page.get_by_label("Node, row 1")).to_have_value("Amsterdam")
        for name in ("Save as a new version", "Choose a workbook", "Add a node", "Delete"):
            expect(page.get_by_role("button", name=name)).to_have_count(0)
        console.go("/inputs")
        expect(page.get_by_role("link", name=topology)).to_be_visible()
        expect(page.get_by_role("button", name="Create an input")).to_have_count(0)
    deployed.done("DELETE", f"/keys/{key['id']}")
