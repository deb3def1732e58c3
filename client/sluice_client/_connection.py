"""HTTP with one API: the key, retries, redirects to storage, and errors as exceptions."""

from __future__ import annotations

import json
import os
import re
import sys
import uuid
import warnings
from collections.abc import Callable, Mapping
from datetime import UTC, date, datetime
from pathlib import Path
from typing import Any
from urllib.parse import quote

import httpx

from sluice_client._errors import ConfigurationError, InvalidName, InvalidResponse, Unreachable, error_class
from sluice_client._retries import Retries, retry_after
from sluice_client._version import __version__

_MOST_REDIRECTS = 5
_LOOPBACK = re.compile(r"localhost|127\.\d+\.\d+\.\d+|::1")
_USER_AGENT = f"sluice-client/{__version__} python/{sys.version_info[0]}.{sys.version_info[1]}"
# What may stand unescaped in a path with a query. Everything else is escaped.
_PATH_CHARACTERS = "/?&=%+,:;@$!*'()-._~"


class Connection:
    """A connection with one API and one key.

    Args:
        url: the API's address, ending in `/v1`.
        key: an API key or a token.
        timeout: seconds for connecting, and between two pieces of an answer.
        transport: sends the requests; None: over the network.
        retries: when requests are sent again.
    """

    def __init__(
        self,
        url: str | None,
        key: str | None,
        timeout: float,
        transport: httpx.BaseTransport | None = None,
        retries: Retries | None = None,
    ) -> None:
        self.url = _address(url or os.environ.get("SLUICE_API"))
        self._key = _usable_key(key or os.environ.get("SLUICE_API_KEY"))
        self._timeout = timeout
        self.retries = retries or Retries()
        # A proxy of the environment cannot reach a stack on this machine.
        trust_env = not _LOOPBACK.fullmatch(httpx.URL(self.url).host)
        # The key is not among these headers, since requests to the storage must not have it.
        self._http = httpx.Client(
            headers={"User-Agent": _USER_AGENT}, timeout=timeout, transport=transport, trust_env=trust_env
        )

    def __repr__(self) -> str:
        return f"Connection({self.url!r})"

    def close(self) -> None:
        """Close the connections."""
        self._http.close()

    def request(
        self,
        method: str,
        path: str,
        *,
        params: Mapping[str, Any] | None = None,
        json: Any = None,
        content: bytes | str | None = None,
        headers: Mapping[str, str] | None = None,
        write: Callable[[], Callable[[bytes], Any]] | None = None,
    ) -> httpx.Response:
        """Send a request, and return its answer when it is a success.

        A DELETE that is answered 404 is one, if an earlier attempt may have deleted the resource.

        Args:
            method: the HTTP method.
            path: below `/v1`, perhaps with a query; or an absolute link of this API.
            params: query parameters; those that are None are left out, lists are repeated.
            json: the body as JSON values.
            content: the body as it is.
            headers: further headers.
            write: for large answers: called before each attempt, it returns a function that takes the body in
                pieces; the body of the returned answer is empty then.

        Returns:
            The answer of the API, or of the storage that it redirected to.

        Raises:
            ApiError: the API answered with a problem.
            Unreachable: there was no answer.
            InvalidResponse: the answer is not Sluice's.
        """
        url = self._url(path).copy_merge_params(_query(params))
        body = {"content": content} if json is None else {"content": to_json(json)}
        sent = httpx.Headers({"Authorization": f"Bearer {self._key}"})
        sent.update(headers)
        if json is not None:
            sent.setdefault("Content-Type", "application/json")
        if method.upper() == "POST":
            # The same key for all attempts.
            sent.setdefault("Idempotency-Key", str(uuid.uuid4()))
        unknown = False

        def send() -> httpx.Response:
            nonlocal unknown
            try:
                answer = self._exchange(self._http.build_request(method, url, headers=sent, **body), write)
            except httpx.TransportError:
                unknown = True
                raise
            # API Gateway sends it, too, when a function takes too long.
            unknown = unknown or answer.status_code == 503
            return answer

        answer = self._with_retries(send)
        _warn_if_deprecated(method, answer)
        if method.upper() == "DELETE" and answer.status_code == 404 and unknown:
            return answer  # an earlier attempt, whose outcome was unknown, has deleted it
        return self._checked(method, path, answer)

    def upload(self, url: str, fields: Mapping[str, str], filename: str, file: Any) -> None:
        """Send a file by a presigned form of S3, without the key.

        Args:
            url: the form's address.
            fields: the form's fields.
            filename: the file's name.
            file: open for reading in binary mode.

        Raises:
            Unreachable: there was no answer.
            InvalidResponse: the storage refused the file.
        """

        def send() -> httpx.Response:
            file.seek(0)
            return self._http.post(url, data=dict(fields), files={"file": (filename, file)})

        answer = self._with_retries(send)
        if not answer.is_success:
            raise InvalidResponse(f"The storage refused {filename} ({answer.status_code}): {self._excerpt(answer)}")

    def _url(self, path: str) -> httpx.URL:
        below = path.removeprefix(self.url)
        # Concatenated, since httpx would send the key to the host of an absolute URL.
        return httpx.URL(f"{self.url}/{quote(below.lstrip('/'), safe=_PATH_CHARACTERS)}")

    def _checked(self, method: str, path: str, answer: httpx.Response) -> httpx.Response:
        """The answer, if it is a success."""
        status = answer.status_code
        if status < 300 or status == 304:
            return answer
        if status < 400:
            raise InvalidResponse(f"{method} {path} answered {status} without a Location.")
        if answer.history:
            raise InvalidResponse(f"{method} {path}: the storage answered {status}: {self._excerpt(answer)}")
        raise error_class(status)(method, path, status, self._problem(answer), retry_after(answer))

    def _with_retries(self, send: Callable[[], httpx.Response]) -> httpx.Response:
        try:
            return self.retries.send(send)
        except httpx.TransportError as error:
            # Without the path and the query: those of the storage contain a signature.
            host = error.request.url.copy_with(path="/", query=None)
            if isinstance(error, httpx.TimeoutException):
                raise Unreachable(f"{host} did not answer within {self._timeout:g} s. Is the address right?") from None
            raise Unreachable(
                f"{host} cannot be reached ({error}). Check the address {self.url} and, for a local stack, "
                "that it runs: make up"
            ) from None
        except httpx.RequestError as error:
            raise InvalidResponse(f"The answer cannot be decoded: {error}.") from None

    def _exchange(
        self, request: httpx.Request, write: Callable[[], Callable[[bytes], Any]] | None = None
    ) -> httpx.Response:
        """Send a request once, follow its redirects, and read the answer."""
        answer = self._http.send(request, stream=True, follow_redirects=False)
        hops: list[httpx.Response] = []
        try:
            while answer.has_redirect_location:
                answer.close()
                hops.append(answer)
                answer = self._http.send(self._redirected(hops), stream=True, follow_redirects=False)
            if write is not None and answer.is_success:
                take = write()
                for chunk in answer.iter_bytes():
                    take(chunk)
            else:
                answer.read()
        finally:
            answer.close()
        answer.history = hops
        return answer

    def _redirected(self, hops: list[httpx.Response]) -> httpx.Request:
        """The request that a redirect asks for: a GET without the key.

        Args:
            hops: the redirects so far; only the first one is the API's.
        """
        target = hops[-1].request.url.join(hops[-1].headers["Location"])
        if hops[0].status_code != 303:
            where = f"{target.scheme}://{target.netloc.decode()}{target.path}"
            raise InvalidResponse(f"{self.url} redirects to {where}. Is that the API's address?")
        if len(hops) > _MOST_REDIRECTS:
            raise InvalidResponse(f"{self.url} redirects more than {_MOST_REDIRECTS} times.")
        if target.scheme not in ("http", "https") or not target.host:
            raise InvalidResponse(f"{self.url} redirects to an address that is not HTTP.")
        return self._http.build_request("GET", target)

    def _problem(self, answer: httpx.Response) -> dict[str, Any]:
        try:
            problem = json.loads(self._redacted(answer.text))
        except (ValueError, RecursionError):
            problem = None
        if not isinstance(problem, dict):
            return {"detail": self._excerpt(answer)}
        if "detail" not in problem and "message" in problem:  # API Gateway's own answers
            problem["detail"] = problem["message"]
        return problem

    def _excerpt(self, answer: httpx.Response) -> str:
        """The beginning of an answer's text; of a web page its title."""
        text = self._redacted(answer.text)
        title = re.search(r"<title[^>]*>([^<]+)", text, re.IGNORECASE)
        if title:
            return f"a web page, {title[1].strip()[:100]!r}"
        return " ".join(text.split())[:300] or answer.reason_phrase

    def _redacted(self, text: str) -> str:
        # Some proxies show the request in their error pages. A text as short as a word is no real key.
        return text.replace(self._key, "[key]") if len(self._key) >= 8 else text


def _warn_if_deprecated(method: str, answer: httpx.Response) -> None:
    """Warn of a route that is deprecated, by the headers of its answer (RFC 9745, RFC 8594)."""
    first = answer.history[0] if answer.history else answer
    if "Deprecation" not in first.headers:
        return
    text = f"{method.upper()} {first.request.url.copy_with(query=None)} is deprecated"
    if sunset := first.headers.get("Sunset"):
        text += f", and may be removed from {sunset} on"
    if successor := first.links.get("successor-version", {}).get("url"):
        text += f". Use {successor} instead"
    # A FutureWarning, which Python shows by default: it is the API that changes, whoever maintains the program.
    warnings.warn(f"{text}.", FutureWarning, stacklevel=_depth_of_caller())


def _depth_of_caller() -> int:
    """The `stacklevel` by which a warning of the calling function names the first line outside of this package."""
    package, frame, depth = str(Path(__file__).parent), sys._getframe(1), 1
    while frame.f_back is not None and frame.f_code.co_filename.startswith(package):
        frame, depth = frame.f_back, depth + 1
    return depth


def decoded(answer: httpx.Response) -> Any:
    """The JSON of an answer; None of one without a body.

    Raises:
        InvalidResponse: it is not JSON.
    """
    if not answer.content:
        return None
    try:
        return json.loads(answer.content)
    except (ValueError, RecursionError) as error:
        # Of the first request: the address of the storage contains a signature.
        request = (answer.history[0] if answer.history else answer).request
        place = f"{request.method} {request.url.copy_with(query=None)}"
        media_type = answer.headers.get("Content-Type", "no media type")
        raise InvalidResponse(
            f"{place} answered {answer.status_code} with something that is not JSON ({media_type}: {error}). "
            "Is the address right? It ends in /v1."
        ) from None


def to_json(value: Any) -> bytes:
    """JSON in UTF-8. NaN and infinities, which JSON does not have, are refused.

    Raises:
        ValueError: the value has NaN or an infinity.
        TypeError: JSON cannot express the value.
    """
    return json.dumps(value, ensure_ascii=False, allow_nan=False, separators=(",", ":")).encode()


def text_of(value: Any) -> str:
    """A value as query parameters have it: `true`, RFC 3339 times in UTC, numbers in digits."""
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, datetime):
        utc = value.astimezone(UTC) if value.tzinfo else value
        return utc.replace(tzinfo=None).isoformat() + "Z"
    return value.isoformat() if isinstance(value, date) else str(value)


def segment(name: Any) -> str:
    """A name as one part of a path.

    Raises:
        InvalidName: the name is empty, or means another folder.
    """
    text = str(name)
    if text in ("", ".", ".."):
        raise InvalidName(f"{text!r} is not a name.")
    return quote(text, safe="")


def _query(params: Mapping[str, Any] | None) -> dict[str, list[str]]:
    query = {}
    for name, value in (params or {}).items():
        values = value if isinstance(value, list | tuple) else [value]
        query[name] = [text_of(item) for item in values if item is not None]
    return {name: values for name, values in query.items() if values}


def _address(url: str | None) -> str:
    if not url:
        raise ConfigurationError(
            "There is no address of an API. Pass it, as in Sluice('https://…/v1', key), or set SLUICE_API."
        )
    try:
        parsed = httpx.URL(url.strip())
    except httpx.InvalidURL as error:
        raise ConfigurationError(f"The API's address cannot be read: {error}.") from None
    if parsed.userinfo:
        raise ConfigurationError("The API's address contains a user name or password. Pass the key as `key`.")
    address = str(parsed).rstrip("/")
    if parsed.scheme not in ("http", "https") or not parsed.host or not address.endswith("/v1"):
        raise ConfigurationError(
            f"{address!r} is not the address of an API, which begins with http and ends in /v1. Check SLUICE_API."
        )
    return address


def _usable_key(key: str | None) -> str:
    text = (key or "").strip()
    if not text:
        raise ConfigurationError("There is no API key. Pass it as `key`, or set SLUICE_API_KEY.")
    if not re.fullmatch(r"[!-~]+", text):
        # httpx would show it in its own error.
        raise ConfigurationError("The API key has characters that no key has, such as blanks. Check SLUICE_API_KEY.")
    return text
