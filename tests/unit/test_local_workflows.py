"""The walker that unit tests use does what the emulator does: `tests/workflows` has the same contract."""

import sys
import types
from typing import Any

import pytest

from sluice.container import Container
from support.workflow_contract import CASES, FUNCTIONS, Case, code, payload, require_port
from support.workflows import LocalWorkflows


@pytest.fixture
def planned(monkeypatch: pytest.MonkeyPatch) -> None:
    """Functions that answer as the plan says."""
    for function in FUNCTIONS:
        module = types.ModuleType(f"{function}.app")
        exec(code(function), module.__dict__)
        monkeypatch.setitem(sys.modules, f"{function}.app", module)


@pytest.mark.usefixtures("planned")
@pytest.mark.parametrize("case", CASES.values(), ids=CASES)
def test_an_execution_ends_as_on_the_emulator(services: Container, workflows: LocalWorkflows, case: Case) -> None:
    workflows.settle_ends = False
    items: list[dict[str, Any]] = [
        {**payload(**plan), "execution": f"child-{number}"} for number, plan in enumerate(case.items)
    ]
    services.lake.put_json("items.json", items)
    plan = dict(case.plan)
    if plan.get("plan", {}).get("outcome") == "done":
        about = {"bucket": services.lake.bucket, "items_key": services.lake.full_key("items.json")}
        plan["plan"] = {**plan["plan"], **about, "ingests": len(items)}
    workflows.execute(case.kind, "parent", payload(**plan))
    outcome = workflows.outcomes["parent"]
    assert (outcome.status, outcome.error) == (case.status, case.error)
    children = [workflows.outcomes[f"child-{number}"].status for number in range(len(items))]
    assert children == ["FAILED" if "extract" not in plan else "SUCCEEDED" for plan in case.items]


@pytest.mark.usefixtures("planned")
def test_the_port_behaves_as_step_functions_do(workflows: LocalWorkflows) -> None:
    workflows.settle_ends = False
    require_port(workflows, lambda run: None)
