"""A name cannot look like another one: characters that are not seen are shown, wherever a name is drawn."""

from __future__ import annotations

import secrets

import pytest
from playwright.sync_api import expect

from support.browser import Console
from support.stack import Deployed

_REVERSED = "\u202e"


@pytest.mark.long
def test_marks_of_direction_are_shown_in_names(console: Console, deployed: Deployed) -> None:
    slug = f"aa-{secrets.token_hex(3)}"  # on the first page of each list, whatever else there is
    name, shown = f"{slug} {_REVERSED}321", f"{slug} [U+202E]321"
    deployed.done("PUT", f"/projects/{slug}", {"name": name, "description": name, "refresh_on": "manual"})
    deployed.done("PUT", f"/datasources/{slug}", {"name": name, "kind": "push", "primary_key": ["id"]})
    key = deployed.done("POST", "/keys", {"name": name, "role": "viewer"})
    deployed.done("PUT", f"/projects/{slug}/members/key:{key['id']}", {"role": "viewer"})
    page = console.page
    # Not the first page first: it is open already, with what there was before.
    for place in ("/projects", "/datasources", "/administration/keys", f"/projects/{slug}/members", "/"):
        console.go(place)
        expect(page.get_by_text(shown).first, place).to_be_visible()
        assert _REVERSED not in page.locator("body").inner_text(), place
    for place in (f"/projects/{slug}", f"/datasources/{slug}"):
        console.go(place)
        console.heading(shown)
        expect(page).to_have_title(f"{shown} · {place.split('/')[1].title()} · Sluice")
    console.go(f"/projects/{slug}")
    # What is edited stays as it is.
    page.get_by_role("button", name="Change", exact=True).click()
    expect(page.get_by_role("dialog").get_by_label("Name", exact=True)).to_have_value(name)
    console.leave()
    deployed.done("DELETE", f"/projects/{slug}")
    deployed.done("DELETE", f"/datasources/{slug}")
    deployed.done("DELETE", f"/keys/{key['id']}")
