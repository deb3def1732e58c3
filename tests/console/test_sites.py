"""Sites, equipment and sensors: their state, their charts, their operations."""

from __future__ import annotations

import re
import secrets
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from playwright.sync_api import Browser, expect

from support.browser import Console
from support.stack import Deployed

GAP = range(60, 90)


@dataclass(frozen=True)
class Pump:
    site: str
    code: str
    temperature: str
    bearing: str
    vibration: str
    #: The time of the first reading; there is one each minute for two hours, but in `GAP`.
    start: datetime


@pytest.fixture(scope="module")
def pump(deployed: Deployed) -> Iterator[Pump]:
    suffix = secrets.token_hex(3)
    site, code = f"S-{suffix}", f"S-{suffix}-P1"
    deployed.done("POST", "/vessels", {"code": site, "name": f"Vessel {suffix}"})
    deployed.done("POST", f"/sites/{site}/equipment", {"code": code, "name": "Crude oil pump", "location": "Main deck"})
    deployed.done("POST", f"/sites/{site}/equipment", {"code": f"{code}-MOTOR", "parent": code})
    start = datetime.now(UTC).replace(microsecond=0) - timedelta(minutes=121)
    made = Pump(site, code, f"s-{suffix}.temperature", f"s-{suffix}.bearing", f"s-{suffix}.vibration", start)
    sensors: list[tuple[str, str, str, dict[str, int]]] = [
        (made.temperature, "temperature", "°C", {"high": 95}),
        (made.bearing, "temperature of the bearing", "°C", {}),
        (made.vibration, "vibration", "mm/s", {}),
    ]
    readings = []
    for sensor, metric, unit, limits in sensors:
        body = {"id": sensor, "equipment": code, "metric": metric, "unit": unit, "limits": limits}
        deployed.done("POST", "/sensors", body)
        for minute in range(120):
            if minute not in GAP:
                time = (start + timedelta(minutes=minute)).isoformat()
                quality = "bad" if minute == 30 else "good"
                readings.append({"sensor": sensor, "time": time, "value": 60 + minute / 10, "quality": quality})
    deployed.done("POST", "/readings", readings)
    yield made
    for sensor, *_ in sensors:
        deployed.done("DELETE", f"/sensors/{sensor}")
    for path in (f"/equipment/{code}-MOTOR", f"/equipment/{code}", f"/sites/{site}"):
        deployed.done("DELETE", path)


@pytest.mark.long
def test_a_site_shows_its_equipment_which_is_deactivated(console: Console, deployed: Deployed, pump: Pump) -> None:
    page = console.page
    console.go("/sites")
    row = page.get_by_role("row", name=pump.site)
    expect(row.get_by_role("cell")).to_have_text([re.compile(pump.site), "vessel", "2", "0", "none", "none"])
    console.check_accessibility()
    console.screenshot("sites")
    row.get_by_role("link").first.click()
    expect(page.get_by_role("heading", level=1)).to_contain_text("vessel")
    expect(page.get_by_role("row", name="Crude oil pump")).to_contain_text("temperature 71.9 °C")
    expect(page.get_by_title(f"Part of {pump.code}")).to_be_visible()
    page.get_by_label(f"Choose {pump.code}-MOTOR").check()
    page.get_by_role("button", name="Deactivate").click()
    expect(page.get_by_role("row", name=f"{pump.code}-MOTOR")).to_contain_text("inactive")
    page.get_by_label("Status").select_option("inactive")
    expect(page.get_by_role("row", name="Crude oil pump")).to_have_count(0)
    assert "status=inactive" in page.url, "a link to the view can be shared"
    page.get_by_label("Status").select_option("")
    console.screenshot("site")
    console.check_accessibility()
    console.check_narrow()


@pytest.mark.long
def test_equipment_shows_several_sensors_and_its_operations(console: Console, deployed: Deployed, pump: Pump) -> None:
    page = console.page
    console.go(f"/equipment/{pump.code}")
    for sensor in (pump.temperature, pump.bearing, pump.vibration):
        page.get_by_label(f"Chart of {sensor}").check()
    # A chart for each unit.
    expect(page.get_by_role("img")).to_have_count(2)
    both = re.compile(rf"in °C. Newest: {pump.bearing} 71.9, {pump.temperature} 71.9")
    expect(page.get_by_role("img", name=pump.temperature)).to_have_accessible_name(both)
    expect(page.get_by_role("img", name=pump.vibration)).to_have_accessible_name(re.compile("in mm/s"))
    page.get_by_role("button", name="Change").click()
    page.get_by_label("Location").fill("Upper deck")
    page.keyboard.press("Enter")
    expect(page.get_by_role("definition").get_by_text("Upper deck")).to_be_visible()
    page.get_by_role("button", name="Record an operation").click()
    page.get_by_label("What was done").fill("repair")
    page.get_by_label("Cost").fill("a lot")
    console.expect_refusals(422)
    page.keyboard.press("Enter")
    expect(page.get_by_label("Cost")).to_have_attribute("aria-invalid", "true")
    page.get_by_label("Cost").fill("1250.50")
    page.keyboard.press("Enter")
    expect(page.get_by_role("row", name="repair")).to_contain_text("1250.50")
    console.screenshot("equipment")
    console.check_accessibility()
    console.check_narrow()


@pytest.mark.long
def test_a_chart_is_zoomed_by_mouse_and_by_keyboard(console: Console, pump: Pump) -> None:
    page = console.page
    console.go(f"/sensors/{pump.temperature}", span="6h")
    console.heading(pump.temperature)
    chart = page.get_by_role("img", name=pump.temperature)
    expect(chart).to_have_accessible_name(re.compile("Newest: temperature 71.9, not of good quality 63"))
    expect(page.get_by_text("Resolution: every reading")).to_contain_text("90 points")
    console.screenshot("sensor")
    over = chart.locator(".u-over")
    box = over.bounding_box()
    assert box is not None
    page.mouse.move(box["x"] + box["width"] * 0.7, box["y"] + 20)
    # As ISO writes times, whatever the browser's language.
    expect(chart.locator(".u-legend .u-value").first).to_have_text(re.compile(r"^\d{4}-\d\d-\d\d \d\d:\d\d:\d\d$"))
    page.mouse.down()
    page.mouse.move(box["x"] + box["width"] * 0.8, box["y"] + 30)
    page.mouse.up()
    expect(page.get_by_label("Span")).to_have_value("fixed")
    expect(page.get_by_text("The span is in the past.")).to_be_visible()
    over.dblclick()
    expect(page.get_by_label("Span")).to_have_value("6h")

    zone = page.evaluate("new Date().getTimezoneOffset()")
    local = pump.start - timedelta(minutes=zone)
    page.get_by_label(re.compile(r"^From \(")).fill(f"{local:%Y-%m-%dT%H:%M:%S}")
    page.get_by_label(re.compile(r"^To \(")).fill(f"{local + timedelta(minutes=10):%Y-%m-%dT%H:%M:%S}")
    page.keyboard.press("Enter")
    expect(page.get_by_text("Resolution: every reading")).to_contain_text("10 points")
    grid = page.get_by_role("grid")
    expect(grid.get_by_role("row")).to_have_count(11)
    expect(grid.get_by_role("row").nth(1)).to_contain_text("60.9")
    page.get_by_label("Resolution").select_option("1d")
    page.get_by_role("button", name="Back to now").click()
    page.get_by_label("Span").select_option("1w")
    expect(page.get_by_text("Resolution: one point a day")).to_contain_text("of readings of good quality")
    expect(grid.get_by_role("columnheader")).to_have_text(["time", "avg", "min", "max", "count", "last"])
    with page.expect_download() as download:
        page.get_by_role("button", name="Download CSV").click()
    assert "avg" in Path(download.value.path()).read_text().splitlines()[0]
    console.check_accessibility()
    console.check_narrow()


@pytest.mark.long
def test_limits_are_changed(console: Console, deployed: Deployed, pump: Pump) -> None:
    page = console.page
    console.go(f"/sensors/{pump.vibration}")
    page.get_by_role("button", name="Change").click()
    page.get_by_label("High", exact=True).fill("100")
    page.get_by_label("High high").fill("90")
    console.expect_refusals(422)
    page.keyboard.press("Enter")
    expect(page.get_by_role("alert")).to_be_visible()
    page.get_by_label("High high").fill("110")
    page.keyboard.press("Enter")
    expect(page.get_by_text("high 100 mm/s, high high 110 mm/s")).to_be_visible()
    expect(page.get_by_role("row", name="changed")).to_contain_text("limits")
    assert deployed.done("GET", f"/sensors/{pump.vibration}")["limits"]["high_high"] == 110


@pytest.mark.long
def test_only_a_number_is_sent_as_a_reading(console: Console, deployed: Deployed, pump: Pump) -> None:
    sensor = f"{pump.vibration}.sent"
    deployed.done("POST", "/sensors", {"id": sensor, "equipment": pump.code, "metric": "vibration"})
    page = console.page
    console.go(f"/sensors/{sensor}")
    page.get_by_role("button", name="Send a reading").click()
    value = page.get_by_role("dialog").get_by_label("Value")
    faults = {
        " ": "A blank is no number: write one such as 71.4.",
        "1,5": "“1,5” is no number: write 1.5.",
        "0x10": "“0x10” is no number: write one such as 71.4.",
        "1e-400": "1e-400 is beyond what a sensor’s value can be.",
    }
    for entered, fault in faults.items():
        value.fill(entered)
        page.keyboard.press("Enter")
        expect(page.get_by_text(fault, exact=True)).to_be_visible()
    value.fill("1.5")
    page.keyboard.press("Enter")
    expect(page.get_by_text("The reading is stored.")).to_be_visible()
    assert [one["value"] for one in deployed.done("GET", f"/sensors/{sensor}/readings")["items"]] == [1.5]
    deployed.done("DELETE", f"/sensors/{sensor}")


@pytest.mark.long
def test_a_deleted_sensor_still_has_its_history(console: Console, deployed: Deployed, pump: Pump) -> None:
    sensor = f"{pump.vibration}.old"
    deployed.done("POST", "/sensors", {"id": sensor, "equipment": pump.code, "metric": "vibration"})
    page = console.page
    console.go(f"/sensors/{sensor}")
    page.get_by_role("button", name="Delete").click()
    page.get_by_role("dialog").get_by_role("button", name="Delete").click()
    console.heading("Crude oil pump")
    console.expect_refusals(404)
    page.go_back()
    expect(page.get_by_text(f"There is no sensor {sensor}.")).to_be_visible()
    expect(page.get_by_role("link", name="See all sites")).to_be_visible()
    expect(page.get_by_role("row", name="deleted")).to_be_visible()


@pytest.mark.long
def test_a_viewer_sees_no_button_that_would_be_refused(
    browser: Browser, deployed: Deployed, screenshots: Path, pump: Pump
) -> None:
    key = deployed.done("POST", "/keys", {"name": f"viewer-{pump.site}", "role": "viewer"})
    with Console(browser, deployed, screenshots).opened(key["key"], theme="dark") as console:
        for place in ("/sites", f"/equipment/{pump.code}", f"/sensors/{pump.temperature}"):
            console.go(place)
            expect(console.page.get_by_role("heading", level=1)).to_be_visible()
            console.settle()
            names = {"Import", "Upload readings", "Delete", "Change", "Deactivate", "Send a reading", "Add a sensor"}
            assert not names & set(console.page.get_by_role("button").all_inner_texts())
        expect(console.page.get_by_role("img", name=pump.temperature)).to_be_visible()
        console.check_accessibility()
    deployed.done("DELETE", f"/keys/{key['id']}")
