"""Reading and writing the lake."""

from __future__ import annotations

import gzip
import hashlib
import shutil
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager
from datetime import UTC, datetime
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
from sluice.lake.gzipped import compress, open_reader, open_writer, read_up_to
from sluice.lake.parquet import LocalFile
from sluice.lake.transfer import download, upload

if TYPE_CHECKING:
    from botocore.response import StreamingBody
    from mypy_boto3_s3 import S3Client

_CHUNK = 1 << 20
_SMALL = 8 << 20


def sha256_of(content: IO[bytes]) -> str:
    """The SHA-256 of the rest of a stream, in hexadecimal."""
    digest = hashlib.sha256()
    while chunk := content.read(_CHUNK):
        digest.update(chunk)
    return digest.hexdigest()


class Lake:
    """The lake's bucket, below the prefix of one workspace.

    Args:
        s3: the client for all data.
        links: the client that signs URLs for users, who may reach S3 under another address.
        bucket: the bucket.
        workspace: the workspace.
        cache: files on the local disk.
        presigned_seconds: how long a signed URL is valid.
        direct: a faster path for raw pages, which are many; None to use the client only.
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
        """A path in a folder that exists within this block."""
        return self._cache.scratch()

    def put(self, key: str, body: bytes, media_type: str = "application/octet-stream") -> None:
        """Write an object. A key must always get the same bytes.

        Args:
            key: the key, without the workspace.
            body: the content.
            media_type: the `Content-Type`.
        """
        with translated():
            self._s3.put_object(Bucket=self.bucket, Key=self.full_key(key), Body=body, ContentType=media_type)

    def put_json(self, key: str, document: Any) -> None:
        """Write a document with sorted keys, so that equal documents are equal bytes."""
        self.put(key, orjson.dumps(document, option=orjson.OPT_SORT_KEYS), "application/json")

    def put_file(self, key: str, path: Path) -> None:
        """Write an object from a file."""
        with translated():
            upload(self._s3, path, self.bucket, self.full_key(key))

    def copy(self, key: str, to: str) -> None:
        """Copy an object to another key."""
        with translated():
            self._s3.copy_object(
                Bucket=self.bucket, Key=self.full_key(to), CopySource={"Bucket": self.bucket, "Key": self.full_key(key)}
            )

    def delete(self, key: str) -> None:
        """Delete an object, if there is one. Only files of readings that were replaced, or never used, are deleted."""
        with translated():
            self._s3.delete_object(Bucket=self.bucket, Key=self.full_key(key))

    def get(self, key: str) -> bytes:
        """Read an object.

        Raises:
            NotFound: there is no such object.
        """
        with translated():
            try:
                return self._s3.get_object(Bucket=self.bucket, Key=self.full_key(key))["Body"].read()
            except self._s3.exceptions.NoSuchKey:
                raise NotFound("The object is not in the lake.") from None

    def list_keys(self, folder: str) -> list[str]:
        """The keys of all objects in a folder, sorted."""
        return list(self.modified(folder))

    def modified(self, folder: str) -> dict[str, datetime]:
        """When each object in a folder was written, by key."""
        listing = self._s3.get_paginator("list_objects_v2")
        pages = listing.paginate(Bucket=self.bucket, Prefix=self.full_key(f"{folder}/"))
        with translated():
            return {
                item["Key"].removeprefix(self._prefix): item["LastModified"]
                for page in pages
                for item in page.get("Contents", [])
            }

    def find_json(self, key: str) -> Any | None:
        """Read a document; None if there is none."""
        try:
            return orjson.loads(self.get(key))
        except NotFound:
            return None

    def local(self, key: str, sha256: str) -> Path:
        """An object as a local file, which is cached: objects never change.

        Args:
            key: the key.
            sha256: the hash of its content, which names the cached file.
        """
        return self._cache.get(sha256, lambda path: self._download(key, path))

    def download_slice(self, key: str, offset: int, length: int, path: Path) -> None:
        """Write a range of an object's bytes to a file.

        Args:
            key: the key.
            offset: the first byte, from 0.
            length: the number of bytes.
            path: the file.
        """
        with translated(), path.open("wb") as file:
            byte_range = f"bytes={offset}-{offset + length - 1}"
            with self._s3.get_object(Bucket=self.bucket, Key=self.full_key(key), Range=byte_range)["Body"] as body:
                shutil.copyfileobj(body, file, _CHUNK)

    def local_files(self, objects: list[DataObject]) -> list[LocalFile]:
        """The Parquet files of a version as local files."""
        return [LocalFile(self.local(part.key, part.sha256), part.columns, part.rows) for part in objects]

    def manifest(self, key: str) -> Manifest:
        """Read a manifest.

        Raises:
            NotFound: there is no such manifest.
        """
        return Manifest.model_validate_json(self.get(key))

    def document(self, stored: DataObject) -> Any:
        """The document that a version stores beside its rows or instead of them, with all digits."""
        return loads_with_digits(gzip.decompress(self.local(stored.key, stored.sha256).read_bytes()))

    def _download(self, key: str, path: Path) -> None:
        with translated():
            download(self._s3, self.bucket, self.full_key(key), path)

    def put_raw(self, content: IO[bytes], digest: str | None = None) -> str:
        """Store a page as received, once for all equal pages.

        Its key is the hash of the uncompressed content, so equal pages are one object however they were compressed.

        Args:
            content: the uncompressed page; it is read from its beginning.
            digest: its SHA-256 in hexadecimal, if it is known.

        Returns:
            The SHA-256 in hexadecimal.

        Raises:
            Unavailable: another request is writing the same page.
        """
        digest = digest or sha256_of(content)
        key = self.full_key(object_keys.raw(digest))
        with translated():
            size = content.seek(0, 2)
            content.seek(0)
            # Small pages: one conditional request. Large ones: check first, since uploading costs more than a request.
            if size <= _SMALL:
                self._put_new(key, compress(content.read()))
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
            # S3 answers 409 while another conditional write of the key is in progress, and 412 once it exists.
            if code == "ConditionalRequestConflict":  # another request is writing it, and may still fail
                raise Unavailable("The same page is being stored by another run; try again.") from None
            if code != "PreconditionFailed":
                raise

    def _exists(self, key: str) -> bool:
        return self._written_at(key) is not None

    def _written_at(self, key: str) -> datetime | None:
        """When an object was last written; None if there is none."""
        try:
            return self._s3.head_object(Bucket=self.bucket, Key=key)["LastModified"]
        except ClientError as error:
            if error.response["Error"]["Code"] in ("404", "NoSuchKey"):
                return None
            raise

    def _upload_gzipped(self, key: str, content: IO[bytes]) -> None:
        with self._cache.scratch() as path:
            with path.open("wb") as file, open_writer(file, content) as packed:
                shutil.copyfileobj(content, packed, _CHUNK)
            upload(self._s3, path, self.bucket, key)

    @contextmanager
    def raw(self, content_hash: str) -> Iterator[IO[bytes]]:
        """Open a page as received. A large one is a file on the local disk.

        Args:
            content_hash: the SHA-256 of its content, in hexadecimal.

        Yields:
            The uncompressed page at its beginning.

        Raises:
            NotFound: there is no such page.
        """
        packed = open_reader(self._raw_body(content_hash))
        with translated():
            start = read_up_to(packed, _SMALL)
        if len(start) <= _SMALL:
            yield BytesIO(start)
            return
        with self._cache.scratch() as path:
            with translated(), path.open("wb") as plain:
                plain.write(start)
                del start  # frees 8 MB while the rest is copied
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
                raise NotFound(f"There is no page {content_hash} in the lake.") from None

    def put_answer(self, body: bytes) -> str:
        """Store a response body that is too large to be inline, and return its key."""
        key = object_keys.answer(hashlib.sha256(body).hexdigest())
        self.put(key, body)
        return key

    def put_answer_file(self, path: Path) -> str:
        """Store a response body from a file, and return its key."""
        with path.open("rb") as file:
            key = object_keys.answer(sha256_of(file))
        self.put_file(key, path)
        return key

    def stored_answer(self, name: str, write: Callable[[Path], None], reuse_seconds: int) -> str:
        """The key of a response body whose bytes depend on nothing but its name.

        Tools read a file in several requests, each for a part of it; without this, each would write the whole file.

        Args:
            name: a hash of everything that the bytes depend on.
            write: writes the body to a file; it is called unless an equal body was stored lately.
            reuse_seconds: how long a stored body is reused. Answers expire in the lake after a day.
        """
        key = object_keys.answer(name)
        with translated():
            written = self._written_at(self.full_key(key))
        if written is None or (datetime.now(UTC) - written).total_seconds() >= reuse_seconds:
            with self.scratch() as path:
                write(path)
                self.put_file(key, path)
        return key

    def presigned_url(self, key: str, media_type: str, filename: str | None = None, *, head: bool = False) -> str:
        """A URL from which anyone can read an object for a limited time.

        S3 accepts it for the method that it is signed for only.

        Args:
            key: the key.
            media_type: the `Content-Type` of the response.
            filename: the name under which browsers save it.
            head: whether the method is HEAD instead of GET.
        """
        params = {"Bucket": self.bucket, "Key": self.full_key(key), "ResponseContentType": media_type}
        if filename is not None:
            params["ResponseContentDisposition"] = f'attachment; filename="{filename}"'
        operation = "head_object" if head else "get_object"
        return self._links.generate_presigned_url(operation, Params=params, ExpiresIn=self._presigned_seconds)
