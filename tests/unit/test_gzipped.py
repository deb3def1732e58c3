"""Pages are gzip that everybody reads, and gzip of everybody's making is read."""

from __future__ import annotations

import gzip
import os
from io import BytesIO

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sluice.container import Container
from sluice.lake.gzipped import compress, open_reader, open_writer, read_up_to
from sluice.lake.store import sha256_of

CHUNK = 256 << 10
BODIES = st.builds(
    lambda mark, text, times: mark + text * times,
    st.sampled_from([b"", b"PAR1", b"PK\x03\x04", b"\x1f\x8b"]),
    st.binary(max_size=300),
    st.sampled_from([1, 50, 5_000]),
)


@given(BODIES)
def test_compressed_page_is_standard_gzip(body: bytes) -> None:
    target = BytesIO()
    with open_writer(target, BytesIO(body)) as file:
        file.write(body)
    assert gzip.decompress(compress(body)) == gzip.decompress(target.getvalue()) == body


@given(BODIES, st.integers(0, 9))
def test_standard_gzip_is_read(body: bytes, level: int) -> None:
    assert read_up_to(open_reader(BytesIO(gzip.compress(body, level))), len(body)) == body


@pytest.mark.parametrize("size", [0, 1, CHUNK - 1, CHUNK, CHUNK + 1, 3 * CHUNK])
def test_read_up_to_returns_all_or_more_than_the_limit(size: int) -> None:
    packed = gzip.compress(os.urandom(size), 1)
    assert len(read_up_to(open_reader(BytesIO(packed)), size)) == size
    begun = open_reader(BytesIO(packed))
    assert size == 0 or len(read_up_to(begun, size - 1)) > size - 1
    cut = open_reader(BytesIO(packed))
    begun_bytes = read_up_to(cut, 10)
    assert begun_bytes + cut.read() == gzip.decompress(packed)


@pytest.mark.parametrize("mark", [b"PAR1", b"PK\x03\x04", b"\x1f\x8b"])
def test_packed_content_is_not_compressed_again(mark: bytes) -> None:
    body = mark + bytes(10_000)
    target = BytesIO()
    with open_writer(target, BytesIO(body)) as file:
        file.write(body)
    assert len(compress(body)) > len(body)
    assert len(target.getvalue()) > len(body)
    assert len(compress(body[1:])) < 200


@pytest.mark.parametrize("flaw", [lambda packed: packed[:-1], lambda packed: packed[:-8] + bytes(8)])
def test_truncated_or_corrupted_gzip_is_refused(flaw: object) -> None:
    packed = flaw(gzip.compress(b"a page"))  # type: ignore[operator]
    with pytest.raises((EOFError, OSError)):
        read_up_to(open_reader(BytesIO(packed)), 100)


def test_page_of_an_earlier_release_is_read_and_not_stored_again(services: Container) -> None:
    body = b'{"a": 1}' * 100
    digest = sha256_of(BytesIO(body))
    key = f"main/raw/{digest[:2]}/{digest}"
    earlier = gzip.compress(body, 9)
    services.s3.put_object(Bucket="lake", Key=key, Body=earlier)
    assert services.lake.put_raw(BytesIO(body)) == digest
    with services.lake.raw(digest) as content:
        assert content.read() == body
    assert services.s3.get_object(Bucket="lake", Key=key)["Body"].read() == earlier
