"""Reports: one file of text, tables and charts, made of what the run has made."""

import re
import xml.etree.ElementTree as ET
from typing import Any

import pytest

from sluice.container import Container
from support.client import Client
from support.documents import http_source, refresh
from support.upstream import Upstream

SECTIONS: list[dict[str, Any]] = [
    {"type": "markdown", "text": "# Sales\n\n*Good* <script>alert(1)</script> [x](javascript:alert(1))"},
    {"type": "table", "title": "Cities & towns", "sql": "SELECT city, amount FROM by_city ORDER BY city"},
    {"type": "bar", "sql": "SELECT city, amount FROM by_city ORDER BY city"},
    {"type": "line", "title": "By day", "sql": "SELECT day, amount, id FROM merged ORDER BY day", "y": ["amount"]},
    {"type": "scatter", "sql": "SELECT id, amount FROM merged ORDER BY id"},
    {"type": "histogram", "sql": "SELECT amount FROM merged", "bins": 3},
]
RECORDS = [
    {"id": 1, "city": "Bern <b>", "amount": 2.5, "day": "2026-01-01"},
    {"id": 2, "city": "=1+1", "amount": 4.0, "day": "2026-01-02"},
    {"id": 3, "city": None, "amount": None, "day": "2026-01-03"},
]


@pytest.fixture
def sales(services: Container, admin: Client, upstream: Upstream) -> Client:
    """A project with a model and a report, not refreshed yet."""
    upstream.serve(RECORDS)
    admin.put("/datasources/sales", http_source("sales", types={"day": "date"}))
    admin.put("/projects/p", {"name": "p", "merge": {"strategy": "join", "key": ["id"]}, "refresh_on": "manual"})
    admin.put("/projects/p/datasources/sales", {})
    admin.put("/projects/p/models/by_city", {"sql": "SELECT city, sum(amount) AS amount FROM merged GROUP BY city"})
    answer = admin.put("/projects/p/reports/sales", {"title": "Sales of <today>", "sections": SECTIONS})
    assert answer.status == 201, answer.text
    return admin


def test_report_is_one_self_contained_file(sales: Client, viewer: Client) -> None:
    assert viewer.get("/projects/p/reports/sales/latest").status == 404
    run = refresh(sales, "p")
    assert run["status"] == "succeeded", run["error"]
    answer = viewer.get("/projects/p/reports/sales/latest")
    assert (answer.status, answer.headers["Content-Type"]) == (200, "text/html; charset=utf-8")
    page = answer.text
    assert "<script" not in page
    assert 'href="javascript' not in page
    assert not re.search(r'(src|href)="https?:', page)
    assert "Bern &lt;b&gt;" in page
    assert "Sales of &lt;today&gt;" in page
    charts = re.findall(r"<svg.*?</svg>", page, re.DOTALL)
    assert len(charts) == 4
    for chart in charts:
        ET.fromstring(chart)
        assert "var(--ink)" in chart
        assert "#010203" not in chart
    assert "prefers-color-scheme: dark" in page
    assert "@media print" in page
    assert run["id"] in page
    footer = page[page.index("<footer>") :]
    assert re.findall(r"<td>(\w+)</td><td>(\d+)</td>", footer) == [("by_city", "1"), ("merged", "1")]
    assert viewer.get(f"/projects/p/reports/sales/{run['id']}").text == page
    assert viewer.get("/projects/p/reports/sales/01J00000000000000000000000").status == 404


def test_csv_of_a_report_has_no_formulas(sales: Client) -> None:
    refresh(sales, "p")
    answer = sales.get("/projects/p/reports/sales/latest?format=csv")
    assert answer.text.replace("\r\n", "\n") == "city,amount\n'=1+1,4.0\nBern <b>,2.5\n,\n"
    assert sales.get("/projects/p/reports/sales/latest?format=csv&section=5").text.splitlines()[0] == "amount"
    assert sales.get("/projects/p/reports/sales/latest?format=csv&section=0").status == 422


def test_unchanged_report_is_not_rendered_again(sales: Client, upstream: Upstream) -> None:
    first = refresh(sales, "p")
    refresh(sales, "p", ingest="all")
    upstream.serve(RECORDS[:2])
    second = refresh(sales, "p", ingest="all")
    pages = [sales.get(f"/projects/p/reports/sales/{run}").text for run in (first["id"], second["id"], "latest")]
    assert pages[1] == pages[2] != pages[0]


def test_the_same_inputs_are_the_same_bytes(sales: Client, services: Container) -> None:
    refresh(sales, "p")
    body = sales.get("/projects/p/reports/sales").json()
    first = sales.get("/projects/p/reports/sales/latest").text
    sales.delete("/projects/p/reports/sales")
    sales.put("/projects/p/reports/sales", {"title": body["title"], "sections": body["sections"]})
    run = sales.get(f"/runs/{sales.post('/projects/p/reports/sales/runs').json()['id']}").json()
    assert (run["kind"], run["status"]) == ("report", "succeeded")
    second = sales.get("/projects/p/reports/sales/latest").text

    def alone(page: str) -> str:
        return page[: page.index("<footer>")]

    assert alone(first) == alone(second)


@pytest.mark.parametrize(
    ("section", "message"),
    [
        ({"type": "bar", "sql": "SELECT city, day FROM merged"}, "needs a column of numbers"),
        ({"type": "line", "sql": "SELECT id, amount FROM merged", "y": ["nothing"]}, "'nothing'"),
        ({"type": "histogram", "sql": "SELECT city FROM merged"}, "needs numbers"),
        ({"type": "table", "sql": "SELECT nothing FROM merged"}, "nothing"),
    ],
)
def test_invalid_section_fails_the_run(sales: Client, section: dict[str, Any], message: str) -> None:
    sales.put("/projects/p/reports/other", {"title": "x", "sections": [{"type": "markdown", "text": "a"}, section]})
    run = refresh(sales, "p")
    assert (run["status"], run["error"]["type"]) == ("failed", "urn:sluice:problem:model-failed")
    assert run["progress"]["stage"] == "report"
    assert message in run["error"]["detail"]
    assert "The report other: section 2 (untitled): " in run["error"]["detail"]


def test_an_empty_chart_says_so(sales: Client) -> None:
    sales.put(
        "/projects/p/reports/none", {"title": "x", "sections": [SECTIONS[4] | {"sql": "SELECT 1 AS a WHERE false"}]}
    )
    refresh(sales, "p")
    assert "no rows" in sales.get("/projects/p/reports/none/latest").text


@pytest.mark.parametrize(
    "document",
    [
        {"title": "x", "sections": []},
        {"title": "x", "sections": [{"type": "pie", "sql": "SELECT 1"}]},
        {"title": "x", "sections": [{"type": "table", "sql": "SELECT * FROM nothing"}]},
        {"title": "x", "sections": [{"type": "table", "sql": "SELECT $x"}]},
    ],
)
def test_invalid_reports_are_refused(sales: Client, document: dict[str, Any]) -> None:
    assert sales.put("/projects/p/reports/x", document).status == 422


@pytest.mark.parametrize(
    "section",
    [
        {"type": "line", "sql": "SELECT * FROM (VALUES (1, 1e308), (2, -1e308)) t(x, y)"},
        {"type": "histogram", "sql": "SELECT * FROM (VALUES (1e308), (-1e308)) t(x)"},
        {"type": "histogram", "bins": 200, "sql": "SELECT * FROM (VALUES (1e17), (1e17 + 16)) t(x)"},
        {"type": "line", "sql": "SELECT * FROM (VALUES (DATE '12000-01-01', 1)) t(x, y)"},
        {"type": "line", "sql": "SELECT TIMESTAMP '9999-12-31 23:59:59' x, 1 y UNION SELECT TIMESTAMP '0001-01-01', 2"},
        {"type": "table", "sql": "SELECT ['nan'::double, 1] AS l, {'a': NULL} AS s, -1.5::DECIMAL(5,2) AS d"},
        {"type": "bar", "sql": "SELECT 'font: 12px x #010203' AS x, 1 AS y"},
    ],
    ids=str,
)
def test_report_with_unusual_values_is_rendered(sales: Client, section: dict[str, Any]) -> None:
    sales.put("/projects/p/reports/odd", {"title": "x", "sections": [section]})
    run = refresh(sales, "p")
    assert run["status"] == "succeeded", run["error"]
    page = sales.get("/projects/p/reports/odd/latest")
    for chart in re.findall(r"<svg.*?</svg>", page.text, re.DOTALL):
        ET.fromstring(chart)
    if section["type"] == "bar":
        assert "font: 12px x #010203" in page.text
    if section["type"] == "table":
        assert "<td>[null,1.0]</td>" in page.text
        assert sales.get("/projects/p/reports/odd/latest?format=csv").text.splitlines()[1].endswith(",-1.50")
    assert sales.call("GET", "/projects/p/reports/odd/latest", If_None_Match=page.headers["ETag"]).status == 304


@pytest.fixture
def two_rows(environment: dict[str, str], monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("REPORT_ROWS", "2")


def test_csv_reports_truncation(two_rows: None, sales: Client) -> None:
    sections = [{"type": "table", "sql": f"SELECT id FROM merged ORDER BY id LIMIT {limit}"} for limit in (3, 2)]
    sales.put("/projects/p/reports/sales", {"title": "x", "sections": sections})
    for _ in range(2):  # the second time, the version that was made of the same is named again
        refresh(sales, "p")
        cut, whole = (sales.get(f"/projects/p/reports/sales/latest?format=csv&section={at}") for at in (0, 1))
        assert cut.headers["X-Sluice-Truncated"] == "true"
        assert (
            cut.headers["Content-Disposition"]
            == 'attachment; filename="p-sales-report-v1-section-0-only-the-first-2-rows.csv"'
        )
        assert "X-Sluice-Truncated" not in whole.headers
        assert whole.headers["Content-Disposition"] == 'attachment; filename="p-sales-report-v1-section-1.csv"'
        assert cut.text == whole.text == "id\r\n1\r\n2\r\n", "every line is a row"
