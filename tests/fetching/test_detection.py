"""Detection of addresses whose servers mean no good."""

from __future__ import annotations

import json
import threading
from typing import Any

import pytest

from sluice.domain.datasource.http_source import NoAuth
from sluice.errors import AddressForbidden, SourceUnreachable
from sluice.settings import Settings
from sluice.sources.address import AddressPolicy
from sluice.sources.http.client import vetted_transport
from sluice.sources.http.detection.detector import Detection, Detector
from support.server import Server

RECORDS = [{"id": number} for number in range(10)]


def detect(url: str, allowed: str = "127.0.0.0/8", **settings: Any) -> Detection:
    options = Settings(**settings)
    detector = Detector(
        url,
        NoAuth(type="none"),
        options,
        lambda name: "",
        lambda: vetted_transport(AddressPolicy(allowed)),
        lambda slug: False,
    )
    return detector.detect(lambda datasource, receipt, content: {})


def test_private_addresses_are_not_called(server: Server) -> None:
    server.answer("/a", b"[]")
    with pytest.raises(AddressForbidden, match="PRIVATE_NETWORKS"):
        detect(f"{server.url}/a", allowed="")
    assert server.requests == []


def test_link_into_a_private_network_is_not_followed(server: Server) -> None:
    server.answer("/a", json.dumps({"next": "http://10.0.0.1/admin", "data": RECORDS[:3]}).encode())
    detection = detect(f"{server.url}/a")
    assert detection.document["http"]["pagination"] == {"type": "none"}
    assert "10.0.0.1:80 is in a private network" in detection.warnings[0]


def hold(release: threading.Event) -> None:
    release.wait(10)


def test_first_page_that_never_comes(server: Server) -> None:
    release = threading.Event()
    server.routes["/a"] = lambda handler: hold(release)
    try:
        with pytest.raises(SourceUnreachable, match="no response within the time limit"):
            detect(f"{server.url}/a", probe_seconds=0.3)
    finally:
        release.set()


def test_second_page_that_never_comes(server: Server) -> None:
    release = threading.Event()
    server.answer("/a", json.dumps({"next": "/b", "data": RECORDS}).encode())
    server.routes["/b"] = lambda handler: hold(release)
    try:
        detection = detect(f"{server.url}/a", probe_seconds=0.5)
    finally:
        release.set()
    assert detection.document["records"] == "data"
    assert "no response within the time limit" in detection.warnings[0]
