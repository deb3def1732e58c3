"""Answers that come when the user is elsewhere already: they change nothing there."""

from __future__ import annotations

import re
import secrets
from collections.abc import Iterator

import pytest
from playwright.sync_api import Page, Route, expect

from support.browser import Console
from support.stack import Deployed, until


@pytest.mark.long
def test_who_has_gone_elsewhere_stays_there(console: Console, deployed: Deployed, name: str) -> None:
    slug = f"late-{name}-{secrets.token_hex(2)}"
    page = console.page
    console.go("/projects")
    page.get_by_role("button", name="Create a project").first.click()
    page.get_by_label("Name", exact=True).fill(slug)
    with console.held("**/v1/projects"):
        page.get_by_role("button", name="Create", exact=True).click()
        page.get_by_role("button", name="Cancel").click()
        page.get_by_role("navigation", name="Sections").get_by_role("link", name="Inputs").click()
        console.heading("Inputs")
        page.get_by_role("button", name="Create an input").first.click()
        page.get_by_label("Slug").fill("typed")
        page.get_by_role("button", name="Add a node").click()
    expect(page.get_by_text(f"The project {slug} is created.")).to_be_visible()
    console.heading("New input")
    # Nor does it forget that this page has changes.
    page.get_by_role("navigation", name="Sections").get_by_role("link", name="Runs").click()
    expect(page.get_by_role("dialog", name="Leave without saving?")).to_be_visible()
    console.leave()
    deployed.done("DELETE", f"/projects/{slug}")


@pytest.mark.long
def test_rows_are_shown_only_with_their_project(console: Console, deployed: Deployed, name: str) -> None:
    slugs = [f"late-{name}-{secrets.token_hex(2)}" for _ in range(2)]
    for slug in slugs:
        deployed.done("PUT", f"/projects/{slug}", {"name": slug, "refresh_on": "manual"})
    page = console.page
    console.go("/sql", project=slugs[0], sql="SELECT 41 + $n AS answer")
    page.get_by_label("$n").fill("1")
    with console.held("**/query"):
        page.get_by_role("button", name="Run", exact=False).first.click()
        page.get_by_label("Project").select_option(slugs[1])
    expect(page.get_by_role("button", name="Run Ctrl ⏎")).to_be_enabled()
    page.wait_for_timeout(1500)
    expect(page.get_by_role("grid", name="Result")).to_have_count(0)
    expect(page.get_by_text("No rows yet.")).to_be_visible()
    console.leave()
    for slug in slugs:
        deployed.done("DELETE", f"/projects/{slug}")


@pytest.mark.long
def test_what_is_typed_while_a_model_is_saved_stays(console: Console, deployed: Deployed, name: str) -> None:
    slug = f"late-{name}-{secrets.token_hex(2)}"
    deployed.done("PUT", f"/projects/{slug}", {"name": slug, "refresh_on": "manual"})
    deployed.done("PUT", f"/projects/{slug}/models/one", {"sql": "SELECT 1 AS a"})
    page = console.page
    console.go(f"/projects/{slug}/models")
    description = page.get_by_label("Description")
    description.fill("first")
    with console.held("**/models/one", "PUT"):
        page.get_by_role("button", name="Save").click()
        description.fill("second")
    expect(page.get_by_text("The model one is saved")).to_be_visible()
    expect(description).to_have_value("second")
    page.get_by_role("button", name="Save").click()
    until(lambda: deployed.done("GET", f"/projects/{slug}/models/one")["description"] == "second")
    console.leave()
    deployed.done("DELETE", f"/projects/{slug}")


def _write(page: Page, editor: str, text: str) -> None:
    field = page.locator(".cm-content").and_(page.get_by_role("textbox", name=editor))
    field.focus()
    page.keyboard.press("Control+a")
    page.keyboard.insert_text(text)


def _expect_unsaved(page: Page) -> None:
    page.get_by_role("navigation", name="Sections").get_by_role("link", name="Runs").click()
    page.get_by_role("dialog", name="Leave without saving?").get_by_role("button", name="Stay").click()


# The second text is none that could be saved.
@pytest.mark.long
@pytest.mark.parametrize("meanwhile", ["rates: [3]", "rates: ["])
def test_what_is_typed_while_an_input_is_saved_stays(
    console: Console, deployed: Deployed, name: str, meanwhile: str
) -> None:
    slug = f"late-{name}-{secrets.token_hex(2)}"
    deployed.done("PUT", f"/inputs/{slug}", {"kind": "document", "document": {"rates": [1]}})
    page = console.page
    console.go(f"/inputs/{slug}")
    _write(page, "The document as YAML", "rates: [2]")
    page.get_by_label("Comment").fill("two")
    with console.held(f"**/inputs/{slug}", "PUT"):
        page.get_by_role("button", name="Save as a new version").click()
        _write(page, "The document as YAML", meanwhile)
    expect(page.get_by_text("Version 2 was stored.")).to_be_visible()
    expect(page.get_by_label("Comment")).to_have_value("")
    expect(page.get_by_role("textbox", name="The document as YAML")).to_have_text(meanwhile)
    _expect_unsaved(page)
    _write(page, "The document as YAML", "rates: [4]")
    page.get_by_role("button", name="Save as a new version").click()
    expect(page.get_by_text("Version 3 was stored.")).to_be_visible()
    assert deployed.done("GET", f"/inputs/{slug}")["document"] == {"rates": [4]}
    console.leave()
    deployed.done("DELETE", f"/inputs/{slug}")


@pytest.mark.long
def test_what_is_typed_while_an_input_is_created_stays(console: Console, deployed: Deployed, name: str) -> None:
    slug = f"late-{name}-{secrets.token_hex(2)}"
    page = console.page
    console.go("/inputs", new="document")
    page.get_by_label("Slug").fill(slug)
    _write(page, "The document as YAML", "rates: [1]")
    with console.held("**/inputs"):
        page.get_by_role("button", name="Create the input").click()
        _write(page, "The document as YAML", "rates: [2]")
    console.heading(slug)
    expect(page.get_by_role("textbox", name="The document as YAML")).to_have_text("rates: [2]")
    _expect_unsaved(page)
    page.get_by_role("button", name="Save as a new version").click()
    expect(page).to_have_url(re.compile(f"#/inputs/{slug}$"))
    assert deployed.done("GET", f"/inputs/{slug}")["document"] == {"rates": [2]}
    console.leave()
    deployed.done("DELETE", f"/inputs/{slug}")


@pytest.mark.long
@pytest.mark.parametrize("is_new", [True, False])
def test_what_is_typed_while_a_report_is_saved_stays(
    console: Console, deployed: Deployed, name: str, is_new: bool
) -> None:
    console.expect_refusals(404)  # a report that was never rendered
    slug = f"late-{name}-{secrets.token_hex(2)}"
    address, label = f"/projects/{slug}/reports/weekly", "Document of the report, as YAML"
    deployed.done("PUT", f"/projects/{slug}", {"name": slug, "refresh_on": "manual"})
    page = console.page
    if is_new:
        console.go(f"/projects/{slug}/reports", new="1")
        page.get_by_label("Name", exact=True).fill("weekly")
    else:
        deployed.done("PUT", address, {"title": "Zero", "sections": [{"type": "markdown", "text": "a"}]})
        console.go(address, edit="1")
    text = "title: {}\nsections:\n  - type: markdown\n    text: a\n"
    _write(page, label, text.format("One"))
    with console.held("**/reports/weekly", "PUT"):
        page.get_by_role("button", name="Save", exact=True).click()
        _write(page, label, text.format("Two"))
    expect(page.get_by_text("The report weekly is saved.")).to_be_visible()
    page.wait_for_timeout(500)
    expect(page.get_by_role("textbox", name=label)).to_contain_text("title: Two")
    _expect_unsaved(page)
    page.get_by_role("button", name="Save", exact=True).click()
    expect(page).to_have_url(re.compile(r"/reports/weekly\b"))
    until(lambda: deployed.done("GET", address)["title"] == "Two")
    console.leave()
    deployed.done("DELETE", f"/projects/{slug}")


@pytest.mark.long
def test_what_is_typed_while_a_datasource_is_saved_stays(console: Console, deployed: Deployed, name: str) -> None:
    slug = f"late-{name}-{secrets.token_hex(2)}"
    deployed.done("PUT", f"/datasources/{slug}", {"name": slug, "kind": "push"})
    page = console.page
    console.go(f"/datasources/{slug}/edit")
    field = page.get_by_label("Name", exact=True)
    field.fill("One")
    with console.held(f"**/datasources/{slug}", "PUT"):
        page.get_by_role("button", name="Save").click()
        field.fill("Two")
    expect(page.get_by_text("The datasource is saved.")).to_be_visible()
    expect(field).to_have_value("Two")
    _expect_unsaved(page)
    page.get_by_role("button", name="Save").click()
    console.heading("Two")
    expect(page).to_have_url(re.compile(f"#/datasources/{slug}$"))
    console.leave()
    deployed.done("DELETE", f"/datasources/{slug}?force=true")


@pytest.mark.long
@pytest.mark.parametrize("meanwhile", ["name: Two\nmerge:\n  strategy: union\n", "name: Two\nmerge: {"])
def test_what_is_typed_while_a_merge_is_saved_stays(
    console: Console, deployed: Deployed, name: str, meanwhile: str
) -> None:
    slug = f"late-{name}-{secrets.token_hex(2)}"
    deployed.done("PUT", f"/projects/{slug}", {"name": slug, "refresh_on": "manual"})
    page = console.page
    console.go(f"/projects/{slug}/merge", view="yaml")
    _write(page, "The project as YAML", "name: One\ndescription: null\nmerge:\n  strategy: union\n")
    with console.held(f"**/projects/{slug}", "PUT"):
        page.get_by_role("button", name="Save").click()
        _write(page, "The project as YAML", meanwhile)
    expect(page.get_by_text("The merge is saved.")).to_be_visible()
    page.wait_for_timeout(500)
    expect(page.get_by_role("textbox", name="The project as YAML")).to_contain_text("name: Two")
    _expect_unsaved(page)
    _write(page, "The project as YAML", "name: Three\nmerge:\n  strategy: union\n")
    page.get_by_role("button", name="Save").click()
    until(lambda: deployed.done("GET", f"/projects/{slug}")["name"] == "Three")
    expect(page.get_by_text("Everything is saved.")).to_be_visible()
    console.leave()
    deployed.done("DELETE", f"/projects/{slug}")


EDITORS = {
    "/datasources/{}/edit": "YAML",
    "/projects/{}/merge?view=yaml": "The project as YAML",
    "/projects/{}/models": "SQL of the model",
    "/projects/{}/endpoints": "SQL of the endpoint",
    "/inputs/{}?view=yaml": "The document as YAML",
}


@pytest.fixture(scope="module")
def documents(deployed: Deployed) -> Iterator[str]:
    """A datasource, an input, and a project with a model and an endpoint, all of this name."""
    slug = f"late-{secrets.token_hex(3)}"
    deployed.done("PUT", f"/datasources/{slug}", {"name": slug, "kind": "push"})
    deployed.done("PUT", f"/inputs/{slug}", {"kind": "document", "document": {"a": 1}})
    deployed.done("PUT", f"/projects/{slug}", {"name": slug, "refresh_on": "manual"})
    deployed.done("PUT", f"/projects/{slug}/models/one", {"sql": "SELECT 1 AS a"})
    deployed.done("PUT", f"/projects/{slug}/endpoints/one", {"sql": "SELECT 1 AS a"})
    yield slug
    deployed.done("DELETE", f"/projects/{slug}")
    deployed.done("DELETE", f"/inputs/{slug}")
    deployed.call("DELETE", f"/datasources/{slug}?force=true")


@pytest.mark.long
@pytest.mark.parametrize("place", EDITORS)
def test_an_editor_waits_until_it_is_known_who_may_change_what(console: Console, documents: str, place: str) -> None:
    page = console.page
    with console.held("**/v1/me*", "GET"):
        console.go(place.format(documents))
        expect(page.get_by_role("heading", level=1)).to_be_visible()
        page.wait_for_timeout(2000)
        expect(page.get_by_role("main").get_by_role("status")).to_contain_text("Loading")
        expect(page.get_by_role("textbox", name=EDITORS[place])).to_have_count(0)
    _write(page, EDITORS[place], "typed: at once")
    _expect_unsaved(page)


@pytest.mark.long
def test_saving_an_algorithms_settings_leaves_its_form_as_it_is(
    console: Console, deployed: Deployed, name: str
) -> None:
    slug = f"late-{name}-{secrets.token_hex(2)}"
    deployed.done("PUT", f"/projects/{slug}", {"name": slug, "refresh_on": "manual"})
    page = console.page
    console.go(f"/projects/{slug}/algorithms/profile", part="start")
    seed = page.get_by_label("seed")
    seed.fill("1")
    page.get_by_label("Comment on the run").fill("for later")
    with console.held("**/algorithms/profile", "PUT"):
        page.get_by_role("button", name="Save as the project’s settings").click()
        seed.fill("2")
    expect(page.get_by_text("The project’s settings were saved.")).to_be_visible()
    expect(seed).to_have_value("2")
    expect(page.get_by_label("Comment on the run")).to_have_value("for later")
    page.get_by_role("button", name="Save as the project’s settings").click()
    until(lambda: deployed.done("GET", f"/projects/{slug}/algorithms/profile")["seed"] == 2)
    # The comment belongs to no settings.
    page.get_by_role("link", name="Runs", exact=True).last.click()
    expect(page.get_by_role("dialog", name="Leave without saving?")).to_be_visible()
    console.leave()
    deployed.done("DELETE", f"/projects/{slug}")


@pytest.mark.long
def test_a_list_shows_nothing_of_the_filter_before(console: Console, deployed: Deployed, name: str) -> None:
    console.expect_refusals(500)
    slug = f"late-{name}-{secrets.token_hex(2)}"
    deployed.done("PUT", f"/inputs/{slug}", {"kind": "document", "document": {"a": 1}})
    page = console.page
    console.go("/inputs", kind="document")
    row = page.get_by_role("link", name=slug)
    expect(row).to_be_visible()
    page.route(re.compile(r"/v1/inputs\?.*kind=topology"), lambda route: route.fulfill(status=500, body="{}"))
    page.get_by_label("Kind").select_option("topology")
    expect(page.get_by_role("alert")).to_be_visible()
    expect(row).to_have_count(0)
    console.leave()
    deployed.done("DELETE", f"/inputs/{slug}")


@pytest.mark.long
def test_a_post_whose_answer_is_lost_is_done_once(console: Console, deployed: Deployed) -> None:
    site, pump = (f"L-{secrets.token_hex(3)}" for _ in range(2))
    deployed.done("POST", "/sites", {"code": site, "type": "plant"})
    deployed.done("POST", f"/sites/{site}/equipment", {"code": pump})
    page = console.page
    lost: list[int] = []

    def lose(route: Route) -> None:
        if route.request.method == "POST" and len(lost) < 4:
            lost.append(route.fetch().status)
            route.abort("connectionreset")
        else:
            route.continue_()

    console.go(f"/equipment/{pump}")
    page.route("**/operations", lose)
    page.get_by_role("button", name="Record an operation").click()
    dialog = page.get_by_role("dialog")
    dialog.get_by_label("What was done").fill("repair")
    dialog.get_by_label("Cost").fill("1000.00")
    dialog.get_by_role("button", name="Record").click()
    # It is asked three times, then the user is told, and tries again.
    expect(dialog.get_by_role("alert")).to_contain_text("The API did not answer")
    dialog.get_by_role("button", name="Record").click()
    expect(dialog).to_have_count(0)
    until(lambda: lost == [201] * 4)
    assert deployed.done("GET", f"/equipment/{pump}/operations/cost?agg=sum")["count"] == 1
    console.errors.clear()  # the browser logs each lost answer
    console.leave()


@pytest.mark.long
def test_names_that_every_object_has_are_names_as_others(console: Console) -> None:
    page = console.page
    console.go("/datasources/new", kind="constructor")
    expect(page.get_by_role("heading", name="Begin from a template")).to_be_visible()
    console.go("/sites", **{"import": "constructor"})
    console.heading("Sites")
    expect(page.get_by_role("dialog")).to_have_count(0)
    console.go("/sql", sql="SELECT $constructor AS a")
    expect(page.get_by_label("$constructor")).to_have_value("")


@pytest.mark.long
def test_a_page_that_fails_says_so(console: Console) -> None:
    page = console.page
    page.route("**/v1/runs?*", lambda route: route.fulfill(json={"items": 1, "next": None}))
    console.go("/runs")
    console.heading("This page has failed")
    console.check_accessibility()
    page.get_by_role("link", name="Go to the first page").click()
    console.go("/projects")
    console.heading("Projects")
    console.errors.clear()  # the fault is logged
