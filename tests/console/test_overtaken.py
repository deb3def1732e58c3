"""Values set by hand and shares that two people change at once: the second one chooses, and nobody is overwritten."""

from __future__ import annotations

import secrets
from collections.abc import Iterator
from dataclasses import dataclass

import pytest
from playwright.sync_api import expect

from support.browser import Console
from support.stack import Deployed


@dataclass(frozen=True)
class Birds:
    """A project whose data has one record, and a key to share it with."""

    project: str
    key: str

    @property
    def override(self) -> str:
        """The path of what is set by hand for the record's count."""
        return f"/projects/{self.project}/overrides/count?key=owl"

    @property
    def share(self) -> str:
        """The path of the share with the key."""
        return f"/projects/{self.project}/members/{self.principal}"

    @property
    def principal(self) -> str:
        """The key, as members are called."""
        return f"key:{self.key}"


@pytest.fixture(scope="module")
def birds(deployed: Deployed) -> Iterator[Birds]:
    name = f"birds-{secrets.token_hex(3)}"
    deployed.done("PUT", f"/datasources/{name}", {"name": name, "kind": "push", "primary_key": ["id"]})
    receipt = deployed.done("POST", f"/datasources/{name}/records", [{"id": "owl", "count": 3}])
    deployed.ended({"id": receipt["run"]})
    merge = {"strategy": "join", "key": ["id"]}
    deployed.done("PUT", f"/projects/{name}", {"name": name, "merge": merge, "refresh_on": "manual"})
    deployed.done("PUT", f"/projects/{name}/datasources/{name}", {})
    run = deployed.done("POST", f"/projects/{name}/runs", {"ingest": "none"})
    assert deployed.ended(run)["status"] == "succeeded"
    key = deployed.done("POST", "/keys", {"name": name, "role": "viewer"})
    yield Birds(name, key["id"])
    deployed.done("DELETE", f"/projects/{name}")
    deployed.done("DELETE", f"/datasources/{name}")
    deployed.done("DELETE", f"/keys/{key['id']}")


@pytest.mark.long
def test_a_value_set_by_hand_replaces_no_other_one_unseen(console: Console, deployed: Deployed, birds: Birds) -> None:
    console.expect_refusals(404, 412)
    page = console.page
    console.go(f"/projects/{birds.project}/data")
    page.locator("[data-cell='0,1']").click()
    panel = page.get_by_role("dialog").first
    panel.get_by_role("button", name="Set the value by hand").click()
    panel.get_by_label("Value", exact=True).fill("7")
    panel.get_by_label("Reason").fill("mine")
    deployed.done("PUT", birds.override, {"value": 5, "reason": "theirs"})
    save = panel.get_by_role("button", name="Set", exact=True)
    save.click()
    conflict = panel.get_by_role("alert")
    expect(conflict).to_contain_text("Somebody else has changed")
    conflict.get_by_text("What is saved now").click()
    expect(conflict).to_contain_text("Value: 5\nReason: theirs")
    console.check_accessibility()
    assert deployed.done("GET", birds.override)["reason"] == "theirs"
    conflict.get_by_role("button", name="Keep mine").click()
    save.click()
    expect(panel.get_by_text("the next refresh does")).to_be_visible()
    assert deployed.done("GET", birds.override)["reason"] == "mine"

    # Nor is a value removed that was not seen.
    deployed.done("PUT", birds.override, {"value": 6, "reason": "theirs again"})
    panel.get_by_role("button", name="Remove the value set by hand").click()
    question = page.get_by_role("dialog").last
    question.get_by_role("button", name="Remove the value set by hand").click()
    expect(question.get_by_role("alert")).to_contain_text("Reason: theirs again")
    question.get_by_role("button", name="Keep what is saved").click()
    expect(panel.get_by_text("theirs again")).to_be_visible()
    assert deployed.done("GET", birds.override)["value"] == 6


@pytest.mark.long
def test_an_override_is_removed_only_as_it_was_seen(console: Console, deployed: Deployed, birds: Birds) -> None:
    console.expect_refusals(404, 412)
    deployed.done("PUT", birds.override, {"value": 8, "reason": "first"})
    page = console.page
    console.go(f"/projects/{birds.project}/merge")
    page.get_by_role("row", name="owl").get_by_role("button", name="Remove").click()
    dialog = page.get_by_role("dialog")
    deployed.done("PUT", birds.override, {"value": 9, "reason": "second"})
    dialog.get_by_role("button", name="Remove", exact=True).click()
    expect(dialog.get_by_role("alert")).to_contain_text("Value: 9")
    console.check_accessibility()
    assert deployed.done("GET", birds.override)["value"] == 9
    dialog.get_by_role("button", name="Remove it all the same").click()
    expect(page.get_by_text("No value is overridden.")).to_be_visible()
    assert deployed.done("GET", f"/projects/{birds.project}/overrides")["items"] == []

    # What somebody else has removed meanwhile is gone from the list, too.
    deployed.done("PUT", birds.override, {"value": 8, "reason": "third"})
    page.reload()
    page.get_by_role("row", name="owl").get_by_role("button", name="Remove").click()
    deployed.done("DELETE", birds.override)
    dialog.get_by_role("button", name="Remove", exact=True).click()
    expect(dialog).to_contain_text("Somebody else has removed it already.")
    dialog.get_by_role("button", name="Close", exact=True).last.click()
    expect(page.get_by_text("No value is overridden.")).to_be_visible()


@pytest.mark.long
def test_a_share_is_changed_only_as_it_was_seen(console: Console, deployed: Deployed, birds: Birds) -> None:
    console.expect_refusals(412)
    page = console.page
    console.go(f"/projects/{birds.project}/members")
    page.get_by_role("button", name="Share", exact=True).click()
    dialog = page.get_by_role("dialog")
    who, share = dialog.get_by_label("Who", exact=True), dialog.get_by_role("button", name="Share", exact=True)
    who.fill(birds.principal)
    dialog.get_by_label("As").select_option("editor")
    console.settle()
    deployed.done("PUT", birds.share, {"role": "owner"})
    share.click()
    conflict = dialog.get_by_role("alert")
    expect(conflict).to_contain_text(f"Somebody else has changed the share with {birds.principal}")
    conflict.get_by_text("What is saved now").click()
    expect(conflict).to_contain_text("as owner")
    console.check_accessibility()
    conflict.get_by_role("button", name="Keep mine").click()
    share.click()
    row = page.get_by_role("row", name=birds.project)
    expect(row).to_contain_text("editor")

    # Who sees that it is shared already changes it without being asked.
    page.get_by_role("button", name="Share", exact=True).click()
    who.fill(birds.principal)
    expect(dialog).to_contain_text("It is shared with them as editor already")
    share.click()
    expect(row).to_contain_text("viewer")

    row.get_by_role("button", name="End the share").click()
    deployed.done("PUT", birds.share, {"role": "designer"})
    dialog.get_by_role("button", name="End the share").click()
    expect(dialog.get_by_role("alert")).to_contain_text("as designer")
    dialog.get_by_role("button", name="Remove it all the same").click()
    expect(row).to_have_count(0)
