"""Hostile values in documents: addresses, expressions, SQL, schedules, references and inputs."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from support.hostile.attack import BIDI, LONG, Attack
from support.workbooks import topology

URLS = (
    *("file:///etc/passwd", "javascript:alert(1)", "gopher://x", "ftp://x/y", "//evil", "http://", "data:,x", "x"),
    *("https://a.example/\r\nX: y", "https://a.example/\0", "https://user:pass@a.example/", "https://a.example:0/"),
    *("https://a.example:65536/", "https://" + "a" * 64 + ".example/", "https://[::1", "https://%00.example/"),
    *("https://a.example/" + "x" * LONG, "https://\u2025.example/", "https://a..example/", "http://0x7f.1/"),
)
QUERY = "/projects/top-coins/query"
# As the jmespath of a datasource; a bad one is refused when it is written.
EXPRESSIONS = (
    *(
        "[" * 5_000,
        "a" + ".a" * 20_000,
        "@" + "|@" * 20_000,
        "`" + "[" * 5_000 + "`",
    ),
    *("sort_by(@, &@", "to_number(", "`\ud800`", "'\\u0000", "a || " * 20_000 + "a", "{" + "a: @, " * 20_000, "\0"),
    *("map(&map(&map(&@, @), @), ", "no_such_function(@)", '`{"a": 1e999}', "@[?" * 2_000, "x" * 2_000_000),
)
FORBIDDEN_SQL = (
    "WITH RECURSIVE r AS (SELECT 1 UNION ALL SELECT 1 FROM r) SELECT * FROM read_text('/etc/passwd'), r",
    *("SELECT 1;;SELECT 2", "SELECT/**/1;/**/ATTACH/**/'x'", "\ufeffDROP TABLE merged", "ＳＥＬＥＣＴ 1", "SELECT ?"),
    *("SELECT 1\0; DROP TABLE merged", "FROM read_csv_auto('/x')", 'SELECT * FROM "../../x.parquet"', "LOAD 'x.so'"),
    *("SELECT * FROM read_text(chr(47) || 'etc/passwd')", "SELECT * FROM glob(chr(42))"),
    *("COPY (SELECT 1) TO PROGRAM 'id'", "SELECT * FROM 'https://evil.example/x.csv'"),
    *("SELECT * FROM st_read('/etc/passwd')", "SELECT * FROM read_ndjson_objects('/proc/self/environ')"),
    "SELECT * FROM iceberg_scan('x')",
)
# Refused, or harmless.
ODD_SQL = (
    *(
        "SELECT " + "(" * 5_000 + "1" + ")" * 5_000,
        "SELECT " + "-" * 20_000 + "1",
        "SELECT " + "NOT " * 20_000 + "true",
    ),
    *("SELECT '" + "x" * 200_000 + "'", "SELECT * FROM merged" + ", merged" * 20_000, "SELECT $1", "SELECT $name"),
    # DuckDB has no such functions; a model without data is not run when it is written.
    *("SELECT system('id')", "SELECT pg_sleep(100)", "SELECT lo_import('/etc/passwd')", "SELECT sleep_ms(100000)"),
    *("SELECT 1 " + "UNION SELECT 1 " * 9_000, "SELECT \u202e1", "SELECT 1e999999", "SELECT 1" + "::INT" * 5_000),
)
EXPRESSIONS_OF_TIME = (
    "cron(* * * * *)",
    "rate(0 minutes)",
    "rate(-1 days)",
    "at(9999-99-99T99)",
    "cron(" + "*," * 9_000 + ")",
    "\0",
)
ZONES = ("../../etc/passwd", "/etc/localtime", "UTC\0", "", "x" * 9_000, "Europe/" + BIDI)
REFERENCES = (
    *("run:../../x", "run:\0", "dataset:merged@-1", "dataset:x@" + "9" * 99, 'model:"; DROP', "north@0", "@", ":"),
)
EXPIRIES: tuple[Any, ...] = (
    "9999-12-31T23:59:59-23:59",
    "0001-01-01T00:00:00+23:59",
    "infinity",
    1e308,
    -1,
    True,
    [],
    "x" * 9_000,
)


def addresses() -> Iterator[Attack]:
    for number, url in enumerate(URLS):
        source: dict[str, Any] = {"name": "Hostile", "kind": "http", "http": {"url": url}}
        yield Attack(f"URL {number}", "PUT", "/datasources/hostile", source)
        yield Attack(f"detected URL {number}", "POST", "/datasources/detect", {"url": url})
        # Accepted where the host cannot exist: its deliveries fail.
        subscription: dict[str, Any] = {"event": "run.failed", "webhook": url}
        yield Attack(f"webhook {number}", "POST", "/subscriptions", subscription, refused=False)


def expressions() -> Iterator[Attack]:
    for number, expression in enumerate(EXPRESSIONS):
        source: dict[str, Any] = {"name": "Hostile", "kind": "push"}
        yield Attack(f"records {number}", "PUT", "/datasources/hostile", {**source, "records": expression})
        yield Attack(f"field {number}", "PUT", "/datasources/hostile", {**source, "fields": {"a": expression}})
    for expression in ("[::0]", "a[99999999999999999999]", "[99999999999999999999:]"):
        source = {"name": "Hostile", "kind": "push", "fields": {"a": expression}}
        yield Attack(f"field {expression}", "PUT", "/datasources/hostile", source, refused=False)


def statements() -> Iterator[Attack]:
    for refused, texts in ((True, FORBIDDEN_SQL), (False, ODD_SQL)):
        for number, sql in enumerate(texts):
            label = f"{'forbidden' if refused else 'odd'} {number}"
            compute = {"strategy": "union", "result": {"compute": {"x": sql}}}
            yield Attack(f"{label} query", "POST", QUERY, {"sql": sql}, refused=refused)
            yield Attack(f"{label} model", "PUT", "/projects/all-orders/models/hostile", {"sql": sql}, refused=refused)
            endpoint = {"sql": sql, "public": True}
            path = "/projects/all-orders/endpoints/hostile"
            yield Attack(f"{label} endpoint", "PUT", path, endpoint, refused=refused)
            project = {"name": "x", "merge": compute}
            yield Attack(f"{label} computed column", "PUT", "/projects/hostile", project, refused=refused)
    for name in ("select", "a b", "", "1", "a" * 300, "a\0", "__class__", '"', "$a", BIDI):
        query = {"sql": "SELECT 1", "parameters": {name: 1}}
        yield Attack(f"parameter of a query {name[:12]!r}", "POST", QUERY, query)
    for value in ("9" * LONG, "-" + "9" * 40, "1e400", "1" * 400 + "." + "1" * 400):
        query_text = '{"sql": "SELECT $a", "parameters": {"a": ' + value + "}}"
        yield Attack(f"number in a query {value[:5]} {len(value)}", "POST", QUERY, query_text, refused=False)


def times() -> Iterator[Attack]:
    project = {"name": "x", "refresh_on": "schedule"}
    schedules = [{"expression": expression} for expression in EXPRESSIONS_OF_TIME]
    schedules += [{"expression": "rate(1 day)", "timezone": zone} for zone in ZONES]
    for number, schedule in enumerate(schedules):
        yield Attack(f"schedule {number}", "PUT", "/projects/hostile", {**project, "schedule": schedule})
    for number, expiry in enumerate(EXPIRIES):
        yield Attack(f"expiry {number}", "POST", "/keys", {"name": "x", "role": "viewer", "expires_at": expiry})
    many = {"name": "x", "role": "viewer", "projects": [f"p{number}" for number in range(LONG)]}
    yield Attack("key for 100,000 projects", "POST", "/keys", many)


def algorithm_runs() -> Iterator[Attack]:
    path = "/projects/top-coins/algorithms/profile/runs"
    for reference in REFERENCES:
        yield Attack(f"input {reference[:20]!r}", "POST", path, {"inputs": {"table": reference}})
    for seed in (-1, 2**70, 1.5, "1", 1e308):
        yield Attack(f"seed {seed}", "POST", path, {"inputs": {"table": "dataset:merged@1"}, "seed": seed})
    yield Attack("deep parameters", "POST", path, {"inputs": {}, "parameters": {"a": _nested(400)}})


def inputs() -> Iterator[Attack]:
    nodes = ({"lat": 1e308}, {"lat": "NaN"}, {"name": "\0"}, {"name": "x" * LONG}, {"lng": None}, {"x": _nested(400)})
    for number, node in enumerate(nodes):
        document = topology("A", "B", "C")
        document["nodes"][0] |= node
        yield Attack(f"topology {number}", "PUT", "/inputs/hostile", {"kind": "topology", "document": document})


def _nested(levels: int) -> Any:
    value: Any = 1
    for _ in range(levels):
        value = [value]
    return value
