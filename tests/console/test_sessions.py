"""Sessions that end: by a credential that is no longer valid, and by signing out."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from playwright.sync_api import Browser, Locator, Page, expect

from support.browser import Console
from support.stack import Deployed


def _key(deployed: Deployed, role: str = "editor", **limits: Any) -> dict[str, Any]:
    made: dict[str, Any] = deployed.done("POST", "/keys", {"name": "sessions", "role": role, **limits})
    return made


def _question(page: Page) -> Locator:
    return page.get_by_role("dialog", name="Sign in again")


def _type_a_project(page: Page) -> None:
    page.get_by_role("button", name="Create a project").first.click()
    page.get_by_label("Name", exact=True).fill("Typed for long")


@pytest.mark.long
def test_what_was_typed_outlives_its_key(browser: Browser, deployed: Deployed, screenshots: Path, name: str) -> None:
    deployed.done("PUT", f"/inputs/sessions-{name}", {"kind": "document", "document": {"a": 1}})
    first, second = _key(deployed, "admin"), _key(deployed, "admin")
    with Console(browser, deployed, screenshots).opened(first["key"]) as console:
        console.expect_refusals(401)
        page = console.page
        console.go(f"/inputs/sessions-{name}", view="yaml")
        field = page.locator(".cm-content").and_(page.get_by_role("textbox", name="The document as YAML"))
        field.click()
        page.keyboard.press("Control+a")
        page.keyboard.insert_text("typed: for long")
        deployed.done("DELETE", f"/keys/{first['id']}")
        page.get_by_role("button", name="Save").click()
        question = _question(page)
        expect(question).to_contain_text(f"The session of key/{first['id']} has ended")
        console.screenshot("sign-in-again")
        console.check_accessibility()
        question.get_by_label("API key").fill("slc_nobody_nothing")
        question.get_by_role("button", name="Sign in", exact=True).click()
        expect(question.get_by_role("alert")).to_contain_text("This is not valid, either.")
        question.get_by_label("API key").fill(second["key"])
        question.get_by_role("button", name="Sign in", exact=True).click()
        # The save that was refused goes on.
        expect(page.get_by_text("Version 2 was stored.")).to_be_visible()
        expect(page.get_by_text(f"key/{second['id']}, admin")).to_be_visible()
        assert deployed.done("GET", f"/inputs/sessions-{name}")["document"] == {"typed": "for long"}
        console.leave()
    deployed.done("DELETE", f"/inputs/sessions-{name}")
    deployed.done("DELETE", f"/keys/{second['id']}")


@pytest.mark.long
def test_the_page_of_one_user_is_not_shown_to_another(
    browser: Browser, deployed: Deployed, screenshots: Path, name: str
) -> None:
    project = f"sessions-of-two-{name}"
    deployed.done("PUT", f"/projects/{project}", {"name": project, "refresh_on": "manual"})
    first, second = _key(deployed), _key(deployed, "viewer")
    with Console(browser, deployed, screenshots).opened(first["key"]) as console:
        console.expect_refusals(401)
        page = console.page
        console.go("/sql", project=project, sql="SELECT $who AS salary")
        page.get_by_label("$who").fill("Anna")
        page.keyboard.press("Enter")
        expect(page.get_by_role("grid", name="Result")).to_be_visible()
        console.go("/projects")
        _type_a_project(page)
        deployed.done("DELETE", f"/keys/{first['id']}")
        page.get_by_role("button", name="Create", exact=True).click()
        question = _question(page)
        question.get_by_label("API key").fill(second["key"])
        question.get_by_role("button", name="Sign in", exact=True).click()
        other = page.get_by_role("dialog", name="Another user")
        other.get_by_role("button", name="Back").click()
        expect(question).to_be_visible()
        question.get_by_label("API key").fill(second["key"])
        question.get_by_role("button", name="Sign in", exact=True).click()
        other.get_by_role("button", name=f"Go on as key/{second['id']}").click()
        expect(page.get_by_text(f"key/{second['id']}, viewer")).to_be_visible()
        expect(page.get_by_role("dialog")).to_have_count(0)
        assert page.evaluate("Object.keys(sessionStorage)") == ["sluice.credential"]
        console.leave()
    deployed.done("DELETE", f"/keys/{second['id']}")
    deployed.done("DELETE", f"/projects/{project}")


@pytest.mark.long
def test_nothing_of_a_session_is_left_for_the_next_one(
    browser: Browser, deployed: Deployed, screenshots: Path, name: str
) -> None:
    project = f"sessions-{name}"
    deployed.done("PUT", f"/projects/{project}", {"name": project, "refresh_on": "manual"})
    first, second = _key(deployed), _key(deployed, "viewer")
    with Console(browser, deployed, screenshots).opened(first["key"]) as console:
        console.expect_refusals(401)
        page = console.page
        console.go("/sql", project=project, sql="SELECT $who AS salary")
        page.get_by_label("$who").fill("Anna")
        with console.held("**/query"):
            page.get_by_role("button", name="Run Ctrl ⏎").click()
            page.get_by_role("button", name="Sign out").click()
            expect(page.get_by_label("API key")).to_be_visible()
            assert page.url.endswith("#/"), "the address keeps no query"
            console.sign_in(second["key"])
        # Its refusal says nothing of the present session, either.
        deployed.done("DELETE", f"/keys/{first['id']}")
        page.wait_for_timeout(1500)
        assert page.evaluate("Object.keys(sessionStorage)") == ["sluice.credential"]
        expect(page.get_by_text(f"key/{second['id']}, viewer")).to_be_visible()
        expect(page.get_by_role("dialog")).to_have_count(0)
        console.leave()
    deployed.done("DELETE", f"/keys/{second['id']}")
    deployed.done("DELETE", f"/projects/{project}")


@pytest.mark.long
def test_a_late_refusal_ends_another_session_not(browser: Browser, deployed: Deployed, screenshots: Path) -> None:
    first, second = _key(deployed), _key(deployed, "viewer")
    with Console(browser, deployed, screenshots).opened(first["key"]) as console:
        console.expect_refusals(401)
        page = console.page
        with console.held("**/v1/inputs*", "GET"):
            console.go("/inputs")
            console.heading("Inputs")
            page.get_by_role("button", name="Sign out").click()
            console.sign_in(second["key"])
            deployed.done("DELETE", f"/keys/{first['id']}")
        page.wait_for_timeout(1500)
        expect(page.get_by_text(f"key/{second['id']}, viewer")).to_be_visible()
        expect(page.get_by_role("dialog")).to_have_count(0)
    deployed.done("DELETE", f"/keys/{second['id']}")


@pytest.mark.long
def test_who_cannot_be_told_who_they_are_can_sign_out(console: Console) -> None:
    console.expect_refusals(500)
    page = console.page
    page.route("**/v1/me", lambda route: route.fulfill(status=500, body="{}"))
    page.reload()
    page.get_by_role("button", name="Sign out").click()
    expect(page.get_by_label("API key")).to_be_visible()
    assert page.evaluate("Object.keys(sessionStorage)") == []
