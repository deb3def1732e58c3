"""Alarms: found, looked at, acknowledged singly and together."""

from __future__ import annotations

import re
import secrets
from collections.abc import Iterator
from datetime import UTC, datetime

import pytest
from playwright.sync_api import expect

from support.browser import Console
from support.stack import Deployed, until


@pytest.fixture(scope="module")
def site(deployed: Deployed) -> Iterator[str]:
    """A site with four alarms, one of them critical."""
    suffix = secrets.token_hex(3)
    code = f"A-{suffix}"
    deployed.done("POST", "/vessels", {"code": code})
    deployed.done("POST", f"/sites/{code}/equipment", {"code": f"{code}-P1"})
    sensors = [f"a-{suffix}.{number}" for number in range(4)]
    limits = {"high": 80, "high_high": 95}
    for sensor in sensors:
        body = {"id": sensor, "equipment": f"{code}-P1", "metric": "temperature", "unit": "°C", "limits": limits}
        deployed.done("POST", "/sensors", body)
    now = datetime.now(UTC).isoformat()
    values = zip(sensors, (81, 82, 83, 99), strict=True)
    deployed.done("POST", "/readings", [{"sensor": sensor, "time": now, "value": value} for sensor, value in values])
    until(lambda: len(deployed.done("GET", f"/alarms?site={code}")["items"]) == 4)
    yield code
    for sensor in sensors:
        deployed.done("DELETE", f"/sensors/{sensor}")
    deployed.done("DELETE", f"/equipment/{code}-P1")
    deployed.done("DELETE", f"/sites/{code}")


@pytest.mark.long
def test_alarms_are_filtered_and_acknowledged(console: Console, deployed: Deployed, site: str) -> None:
    page = console.page
    # Pages of two alarms, so that there are two pages.
    page.route("**/v1/alarms?*", lambda route: route.continue_(url=route.request.url.replace("limit=50", "limit=2")))
    console.go("/alarms", site=site)
    console.heading("Alarms")
    rows = page.locator("tbody tr")
    expect(rows).to_have_count(2)
    page.get_by_role("button", name="Show more").click()
    expect(rows).to_have_count(4)
    page.unroute_all()
    page.get_by_label("Equipment").select_option(f"{site}-P1")
    assert f"equipment={site}-P1" in page.url
    expect(rows).to_have_count(4)
    page.get_by_label("Severity").select_option("critical")
    expect(rows).to_have_count(1)
    expect(rows).to_contain_text("99 °C is above high high, 95 °C.")
    expect(page.get_by_text("1 of the 4 alarms that are loaded")).to_be_visible()
    console.screenshot("alarms")
    page.get_by_role("button", name="Acknowledge").click()
    page.get_by_label("Comment").fill("Stopped.")
    page.get_by_role("dialog").get_by_role("button", name="Acknowledge").click()
    expect(rows).to_have_count(0)

    page.get_by_label("Severity").select_option("")
    expect(rows).to_have_count(3)
    page.get_by_role("checkbox", name=re.compile(r"\.0 of")).check()
    page.get_by_role("checkbox", name=re.compile(r"\.2 of")).check()
    page.get_by_role("button", name="Acknowledge 2 selected").click()
    page.get_by_label("Comment").fill("Sensors are calibrated.")
    page.get_by_role("dialog").get_by_role("button", name="Acknowledge").click()
    expect(rows).to_have_count(1)
    expect(rows).to_contain_text("82 °C is above high, 80 °C.")
    page.get_by_label("State").select_option("acknowledged")
    expect(rows).to_have_count(3)
    expect(page.get_by_text("“Sensors are calibrated.”")).to_have_count(2)
    assert "state=acknowledged" in page.url, "a link to the view can be shared"
    console.check_accessibility()
    console.check_narrow()
    states = [alarm["state"] for alarm in deployed.done("GET", f"/alarms?site={site}")["items"]]
    assert sorted(states) == ["acknowledged"] * 3 + ["active"]


@pytest.mark.long
def test_an_alarm_that_ends_leaves_the_list_by_itself_and_links_to_its_chart(
    console: Console, deployed: Deployed, site: str
) -> None:
    page = console.page
    page.clock.install()
    sensor = f"{site.lower()}.1"
    console.go("/alarms", site=site)
    row = page.get_by_role("row", name=sensor)
    expect(row).to_be_visible()
    deployed.done("POST", "/readings", [{"sensor": sensor, "time": datetime.now(UTC).isoformat(), "value": 70}])
    until(lambda: deployed.done("GET", f"/alarms?sensor={sensor}&state=cleared")["items"])
    page.clock.fast_forward(6_000)
    expect(row).to_have_count(0)
    page.get_by_label("State").select_option("all")
    page.get_by_role("row", name=sensor).get_by_role("link", name="Chart").click()
    console.heading(sensor)
    expect(page.get_by_role("img", name=sensor)).to_have_accessible_name(re.compile("Newest: temperature 70"))
