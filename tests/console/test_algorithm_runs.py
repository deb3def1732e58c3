"""Algorithms: the catalogue, runs of a project, results, and networks on a drawing."""

from __future__ import annotations

import json
import secrets
from pathlib import Path

import pytest
from playwright.sync_api import Browser, expect

from support.browser import Console
from support.network import small_matrix, small_topology
from support.stack import Deployed


class Planned:
    """A project with a small network, and its plan."""

    def __init__(self, deployed: Deployed) -> None:
        self.project = f"network-{secrets.token_hex(3)}"
        deployed.done("PUT", f"/projects/{self.project}", {"name": self.project, "merge": {"strategy": "union"}})
        documents = {"topology": small_topology(), "traffic_matrix": small_matrix()}
        for kind, document in documents.items():
            slug = f"{self.project}-{kind.partition('_')[0]}"
            deployed.done("PUT", f"/inputs/{slug}", {"kind": kind, "document": document})
            deployed.done("PUT", f"/projects/{self.project}/inputs/{slug}", {"version": None})
        self.run = self.start(deployed, "network_plan", {"mp1h_threshold": 0, "iterations": 2})

    def start(self, deployed: Deployed, algorithm: str, parameters: dict[str, object]) -> str:
        body = {"parameters": parameters}
        run = deployed.done("POST", f"/projects/{self.project}/algorithms/{algorithm}/runs", body)
        assert deployed.ended(run)["status"] == "succeeded"
        return str(run["id"])

    def place(self, algorithm: str = "network_plan") -> str:
        return f"/projects/{self.project}/algorithms/{algorithm}"


@pytest.fixture(scope="module")
def planned(deployed: Deployed) -> Planned:
    return Planned(deployed)


@pytest.mark.long
def test_the_catalogue_says_what_parameters_mean(console: Console, planned: Planned) -> None:
    page = console.page
    page.get_by_role("link", name="Algorithms").click()
    console.heading("Algorithms")
    console.check_accessibility()
    page.get_by_role("link", name="Network planning").click()
    row = page.get_by_role("row", name="mp1h_threshold")
    expect(row).to_contain_text("The lowest rate in Gb/s")
    expect(row).to_contain_text("70")
    expect(page.get_by_role("row", name="run:grooming")).to_contain_text("replaces traffic_matrix")
    console.screenshot("algorithm")
    console.check_accessibility()
    console.check_narrow()


@pytest.mark.long
def test_the_network_is_read_by_mouse_and_by_keyboard(console: Console, planned: Planned) -> None:
    page = console.page
    console.go(planned.place(), run=planned.run)
    link = page.get_by_role("button", name="Link Zwolle – Groningen")
    expect(link).to_be_visible()
    link.press("Enter")
    expect(link).to_have_attribute("aria-pressed", "true")
    console.screenshot("network-link")
    page.get_by_role("button", name="2-L1").first.click()
    details = page.get_by_role("heading", name="Lightpath 2-L1").locator("xpath=ancestor::section")
    expect(details).to_contain_text("Utrecht – Amsterdam – Groningen")
    expect(details).to_contain_text("3 10GE")
    expect(page.locator(".drawing .route.working")).to_have_count(2)
    console.screenshot("network-lightpath")
    console.check_accessibility()
    page.reload()
    expect(details).to_be_visible()
    page.get_by_role("button", name="Node Zwolle").click()
    expect(page.get_by_role("heading", name="Zwolle", exact=True)).to_be_visible()
    expect(page.get_by_role("button", name="1-L2")).to_be_visible()
    page.get_by_role("button", name="bill of materials").click()
    expect(page.get_by_role("row", name="TP1H")).to_contain_text("2")
    console.check_narrow()
    console.screenshot("network-narrow")


@pytest.mark.long
def test_tables_and_files_of_a_result(console: Console, planned: Planned) -> None:
    page = console.page
    console.go(planned.place(), run=planned.run)
    page.get_by_role("button", name="links 6").click()
    grid = page.get_by_role("grid", name="links")
    grid.get_by_role("button", name="length_km").click()
    expect(grid.get_by_role("row").nth(1)).to_contain_text("42.5")
    console.check_accessibility()
    page.get_by_role("button", name="Files").click()
    with page.expect_download() as download:
        page.get_by_role("button", name="Download materials.xlsx").click()
    assert Path(download.value.path()).read_bytes()[:2] == b"PK"


@pytest.mark.long
def test_a_run_is_started_from_the_declared_parameters(console: Console, deployed: Deployed, planned: Planned) -> None:
    console.expect_refusals(422)
    page = console.page
    console.go(planned.place("grooming"), part="start")
    page.get_by_label("shelves_per_rack").fill("99")
    page.get_by_role("button", name="Start the run").click()
    wrong = page.get_by_label("shelves_per_rack")
    expect(wrong).to_have_attribute("aria-invalid", "true")
    wrong.fill("2")
    page.get_by_label("mp1h_threshold").select_option("20")
    page.get_by_label("rates").fill("GE: 1")
    console.screenshot("algorithm-form")
    console.check_accessibility()
    page.get_by_role("button", name="Start the run").click()
    expect(page.get_by_text("succeeded", exact=True)).to_be_visible()
    expect(page.get_by_text("mp1h_threshold 20, shelves_per_rack 2, rates GE: 1")).to_be_visible()
    # A grooming has no routes yet: its lightpaths are straight lines from the chosen node.
    page.get_by_role("button", name="Node Utrecht").click()
    expect(page.locator(".drawing .route.direct")).to_have_count(1)

    # The same result, stored as one that was made by hand, is an input of other runs.
    run = page.url.partition("run=")[2].partition("&")[0]
    result = deployed.done("GET", f"/runs/{run}/result")
    console.go(planned.place("grooming"), part="manual")
    page.get_by_label("JSON document").fill(json.dumps(result))
    page.get_by_label("Parameters, as JSON").fill('{"rates": {"GE": 1}}')
    page.get_by_label("Comment").fill("counted by hand")
    page.get_by_role("button", name="Store the result").click()
    expect(page.get_by_text("by hand", exact=True)).to_be_visible()
    console.go(planned.place("rwa"), part="start")
    expect(page.get_by_label("grooming")).to_contain_text("counted by hand")
    console.check_narrow()


@pytest.mark.long
def test_a_run_is_cancelled_and_continued(console: Console, deployed: Deployed, planned: Planned) -> None:
    page = console.page
    console.go(planned.place(), part="start")
    page.get_by_label("iterations").fill("12")
    page.get_by_label("Comment on the run").fill("In two parts")
    page.keyboard.press("Enter")
    expect(page.get_by_role("progressbar", name="Progress")).to_be_visible()
    page.get_by_role("button", name="Cancel the run").click()
    page.get_by_role("dialog").get_by_role("button", name="Cancel the run").click()
    state = page.get_by_role("heading", name="In two parts")
    expect(state).to_contain_text("cancelled")
    expect(page.get_by_role("progressbar")).to_have_count(0)
    run = page.url.partition("run=")[2].partition("&")[0]
    assert deployed.ended({"id": run})["status"] == "cancelled"
    console.screenshot("algorithm-cancelled")
    console.check_accessibility()
    page.get_by_role("button", name="Continue the run").click()
    expect(page.get_by_text("attempt 2")).to_be_visible()
    expect(state).to_contain_text("succeeded", timeout=180_000)
    expect(page.get_by_role("button", name="Continue the run")).to_have_count(0)
    expect(page.get_by_role("button", name="Node Utrecht")).to_be_visible()


@pytest.mark.long
def test_a_datasource_is_an_input_by_its_table(console: Console, deployed: Deployed, planned: Planned) -> None:
    slug = f"{planned.project}-sales"
    deployed.done("PUT", f"/datasources/{slug}", {"name": slug, "kind": "push"})
    deployed.done("PUT", f"/projects/{planned.project}/datasources/{slug}", {})
    page = console.page
    console.go(planned.place("profile"))
    page.get_by_role("button", name="New run").click()
    page.get_by_label("data", exact=True).select_option(f"Datasource {slug}")
    expect(page.get_by_label("data", exact=True)).to_have_value(f"dataset:{slug.replace('-', '_')}")
    console.leave()
    deployed.done("DELETE", f"/datasources/{slug}?force=true")


@pytest.mark.long
def test_a_viewer_starts_nothing(browser: Browser, deployed: Deployed, screenshots: Path, planned: Planned) -> None:
    key = deployed.done("POST", "/keys", {"name": planned.project, "role": "viewer", "projects": [planned.project]})
    with Console(browser, deployed, screenshots).opened(key["key"]) as console:
        console.go(planned.place())
        expect(console.page.get_by_role("table")).to_contain_text("succeeded")
        for name in ("New run", "Result made by hand"):
            expect(console.page.get_by_text(name)).to_have_count(0)
    deployed.done("DELETE", f"/keys/{key['id']}")
