"""XML pages: elements as objects, attributes as `@name`, repeated elements as lists."""

from __future__ import annotations

from typing import IO, Any
from xml.parsers.expat import ExpatError

from sluice.domain.json_text import depth
from sluice.errors import DataTooLarge, EmptyData, UnreadableData
from sluice.formats.detect import mistaken
from sluice.formats.limits import Limits
from sluice.formats.memory import require_xml_fits

_TEXT = "#text"


def read_xml(content: IO[bytes], limits: Limits) -> Any:
    """The document of an XML page, as xmltodict gives it: every value is text, with the blanks around it.

    Entities of the page's own are refused, since a few lines of them can stand for gigabytes.

    Raises:
        EmptyData: there is nothing but white space.
        DataTooLarge: it has more bytes or elements than can be read at once.
        UnreadableData: it is no XML, declares entities, or is nested too deeply.
    """
    import xmltodict  # only where XML comes

    body = content.read(limits.document_bytes + 1)
    if len(body) > limits.document_bytes:
        raise DataTooLarge(
            f"The XML has more than {limits.document_bytes} bytes; ask for smaller pages, or raise MAX_DOCUMENT_BYTES."
        )
    if not body.strip():
        raise EmptyData("The page is empty; XML was expected.")
    said = mistaken(body[:512], "XML")
    if said is not None:
        raise UnreadableData(said)
    require_xml_fits(body, limits)
    try:
        document = xmltodict.parse(body, disable_entities=True, strip_whitespace=False, postprocessor=_element)
    except ExpatError as error:
        cut = "; the page ends there, so perhaps it was cut off" if "no element found" in str(error) else ""
        raise UnreadableData(f"The page is not XML: {error}{cut}.") from None
    except ValueError as error:
        raise UnreadableData(f"The XML declares entities, which are not read: {error}.") from None
    except LookupError as error:
        raise UnreadableData(f"The XML is in an encoding that is not read: {error}.") from None
    if depth(document) > limits.nesting:
        raise UnreadableData(f"The XML is nested more than {limits.nesting} levels deep.")
    return document


def _element(path: Any, name: str, value: Any) -> tuple[str, Any]:
    """An element without the white space that only arranges it.

    That is what stands between elements, and what is all of an element and breaks the line.
    """
    if isinstance(value, str) and name != _TEXT and not name.startswith("@"):
        return name, None if _arranges(value) else value
    if isinstance(value, dict) and _TEXT in value:
        holds_elements = any(key != _TEXT and not key.startswith("@") for key in value)
        text = value[_TEXT]
        if (holds_elements and not text.strip()) or _arranges(text):
            del value[_TEXT]
    return name, value


def _arranges(text: str) -> bool:
    return "\n" in text and not text.strip()
