"""Sharing through the Python client and the command line, over the API in this process."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from sluice.container import Container
from sluice_client import NotFound, Sluice
from support.api_transport import API, ApiTransport
from support.client import Client
from support.command_line import Commands


@pytest.fixture
def api(services: Container, editor: Client) -> Iterator[Sluice]:
    editor.post("/projects", {"name": "p"})
    editor.put("/inputs/i", {"kind": "document", "document": {}})
    with Sluice(API, editor.key, transport=ApiTransport(services)) as client:
        yield client


def test_resources_are_shared_listed_and_unshared(api: Sluice) -> None:
    for resource in (api.project("p"), api.input("i")):
        assert resource.share("group:planners", "designer")["role"] == "designer"
        assert resource.share("group:planners", "viewer")["role"] == "viewer"
        assert [member["role"] for member in resource.members()] == ["owner", "viewer"]
        resource.unshare("group:planners")
        with pytest.raises(NotFound):
            resource.unshare("group:planners")


def test_commands_share(editor: Client, sluice: Commands) -> None:
    editor.post("/projects", {"name": "p"})
    shared = sluice("share", "project", "p", "user:bob", "editor")
    assert (shared.code, shared.err or shared.out) == (0, "project p is shared with user:bob as editor\n")
    assert "user:bob" in sluice("get", "projects/p/members").out
    assert sluice("unshare", "project", "p", "user:bob").code == 0
    assert sluice("unshare", "project", "p", "user:bob").code != 0
