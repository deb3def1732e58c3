"""Checking the documents of planning: every fault at once, each with its place."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any, TypeVar

from pydantic import BaseModel

from sluice.domain.base import json_pointer, validate
from sluice.errors import Invalid

D = TypeVar("D", bound=BaseModel)
# A JSON Pointer and a message.
Fault = dict[str, Any]


def fault(path: tuple[str | int, ...], message: str) -> Fault:
    """A fault at a path of keys and indexes."""
    return {"pointer": json_pointer(path), "message": message}


def document_pointer(*path: str | int) -> str:
    """A place in a document as messages name it: the pointer in a request, where the document is below `/document`."""
    return "/document" + json_pointer(path)


def field_faults(model: type[BaseModel], document: Any) -> list[Fault]:
    """The fields of a document that its model does not allow.

    Args:
        model: the document's model.
        document: the parsed JSON.
    """
    try:
        validate(model, document, ignored=())
    except Invalid as invalid:
        return invalid.errors or [fault((), invalid.detail)]
    return []


def parse_document(model: type[D], document: Any, faults: list[Fault], noun: str) -> D:
    """A document as an instance of its model.

    Args:
        model: the document's model.
        document: the parsed JSON.
        faults: what is wrong with it.
        noun: what errors call it.

    Raises:
        Invalid: there are faults.
    """
    if faults:
        first = f"{faults[0]['message']} (/document{faults[0]['pointer']})"
        more = f" And {len(faults) - 1} more faults." if len(faults) > 1 else ""
        raise Invalid(f"The {noun} is not valid: {first}{more}", faults)
    return validate(model, document, ignored=())


def entries(document: Any, field: str) -> Iterator[tuple[int, dict[str, Any]]]:
    """The objects in a list of a document, with their indexes; nothing if there is no such list."""
    values = document.get(field) if isinstance(document, dict) else None
    if isinstance(values, list):
        yield from ((index, value) for index, value in enumerate(values) if isinstance(value, dict))


def members(document: Any, field: str) -> Iterator[tuple[str, dict[str, Any]]]:
    """The objects in an object of a document, with their keys; nothing if there is no such object."""
    values = document.get(field) if isinstance(document, dict) else None
    if isinstance(values, dict):
        yield from ((key, value) for key, value in values.items() if isinstance(value, dict))


@contextmanager
def below(*keys: str) -> Iterator[None]:
    """Put keys before the pointers of what is refused, such as the part of a result that has the faults.

    Raises:
        Invalid: as it was raised, with longer pointers.
    """
    try:
        yield
    except Invalid as refused:
        prefix = json_pointer(keys)
        raise Invalid(
            refused.detail, [{**each, "pointer": prefix + each["pointer"]} for each in refused.errors]
        ) from None


def require_none(faults: list[Fault]) -> None:
    """Refuse what has faults.

    Raises:
        Invalid: there are some; the detail is the first one.
    """
    if faults:
        more = f" And {len(faults) - 1} more faults." if len(faults) > 1 else ""
        raise Invalid(f"{faults[0]['message']}{more}", faults)
