"""Which part of a page holds its records."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Collection, Iterator
from dataclasses import dataclass
from itertools import islice
from typing import Any

from sluice.domain.expression import MAX_LENGTH, search
from sluice.errors import RecordsNotFound
from sluice.sources.http.detection.paths import Path, expression_of, is_list_of_parts, plain_name, walk
from sluice.sources.http.detection.reasons import Confidence, plural

# Keys that hold records in most APIs; and keys of lists of objects that describe or accompany the records.
_USUAL = frozenset(
    {"data", "items", "results", "records", "value", "values", "rows", "entries", "features", "hits", "docs", "list"}
    | {"content", "elements", "objects", "result", "observations", "entry", "item"}
)
_BESIDES = frozenset(
    {"included", "links", "link", "errors", "warnings", "messages", "facets", "aggregations", "columns", "fields"}
    | {"schema", "meta", "includes", "attributions", "licenses", "sponsoreddata"}
)
_HEADERS = frozenset({"columns", "fields", "header", "headers", "columnnames", "names", "cols"})
_KEY_OF_DATA = re.compile(r"\d{4}-\d\d(-\d\d)?.*|\d+|[0-9a-f-]{16,}|[A-Z0-9]{2,10}")
_COUNT = re.compile(r"total|count|size")
# How many elements decide what a list consists of.
_LOOKED_AT = 100
_FEWEST_MEMBERS = 3
# Characters of a key in a text for users.
_SHOWN = 80


@dataclass(frozen=True)
class Choice:
    """The part of a page that holds the records.

    Args:
        expression: the JMESPath expression that selects it.
        reason: why it was chosen.
        confidence: how sure the choice is.
        count: the number of records.
        path: the path to the list; None if the expression builds it.
        names: the columns of records that are lists, by position; an empty name: the members of the object there
            are columns. None if records are objects.
        listed: whether there is a list of records; if not, the page is one record.
        warnings: what the choice leaves out.
    """

    expression: str
    reason: str
    confidence: Confidence = "likely"
    count: int = 0
    path: Path | None = None
    names: list[str] | None = None
    listed: bool = True
    warnings: tuple[str, ...] = ()


def choose_records(document: Any, *, form: str) -> Choice:
    """Choose the part of a document that holds the records.

    Args:
        document: the parsed document.
        form: its format, `json` or `xml`.

    Raises:
        RecordsNotFound: the document is a single value.
    """
    if isinstance(document, list) and not is_list_of_parts(document):
        return _of_list((), document, "the response")
    if not isinstance(document, dict | list):
        raise RecordsNotFound(
            f"The response is a single {type(document).__name__}, not an object or a list of records; give the "
            "address of a list."
        )
    if isinstance(document, dict) and document.get("type") == "FeatureCollection" and "features" in document:
        features = document["features"]
        count = len(features) if isinstance(features, list) else 0
        return Choice(
            "features", f"GeoJSON: `features` holds {plural(count, 'feature')}.", "likely", count, ("features",)
        )
    choices = [*_lists(document, form), *_maps(document), *_columnar(document)]
    choices = [choice for choice in choices if choice.confidence == "likely" or _may_be_records(document, choice)]
    if choices:
        return max(choices, key=_weight)
    return _single(document)


def _may_be_records(document: Any, choice: Choice) -> bool:
    """Whether a list without objects holds the records, and is not a detail of a single record."""
    if not isinstance(document, dict) or not choice.path:
        return True
    counts_none = any(value == 0 and _COUNT.search(plain_name(key)) for key, value in document.items())
    return plain_name(choice.path[-1]) in _USUAL or len(document) == 1 or (choice.count == 0 and counts_none)


def _weight(choice: Choice) -> tuple[float, int]:
    """Records under a usual key count tenfold: `included` of JSON:API is often longer than `data`."""
    names = [plain_name(step) for step in choice.path or () if isinstance(step, str)]
    factor = 10.0 if names and names[-1] in _USUAL else 1.0
    factor *= 0.1 if any(name in _BESIDES for name in names) else 1.0
    # Lists of plain values and empty lists are chosen only if there is nothing else.
    factor *= 1.0 if choice.confidence == "likely" else 1e-6
    return factor * (choice.count + 0.5), -len(choice.path or ())


def _lists(document: Any, form: str) -> Iterator[Choice]:
    for path, value in walk(document):
        if not isinstance(value, list):
            continue
        choice = _of_list(path, value, _place(path), _sibling_names(document, path, value))
        if form == "xml" and choice.path is not None:  # in XML, a single element is an object and not a list
            choice = Choice(f"{choice.expression}[]", choice.reason, choice.confidence, choice.count, path)
        yield choice


def _of_list(path: Path, value: list[Any], place: str, names: list[str] | None = None) -> Choice:
    expression, count = expression_of(path), len(value)
    beginning = list(islice((item for item in value if item is not None), _LOOKED_AT))
    if not beginning:
        return Choice(expression, f"{place} is a list, which is empty now.", "guess", 0, path)
    if 2 * sum(isinstance(item, dict) for item in beginning) >= len(beginning):
        best = "the longest list of objects in the response" if path else "a list of objects"
        return Choice(expression, f"{place} is {best}, with {plural(count, 'record')}.", "likely", count, path)
    if all(isinstance(item, list) and item for item in beginning):
        return _of_rows(path, value, place, names)
    reason = f"{place} is a list of {plural(count, 'value')}; each becomes a record with the column `value`."
    return Choice(expression, reason, "guess", count, path)


def _of_rows(path: Path, rows: list[Any], place: str, names: list[str] | None) -> Choice:
    """Rows that are lists: their columns have names in a list beside them, in the first row, or nowhere."""
    width = max(len(row) for row in rows[:_LOOKED_AT] if isinstance(row, list))
    first = rows[0] if isinstance(rows[0], list) else []
    expression, count = expression_of(path), len(rows)
    if names is not None and len(names) == width:
        reason = f"{place} is a list of {plural(count, 'row')}; a list beside it names their columns."
        return Choice(expression, reason, "likely", count, path, names)
    if _is_header(first, rows[1:_LOOKED_AT]):
        expression = f"{expression}[1:]" if path else "[1:]"
        reason = f"{place} is a list of rows; the first one names the columns of {plural(count - 1, 'record')}."
        return Choice(expression, reason, "likely", count - 1, None, [str(name) for name in first])
    reason = f"{place} is a list of {plural(count, 'row')} without names for their columns; rename the fields."
    return Choice(expression, reason, "likely", count, path, [f"column_{number + 1}" for number in range(width)])


def _is_header(first: list[Any], rows: list[Any]) -> bool:
    """Whether a row has only distinct texts, and no other row of the same length repeats one in its column."""
    if not rows or not all(isinstance(name, str) and name for name in first) or len(set(first)) < len(first):
        return False
    same_width = [row for row in rows if isinstance(row, list) and len(row) == len(first)]
    return bool(same_width) and not any(
        name == value for row in same_width for name, value in zip(first, row, strict=True)
    )


def _sibling_names(document: Any, path: Path, rows: list[Any]) -> list[str] | None:
    """The names of the columns of rows in a list beside it, as texts or as objects with a name."""
    if not (rows and isinstance(rows[0], list)):
        return None
    parent = search(expression_of(path[:-1]), document)
    for key, value in parent.items() if isinstance(parent, dict) else ():
        if plain_name(key) in _HEADERS and isinstance(value, list) and len(value) == len(rows[0]):
            stated = [item.get("name") if isinstance(item, dict) else item for item in value]
            names = [name for name in stated if isinstance(name, str) and name]
            if len(set(names)) == len(value):
                return names
    return None


def _maps(document: Any) -> Iterator[Choice]:
    """Objects whose members are the records, or lists of them: their keys are data, such as dates or codes."""
    for path, node in [((), document), *walk(document)]:
        if not isinstance(node, dict) or len(node) < 2:
            continue
        members = list(islice(node.values(), _LOOKED_AT))
        if all(isinstance(member, dict) for member in members):
            if _are_alike(node, members):
                yield _map_of_objects(path, node)
        elif all(map(_is_list_of_objects, members)) and _are_alike(node, _first_items(members)):
            yield _map_of_lists(path, node)


def _map_of_objects(path: Path, node: dict[str, Any]) -> Choice:
    expression, place = expression_of(path), _place(path)
    reason = f"{place} is an object of {plural(len(node), 'object')} with the same keys"
    if any(all(member.get(name) == key for key, member in node.items()) for name in next(iter(node.values()))):
        return Choice(f"values({expression})", f"{reason}, which have their own key.", "likely", len(node), path)
    reason += "; the first field is the key, the others are those of the object."
    return Choice(f"items({expression})", reason, "likely", len(node), path, ["key", ""])


def _map_of_lists(path: Path, node: dict[str, Any]) -> Choice:
    place, count = _place(path), sum(map(len, node.values()))
    reason = f"{place} is an object of {plural(len(node), 'list')}, which have {plural(count, 'record')} together."
    warning = f"The keys of {place}, such as {next(iter(node))[:_SHOWN]!r}, are not in the records."
    expression = f"{expression_of(path)}.*[]" if path else "*[]"
    return Choice(expression, reason, "likely", count, path, warnings=(warning,))


def _first_items(lists: list[list[Any]]) -> list[Any]:
    return [item for part in lists for item in part[:1]]


def _is_list_of_objects(value: Any) -> bool:
    return isinstance(value, list) and all(isinstance(item, dict) for item in value[:_LOOKED_AT])


def _are_alike(node: dict[str, Any], members: list[dict[str, Any]]) -> bool:
    """Whether members have mostly the same keys, and are many, or have keys that look like data."""
    counts = Counter(key for member in members for key in member)
    common = {key for key, count in counts.items() if 2 * count > len(members)}
    if not common or any(2 * len(common & member.keys()) < len(common) for member in members):
        return False
    return len(node) >= _FEWEST_MEMBERS or all(_KEY_OF_DATA.fullmatch(key) for key in node)


def _columnar(document: Any) -> Iterator[Choice]:
    """Objects of lists of the same length, each the values of a column."""
    for path, node in [((), document), *walk(document)]:
        columns = {key: value for key, value in node.items() if _is_column(value)} if isinstance(node, dict) else {}
        lengths = {len(value) for value in columns.values()}
        if len(columns) < 2 or len(lengths) > 1:
            continue
        count = lengths.pop()
        kept = _that_fit(path, list(columns))
        if not kept:
            continue
        names = ", ".join(expression_of((*path, key)) for key in kept)
        reason = f"{_place(path)} holds {len(columns)} columns as lists of {count} values each."
        yield Choice(f"zip({names})", reason, "likely", count, path, kept, warnings=_left_out(columns.keys() - kept))


def _that_fit(path: Path, keys: list[str]) -> list[str]:
    """The keys that can stand in one expression; those for which no room is left are left out."""
    kept, length = [], len("zip()")
    for key in keys:
        more = len(", ") + len(expression_of((*path, key)))
        if length + more <= MAX_LENGTH:
            kept.append(key)
            length += more
    return kept


def _left_out(keys: Collection[str]) -> tuple[str, ...]:
    if not keys:
        return ()
    place = f"{plural(len(keys), 'column')}, such as {min(keys)[:_SHOWN]!r},"
    verb = "is" if len(keys) == 1 else "are"
    return (f"{place} {verb} left out: `records` would have more than {MAX_LENGTH:,} characters.",)


def _is_column(value: Any) -> bool:
    return (
        isinstance(value, list)
        and len(value) > 1
        and not any(isinstance(item, dict | list) for item in value[:_LOOKED_AT])
    )


def _single(document: Any) -> Choice:
    expression, names = "@", list(document) if isinstance(document, dict) else []
    inner = [key for key in names if isinstance(document[key], dict) and document[key]]
    if len(inner) == 1 and plain_name(inner[0]) in _USUAL:
        expression = expression_of((inner[0],))
    reason = f"{_place(() if expression == '@' else (inner[0],))} is an object without lists of objects: one record."
    return Choice(expression, reason, "guess", 1, listed=False)


def _place(path: Path) -> str:
    return f"`{expression_of(path)}`" if path else "the response"
