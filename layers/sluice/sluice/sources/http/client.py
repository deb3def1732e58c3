"""One request to an upstream: vetted address, capped body, time limit, no leaked credentials."""

from __future__ import annotations

import asyncio
import logging
import re
import sys
import tempfile
import zlib
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass
from email.utils import parsedate_to_datetime
from functools import lru_cache
from importlib.util import find_spec
from typing import IO, Any
from urllib.parse import parse_qsl, urlencode, urljoin, urlsplit, urlunsplit

import httpcore
import httpx

from sluice import __version__
from sluice.domain.names import now
from sluice.errors import AddressForbidden, DataTooLarge, SourceRefused, UnreadableData
from sluice.sources.address import AddressPolicy, VettedBackend
from sluice.sources.http.auth import Credentials

# httpx logs whole addresses, and those of requests may hold a credential.
logging.getLogger("httpx").setLevel(logging.WARNING)

# httpcore looks for this package with each lock that it makes. Where it is not installed, Python would
# search all of its folders each time, which takes half of a request's time.
if find_spec("sniffio") is None:
    sys.modules["sniffio"] = None  # type: ignore[assignment]

# A page is read in one or two steps instead of four: each passes through all layers of httpx.
httpcore.AsyncHTTP11Connection.READ_NUM_BYTES = 256 << 10

_MAX_REDIRECTS = 5
_REDIRECTS = (301, 302, 303, 307, 308)
_SPOOL = 8 << 20
_INFLATE_STEP = 1 << 20


# RFC 9110; some upstreams leave the unit out, or name their records in its place.
_CONTENT_RANGE = re.compile(
    r"(?:(?P<unit>[!#$%&'*+.^_`|~0-9A-Za-z-]+)[ =])?\s*"
    r"(?:(?P<first>\d{1,18})-(?P<last>\d{1,18})|\*)/(?P<whole>\d{1,18}|\*)"
)


@dataclass(frozen=True)
class Request:
    """What is asked of an upstream, without credentials.

    Only the host of `home`, the datasource's own address, gets credentials, headers and body.
    """

    method: str
    url: str
    home: str
    params: Mapping[str, str]
    headers: Mapping[str, str]
    json: Any
    timeout_seconds: float


@dataclass
class Received:
    """An upstream's answer; the body is decoded and stands at its beginning."""

    status: int
    headers: Mapping[str, str]
    body: IO[bytes]
    size: int

    @property
    def framed(self) -> bool:
        """Whether the answer said where it ends, so that a cut-off one would have been noticed."""
        return "content-length" in self.headers or "chunked" in self.headers.get("transfer-encoding", "")

    def missing_part(self, *, paged: bool) -> str | None:
        """Why the answer is only a part of what was asked for; none when it is the whole.

        Args:
            paged: whether the whole has several pages, so that each may be a range of its records.
        """
        given = self.headers.get("content-range", "").strip()
        parsed = _CONTENT_RANGE.fullmatch(given)
        if parsed is None:
            return "the upstream answered 206 without saying which part this is" if self.status == 206 else None
        unit, first, last, whole = (parsed["unit"] or "items").lower(), parsed["first"], parsed["last"], parsed["whole"]
        if unit != "bytes" and (paged or first is None):
            return None  # records, which the pagination counts
        if whole == "*":
            covers = self.status != 206 and unit != "bytes"
        else:
            covers = first is not None and int(first) == 0 and int(last) + 1 >= int(whole)
        return None if covers else f"the upstream answered only a part of the whole (Content-Range: {given[:100]})"

    def retry_after(self) -> float | None:
        """The seconds that the upstream asks us to wait; none if it does not say."""
        text = self.headers.get("retry-after", "").strip()
        if text.isdigit():
            return float(text)
        try:
            return max(0.0, (parsedate_to_datetime(text) - now()).total_seconds())
        except (ValueError, TypeError):
            return None


def full_url(request: Request) -> str:
    """The address with its query, as it is asked for and shown: it holds no credential."""
    parts = urlsplit(request.url)
    if not request.params:
        return urlunsplit((parts.scheme, parts.netloc, parts.path or "/", parts.query, ""))
    query = [(name, value) for name, value in parse_qsl(parts.query, keep_blank_values=True)]
    query = [pair for pair in query if pair[0] not in request.params] + list(request.params.items())
    return urlunsplit((parts.scheme, parts.netloc, parts.path or "/", urlencode(query), ""))


def vetted_transport(policy: AddressPolicy) -> httpx.AsyncBaseTransport:
    """A transport that connects to the addresses which the policy allows, and to no others."""
    context = httpx.create_ssl_context(trust_env=False)  # reads all certificates: once is enough
    transport = httpx.AsyncHTTPTransport(verify=context, trust_env=False)
    # httpx has no argument for the network backend; its pool is httpcore's, which has.
    transport._pool = httpcore.AsyncConnectionPool(
        ssl_context=context,
        network_backend=VettedBackend(policy),
        max_connections=None,  # the run itself bounds its requests
        keepalive_expiry=30,
    )
    return transport


class SourceClient:
    """An HTTP client for one run: nothing is shared with another datasource's requests.

    Args:
        transport: what carries the requests; it is closed with the client.
        max_bytes: the most that an answer may have once decompressed.
    """

    def __init__(self, transport: httpx.AsyncBaseTransport, max_bytes: int) -> None:
        self._transport = transport
        self._client = httpx.AsyncClient(transport=transport, trust_env=False, follow_redirects=False)
        self._max_bytes = max_bytes

    async def aclose(self) -> None:
        """Close the connections."""
        await self._client.aclose()

    async def send(self, request: Request, credentials: Credentials) -> Received:
        """The upstream's answer, whatever its status.

        Raises:
            httpx.TransportError, TimeoutError: there was no whole answer.
            AddressForbidden: the address, or one it redirects to, may not be called or is unusable.
            DataTooLarge: the answer has more bytes than the setting allows.
            UnreadableData: its content encoding is broken or unknown.
            SourceRefused: it redirects in circles or to something other than HTTP.
        """
        async with asyncio.timeout(request.timeout_seconds):
            return await self._follow(request, credentials)

    async def _follow(self, request: Request, credentials: Credentials) -> Received:
        if not is_address(request.url):
            raise AddressForbidden(f"{request.url[:200]!r} is not an address of HTTP that can be asked.")
        url, method, content = full_url(request), request.method, request.json
        home = _origin(request.home)
        for _ in range(_MAX_REDIRECTS + 1):
            trusted = _origin(url) == home
            if content is not None and not trusted:
                raise SourceRefused("The upstream sends us to another host, which must not get the request's body.")
            response = await self._ask(self._outgoing(request, credentials, url, method, content, trusted))
            if trusted and "set-cookie" in response.headers:
                self._client.cookies.extract_cookies(response)
            try:
                location = response.headers.get("location")
                if response.status_code not in _REDIRECTS or location is None:
                    return await self._read(response)
            finally:
                await response.aclose()
            url = _redirected(url, location, credentials)
            if response.status_code == 303 or (response.status_code in (301, 302) and method == "POST"):
                method, content = "GET", None
        raise SourceRefused(f"The upstream redirects more than {_MAX_REDIRECTS} times.")

    async def _ask(self, request: httpx.Request) -> httpx.Response:
        """One answer, from the transport itself.

        The client's own `send` would parse the address in `Location`, and raise for one that it
        cannot parse, even when redirects are not followed.
        """
        response = await self._transport.handle_async_request(request)
        response.request = request
        return response

    def _outgoing(
        self, request: Request, credentials: Credentials, url: str, method: str, content: Any, trusted: bool
    ) -> httpx.Request:
        """The request to send; another host gets neither credentials, cookies nor the datasource's headers."""
        headers = {"User-Agent": f"Sluice/{__version__}", "Accept-Encoding": "gzip"}
        target = httpx.URL(url)
        if not trusted:  # without the client's cookies, whose jar does not tell ports apart
            timeout = httpx.Timeout(request.timeout_seconds).as_dict()
            return httpx.Request(method, target, headers=headers, json=content, extensions={"timeout": timeout})
        headers |= {**request.headers, **credentials.headers}
        target = target.copy_merge_params(credentials.params) if credentials.params else target
        return self._client.build_request(
            method, target, headers=headers, json=content, timeout=request.timeout_seconds
        )

    async def _read(self, response: httpx.Response) -> Received:
        body: IO[bytes] = tempfile.SpooledTemporaryFile(max_size=_SPOOL)  # noqa: SIM115 - the receiver closes it
        try:
            size = await self._inflate(response, body)
        except BaseException:
            body.close()
            raise
        body.seek(0)
        return Received(response.status_code, response.headers, body, size)

    async def _inflate(self, response: httpx.Response, body: IO[bytes]) -> int:
        size = 0
        inflate = _inflater(response.headers.get("content-encoding", ""))
        async for chunk in response.aiter_raw():
            for part in inflate(chunk):
                size += len(part)
                if size > self._max_bytes:
                    raise DataTooLarge(
                        f"The answer has more than {self._max_bytes} bytes once decompressed; ask for smaller pages."
                    )
                body.write(part)
        inflate(None)
        return size


def _redirected(url: str, location: str, credentials: Credentials) -> str:
    """The address of a redirect, without a secret that the upstream echoes there."""
    target = absolute(url, location)
    if target is None:
        named = credentials.masked(location)[:200]
        raise SourceRefused(f"The upstream redirects to {named!r}, which is not an address of HTTP.")
    return credentials.without(target)


def absolute(base: str, named: str) -> str | None:
    """The absolute address that a page at `base` names; none when it is no address of HTTP."""
    try:
        address = urljoin(base, named)
    except ValueError:
        return None
    return address if is_address(address) else None


@lru_cache(maxsize=64)  # a datasource's own address is looked at for each page
def is_address(url: str) -> bool:
    """Whether this is an absolute address of HTTP that can be asked."""
    try:
        _ = httpx.URL(url).host  # raises for a name that IDNA does not allow
        port = urlsplit(url).port  # raises for a port that cannot be
    except (ValueError, httpx.InvalidURL):
        return False
    return url.startswith(("http://", "https://")) and port != 0 and bool(urlsplit(url).hostname)


def _origin(url: str) -> tuple[str, str]:
    parts = urlsplit(url)
    return parts.scheme, parts.netloc.lower()


def connection_fault(error: BaseException) -> str:
    """Why there was no answer, for people; the library's own text may hold a header's value."""
    if isinstance(error, TimeoutError | httpx.TimeoutException):
        return "no answer in time"
    if isinstance(error, httpx.LocalProtocolError):
        return "the request cannot be sent"
    return str(error) or type(error).__name__


def _inflater(encoding: str) -> Callable[[bytes | None], Iterable[bytes]]:
    """A decoder that gives at most a step's bytes at a time, so that a bomb meets the cap.

    Called with none at the end of the body, it raises when the body was cut off.
    """
    name = encoding.strip().lower()
    if name in ("", "identity"):
        return lambda chunk: [chunk] if chunk else []
    if name not in ("gzip", "x-gzip", "deflate"):
        raise UnreadableData(f"The upstream answers in the content encoding {name!r}, which was not asked for.")
    members = _Members(zlib.MAX_WBITS if name == "deflate" else zlib.MAX_WBITS | 32)

    def inflate(chunk: bytes | None) -> Iterable[bytes]:
        if chunk is not None:
            return members.steps(chunk)
        if not members.ended:
            raise httpx.RemoteProtocolError("the compressed answer was cut off")
        return []

    return inflate


class _Members:
    """Inflates a stream that may consist of several members, one after the other, as gzip allows."""

    def __init__(self, window: int) -> None:
        self._window = window
        self._decoder: Any = zlib.decompressobj(window)

    @property
    def ended(self) -> bool:
        return bool(self._decoder.eof)

    def steps(self, chunk: bytes) -> Iterator[bytes]:
        pending = chunk
        while pending:
            if self._decoder.eof:
                self._decoder = zlib.decompressobj(self._window)
            try:
                yield self._decoder.decompress(pending, _INFLATE_STEP)
            except zlib.error as error:
                raise UnreadableData(f"The compressed answer is broken: {error}.") from None
            pending = self._decoder.unused_data if self._decoder.eof else self._decoder.unconsumed_tail
