"""What each function imports when it starts, since every import makes cold starts slower.

Nothing is timed. A new interpreter imports the handler and says what it has loaded then. `make bench
NAME=cold-start` measures.
"""

from __future__ import annotations

import json
import subprocess
import sys
from dataclasses import dataclass

import pytest

from support.template import ROOT, resources

# Parts of the standard library and of botocore that take 10 ms or more, or that belong to one stage.
WATCHED = {
    "asyncio",
    "botocore.client",
    "botocore.session",
    "http.client",
    "multiprocessing",
    "sqlite3",
    "ssl",
    "unittest",
    "urllib.request",
}
MODELS = {"annotated_types", "pydantic", "pydantic_core", "typing_extensions", "typing_inspection"}
CATALOG = MODELS | {"botocore", "jmespath", "orjson", "ulid"}
LOGGED = CATALOG | {"aws_lambda_powertools"}
# Powertools' resolver imports asyncio, and that ssl.
ROUTED = LOGGED | {"asyncio", "ssl"}


@dataclass(frozen=True)
class Budget:
    """What a function may load.

    Args:
        packages: exactly these, of others and of the watched ones.
        modules: at most so many outside the standard library.
    """

    packages: set[str]
    modules: int


STAGE = Budget(LOGGED, 206)
BUDGETS = {
    "api": Budget(ROUTED, 425),
    "algorithm": STAGE,
    "authoring": Budget(ROUTED, 393),
    "authorizer": Budget(CATALOG, 155),
    "commit": STAGE,
    "compaction": Budget(CATALOG, 174),
    "erase": STAGE,
    "extract": STAGE,
    "fetch": STAGE,
    "inbox": Budget(LOGGED, 204),
    "merge": STAGE,
    "missing_data": Budget(LOGGED, 200),
    "model": STAGE,
    "numeric": Budget(LOGGED, 218),
    "partition": STAGE,
    "plan": STAGE,
    "console": Budget(ROUTED, 290),
    "preflight": Budget(MODELS, 60),
    "probe": Budget(ROUTED, 298),
    "query": Budget(ROUTED, 453),
    "readings": Budget(LOGGED, 214),
    "report": STAGE,
    "publications": Budget(LOGGED, 214),
    "run_events": Budget(LOGGED, 218),
    "solver": Budget(LOGGED, 218),
    "webhooks": Budget(LOGGED, 197),
    "scheduled": Budget(CATALOG, 160),
    "sign_up": Budget(CATALOG, 154),
}

LOAD = """
import json, sys
before = set(sys.modules)
__import__(sys.argv[1])
print(json.dumps(sorted(set(sys.modules) - before)))
"""


def loaded(function: str) -> frozenset[str]:
    """The modules that a new interpreter loads for a function's handler."""
    done = subprocess.run(
        [sys.executable, "-c", LOAD, f"{function}.app"],
        cwd=ROOT / "functions",
        capture_output=True,
        text=True,
        check=True,
    )
    return frozenset(json.loads(done.stdout))


def foreign(modules: frozenset[str]) -> set[str]:
    """Those outside the standard library, which differs from one version of Python to the next."""
    known = sys.stdlib_module_names
    return {name for name in modules if name.partition(".")[0] not in known and not name.startswith("_sysconfigdata")}


def test_every_function_has_a_budget() -> None:
    handlers = [properties["Handler"] for properties in resources("AWS::Serverless::Function").values()]
    assert {handler.partition(".")[0] for handler in handlers} == set(BUDGETS)


@pytest.mark.parametrize("function", BUDGETS)
def test_function_imports_only_its_budget(function: str) -> None:
    modules, budget = loaded(function), BUDGETS[function]
    ours = {"sluice", *BUDGETS}
    packages = {name.partition(".")[0] for name in foreign(modules)} - ours | modules & WATCHED
    assert packages == budget.packages
    assert len(foreign(modules)) <= budget.modules
    assert not any(name.startswith(("sluice.api.responses", "sluice.api.openapi")) for name in modules)
