"""Files of datasources: dropped, uploaded and erased from, with their progress."""

from __future__ import annotations

import re
import secrets
import sqlite3
from contextlib import closing
from pathlib import Path

import pytest
from playwright.sync_api import Locator, expect

from support.browser import Console
from support.stack import Deployed, until


@pytest.fixture
def slug() -> str:
    return f"ds-{secrets.token_hex(3)}"


def _drop(target: Locator, name: str, text: str) -> None:
    """Let go of a file over an element."""
    transfer = target.evaluate_handle(
        """(_, [name, text]) => {
            const transfer = new DataTransfer()
            transfer.items.add(new File([text], name))
            return transfer
        }""",
        [name, text],
    )
    target.dispatch_event("drop", {"dataTransfer": transfer})


@pytest.mark.long
def test_a_file_is_dropped_and_a_record_is_erased(console: Console, deployed: Deployed, slug: str) -> None:
    deployed.done("PUT", f"/datasources/{slug}", {"name": slug, "kind": "file", "primary_key": ["id"]})
    page = console.page
    console.go(f"/datasources/{slug}")
    _drop(page.get_by_text("Drop files here"), "guests.csv", "id,name\n1,Ada\n2,Grace\n")
    run = page.get_by_role("status").filter(has_text="Open the run")
    expect(run).to_contain_text("2 rows, version 1")
    console.screenshot("datasource-uploaded")
    page.get_by_role("button", name="Erase a record").click()
    dialog = page.get_by_role("dialog")
    dialog.get_by_label("id", exact=True).fill("2")
    dialog.get_by_label("Reason").fill("Request 4711")
    page.keyboard.press("Enter")
    expect(dialog).to_contain_text("This would be removed")
    assert deployed.done("GET", f"/datasources/{slug}/data")["items"], "a dry run changes nothing"
    console.screenshot("datasource-erase")
    console.check_accessibility()
    dialog.get_by_role("button", name="Erase for good").click()
    expect(dialog).to_contain_text("This was removed")
    assert [row["name"] for row in deployed.done("GET", f"/datasources/{slug}/data")["items"]] == ["Ada"]
    console.leave()
    deployed.done("DELETE", f"/datasources/{slug}")


@pytest.mark.long
def test_only_the_record_that_was_counted_is_erased(console: Console, deployed: Deployed, slug: str) -> None:
    deployed.done("PUT", f"/datasources/{slug}", {"name": slug, "kind": "push", "primary_key": ["name"]})
    deployed.done("POST", f"/datasources/{slug}/records", [{"name": "Anna"}, {"name": "Bob"}])
    until(lambda: deployed.call("GET", f"/datasources/{slug}/data").status_code == 200)
    page = console.page
    console.go(f"/datasources/{slug}")
    page.get_by_role("button", name="Erase a record").click()
    dialog = page.get_by_role("dialog")
    dialog.get_by_label("name", exact=True).fill("Anna")
    dialog.get_by_label("Reason").fill("Request 4711")
    with console.held("**/erase"):
        dialog.get_by_role("button", name="Count what would go").click()
        dialog.get_by_label("name", exact=True).fill("Bob")
    # The answer is about Anna, who is no longer in the field.
    page.wait_for_timeout(3000)
    expect(dialog.get_by_role("button", name="Erase for good")).to_have_count(0)
    expect(dialog).not_to_contain_text("would be removed")
    dialog.get_by_role("button", name="Count what would go").click()
    expect(dialog).to_contain_text("This would be removed or rewritten for Bob")
    dialog.get_by_role("button", name="Erase for good").click()
    expect(dialog).to_contain_text("This was removed or rewritten for Bob")
    assert [row["name"] for row in deployed.done("GET", f"/datasources/{slug}/data")["items"]] == ["Anna"]
    console.leave()
    deployed.done("DELETE", f"/datasources/{slug}")


@pytest.mark.long
def test_a_file_larger_than_a_request_is_sent_with_its_progress(
    console: Console, deployed: Deployed, slug: str, tmp_path: Path
) -> None:
    deployed.done("PUT", f"/datasources/{slug}", {"name": slug, "kind": "file", "primary_key": ["id"]})
    file = tmp_path / "measured.csv"
    # The gateway takes 10 MB.
    file.write_text("id,note\n" + "".join(f"{number},{number:0400}\n" for number in range(30_000)))
    page = console.page
    console.go(f"/datasources/{slug}")
    network = page.context.new_cdp_session(page)
    slow = {"offline": False, "latency": 0, "downloadThroughput": -1, "uploadThroughput": 3_000_000}
    network.send("Network.emulateNetworkConditions", slow)
    page.get_by_label("Files to upload").set_input_files(file)
    progress = page.get_by_role("progressbar", name="Upload of measured.csv")
    expect(progress).to_be_visible()
    expect(page.get_by_text(re.compile(r"^[\d.]+ MB of 12\.\d MB$"))).to_be_visible()
    sent = float(progress.get_attribute("value") or 0)
    expect(page.get_by_role("button", name="Choose files")).to_be_enabled()
    assert 0 < sent < file.stat().st_size
    console.screenshot("datasource-uploading")
    network.send("Network.emulateNetworkConditions", slow | {"uploadThroughput": -1})
    run = page.get_by_role("status").filter(has_text="Open the run")
    expect(run).to_contain_text("30,000 rows, version 1", timeout=60_000)
    expect(progress).to_have_count(0)
    console.leave()
    deployed.done("DELETE", f"/datasources/{slug}")


@pytest.mark.long
def test_a_sqlite_file_is_uploaded_and_read(console: Console, deployed: Deployed, slug: str, tmp_path: Path) -> None:
    source = {"engine": "sqlite", "key": f"{slug}/shop.db", "query": "SELECT id, name FROM articles"}
    deployed.done("PUT", f"/datasources/{slug}", {"name": slug, "kind": "sql", "sql": source})
    file = tmp_path / "of today.db"
    with closing(sqlite3.connect(file)) as database, database:
        database.execute("CREATE TABLE articles AS SELECT 7 AS id, 'rope' AS name")
    page = console.page
    console.go(f"/datasources/{slug}")
    with page.expect_file_chooser() as chooser:
        page.get_by_role("button", name="Choose files").click()
    chooser.value.set_files(file)
    expect(page.get_by_text(", kept")).to_be_visible()
    page.get_by_role("button", name="Preview").click()
    expect(page.get_by_role("region", name="Preview: rows")).to_contain_text("rope")
    console.leave()
    deployed.done("DELETE", f"/datasources/{slug}")
