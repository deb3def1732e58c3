"""The example bodies of the OpenAPI document are accepted by the API that serves it."""

from __future__ import annotations

from sluice.container import Container
from support.client import Client
from support.examples import ORDER, example_requests, operations_with_bodies, seed_examples
from support.upstream import Upstream


def test_every_operation_with_a_body_is_in_the_order() -> None:
    assert set(ORDER) == set(operations_with_bodies())


def test_every_example_is_accepted(services: Container, admin: Client, upstream: Upstream) -> None:
    assert seed_examples(services, admin, upstream) == []
    run = admin.get("/runs?kind=refresh").json()["items"][-1]
    assert (run["status"], run["rows"]) == ("succeeded", 1)


def test_first_example_of_a_datasource_needs_no_preparation(services: Container, editor: Client) -> None:
    first = next(example_requests("create_datasource"))
    assert editor.call(first.method, first.path, first.body).status == 201
