"""People: sign-up, confirmation, tokens, refresh, and being found, with the user pool of the deployed stack."""

from __future__ import annotations

import json
import secrets
from typing import Any

import httpx
import pytest

from support.stack import Deployed

PASSWORD = "Correct-horse-1"


@pytest.fixture(scope="module")
def outputs(deployed: Deployed) -> dict[str, str]:
    stacks = deployed.client("cloudformation").describe_stacks(StackName=deployed.description["stack"])["Stacks"]
    found = {output["OutputKey"]: output["OutputValue"] for output in stacks[0]["Outputs"]}
    if "UserPool" not in found:
        pytest.skip("this stack has no user pool")
    return found


@pytest.fixture
def cognito(deployed: Deployed) -> Any:
    return deployed.client("cognito-idp")


def sign_up(cognito: Any, outputs: dict[str, str], email: str) -> None:
    attributes = [{"Name": "email", "Value": email}, {"Name": "name", "Value": "Ada Lovelace"}]
    cognito.sign_up(ClientId=outputs["UserPoolClient"], Username=email, Password=PASSWORD, UserAttributes=attributes)


def tokens(cognito: Any, outputs: dict[str, str], flow: str, **parameters: str) -> dict[str, str]:
    answer = cognito.initiate_auth(ClientId=outputs["UserPoolClient"], AuthFlow=flow, AuthParameters=parameters)
    result: dict[str, str] = answer["AuthenticationResult"]
    return result


def call(deployed: Deployed, token: str, path: str = "/me") -> httpx.Response:
    headers = {"authorization": f"Bearer {token}"}
    return httpx.get(f"{deployed.url}{path}", headers=headers, timeout=30, trust_env=False)


def run_function(deployed: Deployed, event: dict[str, Any]) -> Any:
    name = f"{deployed.description['stack']}-sign_up"
    answer = deployed.client("lambda").invoke(FunctionName=name, Payload=json.dumps(event).encode())
    return json.loads(answer["Payload"].read())


@pytest.mark.parametrize("domain", ["elsewhere.org", "sub.example.com", "example.com.evil.net"])
def test_other_domains_cannot_sign_up(cognito: Any, outputs: dict[str, str], domain: str) -> None:
    with pytest.raises(cognito.exceptions.UserLambdaValidationException, match=r"e-mail address of example\.com"):
        sign_up(cognito, outputs, f"ada@{domain}")


def test_person_signs_up_signs_in_and_refreshes(deployed: Deployed, cognito: Any, outputs: dict[str, str]) -> None:
    email = f"ada-{secrets.token_hex(4)}@example.com"
    sign_up(cognito, outputs, email)
    with pytest.raises(cognito.exceptions.UsernameExistsException):
        sign_up(cognito, outputs, email)
    password = {"USERNAME": email, "PASSWORD": PASSWORD}
    with pytest.raises(cognito.exceptions.UserNotConfirmedException):
        tokens(cognito, outputs, "USER_PASSWORD_AUTH", **password)
    assert run_function(deployed, {"sweep": True})["removed"] == 0, "it waits for its confirmation"
    cognito.confirm_sign_up(ClientId=outputs["UserPoolClient"], Username=email, ConfirmationCode="123456")

    # The emulator calls no function after a confirmation, so this is what Cognito would send.
    person = cognito.admin_get_user(UserPoolId=outputs["UserPool"], Username=email)
    groups = {"UserPoolId": outputs["UserPool"], "Username": email}
    assert cognito.admin_list_groups_for_user(**groups)["Groups"] == [], "else the next lines are not needed"
    event = {"triggerSource": "PostConfirmation_ConfirmSignUp", "userName": person["Username"], "response": {}}
    assert run_function(deployed, event) == event

    first = tokens(cognito, outputs, "USER_PASSWORD_AUTH", **password)
    me = call(deployed, first["IdToken"])
    assert (me.status_code, me.json()["role"], me.json()["groups"]) == (200, "viewer", ["viewer"])
    cognito.admin_add_user_to_group(**groups, GroupName="editor")
    second = tokens(cognito, outputs, "REFRESH_TOKEN_AUTH", REFRESH_TOKEN=first["RefreshToken"])
    assert second["IdToken"] != first["IdToken"]
    assert call(deployed, second["AccessToken"]).json()["role"] == "editor"

    expected = {"principal": me.json()["id"].replace("/", ":"), "email": email, "name": "Ada Lovelace"}
    (found,) = call(deployed, second["IdToken"], f"/users?search={email.upper()}").json()["items"]
    assert found == expected


def test_account_is_found_before_it_signs_in(deployed: Deployed, cognito: Any, outputs: dict[str, str]) -> None:
    email = f"bob-{secrets.token_hex(4)}@example.com"
    cognito.admin_create_user(UserPoolId=outputs["UserPool"], Username=email, MessageAction="SUPPRESS")
    (found,) = deployed.done("GET", f"/users?search={email[:12]}")["items"]
    assert (found["email"], found["principal"][:5]) == (email, "user:")


def test_filter_of_accounts_by_status_is_ignored(cognito: Any, outputs: dict[str, str]) -> None:
    email = f"eve-{secrets.token_hex(4)}@example.com"
    cognito.admin_create_user(UserPoolId=outputs["UserPool"], Username=email, MessageAction="SUPPRESS")
    answer = cognito.list_users(UserPoolId=outputs["UserPool"], Filter='cognito:user_status = "UNCONFIRMED"', Limit=60)
    assert {"FORCE_CHANGE_PASSWORD"} <= {user["UserStatus"] for user in answer["Users"]}, (
        "the emulator honours the filter now: docs/reference/emulators.md"
    )
