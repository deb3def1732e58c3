"""Sites, equipment and sensors that two people change at once: the second one takes theirs or keeps mine."""

from __future__ import annotations

import re
import secrets
from collections.abc import Iterator

import pytest
from playwright.sync_api import expect

from support.browser import Console
from support.stack import Deployed


@pytest.fixture(scope="module")
def code(deployed: Deployed) -> Iterator[str]:
    """The code of a site, with a pump `{code}-P` that has a sensor `{code}-p.temperature`."""
    name = f"A-{secrets.token_hex(3)}"
    pump, sensor = f"{name}-P", f"{name}-p.temperature"
    deployed.done("POST", "/sites", {"code": name, "type": "plant"})
    deployed.done("POST", "/equipment", {"code": pump, "site": name})
    deployed.done("POST", "/sensors", {"id": sensor, "equipment": pump, "metric": "temperature"})
    yield name
    deployed.call("DELETE", f"/sensors/{sensor}")
    deployed.call("DELETE", f"/equipment/{pump}")
    deployed.done("DELETE", f"/sites/{name}")


# Each with its page, its path in the API, and the field that both change, as the form and the API call it.
ASSETS = {
    "site": ("/sites/{}", "Name", "name"),
    "equipment": ("/equipment/{}-P", "Location", "location"),
    "sensor": ("/sensors/{}-p.temperature", "Unit", "unit"),
}


@pytest.mark.long
@pytest.mark.parametrize("asset", ASSETS)
def test_the_second_one_to_change_an_asset_chooses(console: Console, deployed: Deployed, code: str, asset: str) -> None:
    console.expect_refusals(412)
    address, label, field = ASSETS[asset]
    path = address.format(code)
    page = console.page
    console.go(path)
    page.get_by_role("button", name="Change", exact=True).click()
    dialog = page.get_by_role("dialog")
    entered, save = dialog.get_by_label(label, exact=True), dialog.get_by_role("button", name="Save", exact=True)
    conflict = dialog.get_by_role("alert")
    entered.fill("mine")
    deployed.done("PATCH", path, {field: "theirs"})
    save.click()
    expect(conflict).to_contain_text("Somebody else has changed")
    conflict.get_by_text("What is saved now").click()
    expect(conflict).to_contain_text(f"{label}: theirs")
    console.check_accessibility()
    conflict.get_by_role("button", name="Take what is saved").click()
    expect(entered).to_have_value("theirs")
    expect(conflict).to_have_count(0)

    entered.fill("mine")
    deployed.done("PATCH", path, {field: "theirs again"})
    save.click()
    conflict.get_by_role("button", name="Keep mine").click()
    expect(entered).to_have_value("mine")
    assert deployed.done("GET", path)[field] == "theirs again"
    save.click()
    expect(dialog).to_have_count(0)
    assert deployed.done("GET", path)[field] == "mine"


@pytest.mark.long
def test_equipment_is_deleted_only_as_it_was_seen(console: Console, deployed: Deployed, code: str) -> None:
    console.expect_refusals(412)
    pump = f"{code}-Q"
    deployed.done("POST", "/equipment", {"code": pump, "site": code})
    page = console.page
    console.go(f"/equipment/{pump}")
    page.get_by_role("button", name="Delete").click()
    dialog = page.get_by_role("dialog")
    deployed.done("PATCH", f"/equipment/{pump}", {"location": "Deck 2"})
    dialog.get_by_role("button", name="Delete").click()
    expect(dialog.get_by_role("alert")).to_contain_text("Location: Deck 2")
    console.check_accessibility()
    dialog.get_by_role("button", name="Keep what is saved").click()
    expect(page.locator(".facts")).to_contain_text("Deck 2")
    page.get_by_role("button", name="Delete").click()
    dialog.get_by_role("button", name="Delete").click()
    expect(page).to_have_url(re.compile(rf"#/sites/{code}$"))
    assert deployed.call("GET", f"/equipment/{pump}").status_code == 404
