"""What upstreams with the shapes of well-known public APIs answer."""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any

import httpx

from support.upstream import StubResponse, ok, raw

Answer = Callable[[httpx.Request], StubResponse]


def _number(request: httpx.Request, name: str, default: int) -> int:
    return int(request.url.params.get(name, default))


def _items(count: int, **more: Any) -> list[dict[str, Any]]:
    return [{"id": number, "name": f"item {number}", **more} for number in range(1, count + 1)]


def github(request: httpx.Request) -> StubResponse:
    page, size = _number(request, "page", 1), _number(request, "per_page", 30)
    known = [
        {
            "id": 9000 + number,
            "number": number,
            "title": f"Issue {number}",
            "user": {"login": f"u{number % 3}", "id": number % 3},
            "labels": [{"name": "bug"}],
            "created_at": "2026-01-31T12:00:00Z",
            "closed_at": None,
        }
        for number in range(70)
    ]
    following = str(request.url.copy_merge_params({"page": page + 1}))
    last = str(request.url.copy_merge_params({"page": 3}))
    link = f'<{last}>; rel="last"' + (f', <{following}>; rel="next"' if page * size < len(known) else "")
    return ok(known[(page - 1) * size : page * size], link=link)


def stripe(request: httpx.Request) -> StubResponse:
    known = [
        {"id": f"ch_{number:03d}", "object": "charge", "amount": 100 * number, "created": 1_769_860_800 + number}
        for number in range(25)
    ]
    after = request.url.params.get("starting_after")
    start = 0 if after is None else [item["id"] for item in known].index(after) + 1
    size = _number(request, "limit", 10)
    page = known[start : start + size]
    return ok({"object": "list", "url": "/v1/charges", "has_more": start + size < len(known), "data": page})


def coinmarketcap(request: httpx.Request) -> StubResponse:
    start, limit = _number(request, "start", 1), _number(request, "limit", 100)
    known = [
        {
            "id": number,
            "symbol": f"C{number}",
            "last_updated": "2026-01-31T12:00:00.000Z",
            "quote": {"USD": {"price": 1.5 * number, "last_updated": "2026-01-31T12:00:00.000Z"}},
        }
        for number in range(1, 251)
    ]
    status = {"timestamp": "2026-01-31T12:00:00Z", "error_code": 0, "error_message": None, "total_count": len(known)}
    return ok({"status": status, "data": known[start - 1 : start - 1 + limit]})


def cryptocompare(request: httpx.Request) -> StubResponse:
    page, limit = _number(request, "page", 0), _number(request, "limit", 10)
    known = [
        {"CoinInfo": {"Id": str(1000 + number), "Name": f"C{number}"}, "RAW": {"USD": {"PRICE": 1.25 * number}}}
        for number in range(34)
    ]
    return ok(
        {
            "Message": "Success",
            "Type": 100,
            "MetaData": {"Count": len(known)},
            "SponsoredData": [],
            "Data": known[page * limit : (page + 1) * limit],
            "RateLimit": {},
            "HasWarning": False,
        }
    )


def odata(request: httpx.Request) -> StubResponse:
    skip = _number(request, "$skip", 0)
    known = [{"@odata.etag": "W/1", "ProductID": number, "ProductName": f"P{number}"} for number in range(45)]
    page: dict[str, Any] = {"@odata.context": "https://services.example.org/$metadata#Products"}
    page["value"] = known[skip : skip + 20]
    if skip + 20 < len(known):
        page["@odata.nextLink"] = f"https://services.example.org/V4/Products?$skip={skip + 20}"
    return ok(page)


def socrata(request: httpx.Request) -> StubResponse:
    offset, limit = _number(request, "$offset", 0), _number(request, "$limit", 1000)
    known = [
        {"unique_key": str(number), "created_date": "2026-01-31T12:00:00.000", "amount": f"{number}.50"}
        for number in range(250)
    ]
    page = known[offset : offset + limit]
    if request.url.path.endswith(".csv"):
        lines = ["unique_key,created_date,amount", *(",".join(item.values()) for item in page)]
        return raw("\n".join(lines).encode() + b"\n", media_type="text/csv; charset=UTF-8")
    return ok(page)


def open_meteo(request: httpx.Request) -> StubResponse:
    hours = [f"2026-01-{day:02d}T{hour:02d}:00" for day in (30, 31) for hour in range(24)]
    hourly = {"time": hours, "temperature_2m": [0.5 * number for number in range(48)]}
    return ok({"latitude": 52.5, "hourly_units": {"time": "iso8601", "temperature_2m": "°C"}, "hourly": hourly})


def usgs(request: httpx.Request) -> StubResponse:
    features = [
        {
            "type": "Feature",
            "id": f"us{number}",
            "properties": {"mag": 4.5, "place": "10 km S of X", "time": 1_769_860_800_000 + number},
            "geometry": {"type": "Point", "coordinates": [-1.5, 50.5, 10.0]},
        }
        for number in range(12)
    ]
    metadata = {"generated": 1, "url": str(request.url), "status": 200, "count": len(features)}
    return ok({"type": "FeatureCollection", "metadata": metadata, "features": features})


def pokeapi(request: httpx.Request) -> StubResponse:
    offset, limit = _number(request, "offset", 0), _number(request, "limit", 20)
    known = [{"name": f"p{number}", "url": f"https://pokeapi.example/p/{number}/"} for number in range(50)]
    url = "https://pokeapi.example/api/v2/pokemon"
    following = f"{url}?offset={offset + limit}&limit={limit}" if offset + limit < len(known) else None
    return ok({"count": len(known), "next": following, "previous": None, "results": known[offset : offset + limit]})


def jsonplaceholder(request: httpx.Request) -> StubResponse:
    known = [{"userId": number // 10, "id": number, "title": f"t{number}"} for number in range(1, 36)]
    if "_page" in request.url.params:
        page, limit = _number(request, "_page", 1), _number(request, "_limit", 10)
        return ok(known[(page - 1) * limit : page * limit], x_total_count=str(len(known)))
    return ok(known[: _number(request, "_limit", len(known))])


def wikipedia(request: httpx.Request) -> StubResponse:
    known = [{"pageid": number, "ns": 0, "title": f"T{number:02d}"} for number in range(23)]
    start = request.url.params.get("apcontinue", "")
    page = [item for item in known if str(item["title"]) >= start][:10]
    rest = [item for item in known if str(item["title"]) > str(page[-1]["title"])]
    document: dict[str, Any] = {"batchcomplete": "", "query": {"allpages": page}}
    if rest:
        document["continue"] = {"apcontinue": rest[0]["title"], "continue": "-||"}
    return ok(document)


def rest_framework(request: httpx.Request) -> StubResponse:
    page = _number(request, "page", 1)
    known = [
        {"url": f"https://x.example/users/{n}/", "username": f"u{n}", "id": n, "price": f"{n}.250"} for n in range(23)
    ]
    url = "https://drf.example.com/users/"
    following = f"{url}?page={page + 1}" if page * 10 < len(known) else None
    return ok({"count": 23, "next": following, "previous": None, "results": known[(page - 1) * 10 : page * 10]})


def json_api(request: httpx.Request) -> StubResponse:
    page = _number(request, "page[number]", 1)
    known = [
        {
            "type": "articles",
            "id": str(number),
            "attributes": {"title": f"A{number}", "updated_at": "2026-01-31T12:00:00+01:00"},
            "relationships": {"author": {"data": {"type": "people", "id": "9"}, "links": {"self": "/x"}}},
            "links": {"self": f"/articles/{number}"},
        }
        for number in range(13)
    ]
    links: dict[str, Any] = {"self": "/articles"}
    if page * 5 < len(known):
        links["next"] = f"/articles?page[number]={page + 1}"
    included = [{"type": "people", "id": str(number), "attributes": {"name": "N"}} for number in range(20)]
    return ok({"links": links, "data": known[(page - 1) * 5 : page * 5], "included": included})


def elasticsearch(request: httpx.Request) -> StubResponse:
    scroll = int((request.url.params.get("scroll_id") or "s-0").removeprefix("s-"))
    known = [
        {"_index": "a", "_id": f"d{number}", "_score": 1.0, "_source": {"title": f"T{number}"}} for number in range(25)
    ]
    hits = {"total": {"value": len(known), "relation": "eq"}, "max_score": 1.0, "hits": known[scroll : scroll + 10]}
    return ok({"_scroll_id": f"s-{scroll + 10}", "took": 3, "timed_out": False, "hits": hits})


def elasticsearch_from(request: httpx.Request) -> StubResponse:
    start, size = _number(request, "from", 0), _number(request, "size", 10)
    known = [{"_id": f"d{number}", "_source": {"title": f"T{number}"}} for number in range(25)]
    return ok({"took": 3, "hits": {"total": {"value": len(known)}, "hits": known[start : start + size]}})


def world_bank(request: httpx.Request) -> StubResponse:
    page, size = _number(request, "page", 1), _number(request, "per_page", 50)
    known = [
        {
            "indicator": {"id": "SP.POP", "value": "Population"},
            "country": {"id": country, "value": country},
            "countryiso3code": country * 2,
            "date": str(1960 + year),
            "value": 5 * year,
        }
        for country in ("AA", "BB", "CC")
        for year in range(40)
    ]
    meta = {"page": page, "pages": 3, "per_page": str(size), "total": len(known), "lastupdated": "2026-01-01"}
    return ok([meta, known[(page - 1) * size : page * size]])


def rest_countries(request: httpx.Request) -> StubResponse:
    codes = [f"{first}{second}A" for first in "ABCDE" for second in "ABCDE"]
    return ok(
        [
            {
                "name": {"common": code, "official": f"State of {code}", "nativeName": {code: {"official": code}}},
                "cca3": code,
                "independent": True,
                "capital": ["X"],
                "latlng": [1.0, 2.0],
            }
            for code in codes
        ]
    )


def spacex(request: httpx.Request) -> StubResponse:
    return ok(
        [
            {
                "id": f"5eb87cd9ffd86e000604b{number:03d}",
                "flight_number": number,
                "date_utc": "2026-01-31T12:00:00.000Z",
                "date_unix": 1_769_860_800 + number,
                "links": {"patch": {"small": "https://images.example/1.png"}, "webcast": None},
                "cores": [{"core": "x", "flight": 1}],
            }
            for number in range(17)
        ]
    )


def nasa_neo(request: httpx.Request) -> StubResponse:
    days = {
        f"2026-01-{day}": [
            {"id": f"{day}{number}", "name": f"(2026 A{number})", "close_approach_data": [{"orbiting_body": "Earth"}]}
            for number in range(day - 26)
        ]
        for day in (29, 30, 31)
    }
    url = "https://api.nasa.gov/neo/rest/v1/feed?start_date="
    links = {"next": f"{url}2026-02-01", "previous": f"{url}2026-01-26", "self": str(request.url)}
    return ok({"links": links, "element_count": 12, "near_earth_objects": days})


def notion(request: httpx.Request) -> StubResponse:
    start = int((request.url.params.get("start_cursor") or "c-0").removeprefix("c-"))
    size = _number(request, "page_size", 10)
    known = [
        {"object": "user", "id": f"u-{number}", "person": {"email": f"{number}@x.example"}} for number in range(24)
    ]
    more = start + size < len(known)
    cursor = f"c-{start + size}" if more else None
    return ok({"object": "list", "results": known[start : start + size], "next_cursor": cursor, "has_more": more})


def google(request: httpx.Request) -> StubResponse:
    start = int((request.url.params.get("pageToken") or "t0")[1:])
    known = _items(12)
    page: dict[str, Any] = {"kind": "drive#fileList", "files": known[start : start + 5]}
    if start + 5 < len(known):
        page["nextPageToken"] = f"t{start + 5}"
    return ok(page)


def jira(request: httpx.Request) -> StubResponse:
    start, size = _number(request, "startAt", 0), _number(request, "maxResults", 50)
    known = [{"id": str(number), "key": f"P-{number}", "fields": {"summary": f"S{number}"}} for number in range(120)]
    return ok({"startAt": start, "maxResults": size, "total": len(known), "issues": known[start : start + size]})


def coingecko_map(request: httpx.Request) -> StubResponse:
    return ok(
        {"bitcoin": {"usd": 67000.5, "eur": 61000}, "ethereum": {"usd": 3500, "eur": 3200}, "x": {"usd": 1, "eur": 1}}
    )


def census(request: httpx.Request) -> StubResponse:
    return ok([["NAME", "POP", "state"], *([f"S{number}", str(1000 + number), f"{number:02d}"] for number in range(9))])


def binance(request: httpx.Request) -> StubResponse:
    return ok([[1_769_860_800_000 + number, "1.5", "2.5"] for number in range(7)])


def xml_feed(request: httpx.Request) -> StubResponse:
    page = _number(request, "page", 1)
    items = "".join(f"<item><id>{n}</id><title>T{n}</title></item>" for n in range(3 * page - 3, 3 * page))
    body = f"<feed><page>{page}</page><total_pages>3</total_pages><items>{items}</items></feed>"
    return raw(body.encode(), media_type="application/xml")


def json_lines(request: httpx.Request) -> StubResponse:
    body = "".join(json.dumps({"id": n, "at": "2026-01-31T12:00:00Z", "a": {"b": n}}) + "\n" for n in range(7))
    return raw(body.encode(), media_type="application/json")
