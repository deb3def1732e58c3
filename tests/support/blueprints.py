"""Blueprints for tests: small folders, and random documents."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from hypothesis import strategies as st

SHOP = {
    "blueprint.yaml": "name: shop\nproject: shop\nsecrets:\n  key: ${SHOP_KEY}\n",
    "datasources/orders.yaml": (
        "name: Orders\nkind: http\nhttp:\n  url: https://orders.example.com/v1\n"
        "  auth: {type: bearer, secret: key}\nprimary_key: [id]\n"
    ),
    "datasources/notes.yaml": "name: Notes\nkind: file\n",
    "projects/shop.yaml": (
        "name: Shop\nrefresh_on: manual\nmerge: {strategy: join, key: [id]}\n"
        "datasources:\n  orders: {priority: 10}\n  notes:\n"
    ),
    "models/a_late.yaml": "sql: SELECT * FROM early\n",
    "models/early.yaml": "sql: |\n  SELECT *\n  FROM orders\n",
    "reports/sales.yaml": "title: Sales\nsections:\n  - {type: table, sql: SELECT id FROM a_late}\n",
    "endpoints/top.yaml": "sql: SELECT id FROM a_late\n",
}

PUMPS = {
    "blueprint.yaml": "name: pumps\n",
    "sites/V-1.yaml": "type: vessel\n",
    "equipment/A-1.yaml": "site: V-1\nparent: P-1\n",
    "equipment/P-1.yaml": "site: V-1\nname: Pump\nlocation: deck 2\n",
    "sensors/P-1.flow.yaml": "equipment: P-1\nmetric: flow\nlimits: {high: 80}\n",
}


def write_blueprint(folder: Path, files: Mapping[str, str | None]) -> Path:
    """Write the files of a blueprint, by their paths; null deletes one."""
    for name, text in files.items():
        path = folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        if text is None:
            path.unlink(missing_ok=True)
        else:
            path.write_text(text, encoding="utf-8")
    return folder


# What readers of YAML take for something else than text, and what writers of it get wrong.
TRICKY = """no|on|null|~|1e3|0o17|0777|1_000|12:30|2024-01-01|.5|0x1F|<<|=|- x|# c|a: b|a #b|{a}|[x]|&a|*a|!t|%d|@x|`x
 lead|trail |${X}|$${X}|${|$|'|"|\\|é|😀| |?|:|,|true|1.0|-""".replace("\n", "|").split("|")
LINES = [
    "a\nb",
    "a\n\n  b\n",
    "\na",
    " a\nb",
    "a \nb",
    "a\tb\n\tc",
    "é\n😀\n",
    "a\r\nb",
    "a\n\n\n",
    "x\u2028y",
    "\n",
    "# a\nb: c\n",
]
words = st.one_of(
    st.sampled_from(TRICKY),
    st.text(st.characters(exclude_categories=("Cs", "Cc", "Cn", "Co")), min_size=1, max_size=12),
)
texts = words | st.sampled_from(LINES)
names = st.from_regex(r"[a-z]{1,8}", fullmatch=True)
columns = words
flags = st.booleans()
numbers = st.integers(0, 10**6)


def objects(required: dict[str, Any], **optional: Any) -> Any:
    """Objects with these members; some of the optional ones are missing or null."""
    return st.fixed_dictionaries(required, optional=optional)


def just(value: Any) -> Any:
    return st.just(value)


def maybe(values: Any) -> Any:
    return st.none() | values


schedules = objects(
    {"expression": st.sampled_from(["rate(1 hour)", "cron(0 12 * * ? *)"])}, timezone=just("Europe/Paris")
)
paginations = st.one_of(
    objects({"type": just("none")}),
    objects({"type": just("next_url"), "from": just("link")}, max_pages=maybe(st.integers(1, 9))),
    objects({"type": just("cursor"), "path": just("next"), "param": words}, verify=just("always")),
    objects({"type": just("page"), "page_param": just("p")}, start=numbers, total_pages=just("`2`")),
    objects({"type": just("offset"), "offset_param": just("o")}, limit=st.integers(1, 9)),
)
auths = st.one_of(
    objects({"type": just("none")}),
    objects({"type": just("bearer"), "secret": just("key")}),
    objects({"type": just("basic"), "username": just("no"), "secret": just("key")}),
    objects({"type": just("api_key"), "in": just("query"), "name": just("k"), "secret": just("key")}),
)
https = objects(
    {"url": just("https://a.example.com/x?y=${Z}")},
    auth=auths,
    pagination=paginations,
    timeout_seconds=st.integers(1, 300),
    params=st.dictionaries(names, words | numbers | flags | st.floats(-1e6, 1e6), max_size=2),
    headers=st.dictionaries(names, st.sampled_from(["no", "1", "a: b"]), max_size=2),
)
_shared: dict[str, Any] = {
    "description": maybe(texts),
    "enabled": flags,
    "types": st.dictionaries(columns, st.sampled_from(["string", "double", "json"]), max_size=2),
    "primary_key": maybe(st.lists(columns, min_size=1, max_size=2, unique=True)),
    "max_age_seconds": maybe(numbers),
}
datasources = {
    "pulled": objects({"name": words, "kind": just("http"), "http": https}, schedule=maybe(schedules), **_shared),
    "dropped": objects({"name": words, "kind": just("file")}, format=maybe(st.sampled_from(["csv", "xml"])), **_shared),
    "pushed": objects({"name": words, "kind": just("push")}, **_shared),
    "queried": objects(
        {
            "name": words,
            "kind": just("sql"),
            "sql": objects(
                {"engine": just("mysql"), "host": just("h.example.com"), "database": words, "user": just("key")}
                | {"query": st.sampled_from(["SELECT 1 AS a", "SELECT a\nFROM t -- ${X}\n"])},
                tls=flags,
            ),
        },
        **_shared,
    ),
    "documents": objects(
        {
            "name": words,
            "kind": just("mongo"),
            "mongo": objects(
                {"uri": just("key"), "database": just("d"), "collection": just("c")},
                filter=st.dictionaries(names, words | numbers | st.lists(words, max_size=2), max_size=2),
            ),
        },
        **_shared,
    ),
}
tests_of_tables = st.lists(
    st.one_of(
        objects({"type": just("not_null"), "column": columns}, severity=st.sampled_from(["warn", "error"])),
        objects({"type": just("unique"), "columns": st.lists(columns, min_size=1, max_size=2)}),
        objects({"type": just("range"), "column": columns, "min": numbers | st.floats(-9, 9) | words}),
        objects({"type": just("accepted_values"), "column": columns, "values": st.lists(words | flags, min_size=1)}),
    ),
    max_size=2,
)
merges = st.one_of(
    objects({"strategy": just("union")}, key=maybe(st.lists(names, min_size=1, max_size=2, unique=True))),
    objects(
        {"strategy": just("join"), "key": just(["id"])},
        fields=st.dictionaries(
            names.filter(lambda name: name != "id"),
            st.one_of(
                objects({"rule": just("newest"), "by": columns}),
                objects({"rule": just("constant"), "value": words | flags}),
            ),
            max_size=2,
        ),
        join=st.sampled_from(["left", "full"]),
    ),
    objects({"strategy": just("recursive")}),
)
projects = objects(
    {"name": words},
    description=maybe(texts),
    merge=merges,
    tests=st.dictionaries(names, tests_of_tables, max_size=2),
    refresh_on=st.sampled_from(["change", "manual"]),
)
assignments = objects({}, priority=numbers, alias=maybe(names.map("t_{}".format)), optional=flags)
queries = st.sampled_from(
    ["SELECT 1 AS a", "SELECT a\n  FROM merged\n", "SELECT '${X}' AS a -- no\n", "select 1 as a "]
)
models = objects({"sql": queries}, description=maybe(texts), tests=tests_of_tables, materialize=flags)
reports = objects(
    {
        "title": words,
        "sections": st.lists(
            st.one_of(
                objects({"type": just("markdown"), "text": texts}),
                objects({"type": just("bar"), "sql": queries}, title=maybe(words), y=maybe(st.lists(columns))),
            ),
            min_size=1,
            max_size=3,
        ),
    },
    description=maybe(texts),
)
endpoints = objects(
    {"sql": just("SELECT $a AS a, $b AS b")}
    | {"parameters": objects({"a": objects({"type": just("string")}, default=words), "b": just({"type": "integer"})})},
    description=maybe(texts),
    cache_seconds=st.integers(0, 9),
    public=flags,
)
