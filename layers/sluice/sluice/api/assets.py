"""Sites, equipment and sensors: the verbs that they share."""

from __future__ import annotations

from collections.abc import Callable
from itertools import islice
from typing import Any

from sluice.api.call import Answer, Call
from sluice.api.resources import retry_overtaken_write
from sluice.api.routes import Parameter
from sluice.api.views import definition_view
from sluice.assets.definitions import create_asset, delete_asset, replace_asset, set_status
from sluice.catalog.assets import Key
from sluice.catalog.definitions import Definition, missing
from sluice.container import Container
from sluice.domain.assets import kinds
from sluice.domain.assets.equipment import STATUSES, EquipmentCodes, Status
from sluice.domain.assets.kinds import AssetDocument, AssetType
from sluice.domain.base import merge_patch, validate
from sluice.errors import AlreadyExists, Conflict, Invalid


class AssetRoutes:
    """The verbs of one type of asset.

    Args:
        asset: the type.
        path: the list's path, below `/v1`.
    """

    def __init__(self, asset: AssetType, path: str) -> None:
        self._asset = asset
        self._path = path

    def list(
        self,
        call: Call,
        services: Container,
        owner: Key | None = None,
        selected: Callable[[dict[str, Any]], bool] | None = None,
    ) -> Answer:
        """One page of the assets, by code or id.

        Args:
            owner: only those of this site or equipment.
            selected: whether a document is listed; null: all are.

        Raises:
            Invalid: `limit` or `cursor` is not valid.
        """
        filters = {name: values for name, values in call.query.items() if name not in ("limit", "cursor")}
        bound, limit = [call.path, filters], call.limit()
        after = services.cursors.open(bound, call.query_value("cursor"))
        # A filter may select few of the assets, so they are read in large pages.
        page_size = limit + 1 if selected is None else None
        walk = services.assets.walk(self._asset.kind, owner, after, page_size)
        shown = list(islice((item for item in walk if selected is None or selected(item.document)), limit + 1))
        cursor = services.cursors.seal(bound, shown[limit - 1].name) if len(shown) > limit else None
        return Answer({"items": [definition_view(item) for item in shown[:limit]], "next": cursor})

    def read(self, call: Call) -> Answer:
        """The asset that the path names; 304 if the client has its current state."""
        definition = call.definition
        if call.client_has(definition.etag):
            return Answer(status=304, headers=_etag(definition))
        return Answer(definition_view(definition), headers=_etag(definition))

    def create(self, call: Call, services: Container, **defaults: str) -> Answer:
        """Create an asset from the body (201).

        Args:
            defaults: fields that the path has set already.

        Raises:
            Invalid: the body is not valid, or names an asset that does not exist.
            AlreadyExists: the code or id is used.
        """
        body = call.json()
        call.require_known_parameters()
        document = self._validated(body, defaults, "that of the path")
        return self._created(call, services, document)

    def _created(self, call: Call, services: Container, document: AssetDocument) -> Answer:
        definition = create_asset(services, self._asset, document, call.principal)
        headers = {"Location": call.url(f"{self._path}/{definition.name}"), **_etag(definition)}
        return Answer(definition_view(definition), 201, headers)

    def put(self, call: Call, services: Container, name: str) -> Answer:
        """Create the asset of this code or id (201), or replace it (200).

        Raises:
            PreconditionFailed: `If-Match` or `If-None-Match` does not hold.
            Invalid: the body is not valid, or names an asset that does not exist.
        """

        def write(stored: Definition | None) -> Answer:
            body = call.json()
            call.require_match(stored.etag if stored else None)
            call.require_known_parameters()
            document = self._named(body, name)
            if stored is not None:
                return self._replaced(call, services, stored, document)
            try:
                return self._created(call, services, document)
            except AlreadyExists as taken:
                # Another request has created it, or these routes do not show it: a site that is no vessel.
                if call.target is None or (target := call.target.reload()) is None or target.definition is None:
                    raise Conflict(taken.detail) from None
                raise

        return retry_overtaken_write(call, write)

    def patch(self, call: Call, services: Container, name: str) -> Answer:
        """Change fields of an asset by a JSON merge patch (RFC 7396).

        Raises:
            NotFound: there is no such asset.
            PreconditionFailed: `If-Match` does not hold.
            Invalid: the result is not valid, or names an asset that does not exist.
        """

        def write(stored: Definition | None) -> Answer:
            stored = self._required(stored, name)
            body = call.json()
            call.require_match(stored.etag)
            call.require_known_parameters()
            if not isinstance(body, dict):
                raise Invalid("The body must be a JSON object.")
            return self._replaced(call, services, stored, self._named(merge_patch(stored.document, body), name))

        return retry_overtaken_write(call, write)

    def _replaced(self, call: Call, services: Container, stored: Definition, document: AssetDocument) -> Answer:
        definition = replace_asset(services, stored, document, call.principal)
        return Answer(definition_view(definition), headers=_etag(definition))

    def delete(self, call: Call, services: Container, name: str) -> Answer:
        """Delete an asset.

        Raises:
            NotFound: there is no such asset.
            PreconditionFailed: `If-Match` does not hold.
            Conflict: other assets refer to it.
        """

        def write(stored: Definition | None) -> Answer:
            stored = self._required(stored, name)
            call.require_match(stored.etag)
            call.require_known_parameters()
            delete_asset(services, stored, call.principal)
            return Answer(status=204)

        return retry_overtaken_write(call, write)

    def history(self, call: Call, services: Container, name: str) -> Answer:
        """One page of the changes of an asset, the newest first.

        Raises:
            Invalid: `limit` or `cursor` is not valid.
        """
        bound, limit = [call.path], call.limit()
        before = services.cursors.open(bound, call.query_value("cursor"))
        entries = services.assets.history(self._asset.kind, name, limit + 1, before)
        cursor = services.cursors.seal(bound, entries[limit - 1][0]) if len(entries) > limit else None
        return Answer({"items": [entry.model_dump() for _, entry in entries[:limit]], "next": cursor})

    def _required(self, stored: Definition | None, name: str) -> Definition:
        if stored is None:
            raise missing(self._asset.noun.rpartition(" ")[2], name)
        return stored

    def _named(self, body: Any, name: str) -> AssetDocument:
        return self._validated(body, {self._asset.name_field: name}, f"{name!r} and cannot be changed")

    def _validated(self, body: Any, fixed: dict[str, str], reason: str) -> AssetDocument:
        """The document in a body, to which the path has added fields.

        Args:
            fixed: these fields; the body may repeat them.
            reason: why such a field cannot have another value.
        """
        if isinstance(body, dict):
            body = {**fixed, **body}
        document = validate(self._asset.model, body)
        for field, value in fixed.items():
            if getattr(document, field) != value:
                message = f"The {field} is {reason}."
                raise Invalid(message, [{"pointer": f"/{field}", "message": message}])
        return document


def _etag(definition: Definition) -> dict[str, str]:
    return {"ETag": f'"{definition.etag}"'}


def optional_choice(call: Call, name: str, choices: tuple[str, ...]) -> str | None:
    """A query parameter with an enumerated value; null when it is absent.

    Args:
        name: the parameter.
        choices: the allowed values.

    Raises:
        Invalid: the value is not among the choices.
    """
    return call.choice(name, choices, choices[0]) if call.query_value(name) is not None else None


def status_answer(call: Call, services: Container, status: Status) -> Answer:
    """Set the status of the equipment that the body lists, all or none, and answer with the equipment.

    Args:
        status: the new status.

    Raises:
        Invalid: the body is not valid, or there is no equipment of a code.
    """
    codes = call.document(EquipmentCodes).codes
    equipment = set_status(services, codes, status, call.principal)
    return Answer({"items": [definition_view(item) for item in equipment], "next": None})


def list_sensors_answer(call: Call, services: Container) -> Answer:
    """One page of the sensors that the query parameters `site`, `equipment` and `metric` select, by id.

    Sensors of a site cost a query for its equipment and a read of all sensors up to the end of the page.

    Raises:
        Invalid: a parameter is not valid.
    """
    site, equipment = call.code("site"), call.code("equipment")
    owner: Key | None = ("equipment", equipment) if equipment is not None else None
    matches = matching(metric=call.query_value("metric"))
    if site is None:
        return SENSORS.list(call, services, owner, matches)
    codes = {item.name for item in services.assets.walk("equipment", ("site", site))}

    def selected(document: dict[str, Any]) -> bool:
        return document["equipment"] in codes and (matches is None or matches(document))

    return SENSORS.list(call, services, owner, selected)


def matching(**wanted: str | None) -> Callable[[dict[str, Any]], bool] | None:
    """A predicate for documents whose fields have these values; null if there are none.

    Args:
        wanted: the values by field; null for any value.
    """
    given = {field: value for field, value in wanted.items() if value is not None}
    return (lambda document: all(document[field] == value for field, value in given.items())) if given else None


SITES = AssetRoutes(kinds.SITE, "/sites")
VESSELS = AssetRoutes(kinds.VESSEL, "/vessels")
EQUIPMENT = AssetRoutes(kinds.EQUIPMENT, "/equipment")
SENSORS = AssetRoutes(kinds.SENSOR, "/sensors")
STATUS = Parameter("status", "Only equipment with this status.", {"type": "string", "enum": list(STATUSES)})
