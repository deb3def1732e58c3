"""What the other tests of this ring ask the engine; these need none."""

from __future__ import annotations

from pathlib import Path

import pytest

from support import containers
from support.containers import bridge_address, interface_address


@pytest.mark.parametrize(("gateway", "address"), [("172.18.0.1", "172.18.0.1"), ("", "172.17.0.1")])
def test_gateway_falls_back_to_the_address_of_the_interface(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path, gateway: str, address: str
) -> None:
    docker = tmp_path / "docker"
    docker.write_text(f"#!/bin/sh\necho '{gateway}'\n")
    docker.chmod(0o755)
    monkeypatch.setenv("PATH", f"{tmp_path}:/usr/bin:/bin")
    monkeypatch.setattr(containers, "interface_address", {"docker0": "172.17.0.1"}.__getitem__)
    assert bridge_address() == address


def test_address_of_an_interface() -> None:
    assert interface_address("lo") == "127.0.0.1"
