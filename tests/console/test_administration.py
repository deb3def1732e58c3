"""Administration: keys, secrets, users, webhooks and the audit."""

from __future__ import annotations

import re
import secrets
from pathlib import Path

import pytest
from playwright.sync_api import Browser, expect

from support.browser import Console
from support.stack import Deployed


@pytest.fixture
def label() -> str:
    return f"feed-{secrets.token_hex(3)}"


@pytest.mark.long
def test_a_key_is_created_shown_once_rotated_and_revoked(console: Console, deployed: Deployed, label: str) -> None:
    deployed.done("PUT", f"/projects/{label}", {"name": label})
    page = console.page
    page.get_by_role("link", name="Administration").click()
    console.heading("API keys")
    page.get_by_role("button", name="Create a key").click()
    page.get_by_label("Name").fill(label)
    page.get_by_label("For", exact=True).select_option("these projects only")
    page.get_by_role("checkbox", name=label).check()
    page.keyboard.press("Enter")
    key = page.get_by_role("dialog", name="The key").locator("pre").inner_text()
    assert key.startswith("slc_")
    page.get_by_role("button", name="Done").click()
    row = page.get_by_role("row", name=label)
    expect(row).to_contain_text("viewer")
    expect(row.get_by_role("cell", name=label, exact=True)).to_be_visible()
    row.get_by_role("button", name="Rotate").click()
    page.get_by_label("Hours for which the present secret stays valid, too").fill("0")
    page.keyboard.press("Enter")
    expect(page.get_by_role("dialog", name="The key").locator("pre")).not_to_have_text(key)
    page.get_by_role("button", name="Done").click()
    console.screenshot("keys")
    console.check_accessibility()
    row.get_by_role("button", name="Revoke").click()
    page.get_by_role("dialog").get_by_role("button", name="Revoke").click()
    expect(page.get_by_text(f"The key {label} is revoked.")).to_be_visible()
    expect(row).to_have_count(0)
    page.get_by_role("button", name="Sign out").click()
    expect(page.get_by_label("API key")).to_be_visible()
    expect(page.get_by_text(f"The key {label} is revoked."), "it is for who was signed in").to_have_count(
        0, timeout=1000
    )
    assert label not in [item["name"] for item in deployed.done("GET", "/keys?limit=100")["items"]]
    deployed.done("DELETE", f"/projects/{label}")


@pytest.mark.long
def test_a_wrong_secret_says_why_at_its_field(console: Console, deployed: Deployed, label: str) -> None:
    console.expect_refusals(422)
    page = console.page
    console.go("/administration/secrets")
    page.get_by_role("button", name="Add a secret").click()
    page.get_by_label("Name").fill(label)
    page.get_by_label("Value").fill("s3cret")
    page.get_by_label("Only for these projects").fill("no-such-project")
    page.get_by_role("button", name="Save").click()
    expect(page.get_by_role("alert")).to_be_visible()
    expect(page.get_by_label("Only for these projects")).to_have_attribute("aria-invalid", "true")
    said = page.get_by_role("dialog").inner_text()
    assert said.count("no-such-project") == 1, "once, at the field"
    page.get_by_label("Only for these projects").fill("")
    page.get_by_label("Only to these hosts").fill("api.example.com")
    page.get_by_role("button", name="Save").click()
    row = page.get_by_role("row", name=label)
    expect(row).to_contain_text("api.example.com")
    assert "s3cret" not in page.content()
    console.screenshot("secrets")
    console.check_accessibility()
    deployed.done("DELETE", f"/secrets/{label}")


@pytest.mark.long
def test_a_list_without_a_name_is_no_list_of_all(console: Console, deployed: Deployed, label: str) -> None:
    page = console.page
    console.go("/administration/secrets")
    page.get_by_role("button", name="Add a secret").click()
    page.get_by_label("Name").fill(label)
    page.get_by_label("Value").fill("s3cret")
    page.get_by_label("Only to these hosts").fill(",")
    page.keyboard.press("Enter")
    expect(page.get_by_role("dialog")).to_contain_text("There is no name in it.")
    assert label not in [item["name"] for item in deployed.done("GET", "/secrets")["items"]]


@pytest.mark.long
def test_users_and_what_they_see(console: Console, deployed: Deployed, label: str) -> None:
    key = deployed.done("POST", "/keys", {"name": label, "role": "viewer", "projects": []})
    page = console.page
    console.go("/administration/users")
    page.get_by_label("Search").fill(label)
    row = page.get_by_role("row", name=label)
    row.get_by_role("button", name="What they see").click()
    expect(page.get_by_role("dialog")).to_contain_text("Projects")
    expect(page.get_by_role("dialog").get_by_text("None.")).to_have_count(3)
    console.screenshot("view-as")
    console.check_accessibility()
    assert "search=" in page.url, "a link to the view can be shared"
    deployed.done("DELETE", f"/keys/{key['id']}")


@pytest.mark.long
def test_a_webhook_and_its_deliveries(console: Console, label: str) -> None:
    page = console.page
    console.go("/administration/webhooks")
    page.get_by_role("button", name="Add a webhook").click()
    page.get_by_label("Address").fill(f"https://hooks.example.com/{label}")
    page.get_by_role("dialog").get_by_role("button", name="Add").click()
    expect(page.get_by_role("dialog", name="The signing secret")).to_be_visible()
    page.get_by_role("button", name="Done").click()
    row = page.get_by_role("row", name=label)
    row.get_by_role("button", name="Deliveries").click()
    expect(page.get_by_role("dialog", name="Deliveries")).to_contain_text("No event has been sent yet")
    page.keyboard.press("Escape")
    console.check_accessibility()
    row.get_by_role("button", name="Remove").click()
    page.get_by_role("dialog").get_by_role("button", name="Remove").click()
    expect(row).to_have_count(0)


def test_the_audit_is_filtered_and_downloaded(console: Console, deployed: Deployed, label: str) -> None:
    deployed.done("PUT", f"/secrets/{label}", {"value": "x"})
    deployed.done("DELETE", f"/secrets/{label}")
    page = console.page
    console.go("/administration/audit", resource=f"secrets/{label}")
    console.heading("Audit")
    expect(page.get_by_role("row", name="delete secret")).to_be_visible()
    expect(page.get_by_role("row")).to_have_count(3)
    console.screenshot("audit")
    console.check_accessibility()
    with page.expect_download() as download:
        page.get_by_role("button", name="Download CSV").click()
    assert label in Path(download.value.path()).read_text()
    console.check_narrow()


@pytest.mark.long
def test_the_audit_is_asked_for_what_it_shows(console: Console, deployed: Deployed, label: str) -> None:
    deployed.done("PUT", f"/secrets/{label}", {"value": "x"})
    deployed.done("DELETE", f"/secrets/{label}")
    page = console.page
    asked: list[str] = []
    console.go("/administration/audit", resource=f"secrets/{label}")
    row = page.get_by_role("row", name="delete secret")
    expect(row).to_contain_text("secret.manage")
    page.on("request", lambda request: asked.append(request.url) if "/audit?" in request.url else None)
    page.get_by_label("Action").press_sequentially("secret.manage")
    page.keyboard.press("Enter")
    expect(page).to_have_url(re.compile("action=secret.manage"))
    expect(page.get_by_role("row")).to_have_count(3)
    since = page.get_by_label("Since (UTC)", exact=True)
    since.fill("2000-01-01T00:00")
    since.fill("2000-01-02T00:00")
    page.get_by_label("Who").focus()
    expect(page).to_have_url(re.compile("since=2000-01-02T00%3A00%3A00Z"))
    console.settle()
    expect(row).to_be_visible()
    assert len(asked) == 2, "nothing is asked for by each key"


@pytest.mark.long
def test_a_viewer_sees_no_administration(browser: Browser, deployed: Deployed, screenshots: Path, label: str) -> None:
    key = deployed.done("POST", "/keys", {"name": label, "role": "viewer"})
    with Console(browser, deployed, screenshots).opened(key["key"]) as console:
        console.heading("Home")
        expect(console.page.get_by_role("link", name="Administration")).to_have_count(0)
        # Nothing is asked that would be refused: the browser would log it as an error.
        for place in ("keys", "secrets", "users", "webhooks", "audit"):
            console.go(f"/administration/{place}")
            console.heading("You may not see this page")
        console.check_accessibility()
        console.go("/datasources/new")
        console.heading("You may not see this page")
        console.go("/inputs", new="topology")
        console.heading("Inputs")
    deployed.done("DELETE", f"/keys/{key['id']}")


@pytest.mark.long
def test_members_are_shown_by_name(console: Console, deployed: Deployed, label: str) -> None:
    key = deployed.done("POST", "/keys", {"name": label, "role": "viewer"})
    deployed.done("PUT", f"/projects/{label}", {"name": "Shared", "refresh_on": "manual"})
    deployed.done("PUT", f"/projects/{label}/members/key:{key['id']}", {"role": "viewer"})
    console.go(f"/projects/{label}/members")
    who = console.page.get_by_role("cell", name=label, exact=True).locator("span")
    expect(who).to_have_attribute("title", f"key:{key['id']}")
    console.leave()
    deployed.done("DELETE", f"/projects/{label}")
    deployed.done("DELETE", f"/keys/{key['id']}")


@pytest.mark.long
def test_a_name_that_cannot_be_is_not_sent(console: Console) -> None:
    page = console.page
    console.go("/administration/secrets")
    page.get_by_role("button", name="Add a secret").click()
    name = page.get_by_label("Name")
    name.fill("Bad Name")
    page.get_by_label("Value").fill("s3cret")
    page.get_by_role("button", name="Save").click()
    expect(name).to_be_focused()
    expect(name).to_have_attribute("aria-invalid", "true")
    expect(page.get_by_role("dialog")).to_contain_text("Use up to 63 letters, digits")
    name.fill("good-name")
    expect(name).not_to_have_attribute("aria-invalid", "true")
    page.get_by_role("button", name="Cancel").click()
