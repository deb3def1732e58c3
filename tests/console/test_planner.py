"""A planner's day, from nothing: two workbooks with errors, mended, planned, and two plans compared."""

from __future__ import annotations

import secrets

import pytest
from playwright.sync_api import FilePayload, Page, expect

from support.browser import Console
from support.network import small_matrix, small_topology
from support.workbooks import topology_workbook, traffic_workbook

_XLSX = "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet"


@pytest.fixture
def label() -> str:
    return secrets.token_hex(3)


def choose(page: Page, name: str, content: bytes) -> None:
    with page.expect_file_chooser() as chooser:
        page.get_by_role("button", name="Choose a workbook").click()
    chooser.value.set_files(FilePayload(name=name, mimeType=_XLSX, buffer=content))


def begin_input(page: Page, slug: str, kind: str) -> None:
    page.get_by_role("link", name="Inputs").first.click()
    page.get_by_role("button", name="Create an input").click()
    page.get_by_label("Slug").fill(slug)
    page.get_by_label("Kind").select_option(label=kind)


def use_in(page: Page, project: str) -> None:
    page.get_by_role("link", name="Projects", exact=True).last.click()
    page.get_by_label("Project").select_option(project)
    page.get_by_role("button", name="Use the latest version").click()
    expect(page.get_by_role("row", name=project)).to_contain_text("the latest")


def plan(page: Page, threshold: int, note: str) -> None:
    page.get_by_label("mp1h_threshold").select_option(str(threshold))
    page.get_by_label("iterations").fill("1")
    page.get_by_label("Comment on the run").fill(note)
    page.keyboard.press("Enter")
    expect(page.get_by_text("succeeded", exact=True)).to_be_visible()


def test_two_workbooks_with_errors_become_two_plans_compared(console: Console, label: str) -> None:
    console.expect_refusals(422)
    project, topology, traffic = f"plan-{label}", f"north-{label}", f"traffic-{label}"
    page = console.page
    page.get_by_role("link", name="Projects", exact=True).click()
    page.get_by_role("button", name="Create a project").click()
    page.get_by_label("Name").fill(project)
    page.keyboard.press("Enter")
    console.heading(project)

    # The topology has three wrong cells, which are corrected in the table by keyboard.
    begin_input(page, topology, "Topology")
    network = small_topology()
    network["nodes"][2]["roadm_type"] = "Colourless"
    network["links"][0]["length"] = "far"
    network["links"][1]["destination"] = "Zwole"
    choose(page, "topology.xlsx", topology_workbook(network))
    faults = page.get_by_role("alert")
    expect(faults.get_by_role("heading")).to_have_text("3 errors in topology.xlsx")
    expect(faults.get_by_role("row", name="E4")).to_contain_text("Nodes4ROADM_Type2")
    expect(faults.get_by_role("row", name="D2")).to_contain_text("Links2Length4")
    expect(faults.get_by_role("row", name="C3")).to_contain_text("There is no node 'Zwole'")
    console.screenshot("workbook-errors")
    console.check_accessibility()
    faults.get_by_role("button", name="E4").click()
    cell = page.get_by_label("ROADM type, row 3")
    expect(cell).to_be_focused()
    expect(cell).to_have_attribute("aria-invalid", "true")
    cell.select_option("CDC")
    faults.get_by_role("button", name="D2").click()
    expect(page.get_by_label("Length in km, row 1")).to_be_focused()
    page.keyboard.press("ControlOrMeta+A")
    page.keyboard.type("42.5")
    faults.get_by_role("button", name="C3").click()
    expect(page.get_by_label("Destination, row 2")).to_be_focused()
    page.keyboard.press("ControlOrMeta+A")
    page.keyboard.type("Zwolle")
    page.keyboard.press("Tab")
    expect(faults.get_by_role("heading")).to_have_text("3 errors in topology.xlsx, 3 changed")
    page.get_by_label("Comment").fill("Survey of May")
    page.keyboard.press("Enter")
    console.heading(topology)
    expect(page.get_by_text("Topology, version 1")).to_contain_text("Survey of May")
    use_in(page, project)

    # The traffic matrix has three as well; the workbook is mended and dropped again.
    begin_input(page, traffic, "Traffic matrix")
    wrong = small_matrix()
    wrong["demands"]["1"]["restoration_type"] = "Sometimes"
    wrong["demands"]["2"]["protection_type"] = None
    wrong["demands"]["3"]["services"][0]["quantity"] = "six"
    choose(page, "traffic.xlsx", traffic_workbook(wrong))
    expect(faults.get_by_role("row", name="D3")).to_contain_text("Restoration_Type7")
    expect(faults.get_by_role("row", name="E4")).to_contain_text("Protection_Type6")
    expect(faults.get_by_role("row", name="M5")).to_contain_text("Quantity_GE8")
    expect(page.get_by_label("GE, row 3", exact=True)).to_have_attribute("aria-invalid", "true")
    choose(page, "traffic.xlsx", traffic_workbook(small_matrix()))
    expect(faults).to_have_count(0)
    expect(page.get_by_label("GE, row 3", exact=True)).to_have_value("6")
    page.get_by_role("button", name="Create the input").click()
    console.heading(traffic)
    use_in(page, project)

    # Two plans with different thresholds.
    page.get_by_role("link", name="Algorithms").click()
    page.get_by_role("link", name="Network planning").click()
    page.get_by_label("Project").select_option(project)
    page.get_by_role("button", name="Open").click()
    page.get_by_role("link", name="Start the first run").click()
    plan(page, 0, "all services")
    expect(page.get_by_label("Summary")).to_contain_text("services")
    page.get_by_role("link", name="runs", exact=True).click()
    page.get_by_role("link", name="New run").click()
    plan(page, 70, "large ones only")
    page.get_by_role("link", name="runs", exact=True).click()
    boxes = page.get_by_role("checkbox")
    expect(boxes).to_have_count(2)
    boxes.first.check()
    boxes.last.press("Space")
    page.get_by_role("button", name="Compare").click()
    console.heading("Compare two runs")
    expect(page.get_by_role("row", name="parameters › mp1h_threshold")).to_contain_text("070")
    expect(page.get_by_role("row", name="remaining services")).to_contain_text("+")
    expect(page.get_by_role("region", name="Right network")).to_contain_text("large ones only")
    console.screenshot("compare-runs")
    console.check_accessibility()
    console.check_narrow()
