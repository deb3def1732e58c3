"""The runs: the live list, one run with its timeline, and its raw pages."""

from __future__ import annotations

import gzip
import re
import secrets
import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler

import pytest
from playwright.sync_api import Route, expect

from support.browser import Console
from support.server import Server, send
from support.stack import Deployed


@pytest.fixture
def slug(deployed: Deployed, server: Server) -> Iterator[str]:
    """A datasource of two pages."""
    name = f"feed-{secrets.token_hex(3)}"

    def answer(handler: BaseHTTPRequestHandler) -> None:
        second = "page=2" in handler.path
        following = "null" if second else f'"{server.url}/{name}?page=2"'
        send(handler, f'{{"rows": [{{"n": {2 if second else 1}}}], "next": {following}}}'.encode())

    server.routes[f"/{name}"] = answer
    http = {"url": f"{server.url}/{name}", "pagination": {"type": "next_url", "path": "next"}}
    deployed.done("PUT", f"/datasources/{name}", {"name": name, "kind": "http", "http": http, "records": "rows[]"})
    yield name
    deployed.call("DELETE", f"/datasources/{name}?force=true")


def _run(deployed: Deployed, slug: str) -> str:
    answer = deployed.call("POST", f"/datasources/{slug}/runs", {}, prefer="wait=20").json()
    return str(deployed.ended(answer)["id"])


@pytest.mark.long
def test_a_new_run_appears_and_its_pages_are_read(console: Console, deployed: Deployed, slug: str) -> None:
    page = console.page
    console.go("/runs", datasource=slug)
    expect(page.get_by_text("No run fits the filter.")).to_be_visible()
    run = _run(deployed, slug)
    page.get_by_role("link", name=f"Ingest of {slug}").click()
    expect(page.locator(".run-state")).to_contain_text(
        "It received 2 rows with 2 requests, and stored them as version 1."
    )
    timeline = page.locator(".timeline")
    expect(timeline).to_contain_text("fetch")
    expect(timeline).to_contain_text("extract")
    page.get_by_text("events").click()
    expect(page.get_by_text("Page 2 received with status 200, 1 records")).to_be_visible()
    console.screenshot("run")
    console.check_accessibility()
    page.get_by_role("link", name="Page 1").click()
    console.heading("Page 1")
    assert run in page.url
    expect(page.locator(".received")).to_contain_text('"n": 1')
    expect(page.get_by_text("SHA-256")).to_be_visible()
    console.screenshot("raw-page")
    console.check_accessibility()
    page.get_by_role("link", name="Next page").click()
    expect(page.locator(".received")).to_contain_text('"n": 2')
    console.check_narrow()


@pytest.mark.long
def test_the_list_is_filtered(console: Console, deployed: Deployed, slug: str) -> None:
    _run(deployed, slug)
    page = console.page
    page.get_by_role("link", name="Runs").click()
    expect(page.get_by_role("link", name=f"Ingest of {slug}")).to_be_visible()
    console.screenshot("runs")
    console.check_accessibility()
    page.get_by_label("Status").select_option("failed")
    expect(page.get_by_role("link", name=f"Ingest of {slug}")).to_have_count(0)
    assert "status=failed" in page.url
    page.get_by_role("button", name="Show all runs").click()
    expect(page.get_by_role("link", name=f"Ingest of {slug}")).to_be_visible()
    console.check_narrow()


def test_a_failed_run_says_why_and_is_redriven(console: Console, deployed: Deployed, server: Server, slug: str) -> None:
    good = server.routes[f"/{slug}"]
    server.answer(f"/{slug}", b'{"detail": "no such feed"}', 404)
    run = _run(deployed, slug)
    server.routes[f"/{slug}"] = good
    page = console.page
    console.go(f"/runs/{run}")
    expect(page.get_by_role("alert")).to_contain_text("404")
    expect(page.get_by_text("1 failed", exact=False).first).to_be_visible()
    console.screenshot("run-failed")
    console.check_accessibility()
    page.get_by_role("link", name="Page 1").click()
    page.get_by_role("button", name="Show the answer").click()
    expect(page.locator(".failure .received")).to_contain_text("no such feed")
    page.go_back()
    page.get_by_role("button", name="Redrive").click()
    expect(page.locator(".run-state")).to_contain_text("stored them as version 1")
    expect(page.get_by_role("heading", name="Attempt 2")).to_be_visible()
    page.get_by_role("button", name="Replay its pages").click()
    expect(page.get_by_text(run)).to_have_count(0)
    expect(page.locator(".run-state")).to_contain_text("It received 2 rows")


# Each of them took minutes, or the tab's memory.
_HOSTILE = {
    "a string that is not closed": (b'["' + b'\\"' * 200_000, "/a", "JSON, "),
    "comments that are not closed": (b"<!--" * 2_500, "/a", "XML, "),
    "brackets that are not closed": (b"[" * 400_000, "/0/0/b", "JSON, "),
    "an archive of much more": (gzip.compress(b" " * 60_000_000), "/a", "a gzip archive of more than 50 MB"),
}


@pytest.mark.long
@pytest.mark.parametrize("kind", _HOSTILE)
def test_a_hostile_page_is_shown_at_once(
    console: Console, deployed: Deployed, server: Server, slug: str, kind: str
) -> None:
    body, pointer, shown = _HOSTILE[kind]
    server.answer(f"/{slug}", body)
    run = _run(deployed, slug)
    console.go(f"/runs/{run}/pages/1", pointer=pointer)
    expect(console.page.get_by_role("main")).to_contain_text(shown, timeout=30_000)


@pytest.mark.long
def test_a_running_run_shows_its_progress_and_is_cancelled(
    console: Console, deployed: Deployed, server: Server, slug: str
) -> None:
    good, released = server.routes[f"/{slug}"], threading.Event()

    def hang(handler: BaseHTTPRequestHandler) -> None:
        released.wait(20)
        good(handler)

    server.routes[f"/{slug}"] = hang
    run = deployed.done("POST", f"/datasources/{slug}/runs", {})["id"]
    page = console.page
    try:
        console.go(f"/runs/{run}")
        expect(page.locator(".timeline")).to_contain_text("so far")
        page.get_by_role("button", name="Cancel the run").click()
        page.get_by_role("dialog").get_by_role("button", name="Cancel the run").click()
        expect(page.locator(".run-state")).to_contain_text("cancelled")
    finally:
        released.set()
    expect(page.get_by_role("button", name="Redrive")).to_be_visible()


@pytest.mark.long
def test_a_replay_is_drawn_from_its_own_beginning(console: Console, deployed: Deployed, slug: str) -> None:
    _run(deployed, slug)
    run = deployed.done("POST", f"/datasources/{slug}/runs", {"replay": 1})
    deployed.ended(run)
    page = console.page
    console.go(f"/runs/{run['id']}")
    expect(page.get_by_text("2 pages of earlier runs, read again")).to_be_visible()
    page.get_by_text("events, in the time of").click()
    expect(page.get_by_text("Page 1 received")).to_be_visible()


@pytest.mark.long
def test_times_sizes_and_states_read_as_people_say_them(console: Console, deployed: Deployed, slug: str) -> None:
    run = _run(deployed, slug)

    def change(route: Route) -> None:
        document = route.fetch().json()
        document |= {"status": "pending", "created_at": "2024-01-01T00:00:00.000Z", "bytes": 999_600}
        document |= {"started_at": "2024-01-01T00:00:00.000Z", "finished_at": "2024-01-01T00:01:59.700Z"}
        route.fulfill(json=document)

    page = console.page
    page.route(f"**/v1/runs/{run}", change)
    console.go(f"/runs/{run}")
    expect(page.get_by_text("2 min 0 s")).to_be_visible()
    expect(page.get_by_text("1 MB")).to_be_visible()
    expect(page.get_by_text(re.compile(r"\d+ (months|years) ago"))).to_be_visible()
    expect(page.locator(".badge.busy", has_text="pending")).to_be_visible()
