"""Drawings of matplotlib as inline SVG that takes its colours and font from the page."""

from __future__ import annotations

import io
import re
import xml.etree.ElementTree as ET

from matplotlib.figure import Figure

# Placeholder colours: matplotlib cannot draw in CSS variables, so these are replaced in the SVG. The page's own
# colours follow light and dark mode.
INK, SOFT, GRID, PAPER = "#010203", "#040506", "#070809", "#0e0f01"
SERIES = [f"#0a0b0{digit}" for digit in range(8)]
# The classes of a scale, from low to high.
LEVELS = [f"#0c0d0{digit}" for digit in range(5)]
_VARIABLES = (
    {INK: "var(--ink)", SOFT: "var(--soft)", GRID: "var(--grid)", PAPER: "var(--paper)"}
    | {color: f"var(--series-{index})" for index, color in enumerate(SERIES)}
    | {color: f"var(--level-{index})" for index, color in enumerate(LEVELS)}
)
_LONG_NUMBER = re.compile(r"-?\d+\.\d{3,}")
_REFERENCE = re.compile(r"url\(#([^)]*)\)")
_CONTROLS = re.compile(r"[\x00-\x20\x7f-\x9f\ufffe\uffff]+")


def plain_text(text: str, longest: int) -> str:
    """Return a text on one line, without characters that XML does not allow.

    Args:
        longest: the most characters; of a longer text, the middle is left out, since names often differ at the end.
    """
    text = _CONTROLS.sub(" ", text).strip()
    if len(text) <= longest:
        return text
    end = (longest - 1) // 3
    return f"{text[: longest - 1 - end].rstrip()}…{text[-end:].lstrip()}"


def svg_symbol(figure: Figure, name: str) -> tuple[str, str]:
    """Return a drawing as a `<symbol>`, for an `<svg>` element to use.

    Args:
        figure: the drawing.
        name: the id of the symbol, with which the ids in it begin; unique within the page.

    Returns:
        The symbol, and its width and height as CSS's `aspect-ratio` takes them.
    """
    file = io.StringIO()
    figure.savefig(file, format="svg", transparent=True, metadata={"Date": None, "Creator": None})
    root = ET.fromstring(file.getvalue())  # noqa: S314 - matplotlib has just written it
    for parent in list(root.iter()):
        for child in list(parent):
            if _local(child.tag) in ("metadata", "style"):
                parent.remove(child)
    elements = list(root.iter())
    for element in elements:
        element.tag = _local(element.tag)
        element.attrib = {_local(key): value for key, value in element.attrib.items()}
        element.tail = None
        if element.tag != "text":
            element.text = None
    references = [reference for element in elements for reference in _references(element)]
    ids = {reference: f"{name}{number}" for number, reference in enumerate(dict.fromkeys(references))}
    for element in elements:
        _adapt(element, ids)
    for element in reversed(elements):
        _share_style(element)
        _unwrap_groups(element)
    root.tag, box = "symbol", root.attrib["viewBox"]
    root.attrib = {"id": name, "viewBox": box}
    width, height = box.split()[2:]
    return ET.tostring(root, encoding="unicode"), f"{width} / {height}"


def _local(name: str) -> str:
    """Return a name without its namespace: HTML needs none."""
    return name.rpartition("}")[2]


def _references(element: ET.Element) -> list[str]:
    links = [element.attrib["href"][1:]] if element.attrib.get("href", "").startswith("#") else []
    return links + [name for value in element.attrib.values() for name in _REFERENCE.findall(value)]


def _adapt(element: ET.Element, ids: dict[str, str]) -> None:
    """Shorten an element, make its ids unique in the page, and use the page's colours."""
    attributes: dict[str, str] = {}
    for key, value in element.attrib.items():
        if key == "id":
            if value in ids:
                attributes[key] = ids[value]
        elif key == "href":
            attributes[key] = f"#{ids[value[1:]]}"
        elif key == "style":
            attributes[key] = _page_style(value)
        else:
            value = _REFERENCE.sub(lambda match: f"url(#{ids[match[1]]})", value)
            attributes[key] = _LONG_NUMBER.sub(_rounded, value)
    element.attrib = attributes


def _share_style(element: ET.Element) -> None:
    """Give the style that all markers of a series repeat to their group."""
    styles = {child.attrib.get("style", "") for child in element}
    if len(element) > 1 and len(styles) == 1 and {child.tag for child in element} == {"use"}:
        element.attrib["style"] = styles.pop()
        for child in element:
            child.attrib.pop("style", None)


def _unwrap_groups(element: ET.Element) -> None:
    """Replace groups that say nothing by their content."""
    children: list[ET.Element] = []
    for child in element:
        children += list(child) if child.tag == "g" and not child.attrib else [child]
    element[:] = children


def _rounded(match: re.Match[str]) -> str:
    text = f"{float(match[0]):.2f}".rstrip("0").rstrip(".")
    return "0" if text == "-0" else text


def _page_style(style: str) -> str:
    """Replace matplotlib's colours and font in a style by the page's."""
    for color, variable in _VARIABLES.items():
        style = style.replace(color, variable)
    return re.sub(r"font: ([\d.]+)px [^;]*", r"font-size: \1px", style)
