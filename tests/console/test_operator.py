"""The journey of an operator, by mouse and keyboard: assets, readings, an alarm, and who takes care of it."""

from __future__ import annotations

import re
import secrets
from datetime import UTC, datetime, timedelta

from playwright.sync_api import Page, expect

from support.browser import Console
from support.stack import Deployed


def _import(page: Page, kind: str, content: str) -> None:
    dialog = page.get_by_role("dialog", name="Import from CSV")
    dialog.get_by_label("What the file has").select_option(kind)
    dialog.get_by_label("Content").focus()
    page.keyboard.insert_text(content)
    dialog.get_by_role("button", name="Import").click()


def test_an_operator_imports_assets_sends_readings_and_acknowledges_the_alarm(
    console: Console, deployed: Deployed
) -> None:
    console.expect_refusals(422)
    page, suffix = console.page, secrets.token_hex(3)
    site, pump, sensor = f"OP-{suffix}", f"OP-{suffix}-P1", f"op-{suffix}.temperature"
    page.get_by_role("link", name="Sites and sensors").click()
    console.heading("Sites and sensors")

    # Assets: a wrong row is named, mended in place, and nothing was stored meanwhile.
    page.get_by_role("button", name="Import", exact=True).first.click()
    dialog = page.get_by_role("dialog", name="Import from CSV")
    dialog.get_by_label("Content").fill("# yaml-language-server: x\nvessels:\n  - code: A\n")
    expect(dialog.get_by_text("This is YAML")).to_be_visible()
    expect(dialog.get_by_role("button", name="Import")).to_be_disabled()
    dialog.get_by_label("Content").fill("")
    _import(page, "vessels", f"code,name\n{site},Operator {suffix}\n")
    expect(dialog).to_contain_text("Imported: 1 created")
    _import(page, "equipment", f"code,site,name,location\n{pump},NO-SUCH,Crude oil pump,Main deck\n")
    wrong = dialog.get_by_role("row", name="NO-SUCH")
    expect(wrong).to_contain_text("2")
    expect(wrong).to_contain_text("There is no site 'NO-SUCH'.")
    console.screenshot("import-errors")
    console.check_accessibility()
    content = dialog.get_by_label("Content")
    content.fill(content.input_value().replace("NO-SUCH", site))
    dialog.get_by_role("button", name="Check").click()
    expect(dialog).to_contain_text("The file is valid: 1 to create")
    dialog.get_by_role("button", name="Import").click()
    expect(dialog).to_contain_text("Imported: 1 created")
    _import(page, "sensors", f"id,equipment,metric,unit,high,high_high\n{sensor},{pump},temperature,°C,80,95\n")
    expect(dialog).to_contain_text("Imported: 1 created")
    page.keyboard.press("Escape")
    expect(page.get_by_role("row", name=site)).to_contain_text("vessel")

    # Readings: a file, of which one reading is refused.
    start = datetime.now(UTC) - timedelta(minutes=30)
    times = [(start + timedelta(minutes=minute)).isoformat(timespec="seconds") for minute in range(20)]
    lines = [f"{sensor},{time},{70 + minute}" for minute, time in enumerate(times)]
    unknown = f"op-{suffix}.unknown"
    file = "\n".join(["sensor,time,value", *lines, f"{unknown},{times[0]},1"]).encode()
    page.get_by_role("button", name="Upload readings").click()
    with page.expect_file_chooser() as chooser:
        page.get_by_label("File of readings").click()
    chooser.value.set_files({"name": f"{suffix}.csv", "mimeType": "text/csv", "buffer": file})
    expect(page.get_by_role("dialog")).to_contain_text(f"{suffix}.csv is uploaded.")
    page.get_by_role("button", name="Done").click()

    # The alarm comes by itself.
    page.get_by_role("link", name="Alarms", exact=True).click()
    page.get_by_label("Equipment").select_option(pump)
    row = page.get_by_role("row", name=sensor)
    expect(row).to_contain_text("is above high, 80 °C.", timeout=60_000)
    row.get_by_role("link", name="Chart").click()
    console.heading(sensor)
    expect(page.get_by_role("img", name=sensor)).to_have_accessible_name(re.compile("Newest: temperature 89"))
    console.screenshot("operator-chart")

    # A single reading makes it worse.
    page.get_by_role("button", name="Send a reading").click()
    page.get_by_label("Value in °C").fill("96.5")
    page.keyboard.press("Enter")
    expect(page.get_by_role("row", name="critical")).to_contain_text("96.5 °C is above high high, 95 °C.")
    page.get_by_role("button", name="Acknowledge").click()
    page.get_by_label("Comment").fill("Cooling water is being checked.")
    page.get_by_role("dialog").get_by_role("button", name="Acknowledge").click()
    row = page.get_by_role("row", name="critical")
    expect(row).to_contain_text("acknowledged")
    expect(row).to_contain_text("Cooling water is being checked.")
    alarm = deployed.done("GET", f"/alarms?sensor={sensor}")["items"][0]
    assert (alarm["state"], alarm["comment"]) == ("acknowledged", "Cooling water is being checked.")

    page.get_by_role("link", name="Sites and sensors").click()
    expect(page.get_by_text(f"There is no sensor '{unknown}'")).to_be_visible()
    expect(page.get_by_role("row", name=unknown)).to_contain_text(f"of the file {suffix}.csv")

    refused = [
        one["id"] for one in deployed.done("GET", "/readings/quarantine?limit=200")["items"] if suffix in one["reason"]
    ]
    deployed.done("POST", "/readings/quarantine/discard", {"ids": refused})
    for path in (f"/sensors/{sensor}", f"/equipment/{pump}", f"/sites/{site}"):
        deployed.done("DELETE", path)
