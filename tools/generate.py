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
from authoring.app import ROUTES as AUTHORING_ROUTES  # noqa: E402
from probe.app import ROUTES as PROBE_ROUTES  # noqa: E402
from query.app import ROUTES as QUERY_ROUTES  # noqa: E402
from sluice.api.openapi import document  # noqa: E402
from sluice.api.routes import Route  # noqa: E402
from sluice.settings import Settings  # noqa: E402

FUNCTIONS = {
    "ApiFunction": API_ROUTES,
    "QueryFunction": QUERY_ROUTES,
    "AuthoringFunction": AUTHORING_ROUTES,
    "ProbeFunction": PROBE_ROUTES,
}
# By its name, not by GetAtt: `sam local start-api` cannot resolve that for a function whose name is computed.
_ARN = "arn:${AWS::Partition}:lambda:${AWS::Region}:${AWS::AccountId}:function:${%s}"
_URI = "arn:${AWS::Partition}:apigateway:${AWS::Region}:lambda:path/2015-03-31/functions/" + _ARN + "/invocations"


def route_paths() -> str:
    """The paths of the API's definition: each verb with the function that serves it, and OPTIONS for browsers."""
    paths: dict[str, dict[str, tuple[str, Route | None]]] = {}
    for function, routes in FUNCTIONS.items():
        for route in routes:
            # A function of its own: `sam local start-api` gives all verbs of one function one authorizer.
            verbs = paths.setdefault(route.path, {"options": ("PreflightFunction", None)})
            verbs[route.method.lower()] = (function, route)
    lines = []
    for path, verbs in sorted(paths.items()):
        lines.append(f'          "/v1{path}":\n')
        for verb, (function, route) in sorted(verbs.items()):
            open_to_all = (
                ", security: [{NONE: []}]" if route is None or (route.role is None and not route.anonymous) else ""
            )
            integration = f'{{type: aws_proxy, httpMethod: POST, uri: !Sub "{_URI % function}"}}'
            lines.append(f"            {verb}: {{x-amazon-apigateway-integration: {integration}{open_to_all}}}\n")
    return "".join(lines)


def template(text: str) -> str:
    """The template with the routes of all functions written into it."""
    begin, end = "          # routes: begin\n", "          # routes: end\n"
    pattern = re.escape(begin) + ".*?" + re.escape(end)
    return re.sub(pattern, lambda _: begin + route_paths() + end, text, flags=re.DOTALL)


def openapi() -> bytes:
    """The OpenAPI document of all functions."""
    return (
        orjson.dumps(document([route for routes in FUNCTIONS.values() for route in routes]), option=orjson.OPT_INDENT_2)
        + b"\n"
    )


FILE_SIZES = """
## What fits a function

`fetch` has 900 s, 2,048 MB of memory and 4 GB of disk, `extract` 900 s, 3,008 MB and 8 GB. A dropped file passes
`fetch` in pieces, is kept gzipped, and is unpacked to the disk of `extract`; what its rows take beyond `EXTRACT_MEMORY`
waits there, too. So the disk of `fetch` holds a file of `MAX_DROP_BYTES`, 1 GB, once plain and once gzipped, and that
of `extract` holds it plain, as the engine's rows and as Parquet. `make proof` makes CSV and JSON lines of 1 GB into
Parquet with less than 1,000 MB resident (`tests/unit/test_large_files.py`); the time by size is what
`make bench NAME=extract` prints.
"""


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
    return "\n".join(lines) + "\n" + FILE_SIZES


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
