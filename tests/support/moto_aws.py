"""AWS as unit tests have it: moto, started once in each process and emptied before each test."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from functools import cache
from typing import Any

import boto3
from moto import mock_aws
from moto.core.base_backend import BackendDict
from moto.core.model_instances import reset_model_data
from moto.core.models import botocore_stubber
from moto.dynamodb.models import dynamodb_backends
from moto.s3.models import s3_backends
from moto.scheduler.models import scheduler_backends

from sluice.container.clients import Clients
from support import moto_dynamodb, moto_s3, moto_speed, permissions
from support.moto_dynamodb import ACCOUNT
from support.template import resources

REGION = "us-east-1"
TABLES = resources("AWS::DynamoDB::Table")
_make_client = Clients.make
_direct_objects, _direct_dynamodb = Clients.direct_objects, Clients.direct_dynamodb
_clients: dict[tuple[str, str | None, str], Any] = {}


@cache
def _start() -> None:
    moto_dynamodb.install()
    moto_s3.install()
    moto_speed.install()
    mock_aws().start()
    botocore_stubber.enabled = False
    # One session for all tests: reading the services' descriptions takes longer than most tests.
    boto3.setup_default_session()


def _shared_client(clients: Clients, service: str, endpoint_url: str | None = None, **config: Any) -> Any:
    """A client with the same configuration for all tests: it has no state, and making it takes as long as a test."""
    key = (service, endpoint_url, repr(sorted(config.items())))
    if key not in _clients:
        _clients[key] = _make_client(clients, service, endpoint_url, **config)
        _clients[key].meta.events.register("provide-client-params", permissions.record)
    return _clients[key]


@contextmanager
def aws() -> Iterator[None]:
    """Within this context AWS is within reach, as an empty account."""
    _start()
    botocore_stubber.enabled = True
    Clients.make = _shared_client  # type: ignore[method-assign, assignment]
    # Moto sees what clients send.
    Clients.direct_objects = lambda clients: None  # type: ignore[method-assign, assignment]
    Clients.direct_dynamodb = lambda clients: clients.dynamodb  # type: ignore[method-assign, assignment]
    empty()
    try:
        yield
    finally:
        botocore_stubber.enabled = False
        Clients.make = _make_client  # type: ignore[method-assign]
        Clients.direct_objects = _direct_objects  # type: ignore[method-assign]
        Clients.direct_dynamodb = _direct_dynamodb  # type: ignore[method-assign]


def _stream(properties: dict[str, Any]) -> dict[str, Any] | None:
    specification = properties.get("StreamSpecification")
    return {"StreamEnabled": True, **specification} if specification else None


def empty() -> None:
    """Make the account one with the template's tables, both buckets and the group of schedules, all empty."""
    BackendDict.reset()
    reset_model_data()
    dynamodb = dynamodb_backends[ACCOUNT][REGION]
    for logical_id, properties in TABLES.items():
        dynamodb.create_table(
            logical_id,
            schema=properties["KeySchema"],
            attr=properties["AttributeDefinitions"],
            global_indexes=properties.get("GlobalSecondaryIndexes", []),
            indexes=[],
            throughput=None,
            streams=_stream(properties),
            billing_mode=properties["BillingMode"],
            sse_specification=None,
            tags=[],
            deletion_protection_enabled=False,
            warm_throughput=None,
        )
    s3 = s3_backends[ACCOUNT]["aws"]
    for bucket in ("lake", "inbox"):
        s3.create_bucket(bucket, REGION)
    s3.put_bucket_versioning("inbox", "Enabled")
    scheduler_backends[ACCOUNT][REGION].create_schedule_group("sluice", [])
