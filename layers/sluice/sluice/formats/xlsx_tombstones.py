"""Tombstones in workbooks: rows are replaced in the XML of their sheet, and texts that only they use are emptied."""

from __future__ import annotations

import re
import zipfile
from posixpath import join, normpath
from xml.parsers import expat

_ROW = re.compile(rb"<row\b[^>]*?\br=\"(\d+)\"[^>]*?(?:/>|>.*?</row>)", re.DOTALL)
_CELL = re.compile(rb"<c\b[^>]*?\br=\"([A-Z]+)\d+\"")
_SHARED = re.compile(rb"<c\b[^>]*?\bt=\"s\"[^>]*>(?:(?!</c>).)*?<v>(\d+)</v>", re.DOTALL)
_TEXT = re.compile(rb"<si\b[^>]*?(?:/>|>.*?</si>)", re.DOTALL)
_STRINGS = "xl/sharedStrings.xml"


def without_rows(archive: zipfile.ZipFile, sheet: str, numbers: set[int], word: str) -> dict[str, bytes]:
    """The parts of a workbook in which rows are replaced by a row with one word.

    Args:
        archive: the workbook.
        sheet: the name of the sheet.
        numbers: the numbers of the rows in the sheet, from 1.
        word: what the first cell of each says afterwards.

    Returns:
        The changed parts by name.
    """
    name = _part_of(archive, sheet)
    removed: set[int] = set()

    def replaced(match: re.Match[bytes]) -> bytes:
        number = int(match[1])
        if number not in numbers:
            return match[0]
        removed.update(int(index) for index in _SHARED.findall(match[0]))
        column = (_CELL.search(match[0]) or [b"", b"A"])[1].decode()
        cell = f'<c r="{column}{number}" t="inlineStr"><is><t>{word}</t></is></c>'
        return f'<row r="{number}">{cell}</row>'.encode()

    parts = {name: _ROW.sub(replaced, archive.read(name))}
    if _STRINGS in archive.namelist():
        sheets = [part for part in archive.namelist() if part.startswith("xl/worksheets/") and part.endswith(".xml")]
        used = {int(index) for part in sheets for index in _SHARED.findall(parts.get(part) or archive.read(part))}
        parts[_STRINGS] = _without_texts(archive.read(_STRINGS), removed - used)
    return parts


def _without_texts(strings: bytes, indexes: set[int]) -> bytes:
    number = -1

    def emptied(match: re.Match[bytes]) -> bytes:
        nonlocal number
        number += 1
        return b"<si><t/></si>" if number in indexes else match[0]

    return _TEXT.sub(emptied, strings)


def _part_of(archive: zipfile.ZipFile, sheet: str) -> str:
    """The name of the part with a sheet's rows."""
    targets = {link.get("Id"): link.get("Target") or "" for _, link in _elements(archive, "xl/_rels/workbook.xml.rels")}
    for tag, element in _elements(archive, "xl/workbook.xml"):
        if tag.rpartition(":")[2] == "sheet" and element.get("name") == sheet:
            link = next(value for name, value in element.items() if name.rpartition(":")[2] == "id")
            target = targets[link]
            return target.lstrip("/") if target.startswith("/") else normpath(join("xl", target))
    raise AssertionError("the sheet was read before")


def _elements(archive: zipfile.ZipFile, part: str) -> list[tuple[str, dict[str, str]]]:
    """The elements of a part with their attributes. `XlsxPage` has read the workbook, which has passed its checks."""
    found: list[tuple[str, dict[str, str]]] = []
    parser = expat.ParserCreate()
    parser.StartElementHandler = lambda tag, attributes: found.append((tag, attributes))
    parser.Parse(archive.read(part), True)
    return found
