"""The client of one Sluice API."""

from __future__ import annotations

import os
from collections.abc import Iterable, Iterator, Mapping
from datetime import datetime
from pathlib import Path
from types import TracebackType
from typing import TYPE_CHECKING, Any, Self, Unpack

import httpx

from sluice_client._connection import Connection, decoded, segment
from sluice_client._datasources import Datasource
from sluice_client._errors import InvalidResponse
from sluice_client._handles import PAGE_ROWS
from sluice_client._inputs import Input, save_template
from sluice_client._projects import Project
from sluice_client._runs import Run
from sluice_client._sensors import Period, Readings, Sensor, SentReadings, read_readings, send_readings

if TYPE_CHECKING:
    from sluice_client._datasources import Records
    from sluice_client.types import AlgorithmView, InputSummaryView, UploadForm


class Sluice:
    """A client of one API with one key. It can be shared by threads, and used as a context manager.

    While the API is busy, and after a broken connection, requests are sent again, with pauses.

    Args:
        url: the API's address, ending in `/v1`; default: the environment variable SLUICE_API.
        key: an API key or a token; default: SLUICE_API_KEY.
        timeout: seconds for connecting, and between two pieces of an answer.
        transport: sends the requests, for tests and special networks.

    Raises:
        ConfigurationError: the address or the key is missing, or cannot be used.
    """

    def __init__(
        self,
        url: str | None = None,
        key: str | None = None,
        *,
        timeout: float = 60.0,
        transport: httpx.BaseTransport | None = None,
    ) -> None:
        self._connection = Connection(url, key, timeout, transport)

    @property
    def url(self) -> str:
        """The API's address."""
        return self._connection.url

    def __repr__(self) -> str:
        return f"Sluice({self.url!r})"

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        self.close()

    def close(self) -> None:
        """Close the connections."""
        self._connection.close()

    def project(self, slug: str) -> Project:
        """A handle of the project of this slug; no request is sent."""
        return Project(self, slug)

    def datasource(self, slug: str) -> Datasource:
        """A handle of the datasource of this slug; no request is sent."""
        return Datasource(self, slug)

    def run(self, id: str) -> Run:
        """A run.

        Raises:
            NotFound: it does not exist.
        """
        return Run(self, self.get(f"/runs/{segment(id)}"))

    def input(self, slug: str) -> Input:
        """A handle of the input of this slug; no request is sent."""
        return Input(self, slug)

    def inputs(self, kind: str | None = None, limit: int | None = None) -> Iterator[InputSummaryView]:
        """The inputs, by slug, without their documents.

        Args:
            kind: only inputs of this kind.
            limit: the most inputs; default: all of them.
        """
        return self.items("/inputs", limit=limit, kind=kind)

    def input_template(self, kind: str, path: str | os.PathLike[str]) -> Path:
        """Write a blank workbook for an import to a file.

        Args:
            kind: the kind of input, such as `topology`.
            path: of the file; one that exists is replaced.

        Returns:
            The path.

        Raises:
            NotFound: the kind has no workbooks.
        """
        return save_template(self, kind, path)

    def algorithms(self) -> Iterator[AlgorithmView]:
        """The algorithms that there are, each with the JSON Schemas of its parameters and results."""
        return self.items("/algorithms")

    def sensor(self, id: str) -> Sensor:
        """A handle of the sensor of this id; no request is sent."""
        return Sensor(self, id)

    def readings(
        self,
        *,
        site: str | None = None,
        equipment: str | None = None,
        metric: str | None = None,
        sensor: Iterable[str] | str | None = None,
        **period: Unpack[Period],
    ) -> Readings:
        """The readings of several sensors, or points of them, over all pages.

        Args:
            site, equipment, metric: only sensors with this value.
            sensor: only these sensors.
            period: `start`, `end`, `resolution`, `agg` and `limit`, see `Period`.

        Raises:
            ValidationError: an argument is not valid, or the sensors are too many.
        """
        sensors = sensor if sensor is None or isinstance(sensor, str) else list(sensor)
        filters = {"site": site, "equipment": equipment, "metric": metric, "sensor": sensors}
        return read_readings(self, "/readings", ["sensor"], filters, period)

    def send_readings(self, readings: Records) -> SentReadings:
        """Send readings of sensors, in batches and in their order. They are stored when this returns.

        It is safe to send readings again: each sensor has one reading for each time.

        Args:
            readings: dictionaries of `sensor`, `time` and `value`, perhaps with `quality` and `revision`, as a list or
                any other iterable; a frame of pandas (without its index) or Polars; or a table of pyarrow.

        Returns:
            How many readings are stored, and which ones were refused.

        Raises:
            ApiError: the API refused the first batch; nothing is stored.
            PushInterrupted: a later batch failed; those before it are stored.
            TypeError: a value has no form in JSON.
        """
        return send_readings(self, readings)

    def upload_readings(self, path: str | os.PathLike[str], filename: str | None = None) -> None:
        """Upload a file of sensor readings of any size; they are stored within seconds or, of many, minutes.

        Args:
            path: of the file: CSV, JSON Lines or a JSON array, also gzipped.
            filename: the name to store it by; default: its own.

        Raises:
            InvalidResponse: the storage refused the file, such as an empty or too large one.
        """
        file = Path(path)
        with file.open("rb") as content:
            form: UploadForm = self.post("/readings/uploads", {"filename": filename or file.name})
            self._connection.upload(form["url"], form["fields"], file.name, content)

    def runs(
        self,
        *,
        id: Iterable[str] | str | None = None,
        kind: str | None = None,
        status: str | None = None,
        datasource: str | None = None,
        project: str | None = None,
        algorithm: str | None = None,
        since: datetime | str | None = None,
        limit: int | None = None,
    ) -> Iterator[Run]:
        """The runs, newest first.

        Args:
            id: only these runs.
            kind, status, datasource, project, algorithm: only runs with this value.
            since: only runs created at or after this time.
            limit: the most runs; default: all of them.
        """
        ids = id if id is None or isinstance(id, str) else ",".join(id)
        filters = {"kind": kind, "status": status, "datasource": datasource, "project": project, "since": since}
        filters["algorithm"] = algorithm
        return (Run(self, document) for document in self.items("/runs", limit=limit, id=ids, **filters))

    def request(
        self,
        method: str,
        path: str,
        *,
        params: Mapping[str, Any] | None = None,
        json: Any = None,
        content: bytes | str | None = None,
        headers: Mapping[str, str] | None = None,
    ) -> httpx.Response:
        """Send any request.

        Redirects to files in the storage are followed, without the key. A POST gets an `Idempotency-Key`, so that it
        is done once even if it has to be sent again. A DELETE that was sent again, since its answer was lost, may be
        answered 404: the resource is gone, so this is a success.

        Args:
            method: the HTTP method.
            path: below `/v1`, perhaps with a query; or an absolute link of this API.
            params: query parameters; those that are None are left out, lists are repeated.
            json: the body as JSON values.
            content: the body as it is, instead of `json`.
            headers: further headers.

        Returns:
            The answer, which is a success.

        Raises:
            ApiError: the API answered with a problem; the subclass follows from the status.
            Unreachable: there was no answer.
            InvalidResponse: the answer is not Sluice's.
        """
        return self._connection.request(method, path, params=params, json=json, content=content, headers=headers)

    def get(self, path: str, /, **params: Any) -> Any:
        """The JSON of a GET.

        Args:
            path: below `/v1`.
            params: query parameters.
        """
        return decoded(self.request("GET", path, params=params))

    def put(self, path: str, document: Any, *, headers: Mapping[str, str] | None = None) -> Any:
        """Create or replace a document.

        Args:
            path: below `/v1`.
            document: JSON values.
            headers: further headers, such as `If-Match`.

        Returns:
            The document as the API stored it.
        """
        return decoded(self.request("PUT", path, json=document, headers=headers))

    def post(
        self,
        path: str,
        document: Any = None,
        *,
        idempotency_key: str | None = None,
        headers: Mapping[str, str] | None = None,
    ) -> Any:
        """Create a resource, or start something.

        Args:
            path: below `/v1`.
            document: JSON values; None sends no body.
            idempotency_key: names this request, for 24 hours: another POST with the same key and body does nothing and
                gets the same answer. By default, each request has a new one.
            headers: further headers.

        Returns:
            The JSON of the answer.
        """
        key = {} if idempotency_key is None else {"Idempotency-Key": idempotency_key}
        return decoded(self.request("POST", path, json=document, headers={**(headers or {}), **key}))

    def patch(self, path: str, changes: Any, *, headers: Mapping[str, str] | None = None) -> Any:
        """Change fields of a document.

        Args:
            path: below `/v1`.
            changes: a JSON merge patch: the fields to change; None removes one.
            headers: further headers, such as `If-Match`.

        Returns:
            The document as the API stored it.
        """
        media_type = {"Content-Type": "application/merge-patch+json"}
        return decoded(self.request("PATCH", path, json=changes, headers={**media_type, **(headers or {})}))

    def delete(self, path: str, /, *, headers: Mapping[str, str] | None = None, **params: Any) -> None:
        """Delete a resource.

        Args:
            path: below `/v1`.
            headers: further headers, such as `If-Match`.
            params: query parameters.
        """
        self.request("DELETE", path, params=params, headers=headers)

    def items(self, path: str, /, *, limit: int | None = None, **params: Any) -> Iterator[Any]:
        """The items of a list, over all of its pages.

        Args:
            path: below `/v1`.
            limit: the most items; default: all of them.
            params: query parameters.

        Raises:
            InvalidResponse: the answer is no list, or its pages have no end.
        """
        remaining, cursor = limit, params.pop("cursor", None)
        seen = {cursor}
        while remaining is None or remaining > 0:
            size = PAGE_ROWS if remaining is None else min(remaining, PAGE_ROWS)
            page = self.get(path, **params, limit=size, cursor=cursor)
            if not isinstance(page, dict) or not isinstance(page.get("items"), list):
                raise InvalidResponse(f"GET {path} answered with something that is not a list.")
            yield from page["items"] if remaining is None else page["items"][:remaining]
            if remaining is not None:
                remaining -= len(page["items"])
            following = page.get("next")
            if following is None:
                return
            if following in seen:
                raise InvalidResponse(f"GET {path} answers the same pages again and again.")
            seen.add(following)
            cursor = following
