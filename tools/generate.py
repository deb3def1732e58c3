"""Generates files from the code: routes in the template, OpenAPI document, settings page, types of the Python client.

`python tools/generate.py` writes them; `--check` fails if one of them is out of date.
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
from client_types import client_types  # noqa: E402
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
# By name instead of GetAtt, which `sam local start-api` cannot resolve for a function with a computed name.
_ARN = "arn:${AWS::Partition}:lambda:${AWS::Region}:${AWS::AccountId}:function:${%s}"
_URI = "arn:${AWS::Partition}:apigateway:${AWS::Region}:lambda:path/2015-03-31/functions/" + _ARN + "/invocations"


def route_paths() -> str:
    """The YAML of the API definition's paths: each method with the function that serves it, and OPTIONS for CORS."""
    paths: dict[str, dict[str, tuple[str, Route | None]]] = {}
    for function, routes in FUNCTIONS.items():
        for route in routes:
            # OPTIONS has its own function: `sam local start-api` gives all methods of one function the same authorizer.
            verbs = paths.setdefault(route.path, {"options": ("PreflightFunction", None)})
            verbs |= {method.lower(): (function, route) for method in route.methods}
    lines = []
    for path, verbs in sorted(paths.items()):
        lines.append(f'          "/v1{path}":\n')
        for verb, (function, route) in sorted(verbs.items()):
            no_authorizer = (
                ", security: [{NONE: []}]" if route is None or (route.role is None and not route.anonymous) else ""
            )
            integration = f'{{type: aws_proxy, httpMethod: POST, uri: !Sub "{_URI % function}"}}'
            lines.append(f"            {verb}: {{x-amazon-apigateway-integration: {integration}{no_authorizer}}}\n")
    return "".join(lines)


def template(text: str) -> str:
    """The template with the routes of all functions between its two markers.

    Args:
        text: the present template.
    """
    start, end = "          # routes: begin\n", "          # routes: end\n"
    pattern = re.escape(start) + ".*?" + re.escape(end)
    return re.sub(pattern, lambda _: start + route_paths() + end, text, flags=re.DOTALL)


def api_document() -> dict[str, Any]:
    """The OpenAPI document of all functions."""
    return document([route for routes in FUNCTIONS.values() for route in routes])


def openapi() -> bytes:
    """The OpenAPI document as indented JSON."""
    return orjson.dumps(api_document(), option=orjson.OPT_INDENT_2) + b"\n"


FILE_SIZES = """
## File sizes

| function | time | memory | disk |
| --- | --- | --- | --- |
| `fetch` | 900 s | 2,048 MB | 4 GB |
| `extract` | 900 s | 3,008 MB | 8 GB |

`fetch` streams a dropped file and stores it gzipped. Its disk holds a file of `MAX_DROP_BYTES` (1 GB) twice: plain and
gzipped. `extract` decompresses the file to its disk and spills rows beyond `EXTRACT_MEMORY` there. Its disk holds the
file three times: plain, as DuckDB's rows, and as Parquet.

`make proof` converts CSV and JSON Lines of 1 GB to Parquet with less than 1,000 MB resident
(`tests/unit/test_large_files.py`). `make bench NAME=extract` prints the time by size.
"""


def settings_page() -> str:
    """The Markdown page `docs/reference/settings.md`, with every setting."""
    lines = [
        "# Settings",
        "",
        "Each setting is an environment variable of the functions. The template sets those without a default.",
        "",
        "| variable | default | meaning |",
        "| --- | --- | --- |",
    ]
    for name, field in Settings.model_fields.items():
        default: Any = field.default if field.default != "" else "–"
        lines.append(f"| `{name.upper()}` | {default} | {field.description} |")
    return "\n".join(lines) + "\n" + FILE_SIZES


def main() -> int:
    """Write the files, or check them with `--check`.

    Returns:
        The exit code: 1 if `--check` finds a file that is out of date.
    """
    path = ROOT / "template.yaml"
    generated = {
        path: template(path.read_text()).encode(),
        ROOT / "functions/api/openapi.json": openapi(),
        ROOT / "client/sluice_client/types.py": client_types(api_document()["components"]["schemas"]),
        ROOT / "docs/reference/settings.md": settings_page().encode(),
    }
    stale = [file for file, content in generated.items() if not file.exists() or file.read_bytes() != content]
    if "--check" in sys.argv:
        for file in stale:
            print(f"{file.relative_to(ROOT)} is out of date; run make generate")
        return 1 if stale else 0
    for file in stale:
        file.write_bytes(generated[file])
        print(f"wrote {file.relative_to(ROOT)}")
    return 0


if __name__ == "__main__":
    sys.exit(main())
