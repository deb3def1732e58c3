"""Canaries: distinctive secrets, and a search of every place in which one could have been left."""

from __future__ import annotations

import base64
import gzip
import io
import json
import logging
import tempfile
import zlib
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any
from urllib.parse import unquote, unquote_plus

import boto3
import duckdb
import pytest
from aws_lambda_powertools.logging.formatter import LambdaPowertoolsFormatter

from support.client import Client, Reply
from support.functions import LocalFunctions
from support.moto_aws import TABLES
from support.workflows import LocalWorkflows


def canary(name: str) -> str:
    """A secret that is found nowhere by chance, with characters that URLs, JSON and base64 change."""
    return f"cnry-{name}+Zq7/xW&3=v9"


def forms(secret: str) -> set[str]:
    """How a secret can be written: as it is, in base64 at any place of a longer text, and in hexadecimal."""
    content = secret.encode()
    # Three bytes are four characters: what comes before shifts the secret, and the first and last characters have
    # bits of its neighbours.
    encoded = {base64.b64encode(b"\0" * shift + content)[shift and shift + 1 : -4].decode() for shift in range(3)}
    safe = {text.replace("+", "-").replace("/", "_") for text in encoded}
    return {text.lower() for text in {secret, content.hex(), *encoded, *safe}}


def contains(text: str, secret: str) -> bool:
    """Whether a text has a secret in any form, perhaps escaped for a URL or JSON, once or twice."""
    spellings = {text, text.replace("\\/", "/").replace("\\u0026", "&").replace("\\u002b", "+")}
    spellings |= {unquote(text), unquote_plus(text), unquote(unquote(text))}
    return any(form in spelling.lower() for form in forms(secret) for spelling in spellings)


class Traces:
    """All that a test has made the platform store, log, answer and pass on, except the parameters of SSM.

    Args:
        monkeypatch: undoes the recording.
        capsys: has the metrics, which are printed.
    """

    def __init__(self, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
        self._capsys = capsys
        self._log = io.StringIO()
        self._passed: list[tuple[str, str]] = []
        self._is_paused = False
        handler = logging.StreamHandler(self._log)
        handler.setFormatter(LambdaPowertoolsFormatter())
        root = logging.getLogger()
        monkeypatch.setattr(root, "handlers", [*root.handlers, handler])
        self._record(monkeypatch, Client, "call", "answer")
        self._record(monkeypatch, LocalWorkflows, "execute", "input of an execution")
        self._record(monkeypatch, LocalWorkflows, "_task", "task of a workflow")
        self._record(monkeypatch, LocalFunctions, "call_later", "call of a function")

    def _record(self, monkeypatch: pytest.MonkeyPatch, owner: type, name: str, place: str) -> None:
        original = getattr(owner, name)

        def recorded(target: Any, *arguments: Any, **named: Any) -> Any:
            is_answer = owner is Client
            label = f"{place} {arguments[:2]}" if is_answer else place
            try:
                result = original(target, *arguments, **named)
            except BaseException as error:
                self._passed.append((f"{label}: error", f"{type(error).__name__}: {error}"))
                raise
            # The client knows what it sends; the workflows keep what they pass on.
            shown = result if is_answer else (arguments, named, result)
            if not (is_answer and self._is_paused):
                self._passed.append((label, _text(shown)))
            return result

        monkeypatch.setattr(owner, name, recorded)

    @contextmanager
    def paused(self) -> Iterator[None]:
        """Within this context answers are not searched: those that show a secret once."""
        self._is_paused = True
        yield
        self._is_paused = False

    def texts(self) -> Iterator[tuple[str, str]]:
        """Each place, and all that it has, as text."""
        yield "log", self._log.getvalue()
        printed = self._capsys.readouterr()
        yield "standard output", printed.out + printed.err
        yield from self._passed
        yield from _items()
        yield from _objects()
        for schedule in boto3.client("scheduler").list_schedules().get("Schedules", []):
            found = boto3.client("scheduler").get_schedule(Name=schedule["Name"], GroupName=schedule["GroupName"])
            yield f"schedule {schedule['Name']}", _text(found)

    def leaks(self, *secrets: str) -> list[str]:
        """The places that have a secret, and which."""
        texts = list(self.texts())
        return sorted({f"{place}: {secret}" for place, text in texts for secret in secrets if contains(text, secret)})


def _text(value: Any) -> str:
    if isinstance(value, Reply):
        return f"{value.status} {value.headers} {value.text}"
    if isinstance(value, bytes):
        return _unpacked(value).decode("latin-1")
    if isinstance(value, dict):
        return " ".join(f"{_text(key)}={_text(part)}" for key, part in value.items())
    if isinstance(value, list | tuple | set):
        return " ".join(map(_text, value))
    return str(value)


def _unpacked(content: bytes) -> bytes:
    if content[:2] == b"\x1f\x8b":
        return gzip.decompress(content)
    if content[:1] == b"\x78":
        try:
            return zlib.decompress(content)
        except zlib.error:
            pass
    return content


def _items() -> Iterator[tuple[str, str]]:
    client: Any = boto3.client("dynamodb")
    for table in TABLES:
        for page in client.get_paginator("scan").paginate(TableName=table):
            for item in page["Items"]:
                yield f"item of {table}", _text(item)


def _objects() -> Iterator[tuple[str, str]]:
    client: Any = boto3.client("s3")
    for bucket in ("lake", "inbox"):
        for page in client.get_paginator("list_object_versions").paginate(Bucket=bucket):
            for version in page.get("Versions", []):
                key = version["Key"]
                found = client.get_object(Bucket=bucket, Key=key, VersionId=version["VersionId"])
                body = found.pop("Body").read()
                yield f"{bucket}/{key}: metadata", key + _text(found)
                # Pages are kept as received, whatever an upstream puts into them.
                if not key.startswith("main/raw/"):
                    yield f"{bucket}/{key}", _parquet(body) if body[:4] == b"PAR1" else _text(body)


def _parquet(content: bytes) -> str:
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "rows.parquet"
        path.write_bytes(content)
        with duckdb.connect() as database:
            rows = database.execute("SELECT * FROM read_parquet(?)", [str(path)]).fetchall()
            settings = database.execute("SELECT * FROM parquet_kv_metadata(?)", [str(path)]).fetchall()
    return json.dumps([rows, settings], default=str)
