"""Writes what is made from the code: the routes in the template, OpenAPI, the settings' page.

`python tools/generate.py` writes them; `--check` fails when one of them is out of date.
"""

from __future__ import annotations

import re
import sys
from pathlib import Path
from typing import Any

import orjson

ROOT = Path(__file__).parents[1]
sys.path.insert(0, str(ROOT / "functions"))

from api.app import ROUTES as API_ROUTES  # noqa: E402
from query.app import ROUTES as QUERY_ROUTES  # noqa: E402
from sluice.http.openapi import document  # noqa: E402
from sluice.http.routes import Route  # noqa: E402
from sluice.settings import Settings  # noqa: E402


def route_events(routes: list[Route]) -> str:
    """The template's events of one function, one for each path and verb."""
    lines = []
    for route in sorted(routes, key=lambda one: (one.path, one.method)):
        name = "".join(part.capitalize() for part in route.operation_id.split("_"))
        auth = ", Auth: {Authorizer: NONE}" if route.role is None else ""
        where = f'RestApiId: !Ref Api, Path: "/v1{route.path}", Method: {route.method}{auth}'
        lines.append(f"        {name}: {{Type: Api, Properties: {{{where}}}}}\n")
    return "".join(lines)


def template(text: str) -> str:
    """The template with the routes of both functions written into it."""
    for function, routes in (("api", API_ROUTES), ("query", QUERY_ROUTES)):
        begin, end = f"        # routes of {function}: begin\n", f"        # routes of {function}: end\n"
        pattern = re.escape(begin) + ".*?" + re.escape(end)
        text = re.sub(pattern, lambda _, b=begin, e=end, r=routes: b + route_events(r) + e, text, flags=re.DOTALL)
    return text


def openapi() -> bytes:
    """The OpenAPI document of all functions."""
    return orjson.dumps(document([*API_ROUTES, *QUERY_ROUTES]), option=orjson.OPT_INDENT_2) + b"\n"


def settings_page() -> str:
    """The page that lists every setting."""
    lines = [
        "# Settings",
        "",
        "Each is an environment variable of the functions; the template sets those without a useful default.",
        "",
        "| variable | default | what it does |",
        "| --- | --- | --- |",
    ]
    for name, field in Settings.model_fields.items():
        default: Any = field.default if field.default != "" else "–"
        lines.append(f"| `{name.upper()}` | {default} | {field.description} |")
    return "\n".join(lines) + "\n"


def main() -> int:
    """Write or check; 1 when something is out of date."""
    path = ROOT / "template.yaml"
    wanted = {
        path: template(path.read_text()).encode(),
        ROOT / "functions/api/openapi.json": openapi(),
        ROOT / "docs/settings.md": settings_page().encode(),
    }
    stale = [file for file, content in wanted.items() if not file.exists() or file.read_bytes() != content]
    if "--check" in sys.argv:
        for file in stale:
            print(f"{file.relative_to(ROOT)} is out of date; run make generate")
        return 1 if stale else 0
    for file in stale:
        file.write_bytes(wanted[file])
        print(f"wrote {file.relative_to(ROOT)}")
    return 0


if __name__ == "__main__":
    sys.exit(main())
