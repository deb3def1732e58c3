"""The examples on the pages of the reference that are written by hand do what the pages say."""

from __future__ import annotations

import json
import re
from datetime import timedelta
from functools import partial
from typing import Any, get_args
from urllib.parse import quote

import httpx
import pytest
import yaml

from sluice.container import Container
from sluice.domain.datasource import Datasource
from sluice.domain.datasource.http_source import HttpSource
from sluice.domain.expression import METADATA_FIELDS
from sluice.domain.file_format import Format
from sluice.domain.merge import RuleName
from sluice.domain.names import now, parse_time, rfc3339
from sluice.domain.schedule import Schedule
from sluice.domain.schema import convert
from sluice.reads.request import OPERATORS
from sluice.runs.plan import is_stale
from support.client import Client
from support.documents import drop, http_source, ingest, refresh, rows
from support.template import ROOT
from support.upstream import StubResponse, Upstream, ok

_BLOCK = re.compile(r"^```(\w+)\n(.*?)^```$", re.DOTALL | re.MULTILINE)


def section(page: str, heading: str = "") -> str:
    """The text of a page of the reference, or of the section of a heading."""
    text = (ROOT / "docs/reference" / page).read_text()
    if not heading:
        return text
    _, _, below = text.partition(f"\n## {heading}\n")
    assert below, f"{page} has no section {heading}"
    return below.partition("\n## ")[0]


def blocks(text: str) -> list[tuple[str, str]]:
    """The language and content of each block of code."""
    return _BLOCK.findall(text)


def tables(text: str) -> list[list[list[str]]]:
    """The rows of each table, without its heading; code in cells is without its marks."""
    found = []
    for lines in re.findall(r"(?:^\|.*\n)+", text, re.M):
        cells = [re.split(r"(?<!\\)\|", line.strip().strip("|")) for line in lines.splitlines()[2:]]
        found.append([[cell.strip().strip("`").replace("\\|", "|") for cell in row] for row in cells])
    return found


def bare(records: list[dict[str, Any]]) -> list[dict[str, Any]]:
    return [{name: value for name, value in record.items() if not name.startswith("_")} for record in records]


def test_metadata_becomes_columns(admin: Client, upstream: Upstream, services: Container) -> None:
    text = section("columns.md", "Metadata")
    (metadata,) = tables(text)
    assert tuple(row[0] for row in metadata) == METADATA_FIELDS
    (_, document), *pages, (_, expected) = blocks(text)
    upstream.answer = lambda request: ok(json.loads(pages[int(request.url.params["page"]) - 1][1]))
    datasource = yaml.safe_load(document)
    assert set(datasource["fields"].values()) == set(METADATA_FIELDS) - {"$run"}
    datasource["fields"]["run"] = "$run"
    admin.put("/datasources/coins", datasource)
    run = ingest(admin, "coins")
    read = bare(rows(admin, "datasources/coins"))
    assert {row.pop("run") for row in read} == {run["id"]}
    receipts = admin.get(f"/runs/{run['id']}/pages").json()["items"]
    for row in read:
        assert parse_time(row.pop("fetched_at")) == parse_time(receipts[row["page"] - 1]["fetched_at"])
    assert read == json.loads(expected)
    schema = {column["name"]: column["type"] for column in admin.get("/datasources/coins/versions/1").json()["schema"]}
    names = {"$position": "rank", "$page": "page", "$fetched_at": "fetched_at", "$run": "run"}
    assert {row[0]: schema[names[row[0]]] for row in metadata} == {row[0]: row[2] for row in metadata}


def test_types_convert_values(admin: Client, upstream: Upstream, services: Container) -> None:
    types, converted, refused = tables(section("columns.md", "Types"))
    fields = {f"c{place}": row for place, row in enumerate(converted)}
    assert {row[0].partition("(")[0] for row in converted} == {row[0].partition("(")[0] for row in types}
    upstream.serve([{name: json.loads(row[1]) for name, row in fields.items()}])
    admin.put("/datasources/coins", http_source(types={name: row[0] for name, row in fields.items()}))
    assert ingest(admin, "coins")["error"] is None
    (read,) = bare(rows(admin, "datasources/coins"))
    assert read == {name: json.loads(row[2]) for name, row in fields.items()}
    for kind, value in refused:
        with pytest.raises(ValueError, match=r"."):
            convert(json.loads(value), kind)


def test_where_and_order(admin: Client, services: Container) -> None:
    ((_, csv),) = blocks(section("reading.md"))
    admin.put("/datasources/coins", {"name": "coins", "kind": "file"})
    drop(services, "coins/coins.csv", csv.encode())

    def symbols(parameters: str) -> str:
        answer = admin.get(f"/datasources/coins/data?{parameters}")
        assert answer.status == 200, answer.text
        return ", ".join(row["symbol"] for row in answer.json()["items"])

    ((operators),) = tables(section("reading.md", "`where`"))
    assert {row[0] for row in operators} == set(OPERATORS)
    for operator, _, condition, expected in operators:
        assert f".{operator}:" in condition
        assert symbols(f"where={quote(condition)}") == expected, condition
    ((orders),) = tables(section("reading.md", "`order`"))
    for order, expected in orders:
        assert symbols(f"order={quote(order)}") == expected, order
    (item, *_) = admin.get("/datasources/coins/data?select=symbol,price").json()["items"]
    assert list(item) == ["symbol", "price"]


def test_schedules() -> None:
    fields, accepted, refused = tables(section("schedules.md", "Schedules"))
    assert len(fields) == 6
    for expression, _ in accepted:
        assert Schedule(expression=expression).expression == expression
    for expression, reason in refused:
        with pytest.raises(ValueError, match=re.escape(reason)):
            Schedule(expression=expression)


def test_words_and_signs_of_cron_fields() -> None:
    fields, _, _ = tables(section("schedules.md", "Schedules"))
    base = ["0", "0", "1", "*", "?", "*"]
    for place, (_, numbers, words, signs) in enumerate(fields):
        low, high = re.findall(r"\d+", numbers)[0], re.findall(r"\d+", numbers)[-1]
        values = [low, high, f"{low}-{high}", f"{low},{high}", f"{low}/2", *re.findall(r"\b[A-Z]{3}\b", words)]
        values += [sign for sign in re.findall(r"`([^`]+)`", f"`{signs}`") if sign.strip() and sign not in ",-/?"]
        for value in values:
            parts = [*base]
            parts[place] = value
            if place == 4:
                parts[2] = "?"
            Schedule(expression=f"cron({' '.join(parts)})")


def test_staleness() -> None:
    (cases,) = tables(section("schedules.md", "Staleness"))
    for allowed, schedule, age, stale in cases:
        document = http_source(max_age_seconds=json.loads(allowed))
        if schedule != "none":
            document["schedule"] = {"expression": schedule}
        checked_at = rfc3339(now() - timedelta(seconds=int(age)))
        assert is_stale(Datasource.model_validate(document), checked_at) == (stale == "yes"), (allowed, schedule, age)
    assert is_stale(Datasource.model_validate(http_source()), None)


def exchanges(text: str) -> list[tuple[str, StubResponse]]:
    """The requests, each with its response, of a block on the page about pagination."""
    found = []
    for request, lines in re.findall(r"^(\S.*)\n((?:^  .*\n)+)", text, re.M):
        *headers, body = [line.strip() for line in lines.splitlines()]
        found.append((request, ok(json.loads(body), **dict(header.split(": ", 1) for header in headers))))
    return found


def written(request: httpx.Request) -> str:
    """A request as the page about pagination writes it."""
    body = f" {json.dumps(json.loads(request.content))}" if request.content else ""
    return f"{request.method} {request.url.raw_path.decode()}{body}"


PAGINATIONS = blocks(section("pagination.md"))


@pytest.mark.parametrize("place", range(0, len(PAGINATIONS), 2))
def test_pagination(admin: Client, upstream: Upstream, place: int) -> None:
    (_, block), (_, text) = PAGINATIONS[place : place + 2]
    expected = exchanges(text)
    responses = dict(expected)
    upstream.answer = lambda request: responses[written(request)]
    document = {"name": "items", "kind": "http", "http": yaml.safe_load(block), "records": "items"}
    assert admin.put("/datasources/items", document).status == 201
    run = ingest(admin, "items")
    assert (run["status"], run["completeness"]) == ("succeeded", "complete")
    assert [written(request) for request in upstream.requests] == [request for request, _ in expected]
    received = [record for response in responses.values() for record in json.loads(response.body)["items"]]
    assert rows(admin, "datasources/items") == received


def test_every_type_of_pagination_has_an_example() -> None:
    types = {HttpSource.model_validate(yaml.safe_load(block)).pagination.type for _, block in PAGINATIONS[::2]}
    (rows_of_types,) = tables(section("pagination.md"))
    assert {row[0] for row in rows_of_types} == types == {"none", "next_url", "cursor", "offset", "page"}


def test_rules_of_a_join(admin: Client, upstream: Upstream) -> None:
    *_, examples = tables(section("merging.md", "Rules of a join"))
    rules = {f"f{place}": json.loads(rule) for place, (rule, _, _) in enumerate(examples)}
    assert {rule["rule"] for rule in rules.values()} == set(get_args(RuleName))
    names = ["a", "b", "c"]
    times = dict(zip(names, ("2026-01-01", "2026-01-03", "2026-01-02"), strict=True))
    values = {field: json.loads(examples[place][1]) for place, field in enumerate(rules)}

    def answer(request: httpx.Request) -> StubResponse:
        name = request.url.host.partition(".")[0]
        fields = {field: given[names.index(name)] for field, given in values.items()}
        return ok([{"id": 1, "at": times[name], **fields}])

    upstream.answer = answer
    merge = {"strategy": "join", "key": ["id"], "fields": rules}
    admin.put("/projects/p", {"name": "p", "merge": merge, "refresh_on": "manual"})
    for rank, name in enumerate(names):
        admin.put(f"/datasources/{name}", http_source(name))
        admin.put(f"/projects/p/datasources/{name}", {"priority": rank})
    assert refresh(admin, "p")["error"] is None
    (read,) = rows(admin, "projects/p")
    assert {field: read[field] for field in rules} == {
        field: json.loads(examples[place][2]) for place, field in enumerate(rules)
    }


def answer_with(body: bytes, request: httpx.Request) -> StubResponse:
    return StubResponse(200, body, {})


def test_formats(admin: Client, upstream: Upstream) -> None:
    text = section("formats.md").partition("\nNaN and infinities")[0]
    ((formats),) = tables(text)
    assert {row[0] for row in formats} == set(get_args(Format))
    found = blocks(text)
    shown = set()
    for (_, block), (_, page), (_, expected) in zip(found[::3], found[1::3], found[2::3], strict=True):
        document = http_source(**yaml.safe_load(block))
        upstream.answer = partial(answer_with, page.encode())
        answer = admin.post("/datasources/preview", document)
        assert answer.status == 200, answer.text
        assert bare(answer.json()["records"]) == json.loads(expected), block
        shown.add(document["format"])
    assert shown == {"json", "jsonl", "csv", "xml"}, "the others are not text"
