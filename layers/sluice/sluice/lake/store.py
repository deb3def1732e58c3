"""Reads and writes of the lake."""

from __future__ import annotations

import gzip
import hashlib
import shutil
from collections.abc import Iterator
from contextlib import AbstractContextManager, contextmanager
from io import BytesIO
from pathlib import Path
from typing import IO, TYPE_CHECKING, Any

import orjson
from botocore.exceptions import ClientError

from sluice.aws import translated
from sluice.domain.dataset import DataObject, Manifest
from sluice.domain.json_text import loads_with_digits
from sluice.errors import NotFound, Unavailable
from sluice.lake import object_keys
from sluice.lake.cache import FileCache
from sluice.lake.direct import DirectObjects
from sluice.lake.gzipped import beginning, gzipped, reader, writer
from sluice.lake.parquet import LocalFile
from sluice.lake.transfer import download, upload

if TYPE_CHECKING:
    from botocore.response import StreamingBody
    from mypy_boto3_s3 import S3Client

_CHUNK = 1 << 20
_SMALL = 8 << 20


def sha256_of(content: IO[bytes]) -> str:
    """The SHA-256, in hexadecimal, of what is left to read."""
    digest = hashlib.sha256()
    while chunk := content.read(_CHUNK):
        digest.update(chunk)
    return digest.hexdigest()


class Lake:
    """The bucket of the lake, below one workspace's prefix.

    Args:
        s3: the client that moves bytes.
        links: the client that signs addresses for people, who may reach S3 by another name.
        direct: a shorter way to the pages as received, which are many; none if all goes through the client.
    """

    def __init__(
        self,
        s3: S3Client,
        links: S3Client,
        bucket: str,
        workspace: str,
        cache: FileCache,
        presigned_seconds: int,
        direct: DirectObjects | None = None,
    ) -> None:
        self._s3 = s3
        self._links = links
        self._direct = direct
        self.bucket = bucket
        self._prefix = f"{workspace}/"
        self._cache = cache
        self._presigned_seconds = presigned_seconds

    def full_key(self, key: str) -> str:
        """The key within the bucket."""
        return self._prefix + key

    def scratch(self) -> AbstractContextManager[Path]:
        """A path in a folder that exists for this block only."""
        return self._cache.scratch()

    def put(self, key: str, body: bytes, media_type: str = "application/octet-stream") -> None:
        """Write an object; the same key always gets the same bytes."""
        with translated():
            self._s3.put_object(Bucket=self.bucket, Key=self.full_key(key), Body=body, ContentType=media_type)

    def put_json(self, key: str, document: Any) -> None:
        """Write a document with its keys in order, so that equal documents are equal bytes."""
        self.put(key, orjson.dumps(document, option=orjson.OPT_SORT_KEYS), "application/json")

    def put_file(self, key: str, path: Path) -> None:
        """Write an object from a file."""
        with translated():
            upload(self._s3, path, self.bucket, self.full_key(key))

    def copy(self, key: str, to: str) -> None:
        """Have an object under another key, too."""
        with translated():
            self._s3.copy_object(
                Bucket=self.bucket, Key=self.full_key(to), CopySource={"Bucket": self.bucket, "Key": self.full_key(key)}
            )

    def get(self, key: str) -> bytes:
        """An object's bytes.

        Raises:
            NotFound: there is no such object.
        """
        with translated():
            try:
                return self._s3.get_object(Bucket=self.bucket, Key=self.full_key(key))["Body"].read()
            except self._s3.exceptions.NoSuchKey:
                raise NotFound("The object is not in the lake.") from None

    def names(self, folder: str) -> list[str]:
        """The keys of all objects in a folder, in order."""
        listing = self._s3.get_paginator("list_objects_v2")
        pages = listing.paginate(Bucket=self.bucket, Prefix=self.full_key(f"{folder}/"))
        with translated():
            return [item["Key"].removeprefix(self._prefix) for page in pages for item in page.get("Contents", [])]

    def find_json(self, key: str) -> Any | None:
        """A document; none if there is none."""
        try:
            return orjson.loads(self.get(key))
        except NotFound:
            return None

    def local(self, key: str, sha256: str) -> Path:
        """A file with an object's bytes, kept for the next call: objects never change."""
        return self._cache.get(sha256, lambda path: self._download(key, path))

    def slice_to(self, key: str, offset: int, length: int, path: Path) -> None:
        """Write some bytes of an object to a file."""
        with translated(), path.open("wb") as file:
            asked = f"bytes={offset}-{offset + length - 1}"
            with self._s3.get_object(Bucket=self.bucket, Key=self.full_key(key), Range=asked)["Body"] as body:
                shutil.copyfileobj(body, file, _CHUNK)

    def local_files(self, objects: list[DataObject]) -> list[LocalFile]:
        """The Parquet files of a version, on disk."""
        return [LocalFile(self.local(part.key, part.sha256), part.columns, part.rows) for part in objects]

    def manifest(self, key: str) -> Manifest:
        """All about a version.

        Raises:
            NotFound: there is no such manifest.
        """
        return Manifest.model_validate_json(self.get(key))

    def document(self, stored: DataObject) -> Any:
        """The document that a version keeps beside its rows, or instead of them, with every digit."""
        return loads_with_digits(gzip.decompress(self.local(stored.key, stored.sha256).read_bytes()))

    def _download(self, key: str, path: Path) -> None:
        with translated():
            download(self._s3, self.bucket, self.full_key(key), path)

    def put_raw(self, content: IO[bytes], digest: str | None = None) -> str:
        """Keep a body as received, once for all its copies.

        The same body is the same object in the lake: its key is the hash of the body, however it was compressed.

        Args:
            content: the decoded content, from its beginning.
            digest: its SHA-256, where that is known already.

        Returns:
            Its SHA-256 in hexadecimal, under which it is found again.
        """
        digest = digest or sha256_of(content)
        key = self.full_key(object_keys.raw(digest))
        with translated():
            size = content.seek(0, 2)
            content.seek(0)
            if size <= _SMALL:
                self._put_new(key, gzipped(content.read()))
            elif not self._exists(key):
                self._upload_gzipped(key, content)
        return digest

    def _put_new(self, key: str, body: bytes) -> None:
        if self._direct is not None and self._direct.put_new(key, body):
            return
        try:
            self._s3.put_object(Bucket=self.bucket, Key=key, Body=body, IfNoneMatch="*")
        except ClientError as error:
            code = error.response["Error"]["Code"]
            if code == "ConditionalRequestConflict":  # another writer is at it, and may still fail
                raise Unavailable("The same page is being stored by another run; try again.") from None
            if code != "PreconditionFailed":
                raise

    def _exists(self, key: str) -> bool:
        try:
            self._s3.head_object(Bucket=self.bucket, Key=key)
        except ClientError as error:
            if error.response["Error"]["Code"] in ("404", "NoSuchKey"):
                return False
            raise
        return True

    def _upload_gzipped(self, key: str, content: IO[bytes]) -> None:
        with self._cache.scratch() as path:
            with path.open("wb") as file, writer(file, content) as packed:
                shutil.copyfileobj(content, packed, _CHUNK)
            upload(self._s3, path, self.bucket, key)

    @contextmanager
    def raw(self, content_hash: str) -> Iterator[IO[bytes]]:
        """A body as received, to be read from its beginning; a large one is a file on disk.

        Raises:
            NotFound: nothing with this hash was ever received.
        """
        packed = reader(self._raw_body(content_hash))
        with translated():
            begun = beginning(packed, _SMALL)
        if len(begun) <= _SMALL:
            yield BytesIO(begun)
            return
        with self._cache.scratch() as path:
            with translated(), path.open("wb") as plain:
                plain.write(begun)
                del begun
                shutil.copyfileobj(packed, plain, _CHUNK)
            with path.open("rb") as content:
                yield content

    def _raw_body(self, content_hash: str) -> StreamingBody:
        key = self.full_key(object_keys.raw(content_hash))
        body = self._direct.get(key) if self._direct is not None else None
        if body is not None:
            return body
        with translated():
            try:
                return self._s3.get_object(Bucket=self.bucket, Key=key)["Body"]
            except self._s3.exceptions.NoSuchKey:
                raise NotFound(f"There is no page {content_hash}.") from None

    def put_answer(self, body: bytes) -> str:
        """Keep an answer that is too large to be given inline; its key."""
        key = object_keys.answer(hashlib.sha256(body).hexdigest())
        self.put(key, body)
        return key

    def put_answer_file(self, path: Path) -> str:
        """Keep an answer that was written to a file; its key."""
        with path.open("rb") as file:
            key = object_keys.answer(sha256_of(file))
        self.put_file(key, path)
        return key

    def presigned(self, key: str, media_type: str, filename: str | None = None) -> str:
        """An address from which anybody can read the object for a while.

        Args:
            filename: the name under which a browser keeps it.
        """
        params = {"Bucket": self.bucket, "Key": self.full_key(key), "ResponseContentType": media_type}
        if filename is not None:
            params["ResponseContentDisposition"] = f'attachment; filename="{filename}"'
        return self._links.generate_presigned_url("get_object", Params=params, ExpiresIn=self._presigned_seconds)
