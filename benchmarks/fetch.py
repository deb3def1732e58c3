"""The fetch stage alone: milliseconds for each page, split by what they are spent on.

Pages of 1,000 nested records (225 kB of JSON each) come from a server on loopback; the lake and the
catalog are the emulator's. Both are processes of their own, as is the stage itself, and all share
the processor's cores. `fetch.py PAGES [CONCURRENCY …]`; with PROFILE=1 the stage is profiled.
"""

from __future__ import annotations

import asyncio
import cProfile
import os
import pstats
import resource
import socket
import subprocess
import sys
import tempfile
import threading
import time
from collections import defaultdict
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

ROOT = Path(__file__).parents[1]
sys.path.insert(0, str(ROOT / "tests"))

import botocore.client  # noqa: E402

from sluice.container import Container  # noqa: E402
from sluice.domain.datasource import HttpDatasource  # noqa: E402
from sluice.domain.names import new_run_id, now, rfc3339  # noqa: E402
from sluice.domain.run import FetchIndex, Run  # noqa: E402
from sluice.lake.direct import DirectObjects  # noqa: E402
from sluice.settings import load_settings  # noqa: E402
from sluice_cli.local.emulator import Emulator, aws_environment  # noqa: E402
from support.template import resources  # noqa: E402

RECORDS = 1000


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


@contextmanager
def source(pages: int) -> Iterator[str]:
    port = free_port()
    command = [sys.executable, "-m", "benchmarks.peers.pages_server", str(port), str(pages), str(RECORDS)]
    with subprocess.Popen(command, stdout=subprocess.PIPE) as server:
        assert server.stdout is not None
        server.stdout.readline()
        yield f"http://127.0.0.1:{port}/"
        server.terminate()


def make_stack(emulator: Emulator) -> Container:
    os.environ.update(aws_environment(emulator.url) | {"LAKE_BUCKET": "lake", "PRIVATE_NETWORKS": "127.0.0.0/8"})
    tables = resources("AWS::DynamoDB::Table")
    os.environ.update({name.removesuffix("Table").upper() + "_TABLE": name for name in tables})
    platform = Container(load_settings())
    platform.s3.create_bucket(Bucket="lake")
    for name, properties in tables.items():
        known = ("KeySchema", "AttributeDefinitions", "GlobalSecondaryIndexes", "BillingMode")
        platform.clients.dynamodb.create_table(
            TableName=name, **{key: properties[key] for key in known if key in properties}
        )
    return platform


class Calls:
    """Counts the calls to AWS and how long each took."""

    def __init__(self) -> None:
        self.seconds: dict[str, list[float]] = defaultdict(list)
        self._lock = threading.Lock()
        client: Any = botocore.client.BaseClient
        client._make_api_call = self._timed(client._make_api_call, str)
        DirectObjects._answer = self._timed(DirectObjects._answer, "direct {}".format)  # type: ignore[method-assign]

    def _timed(self, original: Callable[..., Any], name: Callable[[str], str]) -> Callable[..., Any]:
        def timed(caller: Any, operation: str, *arguments: Any) -> Any:
            begun = time.perf_counter()
            try:
                return original(caller, operation, *arguments)
            finally:
                with self._lock:
                    self.seconds[name(operation)].append(time.perf_counter() - begun)

        return timed


def fetch(platform: Container, url: str, http: dict[str, Any]) -> FetchIndex:
    from sluice.sources.http.client import SourceClient
    from sluice.sources.http.fetcher import HttpFetcher
    from sluice.sources.http.requester import FetchContext

    pagination = {"type": "offset", "offset_param": "offset", "limit_param": "limit", "limit": RECORDS}
    document = {
        "slug": "d",
        "name": "d",
        "kind": "http",
        "records": "data",
        "primary_key": ["id"],
        "http": {"url": url, "pagination": pagination | {"total": "total"}, **http},
    }
    datasource = HttpDatasource.model_validate(document)
    run = Run(id=new_run_id(), kind="ingest", datasource="d", created_at=rfc3339(now()), created_by="bench")
    run = platform.runs.advance(platform.runs.create(run), status="running")

    async def whole() -> FetchIndex:
        client = SourceClient(platform.source_transport(), platform.settings.max_page_bytes)
        try:
            tools = FetchContext(
                client,
                platform.lake,
                platform.pages,
                platform.runs,
                platform.settings,
                lambda _: "",
                lambda: 900.0,
                lambda tally: platform.calls.add("d", run.created_at, tally),
            )
            return await HttpFetcher(run, datasource, tools).fetch()
        finally:
            await client.aclose()

    return asyncio.run(whole())


def report(platform: Container, emulator: Emulator, pages: int, concurrency: int) -> None:
    with source(pages) as url:
        fetch(platform, url, {"pagination": {"type": "none"}})  # clients and code are warm
        calls, profile = Calls(), cProfile.Profile()
        http = {"concurrency": concurrency} if concurrency else {}
        cpu, loop, served, begun = (
            time.process_time(),
            time.thread_time(),
            seconds_of(emulator.pid()),
            time.perf_counter(),
        )
        if os.environ.get("PROFILE"):
            profile.enable()
        index = fetch(platform, url, http)
        profile.disable()
        wall, cpu, loop = time.perf_counter() - begun, time.process_time() - cpu, time.thread_time() - loop
        served = seconds_of(emulator.pid()) - served
    assert (index.completeness, len(index.pages)) == ("complete", pages), index.completeness_reasons
    print(
        f"{pages} pages of {RECORDS} records, concurrency {concurrency}: {1000 * wall / pages:.1f} ms a page; ", end=""
    )
    print(
        f"processor: the stage {1000 * cpu / pages:.1f} ms ({1000 * loop / pages:.1f} in the event loop's thread), "
        f"the emulator {1000 * served / pages:.1f} ms"
    )
    for operation, took in sorted(calls.seconds.items(), key=lambda item: -sum(item[1])):
        each, share = 1000 * sum(took) / len(took), 1000 * sum(took) / pages
        print(f"  {operation:20} {len(took):6} calls of {each:6.2f} ms = {share:6.2f} ms a page")
    print(f"  peak memory {resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024:.0f} MB")
    if os.environ.get("PROFILE"):
        pstats.Stats(profile).sort_stats("tottime").print_stats(45)


def seconds_of(pid: int | None) -> float:
    """The processor time that a process has used."""
    fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")


def main() -> None:
    pages, *concurrencies = map(int, sys.argv[1:] or ["200"])
    with tempfile.TemporaryDirectory() as folder:
        emulator = Emulator(Path(folder), free_port())
        emulator.start()
        try:
            platform = make_stack(emulator)
            for concurrency in concurrencies or [1, 4]:
                report(platform, emulator, pages, concurrency)
        finally:
            emulator.stop()


if __name__ == "__main__":
    main()
