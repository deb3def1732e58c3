"""The main job on the deployed stack."""

from __future__ import annotations

import json
import os
import re
import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import httpx
import pytest

from support.server import Server
from support.stack import ROOT, Deployed, free_port, until

JOIN = {"strategy": "join", "key": ["symbol"]}


def source(server: Server, name: str, records: Any, **more: Any) -> dict[str, Any]:
    server.answer(f"/{name}", json.dumps(records).encode())
    return {"name": name, "kind": "http", "http": {"url": f"{server.url}/{name}"}, **more}


@pytest.mark.parametrize(
    ("method", "path", "headers", "status"),
    [
        ("GET", "/projects", {}, 401),
        ("GET", "/projects", {"x-api-key": "slc_nobody"}, 401),
        ("GET", "/nothing", {}, 404),
        ("GET", "/projects/a/b/c/d", {}, 404),
        ("POST", "/me", {}, 404),
    ],
)
def test_gateway_errors_are_problem_details(
    deployed: Deployed, method: str, path: str, headers: dict[str, str], status: int
) -> None:
    answer = httpx.request(method, deployed.url + path, headers=headers, timeout=30, trust_env=False)
    assert answer.status_code == status
    assert answer.headers["content-type"] == "application/problem+json"
    problem = answer.json()
    assert (problem["status"], set(problem) >= {"type", "title", "detail"}) == (status, True)
    if status == 401:
        assert re.search("Basic.*Bearer", answer.headers["www-authenticate"])


def test_open_routes_need_no_key(deployed: Deployed) -> None:
    for path in (
        "",
        "/",
        "/health",
        "/openapi.json",
        "/docs",
        "/docs/swagger-ui.css",
        "/redoc",
        "/docs/redoc-standalone.js",
    ):
        assert httpx.get(deployed.url + path, timeout=30, trust_env=False).status_code == 200


def test_slash_in_a_name_reaches_no_other_route(deployed: Deployed) -> None:
    for path in ("/projects/a%2Fdata", "/datasources/x%2Fversions%2F1", "/projects/..%2Fkeys"):
        answer = deployed.call("GET", path)
        assert (answer.status_code, answer.headers["content-type"]) == (404, "application/problem+json"), path


def test_worked_example_of_the_readme(deployed: Deployed, tmp_path: Path) -> None:
    blocks = re.findall(r"```sh\n(.*?)```", (ROOT / "README.md").read_text(), re.DOTALL)
    example, drop, push = (block for block in blocks if "handbook" in block or "datasources/stock" in block)
    (tmp_path / ".local").mkdir()
    (tmp_path / ".local/stack.json").write_text(json.dumps(deployed.description))
    (tmp_path / ".venv").symlink_to(sys.prefix)
    # In place of the pause: the other commands, and then only as long as it takes.
    pause, waits = "sleep 5\n", 'until call "$API/datasources/stock/data"; do sleep 0.2; done\n'
    assert pause in push
    push = push.replace(pause, drop + waits).replace("/stock", "/readme-stock")  # the tutorial has a `stock`, too
    script = example.replace("8123", str(free_port())) + push
    # Without `pipefail`: `head` closes its pipe early.
    done = subprocess.run(
        ["bash", "-euc", script],
        cwd=tmp_path,
        env={**os.environ, "SLUICE_LOCAL": str(tmp_path / ".local")},
        capture_output=True,
        text=True,
        check=False,
        timeout=240,
    )
    assert done.returncode == 0, done.stdout + done.stderr
    assert '"number":1' in done.stdout
    assert "operation,summary\n" in done.stdout
    assert '"openapi": "3.1.0"' in done.stdout
    assert re.search(r"^get_run\t.*\bAda\b", done.stdout, re.MULTILINE)
    assert re.search(r'"items":\[\{"id":1,"left":5\},\{"id":2,"left":7\}\]', done.stdout)


def test_urls_in_answers_lead_to_the_api(deployed: Deployed, name: str) -> None:
    made = deployed.call("POST", "/projects", {"name": name})
    assert made.headers["location"] == f"{deployed.url}/projects/{name}"
    assert deployed.http is not None
    found = httpx.get(made.headers["location"], headers=dict(deployed.http.headers), timeout=30, trust_env=False)
    assert (found.status_code, found.headers["etag"]) == (200, '"1"')
    deleted = deployed.call("DELETE", f"/projects/{name}", if_match='"1"')
    assert (deleted.status_code, deleted.content) == (204, b"")
    assert deployed.call("GET", f"/projects/{name}").status_code == 404


def test_two_apis_and_a_file_become_one_dataset(deployed: Deployed, server: Server, name: str) -> None:
    a, b, notes = f"{name}-a", f"{name}-b", f"{name}-notes"
    deployed.done(
        "PUT", f"/datasources/{a}", source(server, a, [{"symbol": "BTC", "price": 1}, {"symbol": "ETH", "price": None}])
    )
    deployed.done("PUT", f"/datasources/{b}", source(server, b, [{"symbol": "BTC", "rank": 1}]))
    deployed.done("PUT", f"/datasources/{notes}", {"name": notes, "kind": "file"})
    deployed.done("PUT", f"/projects/{name}", {"name": name, "merge": JOIN})
    for slug in (a, b, notes):
        deployed.done("PUT", f"/projects/{name}/datasources/{slug}", {"optional": slug == notes})
    run = deployed.call("POST", f"/projects/{name}/runs", {}, prefer="wait=20")
    ended = run.json() if run.status_code == 200 else deployed.ended(run.json())
    assert (ended["status"], ended["completeness"]) == ("succeeded", "complete"), ended
    assert deployed.rows(f"projects/{name}") == [
        {"symbol": "BTC", "price": 1, "rank": 1},
        {"symbol": "ETH", "price": None, "rank": None},
    ]
    deployed.drop(f"{notes}/my notes+é.csv", b"symbol,note\nBTC,mine\n")
    until(lambda: deployed.rows(f"projects/{name}")[0].get("note") == "mine")
    child = deployed.done("GET", f"/runs?datasource={a}")["items"][0]
    content = deployed.call("GET", f"/runs/{child['id']}/pages/1/content")
    assert content.json() == [{"symbol": "BTC", "price": 1}, {"symbol": "ETH", "price": None}]


def test_failed_run_says_what_to_do(deployed: Deployed, server: Server, name: str) -> None:
    deployed.done("PUT", f"/datasources/{name}", source(server, name, []))
    server.answer(f"/{name}", b"<!doctype html><title>Log in</title>")
    ended = deployed.ended(deployed.done("POST", f"/datasources/{name}/runs"))
    assert (ended["status"], "HTML" in ended["error"]["detail"]) == ("failed", True)
    gone = source(server, name, [])
    gone["http"]["url"] = "http://127.0.0.1:9/nothing"
    deployed.done("PUT", f"/datasources/{name}", {**gone, "http": {**gone["http"], "timeout_seconds": 1}})
    ended = deployed.ended(deployed.done("POST", f"/datasources/{name}/runs"))
    assert ended["error"]["type"] == "urn:sluice:problem:source-unreachable"


def test_unreadable_files_are_moved_aside(deployed: Deployed, name: str) -> None:
    deployed.done("PUT", f"/datasources/{name}", {"name": name, "kind": "file"})
    deployed.drop(f"{name}/bad.csv", b"a,b\n1\n")
    deployed.drop(f"nobody-{name}/x.csv", b"a\n1\n")
    deployed.drop(f"{name}/../../x.csv", b"a\n1\n")
    bucket = deployed.description["inbox_bucket"]

    def keys() -> set[str]:
        return {one["Key"] for one in deployed.client("s3").list_objects_v2(Bucket=bucket).get("Contents", [])}

    wanted = {f"_failed/{name}/bad.csv", f"_unknown/nobody-{name}/x.csv", f"_unknown/{name}/%2E%2E/%2E%2E/x.csv"}
    until(lambda: {key + suffix for key in wanted for suffix in ("", ".reason.json")} <= keys())
    assert f"{name}/bad.csv" not in keys()


def test_large_and_binary_answers_are_redirects(deployed: Deployed, server: Server, name: str) -> None:
    server.routes[f"/{name}"] = lambda handler: _send_binary(handler)
    body = source(server, f"{name}-x", [])
    body["http"]["url"] = f"{server.url}/{name}"
    deployed.done("PUT", f"/datasources/{name}-x", {**body, "name": f"{name}-x"})
    ended = deployed.ended(deployed.done("POST", f"/datasources/{name}-x/runs"))
    assert ended["status"] == "failed"
    answer = deployed.call("GET", f"/runs/{ended['id']}/pages/1/content")
    assert answer.status_code == 303
    assert httpx.get(answer.headers["location"], trust_env=False).content == b"\xff\xfe\x00binary"


def _send_binary(handler: Any) -> None:
    from support.server import send

    send(handler, b"\xff\xfe\x00binary")


def test_parallel_writers_all_succeed_without_preconditions(deployed: Deployed, name: str) -> None:
    with ThreadPoolExecutor(6) as pool:
        puts = list(pool.map(lambda n: deployed.call("PUT", f"/projects/{name}", {"name": f"n{n}"}), range(6)))
    assert {answer.status_code for answer in puts} <= {200, 201}, [answer.text for answer in puts]
    with ThreadPoolExecutor(6) as pool:
        made = list(
            pool.map(
                lambda _: deployed.call("POST", "/projects", {"name": f"{name}-k"}, idempotency_key=name), range(6)
            )
        )
    assert {answer.status_code for answer in made} <= {201, 409}
    assert len({answer.text for answer in made if answer.status_code == 201}) == 1


def test_concurrent_drops_lose_nothing(deployed: Deployed, name: str) -> None:
    deployed.done("PUT", f"/datasources/{name}", {"name": name, "kind": "file"})
    with ThreadPoolExecutor(4) as pool:
        list(pool.map(lambda n: deployed.drop(f"{name}/{n}.csv", f"a\n{n}\n".encode()), range(6)))
    until(
        lambda: (
            len([run for run in deployed.done("GET", f"/runs?datasource={name}")["items"] if run["finished_at"]]) == 6
        ),
        120,
    )
    seen = set()
    for version in deployed.done("GET", f"/datasources/{name}/versions")["items"]:
        rows = deployed.done("GET", f"/datasources/{name}/data?version={version['number']}")["items"]
        seen |= {row["a"] for row in rows}
    assert seen == set(range(6))


def test_schedule_fires(deployed: Deployed, schedules: tuple[str, str]) -> None:
    ticking, paused = schedules

    def fired() -> list[dict[str, Any]]:
        runs = deployed.done("GET", f"/runs?datasource={ticking}&status=succeeded")["items"]
        return [run for run in runs if run["trigger"] == "schedule"]

    assert until(fired, 120)[0]["rows"] == 1
    assert deployed.done("GET", f"/runs?datasource={paused}")["items"] == []
    scheduler = deployed.client("scheduler")
    before = {one["Name"]: one["State"] for one in scheduler.list_schedules(GroupName="sluice")["Schedules"]}
    deployed.done("DELETE", f"/datasources/{ticking}")
    after = {one["Name"] for one in scheduler.list_schedules(GroupName="sluice")["Schedules"]}
    assert len(before) - len(after) == 1, "its schedule went with it"
    assert "DISABLED" in before.values(), "the paused one is still there"
