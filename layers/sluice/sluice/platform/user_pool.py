"""The stack's own Cognito user pool."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import suppress
from datetime import datetime
from typing import Any

from sluice.aws import translated
from sluice.domain.person import Account

# Cognito's limit for ListUsers.
_MOST_USERS = 60


class UserPool:
    """The user pool that people sign up and sign in with.

    Args:
        client: botocore's client of `cognito-idp`.
        pool_id: the pool's id.
    """

    def __init__(self, client: Any, pool_id: str) -> None:
        self._client = client
        self._pool_id = pool_id

    def with_email(self, beginning: str) -> list[Account]:
        """At most 60 accounts whose e-mail address, which they have confirmed, begins with a text."""
        escaped = beginning.replace("\\", "\\\\").replace('"', '\\"')
        with translated():
            answer = self._client.list_users(
                UserPoolId=self._pool_id, Filter=f'email ^= "{escaped}"', Limit=_MOST_USERS
            )
        return [_decode(user) for user in answer["Users"] if user.get("UserStatus") != "UNCONFIRMED"]

    def add_to_group(self, user_name: str, group: str) -> None:
        """Put an account into a group; nothing changes if it is in it."""
        with translated():
            self._client.admin_add_user_to_group(UserPoolId=self._pool_id, Username=user_name, GroupName=group)

    def unconfirmed(self, before: datetime) -> Iterator[str]:
        """The user names of accounts that were created before a time, and whose address was never confirmed."""
        request: dict[str, Any] = {"Filter": 'cognito:user_status = "UNCONFIRMED"', "Limit": _MOST_USERS}
        while True:
            with translated():
                answer = self._client.list_users(UserPoolId=self._pool_id, **request)
            for user in answer["Users"]:
                # An emulator ignores the filter, and a confirmed account must never be deleted.
                if user["UserStatus"] == "UNCONFIRMED" and user["UserCreateDate"] < before:
                    yield user["Username"]
            if "PaginationToken" not in answer:
                return
            request["PaginationToken"] = answer["PaginationToken"]

    def delete(self, user_name: str) -> None:
        """Delete an account; nothing happens if there is none."""
        with translated(), suppress(self._client.exceptions.UserNotFoundException):
            self._client.admin_delete_user(UserPoolId=self._pool_id, Username=user_name)


def _decode(user: Any) -> Account:
    attributes = {item["Name"]: item.get("Value", "") for item in user.get("Attributes", [])}
    return Account(attributes["sub"], attributes.get("email") or None, attributes.get("name") or None)
