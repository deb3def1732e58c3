"""Searches everything that is stored for words: all versions of all objects of both buckets, and all items."""

from __future__ import annotations

import base64
import binascii
import gzip
import io
import zipfile
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path
from typing import Any
from urllib.parse import quote, quote_plus

import boto3
import duckdb

from support.moto_aws import TABLES


def traces(folder: Path, *words: str) -> list[str]:
    """The keys of objects and items, in whatever version, that have one of the words.

    Args:
        folder: a folder for temporary files.
        words: the words.
    """
    found = []
    for place, contents in _everything(folder):
        if any(form in content for content in contents for word in words for form in _forms(word)):
            found.append(place)
    return found


def _forms(word: str) -> set[bytes]:
    """A word as UTF-8 and UTF-16 have it, as JSON escapes it, and as addresses and their queries have it."""
    encoded = {quote(word), quote(word, safe=""), quote_plus(word)}
    encoded |= {quote(form, safe="") for form in encoded}
    texts = {form.encode() for form in {word, *encoded}}
    return {*texts, word.encode("utf-16-le"), word.encode("ascii", "backslashreplace")}


def _everything(folder: Path) -> Iterator[tuple[str, list[bytes]]]:
    s3, dynamodb = boto3.client("s3"), boto3.client("dynamodb")
    for bucket in ("lake", "inbox"):
        for version in s3.list_object_versions(Bucket=bucket).get("Versions", []):
            key = version["Key"]
            body = s3.get_object(Bucket=bucket, Key=key, VersionId=version["VersionId"])["Body"].read()
            yield f"{bucket}/{key}", [key.encode(), *_unpacked(body, folder)]
    for table in TABLES:
        for page in dynamodb.get_paginator("scan").paginate(TableName=table):
            for item in page["Items"]:
                texts = list(_texts(item))
                yield f"{table}: {texts[:3]}", [part for text in texts for part in _unpacked(text, folder)]


def _texts(value: Any) -> Iterator[bytes]:
    """All texts and bytes within an item; of base64 what it stands for, too."""
    match value:
        case str():
            yield value.encode()
            with suppress(binascii.Error, ValueError):
                yield base64.b64decode(value, validate=True)
        case bytes():
            yield value
        case dict():
            for name, inner in value.items():
                yield from (name.encode(), *_texts(inner))
        case list() | set():
            for inner in value:
                yield from _texts(inner)


def _unpacked(body: bytes, folder: Path) -> Iterator[bytes]:
    yield body
    if body.startswith(b"\x1f\x8b"):
        yield from _unpacked(gzip.decompress(body), folder)
    elif body.startswith(b"PK\x03\x04"):
        with zipfile.ZipFile(io.BytesIO(body)) as archive:
            for name in archive.namelist():
                yield name.encode()
                yield from _unpacked(archive.read(name), folder)
    elif body.startswith(b"PAR1"):
        file = folder / "searched.parquet"
        file.write_bytes(body)
        with duckdb.connect() as connection:
            yield repr(connection.execute(f"SELECT * FROM '{file}'").fetchall()).encode()
