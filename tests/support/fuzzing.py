"""Requests derived from the OpenAPI document by schemathesis, and what every answer to them must be.

The same requests go to the handlers in this process and to a deployed stack: each sends them in its way. A request
names things that exist as often as it names random ones, so that it gets past 404.
"""

from __future__ import annotations

import itertools
import json
import re
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any
from urllib.parse import quote, urlencode

import schemathesis
from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import seed as random_seed
from hypothesis import strategies as st
from schemathesis import GenerationMode
from schemathesis.config import SchemathesisConfig
from schemathesis.core.result import Ok

from support.conformance import DOCUMENT, require_conformance

Values = Mapping[str, list[str]]
# The fields of a list's items that a path names them by, the first that an item has.
_IDS = ("id", "slug", "code", "number", "name")
_LINKS = "/v1/projects/{slug}/links"
_WORKBOOK = "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet"
schemathesis.openapi.media_type(_WORKBOOK, st.binary(max_size=60).map(lambda data: b"PK\x03\x04" + data))
# What no answer may show: traces, our files, AWS's and Pydantic's names, and what a test has planted.
_INTERNAL = re.compile(
    r"Traceback \(most recent|site-packages|/var/task|layers/sluice|/opt/python|\.py\", line \d|arn:aws:|"
    r"botocore|ClientError|AccessDenied|root:x:0|AWS_SECRET_ACCESS_KEY=|json-or-python|tagged-union"
)


@dataclass(frozen=True)
class Request:
    """One request.

    Args:
        operation: its method and its path's template.
        path: below `/v1`, with its query.
    """

    operation: str
    method: str
    path: str
    headers: dict[str, str]
    body: bytes | None


@dataclass(frozen=True)
class Response:
    status: int
    media_type: str | None
    text: str


Send = Callable[[Request], Response]


def fuzz(send: Send, known: Values, examples: int, seed: int | None = None) -> list[str]:
    """Send requests to each operation of the document.

    Args:
        known: values of path parameters, by the path up to the parameter, and of query parameters, by their names.
        examples: the requests to an operation.
        seed: chooses the requests; null for the same ones each time.

    Returns:
        What was wrong, one line for each operation and fault.
    """
    faults: dict[str, str] = {}
    for operation in _operations():
        for request in _requests(operation, known, examples, seed):
            try:
                require_sound(request, send(request))
            except AssertionError as fault:
                faults.setdefault(f"{operation.label} {str(fault)[:60]}", f"{request}\n    {fault}")
    return list(faults.values())


def require_sound(request: Request, response: Response) -> None:
    """Refuse an answer that fails, that shows what is inside, or that the document does not describe."""
    require_harmless(response.status, response.text)
    read = "GET" if request.method == "HEAD" else request.method
    path = "/v1" + request.path.partition("?")[0]
    if request.method != "HEAD":  # without a body
        require_conformance(read, path, response.status, response.media_type, response.text)


def require_harmless(status: int, text: str) -> None:
    """Refuse an answer that fails, or that shows what is inside."""
    assert status < 500, f"{status}: {text[:1000]}"
    leak = _INTERNAL.search(text)
    assert leak is None, f"{status} shows {leak and leak[0]}: {text[:1000]}"


def known_values(get: Callable[[str], Any]) -> dict[str, list[str]]:
    """What exists, from the lists of the API.

    Args:
        get: the JSON of a path below `/v1`, or null if the answer is something else.

    Returns:
        Values of path parameters by the template up to the parameter, and of query parameters by their names, or by
        their names after a template and a question mark.
    """
    paths = json.loads(DOCUMENT.read_text())["paths"]
    own = get("/me")["id"].partition("/")[2]  # the sender's key, which would be revoked
    known: dict[str, list[str]] = {}
    for template in sorted((path for path in paths if path.endswith("}")), key=lambda path: path.count("{")):
        listing, _, parameter = template.rpartition("/")
        if "get" in paths.get(listing, {}):
            items = [item for path in filled(listing, known) for item in _items(get(path))]
            known[template] = sorted({_id(item, parameter[1:-1]) for item in items} - {own})
    for template, methods in paths.items():
        if any(parameter["name"] == "cursor" for parameter in methods.get("get", {}).get("parameters", [])):
            answers = [get(f"{path}?limit=1") for path in filled(template, known)]
            known[f"{template}?cursor"] = [answer["next"] for answer in answers if answer and answer["next"]]
    runs, links = known["/v1/runs/{run_id}"], [item for path in filled(_LINKS, known) for item in _items(get(path))]
    pages = [item for run in runs for item in _items(get(f"/runs/{run}/pages"))]
    known["/v1/pages/{page_hash}"] = [page["hash"] for page in pages if page["hash"]]
    return known | {"a": runs, "b": runs, "version": ["1"], "token": [link["url"].partition("=")[2] for link in links]}


def _items(answer: Any) -> list[dict[str, Any]]:
    return answer.get("items", []) if isinstance(answer, dict) else []


def _id(item: dict[str, Any], parameter: str) -> str:
    """What a path names an item of a list by."""
    return str(next(item[name] for name in (parameter, *_IDS, parameter.partition("_")[0]) if name in item))


def _prefixes(template: str) -> list[str]:
    """The template up to each of its parameters."""
    return [template[: match.end()] for match in re.finditer(r"\{\w+\}", template)]


def filled(template: str, known: Values) -> Iterator[str]:
    """Paths of a template with the first known values."""
    for values in itertools.product(*(known.get(prefix, [])[:3] for prefix in _prefixes(template))):
        names = [prefix.rpartition("{")[2][:-1] for prefix in _prefixes(template)]
        quoted = (quote(value, safe="") for value in values)
        yield template.format_map(dict(zip(names, quoted, strict=True))).removeprefix("/v1")


def _operations() -> list[Any]:
    document = json.loads(DOCUMENT.read_text())
    # Credentials are the sender's.
    document.pop("security", None)
    document["components"].pop("securitySchemes", None)
    schema = schemathesis.openapi.from_dict(document, config=SchemathesisConfig())
    found = [result.ok() for result in schema.get_all_operations() if isinstance(result, Ok)]
    assert len(found) == sum(map(len, document["paths"].values()))
    order = ("get", "head", "post", "put", "patch", "delete")
    return sorted(found, key=lambda operation: order.index(operation.method.lower()))


def _requests(operation: Any, known: Values, examples: int, seed: int | None) -> list[Request]:
    collected: list[Request] = []

    @settings(
        # A path alone leaves little to vary.
        max_examples=examples if operation.query or operation.body else max(1, examples // 2),
        derandomize=seed is None,
        database=None,
        phases=[Phase.generate],
        deadline=None,
        suppress_health_check=list(HealthCheck),
    )
    @given(_strategy(operation, known))
    def collect(request: Request) -> None:
        collected.append(request)

    (collect if seed is None else random_seed(seed)(collect))()
    return collected


def _strategy(operation: Any, known: Values) -> st.SearchStrategy[Request]:
    valid, invalid = (operation.as_strategy(mode) for mode in (GenerationMode.POSITIVE, GenerationMode.NEGATIVE))
    existing = st.fixed_dictionaries(
        {
            parameter.name: st.sampled_from(known.get(prefix) or [str(parameter.definition["example"])])
            for parameter, prefix in zip(operation.path_parameters, _prefixes(operation.path), strict=True)
        }
    )
    query: dict[str, st.SearchStrategy[str]] = {}
    for parameter in operation.query:
        if values := known.get(f"{operation.path}?{parameter.name}") or known.get(parameter.name):
            query[parameter.name] = st.sampled_from(values)
    # Three of four requests name what exists.
    path = st.one_of(existing, existing, existing, st.just({}))
    return st.builds(_request, st.one_of(valid, invalid), path, st.fixed_dictionaries({}, optional=query))


def _request(case: Any, path: dict[str, str], query: dict[str, str]) -> Request:
    case.path_parameters = {**(case.path_parameters or {}), **path}
    case.query = {**(case.query or {}), **query}
    sent = case.as_transport_kwargs(base_url="http://localhost")
    pairs = [(name, item) for name, value in sent["params"].items() for item in _several(value) if item is not None]
    address = sent["url"].removeprefix("http://localhost/v1") + (f"?{urlencode(pairs)}" if pairs else "")
    body = json.dumps(sent["json"]) if "json" in sent else sent.get("data")
    headers = {name: str(value) for name, value in sent["headers"].items()}
    content = body.encode() if isinstance(body, str) else body
    return Request(f"{case.method} {case.path}", case.method, address, headers, content)


def _several(value: Any) -> list[Any]:
    return value if isinstance(value, list) else [value]
