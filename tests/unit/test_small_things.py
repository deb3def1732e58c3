"""Small modules: errors, AWS errors, schedules, settings, the file cache, layers."""

import time
from io import BytesIO
from pathlib import Path

import pytest
from botocore.exceptions import ClientError, EndpointConnectionError

from sluice.aws import translated
from sluice.container import Container
from sluice.domain.schedule import Schedule, interval_seconds
from sluice.errors import RequestError, RunError, SluiceError, TransientError, Unavailable, all_errors
from sluice.lake.cache import FileCache
from sluice.settings import Settings, load_settings
from support import moto_s3
from support.template import ROOT


def test_drawing_of_the_error_tree_is_complete() -> None:
    import sluice.errors

    drawn = [
        line.replace("│", " ").replace("├──", " ").replace("└──", " ").split()
        for line in (sluice.errors.__doc__ or "").splitlines()
    ]
    names = [words[0] for words in drawn if words and words[0][0].isupper() and hasattr(sluice.errors, words[0])]
    assert sorted(names) == sorted(error.__name__ for error in all_errors())


def test_every_error_has_a_unique_code_and_a_status() -> None:
    leaves = [error for error in all_errors() if error not in (SluiceError, RequestError, RunError, TransientError)]
    codes = [error.code for error in leaves]
    assert len(codes) == len(set(codes))
    for error in all_errors(RequestError):
        assert 400 <= error.status < 500
    problem = Unavailable("x" * 5000).problem("/v1/x")
    assert (len(problem["detail"]), problem["instance"]) == (2001, "/v1/x")


def test_transient_aws_errors_become_unavailable() -> None:
    def failing(code: str, status: int) -> None:
        with translated():
            raise ClientError({"Error": {"Code": code}, "ResponseMetadata": {"HTTPStatusCode": status}}, "Call")  # type: ignore[typeddict-item]

    for code, status in (("ThrottlingException", 400), ("InternalError", 500), ("SlowDown", 503)):
        with pytest.raises(Unavailable):
            failing(code, status)
    with pytest.raises(ClientError):
        failing("AccessDenied", 403)
    with pytest.raises(Unavailable), translated():
        raise EndpointConnectionError(endpoint_url="http://x")


@pytest.mark.parametrize(
    "expression",
    [
        "rate(5 minutes)",
        "rate(1 day)",
        "cron(0 6 ? * MON-FRI *)",
        "cron(0/15 * * * ? *)",
        "cron(0 8 L * ? 2026)",
        "cron(0 8 ? * 2#1 *)",
    ],
)
def test_valid_schedules_are_accepted(expression: str) -> None:
    assert Schedule(expression=expression).timezone == "UTC"


@pytest.mark.parametrize(
    "expression",
    [
        "rate(0 minutes)",
        "rate(5 minute)",
        "rate(5 weeks)",
        "cron(0 6 * * * *)",
        "cron(0 6 ? * ? *)",
        "cron(99 6 ? * 1 *)",
        "cron(0 6 ? 13 1 *)",
        "cron(* * *)",
        "at(2026-01-01T00:00:00)",
    ],
)
def test_invalid_schedules_are_refused(expression: str) -> None:
    with pytest.raises(ValueError, match=r"schedule|rate|exactly one"):
        Schedule(expression=expression)


def test_interval_of_a_schedule() -> None:
    assert interval_seconds(Schedule(expression="rate(2 hours)")) == 7200
    assert interval_seconds(Schedule(expression="cron(0 6 ? * 1 *)")) is None


def test_settings_are_read_from_the_environment_and_documented() -> None:
    assert load_settings({"MAX_PAGES": "7", "EMULATED": "yes", "UNKNOWN": "x"}).max_pages == 7
    assert load_settings({"EMULATED": "no"}).emulated is False
    with pytest.raises(ValueError, match="max_pages"):
        load_settings({"MAX_PAGES": "many"})
    page = (ROOT / "docs/reference/settings.md").read_text()
    for name, field in Settings.model_fields.items():
        assert field.description
        assert f"| `{name.upper()}` |" in page


def test_cache_evicts_the_oldest_file_that_is_not_in_use(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "999999999").mkdir()
    cache = FileCache(tmp_path, most_bytes=10)
    assert not (tmp_path / "999999999").exists(), "its process has died"
    fills: list[str] = []

    def fill(path: Path) -> None:
        fills.append(path.name)
        path.write_bytes(b"12345678")

    first = cache.get("a", fill)
    cache.get("a", fill)
    assert len(fills) == 1
    cache.get("b", fill)
    assert first.exists(), "it may still be read"
    later = time.time() + 2000
    monkeypatch.setattr("sluice.lake.cache.time.time", lambda: later)
    cache.get("c", fill)
    assert not first.exists()


def test_large_pages_are_stored_once_and_read_back(services: Container, tmp_path: Path) -> None:
    body = b"0123456789" * 1_000_000
    file = tmp_path / "page"
    file.write_bytes(body)
    for _ in range(2):
        with file.open("rb") as content:
            digest = services.lake.put_raw(content)
    with services.lake.raw(digest) as content:
        assert content.read() == body


def test_object_is_sent_without_expect_header(services: Container, monkeypatch: pytest.MonkeyPatch) -> None:
    """Asking (`Expect: 100-continue`) takes a round trip of its own for each page."""
    monkeypatch.setattr(moto_s3, "DIRECT", {})
    sent = []
    services.s3.meta.events.register("before-send.s3.PutObject", lambda request, **_: sent.append(request.headers))
    services.lake.put_raw(BytesIO(b"page"))
    services.lake.put("a", b"text")
    assert len(sent) == 2
    assert not any("Expect" in headers for headers in sent)


def test_layers_pin_the_tested_versions() -> None:
    def pins(path: str) -> set[str]:
        return {line.split(" ")[0] for line in (ROOT / path).read_text().splitlines() if "==" in line}

    for layer in ("runtime", "analytics"):
        assert pins(f"layers/{layer}/requirements.txt") <= pins("requirements/dev.txt")
