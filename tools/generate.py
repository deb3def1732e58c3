"""Generates files from the code: routes of the template, OpenAPI, types of the client, pages and schemas in `docs/`.

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
from console.app import ROUTES as CONSOLE_ROUTES  # noqa: E402
from layer_packages import layer_packages  # noqa: E402
from probe.app import ROUTES as PROBE_ROUTES  # noqa: E402
from query.app import ROUTES as QUERY_ROUTES  # noqa: E402
from reference import reference_files  # noqa: E402
from sluice.api.openapi import document  # noqa: E402
from sluice.api.routes import Route  # noqa: E402

FUNCTIONS = {
    "ApiFunction": API_ROUTES,
    "QueryFunction": QUERY_ROUTES,
    "AuthoringFunction": AUTHORING_ROUTES,
    "ProbeFunction": PROBE_ROUTES,
    "ConsoleFunction": CONSOLE_ROUTES,
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


def main() -> int:
    """Write the files, or check them with `--check`.

    Returns:
        The exit code: 1 if `--check` finds a file that is out of date.
    """
    path = ROOT / "template.yaml"
    generated = {
        path: template(path.read_text()).encode(),
        ROOT / "functions/api/openapi.json": openapi(),
        ROOT / "layers/sluice/sluice/algorithms/packages.json": layer_packages() + b"\n",
        ROOT / "client/sluice_client/types.py": client_types(api_document()["components"]["schemas"]),
        **{ROOT / "docs" / file: text.encode() for file, text in reference_files().items()},
    }
    stale = [file for file, content in generated.items() if not file.exists() or file.read_bytes() != content]
    # A page or schema that nothing generates any more.
    left_over = [
        file
        for folder in ("docs/reference/documents", "docs/schemas")
        for file in (ROOT / folder).glob("*")
        if file not in generated
    ]
    if "--check" in sys.argv:
        for file in stale:
            print(f"{file.relative_to(ROOT)} is out of date; run make generate")
        for file in left_over:
            print(f"{file.relative_to(ROOT)} is not generated any more; run make generate")
        return 1 if stale or left_over else 0
    for file in left_over:
        file.unlink()
        print(f"removed {file.relative_to(ROOT)}")
    for file in stale:
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_bytes(generated[file])
        print(f"wrote {file.relative_to(ROOT)}")
    return 0


if __name__ == "__main__":
    sys.exit(main())
