"""The HTTP client: it checks addresses, limits the size of bodies and the time, and does not leak credentials."""

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
from sluice.errors import AddressForbidden, DataTooLarge, SluiceError, SourceRefused, UnreadableData
from sluice.sources.address import AddressPolicy, VettedBackend
from sluice.sources.http.auth import Credentials

# httpx logs the URLs of requests, which may contain a credential.
logging.getLogger("httpx").setLevel(logging.WARNING)

# httpcore tries to import this package for each lock that it creates. If it is not installed, Python searches
# sys.path each time, which takes half of a request's time; None makes the import fail at once.
if find_spec("sniffio") is None:
    sys.modules["sniffio"] = None  # type: ignore[assignment]

# httpcore's default is 64 KiB. A page of usual size is then read in one or two steps instead of four, each of which
# passes through all layers of httpx.
httpcore.AsyncHTTP11Connection.READ_NUM_BYTES = 256 << 10

_MAX_REDIRECTS = 5
_REDIRECTS = (301, 302, 303, 307, 308)
# Larger bodies are buffered on disk instead of in memory.
_SPOOL = 8 << 20
_INFLATE_STEP = 1 << 20


# RFC 9110; some upstreams leave the unit out, or write the name of their records instead.
_CONTENT_RANGE = re.compile(
    r"(?:(?P<unit>[!#$%&'*+.^_`|~0-9A-Za-z-]+)[ =])?\s*"
    r"(?:(?P<first>\d{1,18})-(?P<last>\d{1,18})|\*)/(?P<whole>\d{1,18}|\*)"
)


@dataclass(frozen=True)
class Request:
    """A request to an upstream, without credentials.

    Args:
        method: GET, POST, PUT or DELETE.
        url: the address, which may have a query.
        home: the datasource's own address; only its host gets credentials, headers and body.
        params: query parameters; they replace those of the same name in `url`.
        headers: the datasource's headers.
        json: the body; None: no body.
        timeout_seconds: the limit for the request with all redirects.
    """

    method: str
    url: str
    home: str
    params: Mapping[str, str]
    headers: Mapping[str, str]
    json: Any
    timeout_seconds: float


@dataclass
class Response:
    """An upstream's response.

    Args:
        status: the HTTP status.
        headers: the headers; names are case-insensitive.
        body: the decompressed body, positioned at its beginning.
        size: the size of the decompressed body in bytes.
    """

    status: int
    headers: Mapping[str, str]
    body: IO[bytes]
    size: int

    @property
    def framed(self) -> bool:
        """Whether the response says where it ends, so that a truncated one raises an error."""
        return "content-length" in self.headers or "chunked" in self.headers.get("transfer-encoding", "")

    def missing_part(self, *, paged: bool) -> str | None:
        """Return why the response has only a part of the requested data; None if it has all of it.

        Args:
            paged: whether the datasource has pagination, so that a page may be a range of the records.
        """
        content_range = self.headers.get("content-range", "").strip()
        parsed = _CONTENT_RANGE.fullmatch(content_range)
        if parsed is None:
            return "the response has status 206 and no Content-Range that can be read" if self.status == 206 else None
        unit, first, last, total = (parsed["unit"] or "items").lower(), parsed["first"], parsed["last"], parsed["whole"]
        if unit != "bytes" and (paged or first is None):
            return None  # a range of records, which the pagination checks
        if total == "*":
            covers = self.status != 206 and unit != "bytes"
        else:
            covers = first is not None and int(first) == 0 and int(last) + 1 >= int(total)
        return None if covers else f"the response has only a part of the data (Content-Range: {content_range[:100]})"

    def retry_after(self) -> float | None:
        """Return the seconds to wait according to the header `Retry-After`; None without a valid one."""
        text = self.headers.get("retry-after", "").strip()
        if text.isdigit():
            return float(text)
        try:
            return max(0.0, (parsedate_to_datetime(text) - now()).total_seconds())
        except (ValueError, TypeError):
            return None


def full_url(request: Request) -> str:
    """Return the address with its query, without credentials, so that it can be stored and shown."""
    parts = urlsplit(request.url)
    if not request.params:
        return urlunsplit((parts.scheme, parts.netloc, parts.path or "/", parts.query, ""))
    query = [(name, value) for name, value in parse_qsl(parts.query, keep_blank_values=True)]
    query = [pair for pair in query if pair[0] not in request.params] + list(request.params.items())
    return urlunsplit((parts.scheme, parts.netloc, parts.path or "/", urlencode(query), ""))


def vetted_transport(policy: AddressPolicy) -> httpx.AsyncBaseTransport:
    """Return a transport that only connects to addresses that the policy allows."""
    context = httpx.create_ssl_context(trust_env=False)  # reads all CA certificates, so it is made once
    transport = httpx.AsyncHTTPTransport(verify=context, trust_env=False)
    # httpx has no argument for the network backend, but the pool of httpcore that it uses has one.
    transport._pool = httpcore.AsyncConnectionPool(
        ssl_context=context,
        network_backend=VettedBackend(policy),
        max_connections=None,  # the run limits its concurrent requests itself
        keepalive_expiry=30,
    )
    return transport


class RequestDeclinedError(Exception):
    """A transport does not send a request; its message has nothing of the request."""


class SourceClient:
    """An HTTP client for one run. It shares no connections or cookies with other datasources.

    Args:
        transport: sends the requests; it is closed with the client.
        max_bytes: the most bytes of a decompressed body.
    """

    def __init__(self, transport: httpx.AsyncBaseTransport, max_bytes: int) -> None:
        self._transport = transport
        self._client = httpx.AsyncClient(transport=transport, trust_env=False, follow_redirects=False)
        self._max_bytes = max_bytes

    async def aclose(self) -> None:
        """Close the connections."""
        await self._client.aclose()

    async def send(self, request: Request, credentials: Credentials) -> Response:
        """Send a request, follow redirects and read the response, whatever its status.

        Args:
            request: the request.
            credentials: are added for the datasource's own host only.

        Raises:
            httpx.TransportError, TimeoutError: there was no complete response.
            AddressForbidden: the address, or that of a redirect, is invalid or may not be called.
            DataTooLarge: the body has more bytes than the setting allows.
            UnreadableData: the content encoding is broken or unknown.
            SourceRefused: there are too many redirects, or one that does not lead to an HTTP address.
            RequestDeclinedError: the transport sends no more requests.
        """
        try:
            async with asyncio.timeout(request.timeout_seconds):
                return await self._follow(request, credentials)
        except (SluiceError, RequestDeclinedError, httpx.TransportError, OSError):  # whose messages the callers mask
            raise
        except Exception as error:
            raise credentials.mask_unexpected(error) from None

    async def _follow(self, request: Request, credentials: Credentials) -> Response:
        if not is_address(request.url):
            raise AddressForbidden(f"{request.url[:200]!r} is not a valid HTTP address.")
        url, method, content = full_url(request), request.method, request.json
        home = _origin(request.home)
        for _ in range(_MAX_REDIRECTS + 1):
            # Trust compares scheme, host and port: a redirect from https to http is another origin as well.
            trusted = _origin(url) == home
            if content is not None and not trusted:
                raise SourceRefused("The upstream redirects to another host, which must not get the request's body.")
            response = await self._transmit(self._http_request(request, credentials, url, method, content, trusted))
            if trusted and "set-cookie" in response.headers:
                self._client.cookies.extract_cookies(response)
            try:
                location = response.headers.get("location")
                if response.status_code not in _REDIRECTS or location is None:
                    return await self._read(response)
            finally:
                await response.aclose()
            url = _redirect_target(url, location, credentials)
            # RFC 9110 requires this for 303 and allows it for POST with 301 and 302, where browsers do it, too.
            if response.status_code == 303 or (response.status_code in (301, 302) and method == "POST"):
                method, content = "GET", None
        raise SourceRefused(f"The upstream redirects more than {_MAX_REDIRECTS} times.")

    async def _transmit(self, request: httpx.Request) -> httpx.Response:
        """Send one request by the transport itself.

        `httpx.AsyncClient.send` parses the header `Location` even if redirects are not followed, and raises for an
        address that it cannot parse.
        """
        response = await self._transport.handle_async_request(request)
        response.request = request
        return response

    def _http_request(
        self, request: Request, credentials: Credentials, url: str, method: str, content: Any, trusted: bool
    ) -> httpx.Request:
        """Return the request to send; another host gets neither credentials, cookies nor the datasource's headers."""
        headers = {"User-Agent": f"Sluice/{__version__}", "Accept-Encoding": "gzip"}
        target = httpx.URL(url)
        if not trusted:  # not by the client, whose cookie jar ignores ports and would add cookies
            timeout = httpx.Timeout(request.timeout_seconds).as_dict()
            return httpx.Request(method, target, headers=headers, json=content, extensions={"timeout": timeout})
        headers |= {**request.headers, **credentials.headers}
        target = target.copy_merge_params(credentials.params) if credentials.params else target
        return self._client.build_request(
            method, target, headers=headers, json=content, timeout=request.timeout_seconds
        )

    async def _read(self, response: httpx.Response) -> Response:
        body: IO[bytes] = tempfile.SpooledTemporaryFile(max_size=_SPOOL)  # noqa: SIM115 - the receiver closes it
        try:
            size = await self._inflate(response, body)
        except BaseException:
            body.close()
            raise
        body.seek(0)
        return Response(response.status_code, response.headers, body, size)

    async def _inflate(self, response: httpx.Response, body: IO[bytes]) -> int:
        size = 0
        inflate = _make_inflater(response.headers.get("content-encoding", ""))
        async for chunk in response.aiter_raw():
            for part in inflate(chunk):
                size += len(part)
                if size > self._max_bytes:
                    raise DataTooLarge(
                        f"The response has more than {self._max_bytes} bytes after decompression; "
                        "request smaller pages."
                    )
                body.write(part)
        inflate(None)  # raises if the stream is incomplete
        return size


def _redirect_target(url: str, location: str, credentials: Credentials) -> str:
    """Return the address of a redirect, without a secret that the upstream echoes in it."""
    target = absolute(url, location)
    if target is None:
        shown = credentials.mask(location)[:200]
        raise SourceRefused(f"The upstream redirects to {shown!r}, which is not an HTTP address.")
    return credentials.strip_from(target)


def absolute(base: str, link: str) -> str | None:
    """Return the absolute address of a link; None if it is not an HTTP address.

    Args:
        base: the address of the page that has the link.
        link: the link, absolute or relative.
    """
    try:
        address = urljoin(base, link)
    except ValueError:
        return None
    return address if is_address(address) else None


@lru_cache(maxsize=64)  # a datasource's own address is checked for each page
def is_address(url: str) -> bool:
    """Return whether a text is a valid absolute HTTP address."""
    try:
        _ = httpx.URL(url).host  # raises for a name that IDNA does not allow
        port = urlsplit(url).port  # raises for a port out of range
    except (ValueError, httpx.InvalidURL):
        return False
    return url.startswith(("http://", "https://")) and port != 0 and bool(urlsplit(url).hostname)


def _origin(url: str) -> tuple[str, str]:
    parts = urlsplit(url)
    return parts.scheme, parts.netloc.lower()


def connection_fault(error: BaseException) -> str:
    """Return why there was no response, for users.

    The text of `LocalProtocolError` is not used, since it may contain the value of a header.
    """
    if isinstance(error, TimeoutError | httpx.TimeoutException):
        return "no response within the time limit"
    if isinstance(error, httpx.LocalProtocolError):
        return "the request cannot be sent"
    return str(error) or type(error).__name__


def _make_inflater(encoding: str) -> Callable[[bytes | None], Iterable[bytes]]:
    """Return a decoder of a content encoding.

    It yields at most `_INFLATE_STEP` bytes at a time, so that a decompression bomb reaches the size limit before
    it fills the memory. Called with None at the end of the body, it raises if the body was truncated.
    """
    name = encoding.strip().lower()
    if name in ("", "identity"):
        return lambda chunk: [chunk] if chunk else []
    if name not in ("gzip", "x-gzip", "deflate"):
        raise UnreadableData(f"The response has the content encoding {name!r}, which was not requested.")
    members = _Members(zlib.MAX_WBITS if name == "deflate" else zlib.MAX_WBITS | 32)

    def inflate(chunk: bytes | None) -> Iterable[bytes]:
        if chunk is not None:
            return members.steps(chunk)
        if not members.ended:
            raise httpx.RemoteProtocolError("the compressed response was truncated")
        return []

    return inflate


class _Members:
    """Inflates a stream of one or more members, as gzip allows."""

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
                raise UnreadableData(f"The compressed response is broken: {error}.") from None
            pending = self._decoder.unused_data if self._decoder.eof else self._decoder.unconsumed_tail
