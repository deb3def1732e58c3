"""Many writers at once, and a source that would read the stack itself, on the deployed stack."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor

import httpx
import pytest

from support.stack import Deployed


def together(number: int, act: Callable[[int], httpx.Response]) -> list[httpx.Response]:
    with ThreadPoolExecutor(number) as pool:
        return list(pool.map(act, range(number)))


@pytest.fixture
def project(deployed: Deployed) -> str:
    deployed.call("DELETE", "/projects/writers")
    deployed.done("POST", "/projects", {"name": "writers"})
    return "/projects/writers"


def test_fifty_patches_at_once_all_succeed(deployed: Deployed, project: str) -> None:
    version = int(deployed.done("GET", project)["etag"])
    answers = together(50, lambda index: deployed.call("PATCH", project, {"description": f"writer {index}"}))
    assert Counter(answer.status_code for answer in answers) == {200: 50}
    assert int(deployed.done("GET", project)["etag"]) == version + 50


def test_thirty_models_at_once_stop_at_the_cap(deployed: Deployed, project: str) -> None:
    body = {"sql": "SELECT 1 AS x"}
    answers = together(30, lambda index: deployed.call("PUT", f"{project}/models/m{index}", body))
    assert Counter(answer.status_code for answer in answers) == {201: 20, 409: 10}
    assert len(deployed.done("GET", f"{project}/models")["items"]) == 20


def test_one_name_is_given_once(deployed: Deployed, project: str) -> None:
    for number in range(4):
        deployed.done("PUT", f"/datasources/writers-{number}", {"name": f"w{number}", "kind": "push"})
    answers = together(
        4, lambda index: deployed.call("PUT", f"{project}/datasources/writers-{index}", {"alias": "prices"})
    )
    assert Counter(answer.status_code for answer in answers) == {201: 1, 409: 3}
    assert len(deployed.done("GET", f"{project}/datasources")["items"]) == 1


def test_emulator_is_never_called(deployed: Deployed) -> None:
    port = deployed.description["endpoint_url"].rpartition(":")[2]
    for host in ("127.0.0.1", "localhost", "127.1.2.3"):
        body = {
            "name": "emulator",
            "kind": "http",
            "http": {"url": f"http://{host}:{port}/", "method": "POST", "headers": {"X-Amz-Target": "x"}, "body": {}},
        }
        checked = deployed.done("POST", "/datasources/check", body)
        assert (checked["ok"], checked["status"], "this stack" in checked["reason"]) == (False, None, True)
