"""A sample of two market-data APIs, for a machine without network or keys.

It answers `/v1/cryptocurrency/listings/latest` and `/data/top/totalvolfull` in the two formats
that the datasources of this blueprint expect, with prices that move by the minute, symbols that
two coins share, prices that are not known, and now and then a 429.

Usage: server.py PORT
"""

from __future__ import annotations

import json
import math
import random
import sys
import time
from datetime import UTC, datetime
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from itertools import count
from typing import Any
from urllib.parse import parse_qs, urlsplit

KEY = "sample-key"
BUSY_EVERY = 7

KNOWN = """BTC Bitcoin 97000|ETH Ethereum 3400|USDT Tether 1|XRP XRP 2.2|BNB BNB 890|SOL Solana 190|USDC USDC 1
DOGE Dogecoin 0.31|ADA Cardano 0.78|TRX TRON 0.27|AVAX Avalanche 34|LINK Chainlink 21|TON Toncoin 5.1
SHIB Shiba_Inu 0.000021|DOT Polkadot 6.4|BCH Bitcoin_Cash 470|LTC Litecoin 108|UNI Uniswap 12.5
NEAR NEAR_Protocol 5.2|PEPE Pepe 0.000018|APT Aptos 9.1|ICP Internet_Computer 10.4|ETC Ethereum_Classic 26
AAVE Aave 290|XLM Stellar 0.36|HBAR Hedera 0.28|FIL Filecoin 5|ATOM Cosmos 6.6|ARB Arbitrum 0.72
VET VeChain 0.045|ALGO Algorand 0.34|OP Optimism 1.8|MKR Maker 1500|GRT The_Graph 0.2|XMR Monero 210
INJ Injective 20|RUNE THORChain 3.2|IMX Immutable 1.3|SEI Sei 0.4|TIA Celestia 4.6"""
STABLE = ("USDT", "USDC")
SYLLABLES = [
    word[i : i + 2] for word in ("albecordelfigan", "hoinjukalumonero", "paqurasitoulvewo") for i in range(0, 14, 2)
]
TOTAL = 320


def coins() -> list[dict[str, Any]]:
    """The coins by market value; the same ones at every start."""
    chance = random.Random(20260101)
    found = []
    for entry in KNOWN.replace("\n", "|").split("|"):
        symbol, name, price = entry.split()
        found.append({"symbol": symbol, "name": name.replace("_", " "), "price": float(price)})
    taken = {coin["symbol"] for coin in found}
    while len(found) < TOTAL:
        word = "".join(chance.choice(SYLLABLES) for _ in range(3))
        # As in life, some of the smaller coins have taken a symbol that another one has.
        shares = len(found) % 40 == 39
        symbol = found[-20]["symbol"] if shares else word[:5].upper()
        if symbol in taken and not shares:
            continue
        taken.add(symbol)
        price = None if len(found) % 53 == 11 else round(10 ** chance.uniform(-5, 1.5), 8)
        found.append({"symbol": symbol, "name": word.capitalize(), "price": price})
    for position, coin in enumerate(found, start=1):
        coin |= {"id": position * 3 + 1, "phase": chance.uniform(0, 6.28), "supply": chance.randint(10**6, 10**10)}
    return found


COINS = coins()


def price_of(coin: dict[str, Any], moment: float) -> float | None:
    """A price that moves three per cent up and down over some minutes, where it may."""
    if coin["price"] is None:
        return None
    swing = 0.0005 if coin["symbol"] in STABLE else 0.03
    return float(f"{coin['price'] * (1 + swing * math.sin(moment / 97 + coin['phase'])):.8g}")


def iso(moment: float) -> str:
    """A time as both APIs write it."""
    return datetime.fromtimestamp(moment, UTC).strftime("%Y-%m-%dT%H:%M:%S.000Z")


def listings(query: dict[str, str], moment: float) -> tuple[int, Any]:
    """The listings, `limit` of them beginning with number `start`."""
    try:
        start, limit = int(query.get("start", "1")), int(query.get("limit", "100"))
    except ValueError:
        return 400, status(moment, 400, '"start" and "limit" must be numbers')
    if start < 1 or not 1 <= limit <= 5000:
        return 400, status(moment, 400, '"start" must be 1 or more, "limit" 1 to 5000')
    minute = moment - moment % 60
    page = [
        {
            "id": coin["id"],
            "name": coin["name"],
            "symbol": coin["symbol"],
            "slug": coin["name"].lower().replace(" ", "-"),
            "cmc_rank": number,
            "circulating_supply": coin["supply"],
            "last_updated": iso(minute),
            "quote": {"USD": {"price": price_of(coin, minute), "last_updated": iso(minute)}},
        }
        for number, coin in enumerate(COINS, start=1)
    ][start - 1 : start - 1 + limit]
    return 200, {**status(moment, 0, None), "data": page}


def status(moment: float, code: int, message: str | None) -> dict[str, Any]:
    """The part that every answer of the listings begins with."""
    said = {"timestamp": iso(moment), "error_code": code, "error_message": message, "total_count": len(COINS)}
    return {"status": said}


def ranking(query: dict[str, str], moment: float) -> tuple[int, Any]:
    """The coins by volume, which changes slowly; prices half a minute newer than the listings'."""
    try:
        limit, page = int(query.get("limit", "10")), int(query.get("page", "0"))
    except ValueError:
        return 200, {"Response": "Error", "Message": "limit and page must be numbers", "Data": []}
    hour = moment // 3600
    ranked = sorted(enumerate(COINS), key=lambda entry: entry[0] + 6 * math.sin(hour + entry[1]["phase"]))
    tick = moment - moment % 30
    data = [
        {
            "CoinInfo": {"Id": str(coin["id"]), "Name": coin["symbol"], "FullName": coin["name"]},
            "RAW": {"USD": {"PRICE": price_of(coin, tick), "LASTUPDATE": int(tick)}} if coin["price"] else None,
        }
        for _, coin in ranked[page * limit : (page + 1) * limit]
    ]
    return 200, {"Message": "Success", "Type": 100, "MetaData": {"Count": len(COINS)}, "Data": data}


class Handler(BaseHTTPRequestHandler):
    """Answers both APIs."""

    protocol_version = "HTTP/1.1"
    requests = count(1)

    def do_GET(self) -> None:
        """One request."""
        parts = urlsplit(self.path)
        query = {name: values[-1] for name, values in parse_qs(parts.query).items()}
        moment = time.time()
        if parts.path == "/v1/cryptocurrency/listings/latest":
            self._listings(query, moment)
        elif parts.path == "/data/top/totalvolfull":
            self._answer(*ranking(query, moment))
        else:
            self._answer(404, {"message": "there is nothing here"})

    def _listings(self, query: dict[str, str], moment: float) -> None:
        if self.headers.get("X-CMC_PRO_API_KEY") != KEY:
            self._answer(401, status(moment, 1001, "This API Key is invalid."))
        elif next(self.requests) % BUSY_EVERY == 0:
            self._answer(429, status(moment, 1008, "You have asked too often."), {"Retry-After": "1"})
        else:
            self._answer(*listings(query, moment))

    def _answer(self, code: int, document: Any, headers: dict[str, str] | None = None) -> None:
        body = json.dumps(document).encode()
        self.send_response(code)
        self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", str(len(body)))
        for name, value in (headers or {}).items():
            self.send_header(name, value)
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *arguments: Any) -> None:
        """Say nothing: the runs say what was asked."""


if __name__ == "__main__":
    ThreadingHTTPServer(("127.0.0.1", int(sys.argv[1])), Handler).serve_forever()
