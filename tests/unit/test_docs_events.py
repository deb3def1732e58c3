"""The examples of the guides about webhooks and alarms are accepted, and do what the pages say."""

from __future__ import annotations

import json
import re
from typing import Any

import pytest

from sluice.api.responses import response_model
from sluice.domain.assets.sensor import LIMIT_NAMES, Limits
from sluice.domain.base import validate
from sluice.domain.subscription import FILTERS, Subscription, signature
from sluice.settings import Settings
from support.template import ROOT

WEBHOOKS, ALARMS = ((ROOT / f"docs/how-to/{name}.md").read_text() for name in ("webhooks", "alarms"))


def blocks(page: str, language: str) -> list[str]:
    return re.findall(rf"^```{language}\n(.*?)^```$", page, re.DOTALL | re.MULTILINE)


@pytest.fixture(scope="module")
def receiver() -> dict[str, Any]:
    """What the page's program defines."""
    (program,) = blocks(WEBHOOKS, "python")
    names: dict[str, Any] = {"__name__": "receiver"}
    exec(program, names)
    return names


def test_the_page_verifies_signatures(receiver: dict[str, Any]) -> None:
    body, now = b'{"id": "evt_1"}', 1_800_000_000

    def accepts(header: str, *, secret: str = "whsec_a", sent: bytes = body, at: float = now) -> bool:
        return bool(receiver["is_genuine"](secret, header, sent, at))

    genuine = signature("whsec_a", now, body)
    assert accepts(genuine)
    assert accepts(genuine, at=now + 300)
    assert not accepts(genuine, at=now + 301)
    assert not accepts(genuine, at=now - 301)
    assert not accepts(genuine, secret="whsec_b")
    assert not accepts(genuine, sent=body + b" ")
    assert not accepts(genuine.replace(str(now), str(now + 1)))
    for header in ("", "t=1", "v1=a", "t=x,v1=a", "nothing"):
        assert not accepts(header)


def test_the_page_has_the_events_and_filters() -> None:
    rows = re.findall(r"^\| `([a-z]+\.[a-z]+)` \|.*\| ([^|]*) \|$", WEBHOOKS, re.MULTILINE)
    assert {name: tuple(re.findall(r"`(\w+)`", filters)) for name, filters in rows} == FILTERS


@pytest.mark.parametrize("page", [WEBHOOKS, ALARMS], ids=["webhooks", "alarms"])
def test_the_page_has_the_settings_and_their_defaults(page: str) -> None:
    stated = re.findall(r"`([A-Z_]+)` \((\d+)\)", page)
    assert stated
    defaults = {name.upper(): field.default for name, field in Settings.model_fields.items()}
    assert {name: float(value) for name, value in stated} == {name: float(defaults[name]) for name, _ in stated}


def test_documents_of_the_alarm_page_are_accepted() -> None:
    (subscription,) = (json.loads(block) for block in blocks(ALARMS, "json"))
    validate(Subscription, subscription)
    listed = next(block for block in blocks(ALARMS, "text") if '"items"' in block)
    (alarm,) = json.loads(listed[listed.index("{\n") :])["items"]
    assert set(alarm) == set(response_model("AlarmView").model_fields)
    described = re.findall(r"^\| (`[a-z_`, ]+`) \|", ALARMS.partition("## Which")[0], re.MULTILINE)
    names = {name for cell in described for name in re.findall(r"\w+", cell)}
    assert names == set(Limits.model_fields)
    assert set(LIMIT_NAMES) < names
