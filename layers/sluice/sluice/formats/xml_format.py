"""XML pages: elements as objects, attributes as `@name`, repeated elements as lists."""

from __future__ import annotations

from typing import IO, Any
from xml.parsers.expat import ExpatError

from sluice.domain.json_text import depth
from sluice.errors import DataTooLarge, EmptyData, UnreadableData
from sluice.formats.detect import describe_mismatch
from sluice.formats.limits import Limits
from sluice.formats.memory import require_xml_fits

_TEXT = "#text"


def read_xml(content: IO[bytes], limits: Limits) -> Any:
    """Parse an XML page as xmltodict does: all values are text, surrounding blanks included.

    Entity declarations are refused, since a few lines of them can expand to gigabytes.

    Args:
        content: the page, unpacked, at its beginning.
        limits: caps for size, memory and nesting.

    Raises:
        EmptyData: there is only white space.
        DataTooLarge: it has more bytes or elements than may be read at once.
        UnreadableData: it is not XML, declares entities, or is nested too deeply.
    """
    import xmltodict  # only XML pages need it

    body = content.read(limits.document_bytes + 1)
    if len(body) > limits.document_bytes:
        raise DataTooLarge(
            f"The XML has more than {limits.document_bytes} bytes; request smaller pages, or raise MAX_DOCUMENT_BYTES."
        )
    if not body.strip():
        raise EmptyData("The page is empty; XML was expected.")
    mismatch = describe_mismatch(body[:512], "XML")
    if mismatch is not None:
        raise UnreadableData(mismatch)
    require_xml_fits(body, limits)
    try:
        document = xmltodict.parse(body, disable_entities=True, strip_whitespace=False, postprocessor=_element)
    except ExpatError as error:
        hint = "; the page ends there, so it is perhaps truncated" if "no element found" in str(error) else ""
        raise UnreadableData(f"The page is not XML: {error}{hint}.") from None
    except ValueError as error:
        raise UnreadableData(f"The XML declares entities, which are not allowed: {error}.") from None
    except LookupError as error:
        raise UnreadableData(f"The XML has an encoding that is not supported: {error}.") from None
    if depth(document) > limits.nesting:
        raise UnreadableData(f"The XML is nested more than {limits.nesting} levels deep.")
    return document


def _element(path: Any, name: str, value: Any) -> tuple[str, Any]:
    """Remove white space that only indents: between elements, or as a whole text with a line break."""
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
