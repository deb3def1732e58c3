"""A sample shop, for a machine without one: customers and purchases behind a key.

It answers `/customers` and `/purchases` to whoever sends the key in `X-API-Key`, always the same
ones; every fifth answer is a 503 whose body looks like data, as real servers' sometimes do.

Usage: server.py PORT
"""

from __future__ import annotations

import json
import random
import sys
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from itertools import count
from typing import Any

KEY = "sample-key"
BUSY_EVERY = 5
CUSTOMERS = 60
FIRST = """
Ada Ben Cleo Dora Emil Fay Gus Hana Ida Jon Kira Leo
Mia Nils Olga Pia Quin Rosa Sam Tess
"""
LAST = """
Adler Berg Conti Dietz Egger Frey Graf Huber Iten Jost Keller Lang
Meier Nolan Ott Peter Roth Senn
"""
DEPARTMENTS = ("Legal", "Sales", "Research", "Legal", "Support")


def comma(cents: int) -> str:
    """An amount as the shop's people write it: 1234,50."""
    return f"{cents // 100},{cents % 100:02d}"


def customers() -> list[dict[str, Any]]:
    """The customers; some were never reached out to."""
    chance = random.Random(7)
    found = []
    for number in range(1, CUSTOMERS + 1):
        first, last = chance.choice(FIRST.split()), chance.choice(LAST.split())
        outreaches = [{"cost": comma(chance.randint(100, 9000))} for _ in range(chance.randint(0, 4))]
        company = {"name": f"{chance.choice(LAST.split())} & Co", "department": DEPARTMENTS[number % len(DEPARTMENTS)]}
        found.append(
            {
                "id": number,
                "firstName": first,
                "lastName": last,
                "username": f"{first}.{last}.{number}".lower(),
                "age": chance.randint(20, 70),
                "company": company,
                "outreaches": outreaches,
            }
        )
    return found


def purchases() -> list[dict[str, Any]]:
    """The purchases; every fourth customer has bought nothing."""
    chance = random.Random(11)
    found: list[dict[str, Any]] = []
    for customer in customers():
        for _ in range(0 if customer["id"] % 4 == 0 else chance.randint(1, 6)):
            net = chance.randint(500, 60_000)
            prices = {"net_price": net / 100, "gross_price": round(net * 1.19) / 100}
            found.append({"id": len(found) + 1, "customer_username": customer["username"], "prices": prices})
    return found


class Handler(BaseHTTPRequestHandler):
    """Answers both addresses."""

    protocol_version = "HTTP/1.1"
    requests = count(1)

    def do_GET(self) -> None:
        """One request."""
        documents = {"/customers": customers, "/purchases": purchases}
        make = documents.get(self.path.partition("?")[0])
        if make is None:
            self._answer(404, {"message": "there is nothing here"})
        elif self.headers.get("X-API-Key") != KEY:
            self._answer(401, {"message": "the key is wrong"})
        elif next(self.requests) % BUSY_EVERY == 0:
            self._answer(503, [{"id": 0, "message": "busy, try again"}])
        else:
            self._answer(200, make())

    def _answer(self, code: int, document: Any) -> None:
        body = json.dumps(document).encode()
        self.send_response(code)
        self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, format: str, *arguments: Any) -> None:
        """One line for each request, to the log of the demonstration."""
        sys.stdout.write(f"{self.log_date_time_string()} {format % arguments}\n")
        sys.stdout.flush()


def main() -> None:
    """Serve until the process is ended."""
    ThreadingHTTPServer(("127.0.0.1", int(sys.argv[1])), Handler).serve_forever()


if __name__ == "__main__":
    main()
