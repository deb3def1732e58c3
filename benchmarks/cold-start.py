"""The cold start of every function; and the `api` function against FastAPI + Mangum with the same routes.

Every function of the template: a fresh process imports its handler and takes its sample event of
`events/`, in an environment that has the packages of Lambda's runtime and of the layers, and no others.
A stub on loopback stands for AWS and knows nothing, so most events are of something that does not exist,
and the first call ends early, by an answer or an error: it shows what making the first client and asking
the catalog costs, not the function's work. Lambda's own part of a cold start is not in it.

The api function: cold, a fresh process imports the handler and answers its first event; warm, the same
process answers again and again. Both answer `GET /v1/health`, and `GET /v1/datasources/{slug}` with the
item that the stub gives both, or, for warm requests, both clients alike in the process. The two take
turns in one run; medians are compared.
"""

from __future__ import annotations

import argparse
import json
import os
import re
import statistics
import subprocess
import sys
import tempfile
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any, ClassVar

ROOT = Path(__file__).parents[1]
sys.path.insert(0, str(ROOT / "functions"))

from api.app import ROUTES  # noqa: E402
from benchmarks.peers.fastapi_service import write_service  # noqa: E402
from benchmarks.support import Comparison, environment, lower_is_better, show, table  # noqa: E402
from sluice.domain.datasource import Datasource  # noqa: E402

ROUNDS, WARM = 11, 400
DOCUMENT = Datasource.model_validate(
    {"slug": "coins", "name": "Coins", "kind": "http", "http": {"url": "https://api.example.com/v1/coins"}}
)
ITEM = {
    "workspace_kind": {"S": "main#datasource"},
    "name": {"S": "coins"},
    "document": {"S": json.dumps(DOCUMENT.model_dump(mode="json", by_alias=True))},
    "schema_version": {"N": "2"},
    "version": {"N": "1"},
    "created_at": {"S": "2026-01-01T00:00:00.000Z"},
    "created_by": {"S": "key/demo"},
    "updated_at": {"S": "2026-01-01T00:00:00.000Z"},
    "assigned": {"N": "0"},
}
TABLES = ("DEFINITIONS", "ASSIGNMENTS", "RUNS", "PAGES", "DATASETS", "VERSIONS", "BATCHES", "LOCKS")
PATHS = {"health": "/v1/health", "datasource": "/v1/datasources/coins"}

# What the child process does: import, one answer, then many.
CHILD = """
import json, sys, time
began = time.perf_counter()
module, path, warm = sys.argv[1], sys.argv[2], int(sys.argv[3])
handler = __import__(module, fromlist=["handler"]).handler
event = json.loads(sys.stdin.read())
class Context:
    aws_request_id = "request-1"
    function_name = "api"
    memory_limit_in_mb = 1024
    invoked_function_arn = "arn:aws:lambda:us-east-1:1:function:api"
    def get_remaining_time_in_millis(self):
        return 29000
answer = handler(event, Context())
cold = time.perf_counter() - began
assert answer["statusCode"] == 200, answer
times = []
if warm:
    import botocore.client
    item = json.loads(sys.argv[4])
    original = botocore.client.BaseClient._make_api_call
    def stubbed(self, name, arguments):
        if name != "GetItem":
            return original(self, name, arguments)
        parsed = {"Item": item, "ResponseMetadata": {"HTTPStatusCode": 200}}
        self.meta.events.emit("after-call.dynamodb.GetItem", http_response=None, parsed=parsed,
                              model=self.meta.service_model.operation_model("GetItem"), context={})
        return parsed
    botocore.client.BaseClient._make_api_call = stubbed
    for _ in range(warm):
        began = time.perf_counter()
        handler(event, Context())
        times.append(time.perf_counter() - began)
body = json.loads(answer["body"])
print(json.dumps({"cold": cold, "warm": sorted(times)[len(times) // 2] if times else None, "body": body}))
"""


# What the child process does for any function: import, one call.
FIRST_CALL = """
import json, sys, time
event, before = json.load(sys.stdin), set(sys.modules)
class Context:
    aws_request_id = "request-1"
    function_name = sys.argv[1]
    memory_limit_in_mb = 1024
    invoked_function_arn = "arn:aws:lambda:us-east-1:1:function:" + sys.argv[1]
    def get_remaining_time_in_millis(self):
        return 29000
began = time.perf_counter()
handler = __import__(sys.argv[1] + ".app", fromlist=["handler"]).handler
imported = time.perf_counter()
modules = len(set(sys.modules) - before)
try:
    answer = handler(event, Context())
    outcome = str(answer["statusCode"]) if isinstance(answer, dict) and "statusCode" in answer else "answered"
except Exception as error:
    outcome = type(error).__name__
called = time.perf_counter()
found = {"import": imported - began, "call": called - imported, "modules": modules, "outcome": outcome}
print(json.dumps(found))
"""


class Stub(BaseHTTPRequestHandler):
    """AWS, as far as it is asked here: it knows one item of DynamoDB, or nothing at all."""

    protocol_version = "HTTP/1.1"
    answer: ClassVar[dict[str, Any]] = {"Item": ITEM}

    def do_POST(self) -> None:
        self._answer(json.dumps(self.answer).encode())

    def do_PUT(self) -> None:
        self._answer(b"")

    do_DELETE = do_PUT  # noqa: N815 - the name that http.server asks for

    def _answer(self, body: bytes) -> None:
        self.rfile.read(int(self.headers["Content-Length"] or 0))
        self.send_response(200)
        self.send_header("Content-Type", "application/x-amz-json-1.0")
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *arguments: Any) -> None:
        """Say nothing."""


class Empty(Stub):
    """Nothing is there."""

    answer: ClassVar[dict[str, Any]] = {"Items": [], "Count": 0, "ScannedCount": 0}


@contextmanager
def stub(kind: type[Stub]) -> Iterator[str]:
    """The address of a stub."""
    server = ThreadingHTTPServer(("127.0.0.1", 0), kind)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    yield f"http://127.0.0.1:{server.server_address[1]}"
    server.shutdown()


def request(path: str) -> str:
    """The gateway's event of a GET."""
    event = json.loads((ROOT / "events/api.json").read_text())
    event |= {"httpMethod": "GET", "path": path, "resource": path, "body": None}
    event["multiValueHeaders"] = {name: [value] for name, value in event["headers"].items()}
    event["requestContext"] |= {"httpMethod": "GET", "path": "/live" + path}
    return json.dumps(event)


def measured(module: str, folder: Path, endpoint: str, path: str) -> dict[str, Any]:
    """One fresh process."""
    command = [sys.executable, "-c", CHILD, module, path, str(WARM), json.dumps(ITEM)]
    return printed(command, request(path), endpoint, folder)


def printed(command: list[str], event: str, endpoint: str, *folders: Path) -> dict[str, Any]:
    """What a fresh process prints in its last line.

    Raises:
        SystemExit: it failed.
    """
    environment = {
        "PATH": os.environ["PATH"],
        "PYTHONPATH": os.pathsep.join(map(str, [*folders, ROOT / "functions", ROOT / "layers/sluice"])),
        "AWS_ENDPOINT_URL": endpoint,
        "AWS_DEFAULT_REGION": "us-east-1",
        "AWS_ACCESS_KEY_ID": "test",
        "AWS_SECRET_ACCESS_KEY": "test",
        "POWERTOOLS_SERVICE_NAME": "sluice",
        "STACK": "sluice",
        **{f"{name}_TABLE": name for name in TABLES},
    }
    done = subprocess.run(command, env=environment, input=event, capture_output=True, text=True, check=False)
    if done.returncode != 0:
        raise SystemExit(f"{command[3]} failed:\n{done.stderr}")
    found: dict[str, Any] = json.loads(done.stdout.strip().splitlines()[-1])
    return found


def functions() -> list[str]:
    """The functions of the template."""
    return re.findall(r"^      Handler: (\w+)\.app\.handler$", (ROOT / "template.yaml").read_text(), re.MULTILINE)


def show_functions(rounds: int) -> None:
    """Measure the cold start of every function in turn, and print the medians."""
    names = sorted(functions())
    events = {name: (ROOT / f"events/{name}.json").read_text() for name in names}
    events["api"] = request(PATHS["datasource"])  # its sample event creates something, for which nothing is prepared
    found: dict[str, list[dict[str, Any]]] = {name: [] for name in names}
    python = str(environment("functions"))
    with stub(Empty) as endpoint:
        for _ in range(rounds + 1):
            for name in names:
                found[name].append(printed([python, "-c", FIRST_CALL, name], events[name], endpoint))
    rows = []
    for name, each in found.items():  # the first round has compiled what was not compiled yet
        imported, called = (statistics.median(one[what] for one in each[1:]) * 1000 for what in ("import", "call"))
        rows.append((name, f"{imported:.0f}", str(each[-1]["modules"]), f"{called:.0f}", each[-1]["outcome"]))
    table(("function", "import ms", "modules", "first call ms", "which ends as"), rows)
    print()


def compare_api(rounds: int) -> list[Comparison]:
    """Measure both services in turn."""
    comparisons = []
    with tempfile.TemporaryDirectory() as name, stub(Stub) as endpoint:
        folder = Path(name)
        write_service(folder / "peer_service.py", ROUTES)
        for case, path in PATHS.items():
            found = [
                [measured(module, folder, endpoint, path) for module in ("api.app", "peer_service")]
                for _ in range(rounds + 1)
            ]
            bodies = [{key: one["body"].get(key) for key in ("status", "slug", "http", "etag")} for one in found[0]]
            if bodies[0] != bodies[1]:
                raise SystemExit(f"they do not answer alike: {bodies}")
            for what in ("cold", "warm"):  # the first round has compiled what was not compiled yet
                ours, theirs = (statistics.median(pair[side][what] for pair in found[1:]) * 1000 for side in (0, 1))
                comparisons.append(
                    lower_is_better("cold-start", f"{what} {case}", ours, theirs, "FastAPI + Mangum", "ms")
                )
    return comparisons


def main() -> None:
    """Measure every function, then the api function beside its peer, and print what came out."""
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("--rounds", type=int, default=ROUNDS)
    rounds = parser.parse_args().rounds
    show_functions(rounds)
    show(compare_api(rounds))


if __name__ == "__main__":
    main()
