"""Self-registration: who may sign up, the role of new people, and sign-ups that nobody confirms."""

from __future__ import annotations

import importlib
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from botocore.session import get_session
from botocore.stub import Stubber
from hypothesis import given
from hypothesis import strategies as st

from sluice.access.sign_up import refuse_outsiders
from sluice.container import Container
from sluice.domain.names import now
from sluice.domain.person import Account
from sluice.errors import Forbidden, Unavailable
from sluice.platform.user_pool import UserPool
from support import permissions
from support.workflows import Context

POOL = "eu-west-1_example"


@pytest.mark.parametrize(
    ("email", "domains"),
    [
        ("ada@example.com", "example.com"),
        ("ada@example.com", " example.org , EXAMPLE.com"),
        ("ada+test@example.com", "example.com,"),
        ("ada@anywhere.net", "*"),
        ('"a@b"@example.com', "example.com"),
    ],
)
def test_address_of_an_allowed_domain_may_sign_up(email: str, domains: str) -> None:
    refuse_outsiders(email, domains)


@pytest.mark.parametrize(
    ("email", "domains", "message"),
    [
        ("ada@example.com", "", "ask an admin"),
        ("ada@example.com", " , ", "ask an admin"),
        ("ada@other.com", "example.org,example.com", r"an e-mail address of example\.com or example\.org\."),
        ("ada@sub.example.com", "example.com", "an e-mail address of"),
        ("ada@badexample.com", "example.com", "an e-mail address of"),
        ("ada@example.com.evil.net", "example.com", "an e-mail address of"),
        ("ada@example.com@evil.net", "example.com", "an e-mail address of"),
        ("ada@example.com ", "example.com", "an e-mail address of"),
        ("example.com", "example.com", r"with an e-mail address\."),
        ("@example.com", "example.com", r"with an e-mail address\."),
        ("ada@", "*", r"with an e-mail address\."),
        ("", "*", r"with an e-mail address\."),
        ("Ada@example.com", "example.com", "small letters"),
        ("ada@Example.com", "*", "small letters"),
    ],
)
def test_other_addresses_are_refused_with_the_reason(email: str, domains: str, message: str) -> None:
    with pytest.raises(Forbidden, match=message):
        refuse_outsiders(email, domains)


@given(st.text(), st.sampled_from(["example.com", "example.com,a.org"]))
def test_no_text_passes_without_an_allowed_domain(email: str, domains: str) -> None:
    try:
        refuse_outsiders(email, domains)
    except Forbidden:
        return
    assert email.endswith(tuple(f"@{domain}" for domain in domains.split(",")))


@pytest.fixture
def cognito(services: Container) -> Iterator[Stubber]:
    """Cognito, as the service's description allows it to be called; what is not expected fails."""
    client = get_session().create_client("cognito-idp")
    client.meta.events.register("provide-client-params", permissions.record)
    services.__dict__["user_pool"] = UserPool(client, POOL)
    services.settings = services.settings.model_copy(update={"sign_up_domains": "example.com", "sweep_seconds": 30.0})
    with Stubber(client) as stubber:
        yield stubber
        stubber.assert_no_pending_responses()


def call(trigger: str, **attributes: str) -> Any:
    event = {"triggerSource": trigger, "userName": "u-1", "request": {"userAttributes": attributes}, "response": {}}
    return importlib.import_module("sign_up.app").handler(event, Context())


def user(sub: str, age: timedelta, status: str = "UNCONFIRMED", **attributes: str) -> dict[str, Any]:
    listed = [{"Name": key, "Value": value} for key, value in {"sub": sub, **attributes}.items()]
    return {"Username": sub, "UserStatus": status, "UserCreateDate": now() - age, "Attributes": listed}


@pytest.mark.parametrize("role", ["viewer", "editor"])
def test_confirmed_person_gets_the_role_of_new_people(services: Container, cognito: Stubber, role: str) -> None:
    services.settings = services.settings.model_copy(update={"sign_up_role": role})
    expected = {"UserPoolId": POOL, "Username": "u-1", "GroupName": role}
    cognito.add_response("admin_add_user_to_group", {}, expected)
    assert call("PostConfirmation_ConfirmSignUp")["userName"] == "u-1"


@pytest.mark.usefixtures("cognito")
@pytest.mark.parametrize("trigger", ["PostConfirmation_ConfirmForgotPassword", "PreSignUp_AdminCreateUser"])
def test_other_triggers_change_nothing(trigger: str) -> None:
    assert call(trigger, email="ada@other.com")["response"] == {}


@pytest.mark.usefixtures("cognito")
@pytest.mark.parametrize("trigger", ["PreSignUp_SignUp", "PreSignUp_ExternalProvider"])
def test_sign_up_is_refused_before_there_is_an_account(trigger: str) -> None:
    assert call(trigger, email="ada@example.com")["response"] == {}
    for attributes in ({"email": "ada@other.com"}, {}):
        with pytest.raises(Forbidden):
            call(trigger, **attributes)


def test_confirmation_fails_if_the_role_cannot_be_given(cognito: Stubber) -> None:
    cognito.add_client_error("admin_add_user_to_group", "TooManyRequestsException", http_status_code=400)
    with pytest.raises(Unavailable):
        call("PostConfirmation_ConfirmSignUp")


def listing(**more: str) -> dict[str, Any]:
    return {"UserPoolId": POOL, "Filter": 'cognito:user_status = "UNCONFIRMED"', "Limit": 60, **more}


def test_old_unconfirmed_sign_ups_are_removed(cognito: Stubber) -> None:
    first = [user("old", timedelta(days=8)), user("new", timedelta(days=6)), user("x", timedelta(days=9), "CONFIRMED")]
    cognito.add_response("list_users", {"Users": first, "PaginationToken": "t"}, listing())
    cognito.add_response("admin_delete_user", {}, {"UserPoolId": POOL, "Username": "old"})
    second = [user("older", timedelta(days=80)), user("gone", timedelta(days=7, minutes=1))]
    cognito.add_response("list_users", {"Users": second}, listing(PaginationToken="t"))
    cognito.add_response("admin_delete_user", {}, {"UserPoolId": POOL, "Username": "older"})
    cognito.add_client_error("admin_delete_user", "UserNotFoundException", http_status_code=400)
    assert importlib.import_module("sign_up.app").handler({"sweep": True}, Context()) == {"removed": 3}


def test_sweep_ends_when_its_time_is_over(services: Container, cognito: Stubber) -> None:
    services.settings = services.settings.model_copy(update={"sweep_seconds": -1.0})
    cognito.add_response("list_users", {"Users": [user("old", timedelta(days=8))]}, listing())
    assert importlib.import_module("sign_up.app").handler({"sweep": True}, Context()) == {"removed": 0}


def test_accounts_are_found_by_the_beginning_of_their_address(services: Container, cognito: Stubber) -> None:
    old = timedelta(days=1)
    users = [
        user("s-1", old, "CONFIRMED", email="ada@example.com", name="Ada"),
        user("s-2", old, "FORCE_CHANGE_PASSWORD", email="adam@example.com"),
        user("s-3", old, "UNCONFIRMED", email="adele@example.com"),
    ]
    expected = {"UserPoolId": POOL, "Filter": 'email ^= "ad\\"a\\\\"', "Limit": 60}
    cognito.add_response("list_users", {"Users": users}, expected)
    assert services.user_pool is not None
    assert services.user_pool.with_email('ad"a\\') == [
        Account("s-1", "ada@example.com", "Ada"),
        Account("s-2", "adam@example.com", None),
    ]


def test_times_of_accounts_have_an_offset(services: Container, cognito: Stubber) -> None:
    moment = datetime(2026, 1, 1, tzinfo=UTC)
    cognito.add_response("list_users", {"Users": [user("u", now() - moment)]}, listing())
    assert services.user_pool is not None
    assert list(services.user_pool.unconfirmed(moment + timedelta(seconds=1))) == ["u"]
