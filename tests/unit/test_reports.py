"""Reports: one file of text, tables and charts, made of what the run has made."""

import base64
import re
import xml.etree.ElementTree as ET
from html.parser import HTMLParser
from typing import Any

import pytest

from sluice import __version__
from sluice.container import Container
from sluice.domain.dataset_id import DatasetId
from sluice.domain.names import now, rfc3339
from sluice.domain.stale_input import IngestFailure
from support.client import Client
from support.documents import http_source, refresh
from support.upstream import Upstream

SECTIONS: list[dict[str, Any]] = [
    {"type": "markdown", "text": "# Sales\n\n*Good* <script>alert(1)</script> [x](javascript:alert(1))"},
    {
        "type": "table",
        "title": "Cities & towns",
        "sql": "SELECT city, amount FROM by_city ORDER BY city",
        "format": {"Amount": {"unit": "EUR", "decimals": 2}},
    },
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


_VOID = {"meta", "br", "hr", "img"}


class Outline(HTMLParser):
    """The structure of a page: fails if an element is not closed in its place.

    Args:
        page: the HTML.
    """

    def __init__(self, page: str) -> None:
        super().__init__()
        self.open: list[str] = []
        self.elements: list[tuple[str, dict[str, str | None]]] = []
        self.feed(page)
        self.close()
        assert self.open == []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.elements.append((tag, dict(attrs)))
        if tag not in _VOID:
            self.open.append(tag)

    def handle_startendtag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.elements.append((tag, dict(attrs)))

    def handle_endtag(self, tag: str) -> None:
        assert self.open.pop() == tag

    def all(self, tag: str) -> list[dict[str, str | None]]:
        """The attributes of all elements of a kind."""
        return [attributes for name, attributes in self.elements if name == tag]


def linked_files(page: str) -> dict[str, str]:
    """The files that a page's links contain, by their names."""
    links = [link for link in Outline(page).all("a") if "download" in link]
    return {str(link["download"]): base64.b64decode(str(link["href"]).partition(",")[2]).decode() for link in links}


@pytest.fixture
def shop(services: Container, admin: Client, upstream: Upstream) -> Client:
    """A project with a model, not refreshed yet."""
    upstream.serve(RECORDS)
    admin.put("/datasources/sales", http_source("sales", types={"day": "date"}))
    admin.put("/projects/p", {"name": "p", "merge": {"strategy": "join", "key": ["id"]}, "refresh_on": "manual"})
    admin.put("/projects/p/datasources/sales", {})
    admin.put("/projects/p/models/by_city", {"sql": "SELECT city, sum(amount) AS amount FROM merged GROUP BY city"})
    return admin


@pytest.fixture
def sales(shop: Client) -> Client:
    """The project with a report."""
    answer = shop.put("/projects/p/reports/sales", {"title": "Sales of <today>", "sections": SECTIONS})
    assert answer.status == 201, answer.text
    return shop


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
    assert re.findall(r'<use class="(\w+)"', page) == ["wide", "narrow"] * 4
    for chart in charts:
        ET.fromstring(chart)
        assert "var(--ink)" in chart
        assert "#010203" not in chart
    assert "prefers-color-scheme: dark" in page
    assert "@media print" in page
    assert run["id"] in page
    footer = page[page.index("<footer>") :]
    assert f"with Sluice {__version__}." in footer
    assert re.findall(r"<td>(\w+)</td><td>(\d+)</td>", footer) == [("by_city", "1"), ("merged", "1")]
    assert viewer.get(f"/projects/p/reports/sales/{run['id']}").text == page
    assert viewer.get("/projects/p/reports/sales/01J00000000000000000000000").status == 404


def test_footer_has_the_version_of_a_datasource(shop: Client) -> None:
    section = {"type": "table", "sql": "SELECT city FROM sales ORDER BY city"}
    shop.put("/projects/p/reports/cities", {"title": "Cities", "sections": [section]})
    refresh(shop, "p")
    page = shop.get("/projects/p/reports/cities/latest").text
    assert re.findall(r"<td>(\w+)</td><td>(\d+)</td>", page[page.index("<footer>") :]) == [("sales", "1")]


def test_page_has_the_structure_that_readers_and_their_tools_rely_on(sales: Client) -> None:
    refresh(sales, "p")
    page = sales.get("/projects/p/reports/sales/latest").text
    outline = Outline(page)
    assert outline.all("html") == [{"lang": "en"}]
    headings = [tag for tag, _ in outline.elements if re.fullmatch("h[1-6]", tag)]
    assert headings == ["h1", "h2", "h2", "h2", "h2"], "the Markdown's first level continues the page's"
    assert len(outline.all("caption")) == len(outline.all("table")) == 2
    assert all(heading["scope"] == "col" for heading in outline.all("th"))
    ids = [attributes["id"] for _, attributes in outline.elements if "id" in attributes]
    assert len(set(ids)) == len(ids)
    used = re.findall(r'(?:href="|url\()#([^")]+)', page)
    assert set(used) <= set(ids)
    texts = [chart["aria-label"] for chart in outline.all("svg")]
    assert texts == [
        "Bar chart of amount by city: 3 bars from =1+1 to –. "
        "amount is lowest at Bern <b> with 2.5 and highest at =1+1 with 4.0.",
        "Line chart of amount by day: 3 points from 1 Jan 2026 to 3 Jan 2026. "
        "amount is lowest at 1 Jan 2026 with 2.5 and highest at 2 Jan 2026 with 4.0.",
        "Scatter chart of amount by id: 3 points from 1 to 3. "
        "amount is lowest at 1 with 2.5 and highest at 2 with 4.0.",
        "Histogram of amount: 2 values from 2.5 to 4.0 in 3 intervals.",
    ]
    assert '<th scope="col" class="number">amount <span class="unit">(EUR)</span></th>' in page
    assert '<td class="number">4.00</td>' in page
    assert '<td class="number none">–</td>' in page


@pytest.fixture
def little_room(environment: dict[str, str], monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("REPORT_LINK_BYTES", "70")


def test_links_have_no_room_for_more_than_the_setting(little_room: None, sales: Client) -> None:
    refresh(sales, "p")
    page = sales.get("/projects/p/reports/sales/latest").text
    assert list(linked_files(page)) == ["p-sales-report-section-1.csv", "p-sales-report-section-4.csv"], (
        "the sections that fit into the rest"
    )
    assert "reports/sales/latest?format=csv&amp;section=2" in page


def test_sources_that_an_earlier_version_stands_in_for_are_shown(sales: Client, services: Container) -> None:
    refresh(sales, "p")
    first = sales.get("/projects/p/reports/sales/latest").text
    assert "stand in" not in first
    failure = IngestFailure(run="r", at=rfc3339(now()), error="HTTP 500 <b>")
    services.datasets.note_failure(DatasetId.of_datasource("sales"), failure, failure.at)
    assert refresh(sales, "p", ingest="none")["completeness"] == "stale"
    page = sales.get("/projects/p/reports/sales/latest").text
    line = re.compile(r"<bdi>sales</bdi>: version 1, data as of [^<]+ UTC\. <bdi>HTTP 500 &lt;b&gt;</bdi>")
    assert len(line.findall(page[: page.index("<section>")])) == 1
    footer = page[page.index("<footer>") :]
    assert len(line.findall(footer)) == footer.count("HTTP 500") == 1, "also if several tables read the source"


def test_csv_of_a_report_is_exact_and_has_no_formulas(sales: Client) -> None:
    refresh(sales, "p")
    answer = sales.get("/projects/p/reports/sales/latest?format=csv")
    assert answer.text.replace("\r\n", "\n") == "city,amount\n'=1+1,4.0\nBern <b>,2.5\n,\n"
    assert sales.get("/projects/p/reports/sales/latest?format=csv&section=5").text.splitlines()[0] == "amount"
    assert sales.get("/projects/p/reports/sales/latest?format=csv&section=0").status == 422
    files = linked_files(sales.get("/projects/p/reports/sales/latest").text)
    assert list(files) == [f"p-sales-report-section-{section}.csv" for section in range(1, 6)]
    for section in range(1, 6):
        answer = sales.get(f"/projects/p/reports/sales/latest?format=csv&section={section}")
        assert files[f"p-sales-report-section-{section}.csv"] == answer.text


def test_unchanged_report_is_not_rendered_again(sales: Client, upstream: Upstream) -> None:
    first = refresh(sales, "p")
    refresh(sales, "p", ingest="all")
    upstream.serve(RECORDS[:2])
    second = refresh(sales, "p", ingest="all")
    pages = [sales.get(f"/projects/p/reports/sales/{run}").text for run in (first["id"], second["id"], "latest")]
    assert pages[1] == pages[2] != pages[0]


def test_saved_page_loads_nothing_from_other_hosts(shop: Client) -> None:
    image = "![logo](https://tracker.example/logo.png)"
    shop.put("/projects/p/reports/image", {"title": "x", "sections": [{"type": "markdown", "text": image}]})
    refresh(shop, "p")
    answer = shop.get("/projects/p/reports/image/latest")
    policies = [meta for meta in Outline(answer.text).all("meta") if "http-equiv" in meta]
    assert [policy["http-equiv"] for policy in policies] == ["Content-Security-Policy"]
    assert policies[0]["content"] == answer.headers["Content-Security-Policy"]
    assert "img-src data:" in str(policies[0]["content"]).split("; ")
    assert "default-src 'none'" in str(policies[0]["content"]).split("; ")


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
        ({"type": "line", "sql": "SELECT * FROM merged", "y": ["nothing"]}, "'nothing'"),
        ({"type": "table", "sql": "SELECT * FROM merged", "format": {"nothing": {}}}, "'nothing'"),
        ({"type": "histogram", "sql": "SELECT city FROM merged"}, "needs numbers"),
        ({"type": "table", "sql": "SELECT nothing FROM merged"}, "nothing"),
    ],
)
def test_invalid_section_fails_the_run(shop: Client, section: dict[str, Any], message: str) -> None:
    shop.put("/projects/p/reports/other", {"title": "x", "sections": [{"type": "markdown", "text": "a"}, section]})
    run = refresh(shop, "p")
    assert (run["status"], run["error"]["type"]) == ("failed", "urn:sluice:problem:model-failed")
    assert run["progress"]["stage"] == "report"
    assert message in run["error"]["detail"]
    assert "The report other: section 2 (untitled): " in run["error"]["detail"]


def test_an_empty_chart_says_so(shop: Client) -> None:
    shop.put(
        "/projects/p/reports/none", {"title": "x", "sections": [SECTIONS[4] | {"sql": "SELECT 1 AS a WHERE false"}]}
    )
    refresh(shop, "p")
    assert "no rows" in shop.get("/projects/p/reports/none/latest").text


@pytest.mark.parametrize(
    "document",
    [
        {"title": "x", "sections": []},
        {"title": "x", "sections": [{"type": "pie", "sql": "SELECT 1"}]},
        {"title": "x", "sections": [{"type": "table", "sql": "SELECT * FROM nothing"}]},
        {"title": "x", "sections": [{"type": "table", "sql": "SELECT $x"}]},
    ],
)
def test_invalid_reports_are_refused(shop: Client, document: dict[str, Any]) -> None:
    assert shop.put("/projects/p/reports/x", document).status == 422


@pytest.mark.parametrize(
    ("fields", "pointer"),
    [
        ({"format": {"amount": {"decimals": -1}}}, "/format/amount/decimals"),
        ({"format": {"amount": {"decimals": 2.5}}}, "/format/amount/decimals"),
        ({"format": {"amount": {"unit": ""}}}, "/format/amount/unit"),
        ({"format": {"amount": {"digits": 2}}}, "/format/amount/digits"),
        ({"format": {"nothing": {"unit": "EUR"}}}, "/format/nothing"),
        ({"x": "nothing"}, "/x"),
        ({"y": ["amount", "nothing"]}, "/y/1"),
    ],
    ids=str,
)
def test_fault_of_a_section_is_pointed_to(shop: Client, fields: dict[str, Any], pointer: str) -> None:
    section = {"type": "line", "sql": "SELECT id, amount FROM merged", **fields}
    answer = shop.put("/projects/p/reports/x", {"title": "x", "sections": [section]})
    assert answer.status == 422
    assert [error["pointer"] for error in answer.json()["errors"]] == [f"/sections/0{pointer}"]


UNUSUAL = [
    {"type": "line", "sql": "SELECT * FROM (VALUES (1, 1e308), (2, -1e308)) t(x, y)"},
    {"type": "histogram", "sql": "SELECT * FROM (VALUES (1e308), (-1e308)) t(x)"},
    {"type": "histogram", "bins": 200, "sql": "SELECT * FROM (VALUES (1e17), (1e17 + 16)) t(x)"},
    {"type": "line", "sql": "SELECT * FROM (VALUES (DATE '12000-01-01', 1)) t(x, y)"},
    {"type": "line", "sql": "SELECT TIMESTAMP '9999-12-31 23:59:59' x, 1 y UNION SELECT TIMESTAMP '0001-01-01', 2"},
    {"type": "bar", "sql": "SELECT 'font: 12px x #010203' AS x, 1 AS y"},
    {"type": "scatter", "sql": "SELECT NULL::DOUBLE AS x, NULL::DOUBLE AS y"},
    {"type": "table", "sql": "SELECT ['nan'::double, 1] AS l, {'a': NULL} AS s, -1.5::DECIMAL(5,2) AS d"},
]


def test_report_with_unusual_values_is_rendered(shop: Client) -> None:
    shop.put("/projects/p/reports/odd", {"title": "x", "sections": UNUSUAL})
    run = refresh(shop, "p")
    assert run["status"] == "succeeded", run["error"]
    page = shop.get("/projects/p/reports/odd/latest")
    Outline(page.text)
    for chart in re.findall(r"<svg.*?</svg>", page.text, re.DOTALL):
        ET.fromstring(chart)
    # A text that reads like a style is a text.
    assert page.text.count(">font: 12px x #010203</text>") == 2
    assert "<td>[null,1.0]</td>" in page.text
    assert '<td class="number">−1.50</td>' in page.text
    assert shop.get("/projects/p/reports/odd/latest?format=csv").text.splitlines()[1].endswith(",-1.50")
    assert shop.call("GET", "/projects/p/reports/odd/latest", If_None_Match=page.headers["ETag"]).status == 304


@pytest.fixture
def two_rows(environment: dict[str, str], monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("REPORT_ROWS", "2")


def test_csv_reports_truncation(two_rows: None, shop: Client) -> None:
    sections = [{"type": "table", "sql": f"SELECT id FROM merged ORDER BY id LIMIT {limit}"} for limit in (3, 2)]
    shop.put("/projects/p/reports/sales", {"title": "x", "sections": sections})
    for _ in range(2):  # the second time, the version that was made of the same is named again
        refresh(shop, "p")
        cut, whole = (shop.get(f"/projects/p/reports/sales/latest?format=csv&section={at}") for at in (0, 1))
        assert cut.headers["X-Sluice-Truncated"] == "true"
        assert (
            cut.headers["Content-Disposition"]
            == 'attachment; filename="p-sales-report-v1-section-0-only-the-first-2-rows.csv"'
        )
        assert "X-Sluice-Truncated" not in whole.headers
        assert whole.headers["Content-Disposition"] == 'attachment; filename="p-sales-report-v1-section-1.csv"'
        assert cut.text == whole.text == "id\r\n1\r\n2\r\n", "every line is a row"
