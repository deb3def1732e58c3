"""Dialogs keep what was entered, and what they show only once."""

from __future__ import annotations

import secrets

import pytest
from playwright.sync_api import Locator, Page, expect

from support.browser import Console
from support.stack import Deployed


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
