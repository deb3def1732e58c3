"""Dialogs keep what was entered and what they show only once, and the keyboard's place on the page is kept."""

from __future__ import annotations

import secrets
from collections.abc import Iterator

import pytest
from playwright.sync_api import Locator, Page, expect

from support.browser import Console
from support.stack import Deployed


@pytest.fixture
def slug(deployed: Deployed) -> Iterator[str]:
    """A datasource that nothing arrives in."""
    name = f"kept-{secrets.token_hex(3)}"
    deployed.done("PUT", f"/datasources/{name}", {"name": name, "kind": "push", "primary_key": ["id"]})
    yield name
    deployed.call("DELETE", f"/datasources/{name}?force=true")


def _press_beside(page: Page) -> None:
    page.mouse.click(5, 5)


def _select_by_dragging_out(page: Page, field: Locator) -> None:
    box = field.bounding_box()
    assert box is not None
    page.mouse.move(box["x"] + 40, box["y"] + box["height"] / 2)
    page.mouse.down()
    page.mouse.move(5, box["y"] + box["height"] / 2, steps=5)
    page.mouse.up()


@pytest.mark.long
def test_a_dialog_keeps_what_was_entered(console: Console) -> None:
    page = console.page
    console.go("/administration/keys")
    page.get_by_role("button", name="Create a key").click()
    name = page.get_by_label("Name")
    expect(name).to_be_focused()
    _press_beside(page)
    expect(page.get_by_role("dialog")).to_have_count(0)
    page.get_by_role("button", name="Create a key").click()
    name.fill("for the plant")
    _select_by_dragging_out(page, name)
    expect(name).to_have_value("for the plant")
    question = page.get_by_role("dialog", name="Leave without saving?")
    expect(question).to_have_count(0)
    _press_beside(page)
    question.get_by_role("button", name="Stay").click()
    expect(name).to_have_value("for the plant")
    page.get_by_role("button", name="Cancel").click()
    expect(page.get_by_role("dialog")).to_have_count(0)


@pytest.mark.long
def test_what_is_shown_once_stays_until_it_is_kept(console: Console, deployed: Deployed) -> None:
    page = console.page
    label = f"once-{secrets.token_hex(3)}"
    console.go("/administration/keys")
    page.get_by_role("button", name="Create a key").click()
    page.get_by_label("Name").fill(label)
    page.keyboard.press("Enter")
    shown = page.get_by_role("dialog", name="The key")
    _press_beside(page)
    # A browser lets no page refuse the second one in a row.
    page.keyboard.press("Escape")
    page.keyboard.press("Escape")
    expect(shown.locator("pre")).to_contain_text("slc_")
    console.check_accessibility()
    page.context.grant_permissions(["clipboard-read", "clipboard-write"])
    shown.get_by_role("button", name="Copy").click()
    expect(shown.get_by_role("button", name="Copy")).to_contain_text("Copied")
    key = shown.locator("pre").inner_text()
    page.keyboard.press("Escape")
    expect(shown).to_have_count(0)
    assert page.evaluate("navigator.clipboard.readText()") == key
    item = next(one for one in deployed.done("GET", "/keys?limit=100")["items"] if one["name"] == label)
    deployed.done("DELETE", f"/keys/{item['id']}")


@pytest.mark.long
def test_the_focus_stays_where_the_user_works(console: Console, deployed: Deployed) -> None:
    page = console.page
    label = f"focus-{secrets.token_hex(3)}"
    deployed.done("POST", "/keys", {"name": label, "role": "viewer"})
    console.go("/administration/keys")
    row = page.get_by_role("row", name=label)
    row.get_by_role("button", name="Rotate").focus()
    page.keyboard.press("Enter")
    expect(page.get_by_label("Hours for which the present secret stays valid, too")).to_be_focused()
    page.keyboard.press("Escape")
    expect(row.get_by_role("button", name="Rotate")).to_be_focused()
    row.get_by_role("button", name="Revoke").click()
    page.get_by_role("dialog").get_by_role("button", name="Revoke").click()
    expect(row).to_have_count(0)
    assert page.evaluate("document.activeElement !== document.body"), "the row's button is gone, its table is not"
    console.go("/datasources")
    page.get_by_role("link", name="New datasource", exact=True).first.click()
    expect(page.get_by_label("Address of an API")).to_be_focused()


@pytest.mark.long
def test_a_button_keeps_the_focus_while_it_works(console: Console, slug: str) -> None:
    page = console.page
    console.go(f"/datasources/{slug}/edit")
    name = page.get_by_label("Name", exact=True)
    name.fill("Another name")
    held: list[object] = []
    page.route(
        f"**/v1/datasources/{slug}",
        lambda route: held.append(route) if route.request.method == "PUT" else route.fallback(),
    )
    save = page.get_by_role("button", name="Save")
    save.focus()
    page.keyboard.press("Enter")
    expect(save).to_be_disabled()
    page.keyboard.press("Enter")
    expect(save).to_be_focused()
    page.wait_for_timeout(300)
    assert len(held) == 1, "it is not sent twice"
    held[0].continue_()  # type: ignore[attr-defined]
    console.heading("Another name")
    console.leave()
