"""Changes that are not saved yet are lost only after a question, whichever way an editor is left."""

from __future__ import annotations

import re
import secrets
from collections.abc import Callable, Iterator

import pytest
from playwright.sync_api import Dialog, Locator, Page, expect

from support.browser import Console
from support.stack import Deployed


@pytest.fixture
def slug(deployed: Deployed) -> Iterator[str]:
    """A datasource that nothing arrives in."""
    name = f"kept-{secrets.token_hex(3)}"
    deployed.done("PUT", f"/datasources/{name}", {"name": name, "kind": "push"})
    yield name
    deployed.call("DELETE", f"/datasources/{name}?force=true")


@pytest.fixture(scope="module")
def project(deployed: Deployed) -> Iterator[str]:
    """A project with two models, an endpoint and a report, and an input, all of the project's name."""
    name = f"kept-{secrets.token_hex(3)}"
    deployed.done("PUT", f"/projects/{name}", {"name": name, "refresh_on": "manual"})
    for model in ("one", "other"):
        deployed.done("PUT", f"/projects/{name}/models/{model}", {"sql": "SELECT * FROM merged"})
    deployed.done("PUT", f"/projects/{name}/endpoints/all", {"sql": "SELECT * FROM merged"})
    section = {"type": "markdown", "text": "Nothing yet."}
    deployed.done("PUT", f"/projects/{name}/reports/weekly", {"title": "Weekly", "sections": [section]})
    deployed.done("PUT", f"/inputs/{name}", {"kind": "document", "document": {"rates": [1]}})
    yield name
    deployed.done("DELETE", f"/inputs/{name}")
    deployed.done("DELETE", f"/projects/{name}")


def _question(page: Page) -> Locator:
    return page.get_by_role("dialog", name="Leave without saving?")


def _section(page: Page, name: str) -> Locator:
    return page.get_by_role("navigation", name="Sections").get_by_role("link", name=name, exact=True)


def _refused_by_the_browser(page: Page, leave: Callable[[], object]) -> bool:
    """Whether the browser asks before the tab is left; it is not."""

    def stay(dialog: Dialog) -> None:
        dialog.dismiss()

    page.once("dialog", stay)
    with page.expect_event("dialog") as asked:
        leave()
    return bool(asked.value.type == "beforeunload")


@pytest.mark.long
def test_every_way_out_of_a_changed_datasource_asks_first(console: Console, deployed: Deployed, slug: str) -> None:
    page = console.page
    console.go("/datasources", search=slug)
    page.get_by_role("link", name=slug).click()
    page.get_by_role("link", name="Definition").click()
    name = page.get_by_label("Name", exact=True)
    name.fill("Another name")
    _section(page, "Projects").click()
    console.check_accessibility()
    _question(page).get_by_role("button", name="Stay").click()
    page.go_back()
    expect(_question(page)).to_be_visible()
    page.keyboard.press("Escape")
    page.get_by_role("button", name="Sign out").click()
    page.keyboard.press("Escape")
    expect(_question(page)).to_have_count(0)
    assert _refused_by_the_browser(page, lambda: page.evaluate("setTimeout(() => location.reload())"))
    assert _refused_by_the_browser(page, lambda: page.close(run_before_unload=True))
    expect(name).to_have_value("Another name")
    assert page.url.endswith(f"/datasources/{slug}/edit")
    # The form and the YAML are two views of one editor.
    page.get_by_role("button", name="YAML", exact=True).click()
    page.get_by_role("button", name="Form", exact=True).click()
    expect(name).to_have_value("Another name")
    # Back leads through its views first.
    page.go_back()
    expect(page.get_by_role("button", name="YAML", exact=True)).to_have_attribute("aria-pressed", "true")
    page.go_back()
    expect(name).to_have_value("Another name")

    page.go_back()
    _question(page).get_by_role("button", name="Leave without saving").click()
    console.heading(slug)
    expect(page.get_by_role("button", name="Push")).to_be_visible()
    page.go_forward()
    expect(name).to_have_value(slug)
    # Neither without changes nor after a save.
    _section(page, "Projects").click()
    console.heading("Projects")
    page.go_back()
    name.fill("Another name")
    page.get_by_role("button", name="Save").click()
    console.heading("Another name")
    page.reload()
    console.heading("Another name")
    console.leave()


def _type(page: Page, editor: str, text: str) -> None:
    field = page.locator(".cm-content").and_(page.get_by_role("textbox", name=editor))
    field.click()
    page.keyboard.press("Control+a")
    page.keyboard.insert_text(text)


CHANGES: dict[str, Callable[[Page], None]] = {
    "/projects/{}/merge": lambda page: page.get_by_label("Key columns").fill("id"),
    "/projects/{}/models?model=other": lambda page: page.get_by_label("Description").fill("All rows."),
    "/projects/{}/endpoints": lambda page: page.get_by_label("Description").fill("All rows."),
    "/projects/{}/reports/weekly?edit=1": lambda page: _type(page, "Document of the report, as YAML", "title: x"),
    "/projects/{}/reports?new=1": lambda page: page.get_by_label("Name", exact=True).fill("monthly"),
    "/inputs/{}": lambda page: _type(page, "The document as YAML", "rates: [2]"),
    # No document at all, so that only the text has changed.
    "/inputs/{}?view=yaml": lambda page: _type(page, "The document as YAML", "rates: ["),
    "/inputs?new=topology": lambda page: page.get_by_role("button", name="Add a node").click(),
    "/projects/{}/algorithms/profile?part=start": lambda page: page.get_by_label("Comment on the run").fill(
        "All of it."
    ),
    "/projects/{}/algorithms/profile?part=manual": lambda page: page.get_by_label("JSON document").fill("{}"),
    "/datasources/new?kind=http": lambda page: page.get_by_label("Name", exact=True).fill("Prices"),
}


@pytest.mark.long
@pytest.mark.parametrize("place", CHANGES)
def test_every_editor_asks_first(console: Console, project: str, place: str) -> None:
    console.expect_refusals(404)  # a report that was never rendered
    page = console.page
    console.go(place.format(project))
    CHANGES[place](page)
    _section(page, "Runs").click()
    _question(page).get_by_role("button", name="Stay").click()
    assert page.url.endswith(place.format(project))
    _section(page, "Runs").click()
    _question(page).get_by_role("button", name="Leave without saving").click()
    console.heading("Runs")
    # The way back leads to the editor as it is stored.
    page.go_back()
    console.settle()
    _section(page, "Runs").click()
    console.heading("Runs")


@pytest.mark.long
def test_another_model_of_the_same_page_is_another_editor(console: Console, project: str) -> None:
    page = console.page
    console.go(f"/projects/{project}/models", model="one")
    page.get_by_label("Description").fill("All rows.")
    page.get_by_role("link", name="other not computed").click()
    _question(page).get_by_role("button", name="Stay").click()
    page.get_by_role("button", name="Save").click()
    expect(page.get_by_text("The model one is saved")).to_be_visible()
    page.get_by_role("link", name="other not computed").click()
    expect(page.get_by_role("heading", name="other")).to_be_visible()


@pytest.mark.long
def test_a_dialog_with_changes_is_not_closed_by_accident(console: Console, project: str) -> None:
    page = console.page
    console.go(f"/projects/{project}")
    page.get_by_role("button", name="Change").click()
    page.keyboard.press("Escape")
    expect(page.get_by_role("dialog")).to_have_count(0)
    page.get_by_role("button", name="Change").click()
    page.get_by_label("Description").fill("All rows.")
    page.keyboard.press("Escape")
    _question(page).get_by_role("button", name="Stay").click()
    expect(page.get_by_label("Description")).to_have_value("All rows.")
    page.get_by_role("button", name="Cancel").click()
    expect(page.get_by_role("dialog")).to_have_count(0)


@pytest.mark.long
def test_what_a_query_is_saved_as_is_not_lost_by_accident(console: Console, project: str) -> None:
    page = console.page
    console.go("/sql", project=project)
    page.get_by_role("button", name="Endpoint", exact=True).click()
    form = page.get_by_role("dialog", name="Save as an endpoint")
    form.get_by_label("Description").fill("All rows.")
    page.keyboard.press("Escape")
    _question(page).get_by_role("button", name="Stay").click()
    form.get_by_label("Name").fill("every")
    form.get_by_role("button", name="Save").click()
    console.heading("Endpoints")
    expect(page.get_by_role("link", name="every")).to_be_visible()
    console.go("/sql", project=project, save="model")
    page.get_by_role("dialog").get_by_label("Name").fill("third")
    page.get_by_role("dialog").get_by_role("button", name="Cancel").click()
    expect(page.get_by_role("dialog")).to_have_count(0)


@pytest.mark.long
def test_sql_that_was_not_run_comes_back(console: Console, project: str) -> None:
    page = console.page
    editor = page.locator(".cm-content").and_(page.get_by_role("textbox", name="SQL"))
    rows = page.get_by_role("grid", name="Result")
    past = page.locator(".history")
    console.go("/sql", project=project)
    _type(page, "SQL", "SELECT $n AS n")
    page.get_by_label("$n").fill("41")
    _section(page, "Runs").click()
    console.heading("Runs")
    _section(page, "SQL").click()
    expect(editor).to_have_text("SELECT $n AS n")
    page.get_by_role("button", name="Run Ctrl ⏎").click()
    expect(rows.get_by_role("gridcell", name="41")).to_be_visible()

    _type(page, "SQL", "SELECT 42 AS n")
    # The address no longer holds the query that was run.
    expect(page).to_have_url(re.compile(r"#/sql\?project=[^&]+$"))
    page.reload()
    expect(editor).to_have_text("SELECT 42 AS n")
    page.go_back()
    expect(editor).to_have_text("SELECT $n AS n")
    expect(rows.get_by_role("gridcell", name="41")).to_be_visible()
    # What a link or a step back replaces stays in reach.
    expect(past).to_contain_text("SELECT 42 AS ndraft")

    _type(page, "SQL", "SELECT 43 AS n")
    console.go("/sql", project=project, sql="SELECT 44 AS n")
    expect(rows.get_by_role("gridcell", name="44")).to_be_visible()
    expect(editor).to_have_text("SELECT 44 AS n")
    past.get_by_role("button", name="SELECT 43 AS n").click()
    expect(editor).to_have_text("SELECT 43 AS n")


@pytest.mark.long
def test_each_project_has_its_own_sql(console: Console, deployed: Deployed, project: str) -> None:
    other = f"{project}-other"
    deployed.done("PUT", f"/projects/{other}", {"name": other, "refresh_on": "manual"})
    page = console.page
    editor = page.locator(".cm-content").and_(page.get_by_role("textbox", name="SQL"))
    console.go("/sql", project=project)
    _type(page, "SQL", "SELECT 1 AS first")
    # Into a project that has none yet, the text goes along.
    page.get_by_label("Project").select_option(other)
    expect(editor).to_have_text("SELECT 1 AS first")
    _type(page, "SQL", "SELECT 2 AS second")
    page.get_by_label("Project").select_option(project)
    expect(editor).to_have_text("SELECT 1 AS first")
    page.go_back()
    expect(editor).to_have_text("SELECT 2 AS second")
    console.leave()
    deployed.done("DELETE", f"/projects/{other}")
