"""Two people at the same documents: creating replaces nothing, and the second one to save chooses first."""

from __future__ import annotations

import secrets
from collections.abc import Callable, Iterator

import pytest
from playwright.sync_api import Page, expect

from support.browser import Console
from support.stack import Deployed, until


@pytest.fixture(scope="module")
def project(deployed: Deployed) -> Iterator[str]:
    """A project with a model, an endpoint and a report, and an input of the project's name."""
    name = f"both-{secrets.token_hex(3)}"
    deployed.done("PUT", f"/projects/{name}", {"name": name, "refresh_on": "manual"})
    tests = [{"type": "row_count", "min": 1}]
    deployed.done("PUT", f"/projects/{name}/models/one", {"sql": "SELECT 1 AS a", "tests": tests})
    deployed.done("PUT", f"/projects/{name}/endpoints/one", {"sql": "SELECT 1 AS a"})
    section = {"type": "markdown", "text": "Nothing yet."}
    deployed.done("PUT", f"/projects/{name}/reports/one", {"title": "One", "sections": [section]})
    deployed.done("PUT", f"/inputs/{name}", {"kind": "document", "document": {"rates": [1]}})
    yield name
    deployed.done("DELETE", f"/inputs/{name}")
    deployed.done("DELETE", f"/projects/{name}")


def _type(page: Page, editor: str, text: str) -> None:
    field = page.locator(".cm-content").and_(page.get_by_role("textbox", name=editor))
    field.click()
    page.keyboard.press("Control+a")
    page.keyboard.insert_text(text)


@pytest.mark.long
def test_a_new_report_does_not_replace_another_one(console: Console, deployed: Deployed, project: str) -> None:
    console.expect_refusals(412)
    page = console.page
    console.go(f"/projects/{project}/reports", new="1")
    page.get_by_label("Name", exact=True).fill("one")
    page.get_by_role("button", name="Save").click()
    expect(page.get_by_text("There is one of this name already.")).to_be_visible()
    assert deployed.done("GET", f"/projects/{project}/reports/one")["title"] == "One"


@pytest.mark.long
def test_a_new_secret_does_not_replace_another_one(console: Console, deployed: Deployed) -> None:
    console.expect_refusals(412)
    name = f"both-{secrets.token_hex(3)}"
    body = {"value": "precious", "hosts": ["api.example.com"], "projects": None}
    deployed.done("PUT", f"/secrets/{name}", body)
    page = console.page
    console.go("/administration/secrets")
    page.get_by_role("button", name="Add a secret").click()
    dialog = page.get_by_role("dialog")
    dialog.get_by_label("Name", exact=True).fill(name)
    dialog.get_by_label("Value").fill("other")
    dialog.get_by_role("button", name="Save").click()
    expect(dialog.get_by_text("There is a secret of this name already.")).to_be_visible()
    dialog.get_by_role("button", name="Cancel").click()

    # Nor is a secret changed over somebody's head.
    page.get_by_role("row", name=name).get_by_role("button", name="Change").click()
    deployed.done("PUT", f"/secrets/{name}", body | {"hosts": ["www.example.com"]})
    dialog.get_by_label("Value").fill("other")
    dialog.get_by_role("button", name="Save").click()
    expect(dialog.get_by_role("alert")).to_contain_text("Somebody else has changed")
    dialog.get_by_role("button", name="Take what is saved").click()
    expect(dialog.get_by_label("Only to these hosts")).to_have_value("www.example.com")
    dialog.get_by_role("button", name="Save").click()
    expect(page.get_by_text(f"The secret {name} is set.")).to_be_visible()
    console.leave()
    deployed.done("DELETE", f"/secrets/{name}")


@pytest.mark.long
def test_a_query_is_saved_over_a_model_only_as_the_form_says(
    console: Console, deployed: Deployed, project: str
) -> None:
    console.expect_refusals(412)
    page = console.page
    console.go("/sql", project=project)
    expect(page.get_by_role("button", name="Model", exact=True)).to_be_visible()
    dialog = page.get_by_role("dialog")
    save = dialog.get_by_role("button", name="Save")
    with console.held("**/models?*", "GET"):
        page.get_by_role("button", name="Model", exact=True).click()
        dialog.get_by_label("Name", exact=True).fill("one")
        expect(save).to_be_disabled()
    expect(dialog.get_by_text("The model one exists.")).to_be_visible()
    present = deployed.done("GET", f"/projects/{project}/models/one")
    theirs = {"sql": "SELECT 2 AS a", "description": "theirs", "tests": present["tests"]}
    deployed.done("PUT", f"/projects/{project}/models/one", theirs)
    save.click()
    expect(dialog.get_by_role("alert")).to_contain_text("Somebody else has saved this name")
    save.click()
    expect(page.get_by_text("The model one is saved")).to_be_visible()
    saved = deployed.done("GET", f"/projects/{project}/models/one")
    assert saved["sql"].startswith("SELECT *")
    assert (saved["description"], saved["tests"]) == ("theirs", present["tests"])


Change = Callable[[Page], None]
_SECTION = {"type": "markdown", "text": "Theirs."}
EDITORS: dict[str, tuple[str, Change, str, str, dict[str, object]]] = {
    "model": (
        "/projects/{}/models",
        lambda page: page.get_by_label("Description").fill("mine"),
        "PUT",
        "/projects/{}/models/one",
        {"sql": "SELECT 1 AS a", "description": "theirs"},
    ),
    "endpoint": (
        "/projects/{}/endpoints",
        lambda page: page.get_by_label("Description").first.fill("mine"),
        "PUT",
        "/projects/{}/endpoints/one",
        {"sql": "SELECT 1 AS a", "description": "theirs"},
    ),
    "report": (
        "/projects/{}/reports/one?edit=1",
        lambda page: _type(
            page,
            "Document of the report, as YAML",
            "title: One\ndescription: mine\nsections:\n- type: markdown\n  text: Mine.\n",
        ),
        "PUT",
        "/projects/{}/reports/one",
        {"title": "One", "description": "theirs", "sections": [_SECTION]},
    ),
    "input": (
        "/inputs/{}",
        lambda page: _type(page, "The document as YAML", "description: mine"),
        "PUT",
        "/inputs/{}",
        {"kind": None, "document": {"description": "theirs"}},
    ),
}


@pytest.mark.long
@pytest.mark.parametrize("editor", EDITORS)
def test_the_second_one_to_save_chooses(console: Console, deployed: Deployed, project: str, editor: str) -> None:
    console.expect_refusals(404, 412)  # 404: a report that was never rendered
    place, change, method, path, theirs = EDITORS[editor]
    page = console.page
    console.go(place.format(project))
    change(page)
    deployed.done(method, path.format(project), theirs)
    save = page.get_by_role("button", name="Save")
    save.click()
    conflict = page.get_by_role("alert")
    expect(conflict).to_contain_text("Somebody else has changed")
    conflict.get_by_text("What is saved now").click()
    expect(conflict).to_contain_text("theirs")
    console.check_accessibility()
    conflict.get_by_role("button", name="Keep mine").click()
    save.click()

    def stored() -> object:
        document = deployed.done("GET", path.format(project))
        return document.get("document", document)["description"]

    until(lambda: stored() == "mine")


@pytest.mark.long
def test_settings_that_somebody_else_has_changed_can_be_taken_over(
    console: Console, deployed: Deployed, project: str
) -> None:
    console.expect_refusals(412)
    page = console.page
    console.go(f"/projects/{project}")
    page.get_by_role("button", name="Change").click()
    dialog = page.get_by_role("dialog")
    dialog.get_by_label("Description").fill("mine")
    deployed.done("PATCH", f"/projects/{project}", {"description": "theirs"})
    dialog.get_by_role("button", name="Save", exact=True).click()
    dialog.get_by_role("button", name="Take what is saved").click()
    expect(dialog.get_by_label("Description")).to_have_value("theirs")
    dialog.get_by_role("button", name="Save", exact=True).click()
    expect(dialog).to_have_count(0)
    assert deployed.done("GET", f"/projects/{project}")["description"] == "theirs"
