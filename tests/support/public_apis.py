"""Upstreams with the shapes of well-known public APIs; each says how many records it has."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

from support.public_api_answers import (
    Answer,
    binance,
    census,
    coingecko_map,
    coinmarketcap,
    cryptocompare,
    elasticsearch,
    elasticsearch_from,
    github,
    google,
    jira,
    json_api,
    json_lines,
    jsonplaceholder,
    nasa_neo,
    notion,
    odata,
    open_meteo,
    pokeapi,
    rest_countries,
    rest_framework,
    socrata,
    spacex,
    stripe,
    usgs,
    wikipedia,
    world_bank,
    xml_feed,
)


@dataclass(frozen=True)
class PublicApi:
    """An upstream, and the proposal for its address.

    `http` is the expected block of the document without its URL, `document` other expected fields, and `columns` are
    some expected fields. `confidence` is that of the pagination, and `end` the completeness of a run.
    """

    url: str
    answer: Answer
    rows: int
    pagination: dict[str, Any]
    records: str = "data"
    key: list[str] | None = field(default_factory=lambda: ["id"])
    columns: dict[str, str] = field(default_factory=dict)
    types: dict[str, str] = field(default_factory=dict)
    params: dict[str, str] = field(default_factory=dict)
    form: str = "json"
    confidence: str = "verified"
    end: str = "complete"
    slug: str | None = None


def _next(path: str) -> dict[str, Any]:
    return {"type": "next_url", "path": path}


_CURSOR = {"type": "cursor", "path": "next_cursor"}
_TIME = "timestamp"

APIS: dict[str, PublicApi] = {
    "GitHub": PublicApi(
        "https://api.github.com/repos/python/cpython/issues",
        github,
        70,
        {"type": "next_url", "from": "link"},
        records="@",
        columns={"title": "title", "user_login": "user.login", "labels": "labels"},
        types={"created_at": _TIME},
        slug="github-cpython-issues",
    ),
    "GitHub with a page size": PublicApi(
        "https://api.github.com/repos/python/cpython/issues?per_page=50&page=1",
        github,
        70,
        {"type": "next_url", "from": "link"},
        records="@",
        params={"per_page": "50", "page": "1"},
    ),
    "Stripe": PublicApi(
        "https://api.stripe.com/v1/charges",
        stripe,
        25,
        {"type": "cursor", "path": "data[-1].id", "param": "starting_after", "has_more": "has_more"},
        types={"created": _TIME},
        slug="stripe-charges",
    ),
    "CoinMarketCap": PublicApi(
        "https://pro-api.coinmarketcap.com/v1/cryptocurrency/listings/latest?start=1&limit=100",
        coinmarketcap,
        250,
        {
            "type": "offset",
            "offset_param": "start",
            "start": 1,
            "limit_param": "limit",
            "limit": 100,
            "total": "status.total_count",
        },
        columns={"quote_USD_price": "quote.USD.price"},
        types={"last_updated": _TIME, "quote_USD_last_updated": _TIME},
        slug="coinmarketcap-cryptocurrency-listings",
    ),
    "CoinMarketCap without parameters": PublicApi(
        "https://pro-api.coinmarketcap.com/v1/cryptocurrency/listings/latest",
        coinmarketcap,
        250,
        {"type": "offset", "offset_param": "start", "start": 1, "total": "status.total_count"},
    ),
    "CryptoCompare": PublicApi(
        "https://min-api.cryptocompare.com/data/top/mktcapfull?limit=10&tsym=USD",
        cryptocompare,
        34,
        {"type": "page", "page_param": "page", "start": 0, "size_param": "limit", "size": 10},
        records="Data",
        key=["CoinInfo_Id"],
        columns={"RAW_USD_PRICE": "RAW.USD.PRICE"},
        params={"tsym": "USD"},
        end="unproven",
    ),
    "OData": PublicApi(
        "https://services.example.org/V4/Products",
        odata,
        45,
        _next('"@odata.nextLink"'),
        records="value",
        key=["ProductID"],
    ),
    "Socrata": PublicApi(
        "https://data.cityofnewyork.us/resource/erm2-nwe9.json?$limit=100",
        socrata,
        250,
        {"type": "offset", "offset_param": "$offset", "start": 0, "limit_param": "$limit", "limit": 100},
        records="@",
        key=["unique_key"],
        types={"created_date": _TIME, "amount": "decimal(38,18)"},
        end="unproven",
        slug="cityofnewyork",
    ),
    "Socrata as CSV": PublicApi(
        "https://data.cityofnewyork.us/resource/erm2-nwe9.csv?$limit=100",
        socrata,
        250,
        {"type": "offset", "offset_param": "$offset", "start": 0, "limit_param": "$limit", "limit": 100},
        records="@",
        key=["unique_key"],
        form="csv",
        end="unproven",
    ),
    "Open-Meteo": PublicApi(
        "https://api.open-meteo.com/v1/forecast?latitude=52.52&longitude=13.41&hourly=temperature_2m",
        open_meteo,
        48,
        {"type": "none"},
        records="zip(hourly.time, hourly.temperature_2m)",
        key=["time"],
        columns={"time": "[0]", "temperature_2m": "[1]"},
        types={"time": _TIME},
        params={"latitude": "52.52", "longitude": "13.41", "hourly": "temperature_2m"},
        confidence="likely",
        slug="open-meteo-forecast",
    ),
    "USGS": PublicApi(
        "https://earthquake.usgs.gov/earthquakes/feed/v1.0/summary/all_hour.geojson",
        usgs,
        12,
        {"type": "none"},
        records="features",
        columns={
            "mag": "properties.mag",
            "longitude": "geometry.coordinates[0]",
            "elevation": "geometry.coordinates[2]",
        },
        confidence="likely",
        slug="usgs-summary-all-hour",
    ),
    "PokeAPI": PublicApi(
        "https://pokeapi.example/api/v2/pokemon",
        pokeapi,
        50,
        _next("next"),
        records="results",
        key=["name"],
        slug="pokeapi-pokemon",
    ),
    "JSONPlaceholder": PublicApi(
        "https://jsonplaceholder.typicode.com/posts?_page=1",
        jsonplaceholder,
        35,
        {"type": "page", "page_param": "_page", "start": 1},
        records="@",
        end="unproven",
        slug="typicode-posts",
    ),
    "JSONPlaceholder with a limit": PublicApi(
        "https://jsonplaceholder.typicode.com/posts?_limit=10",
        jsonplaceholder,
        35,
        {"type": "page", "page_param": "_page", "start": 1, "size_param": "_limit", "size": 10},
        records="@",
        end="unproven",
    ),
    "Wikipedia": PublicApi(
        "https://en.wikipedia.org/w/api.php?action=query&list=allpages&aplimit=10&format=json",
        wikipedia,
        23,
        {"type": "cursor", "path": "continue.apcontinue", "param": "apcontinue"},
        records="query.allpages",
        key=["pageid"],
        params={"action": "query", "list": "allpages", "aplimit": "10", "format": "json"},
        slug="wikipedia",
    ),
    "Django REST framework": PublicApi(
        "https://drf.example.com/users/",
        rest_framework,
        23,
        _next("next"),
        records="results",
        types={"price": "decimal(38,18)"},
    ),
    "JSON:API": PublicApi(
        "https://jsonapi.example.com/articles",
        json_api,
        13,
        _next("links.next"),
        columns={"title": "attributes.title", "relationships_author_data_id": "relationships.author.data.id"},
        types={"updated_at": _TIME},
    ),
    "Elasticsearch scroll": PublicApi(
        "https://search.example.com/articles/_search?scroll=1m",
        elasticsearch,
        25,
        {"type": "cursor", "path": "_scroll_id", "param": "scroll_id", "stop_when": "length(hits.hits) == `0`"},
        records="hits.hits",
        key=["_id"],
        columns={"title": "_source.title"},
        params={"scroll": "1m"},
    ),
    "Elasticsearch": PublicApi(
        "https://search.example.com/articles/_search",
        elasticsearch_from,
        25,
        {"type": "offset", "offset_param": "from", "start": 0, "total": "hits.total.value"},
        records="hits.hits",
        key=["_id"],
    ),
    "World Bank": PublicApi(
        "https://api.worldbank.org/v2/country/all/indicator/SP.POP.TOTL?format=json",
        world_bank,
        120,
        {
            "type": "page",
            "page_param": "page",
            "start": 1,
            "size_param": "per_page",
            "size": 50,
            "total_pages": "[0].pages",
        },
        records="[1]",
        key=["country_id", "date"],
        params={"format": "json"},
    ),
    "Rest Countries": PublicApi(
        "https://restcountries.com/v3.1/all",
        rest_countries,
        25,
        {"type": "none"},
        records="@",
        key=["cca3"],
        columns={"name_common": "name.common", "name_nativeName": "name.nativeName"},
        confidence="likely",
        slug="restcountries",
    ),
    "SpaceX": PublicApi(
        "https://api.spacexdata.com/v5/launches",
        spacex,
        17,
        {"type": "none"},
        records="@",
        types={"date_utc": _TIME, "date_unix": _TIME},
        confidence="likely",
        slug="spacexdata-launches",
    ),
    "NASA NEO": PublicApi(
        "https://api.nasa.gov/neo/rest/v1/feed?start_date=2026-01-29",
        nasa_neo,
        12,
        {"type": "none"},
        records="near_earth_objects.*[]",
        params={"start_date": "2026-01-29"},
        confidence="likely",
        slug="nasa-neo",
    ),
    "Notion": PublicApi(
        "https://api.notion.com/v1/users?page_size=10",
        notion,
        24,
        {**_CURSOR, "param": "start_cursor", "has_more": "has_more"},
        records="results",
        params={"page_size": "10"},
        columns={"person_email": "person.email"},
        slug="notion-users",
    ),
    "Google Drive": PublicApi(
        "https://www.googleapis.com/drive/v3/files?pageToken=t5",
        google,
        12,
        {"type": "cursor", "path": "nextPageToken", "param": "pageToken"},
        records="files",
    ),
    "Jira": PublicApi(
        "https://jira.example.com/rest/api/2/search",
        jira,
        120,
        {
            "type": "offset",
            "offset_param": "startAt",
            "start": 0,
            "limit_param": "maxResults",
            "limit": 50,
            "total": "total",
        },
        records="issues",
        columns={"summary": "fields.summary"},
    ),
    "an object of objects": PublicApi(
        "https://api.coingecko.com/api/v3/simple/price?ids=bitcoin",
        coingecko_map,
        3,
        {"type": "none"},
        records="items(@)",
        key=["key"],
        columns={"key": "[0]", "usd": "[1].usd"},
        params={"ids": "bitcoin"},
        confidence="likely",
    ),
    "rows with a header": PublicApi(
        "https://api.census.gov/data/2019/pep/population",
        census,
        9,
        {"type": "none"},
        records="[1:]",
        key=["NAME"],
        columns={"NAME": "[0]", "state": "[2]"},
        confidence="likely",
        slug="census-pep-population",
    ),
    "rows without a header": PublicApi(
        "https://api.binance.com/api/v3/klines",
        binance,
        7,
        {"type": "none"},
        records="@",
        key=None,
        columns={"column_1": "[0]", "column_3": "[2]"},
        types={"column_2": "decimal(38,18)", "column_3": "decimal(38,18)"},
        confidence="likely",
    ),
    "XML": PublicApi(
        "https://feed.example.com/v1/items",
        xml_feed,
        9,
        {"type": "page", "page_param": "page", "start": 1, "total_pages": "feed.total_pages"},
        records="feed.items.item[]",
        form="xml",
    ),
    "JSON Lines sent as JSON": PublicApi(
        "https://lines.example.com/export.json",
        json_lines,
        7,
        {"type": "none"},
        records="@",
        columns={"a_b": "a.b"},
        types={"at": _TIME},
        form="jsonl",
        confidence="likely",
    ),
}
