"""Pages are gzip that everybody reads, and gzip of everybody's making is read."""

from __future__ import annotations

import gzip
import os
from io import BytesIO

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sluice.container import Container
from sluice.lake.gzipped import beginning, gzipped, reader, writer
from sluice.lake.store import sha256_of

CHUNK = 256 << 10
BODIES = st.builds(
    lambda mark, text, times: mark + text * times,
    st.sampled_from([b"", b"PAR1", b"PK\x03\x04", b"\x1f\x8b"]),
    st.binary(max_size=300),
    st.sampled_from([1, 50, 5_000]),
)


@given(BODIES)
def test_what_is_compressed_is_read_by_the_standard_library(body: bytes) -> None:
    target = BytesIO()
    with writer(target, BytesIO(body)) as file:
        file.write(body)
    assert gzip.decompress(gzipped(body)) == gzip.decompress(target.getvalue()) == body


@given(BODIES, st.integers(0, 9))
def test_what_the_standard_library_has_compressed_is_read(body: bytes, level: int) -> None:
    assert beginning(reader(BytesIO(gzip.compress(body, level))), len(body)) == body


@pytest.mark.parametrize("size", [0, 1, CHUNK - 1, CHUNK, CHUNK + 1, 3 * CHUNK])
def test_beginning_is_all_up_to_the_limit_and_more_than_the_limit_beyond_it(size: int) -> None:
    packed = gzip.compress(os.urandom(size), 1)
    assert len(beginning(reader(BytesIO(packed)), size)) == size
    begun = reader(BytesIO(packed))
    assert size == 0 or len(beginning(begun, size - 1)) > size - 1
    cut = reader(BytesIO(packed))
    begun_bytes = beginning(cut, 10)
    assert begun_bytes + cut.read() == gzip.decompress(packed)


@pytest.mark.parametrize("mark", [b"PAR1", b"PK\x03\x04", b"\x1f\x8b"])
def test_what_is_packed_already_is_not_packed_again(mark: bytes) -> None:
    body = mark + bytes(10_000)
    target = BytesIO()
    with writer(target, BytesIO(body)) as file:
        file.write(body)
    assert len(gzipped(body)) > len(body)
    assert len(target.getvalue()) > len(body)
    assert len(gzipped(body[1:])) < 200


@pytest.mark.parametrize("flaw", [lambda packed: packed[:-1], lambda packed: packed[:-8] + bytes(8)])
def test_what_is_cut_off_or_changed_is_not_read(flaw: object) -> None:
    packed = flaw(gzip.compress(b"a page"))  # type: ignore[operator]
    with pytest.raises((EOFError, OSError)):
        beginning(reader(BytesIO(packed)), 100)


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
