"""The stack's own Cognito user pool."""

from __future__ import annotations

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


def _decode(user: Any) -> Account:
    attributes = {item["Name"]: item.get("Value", "") for item in user.get("Attributes", [])}
    return Account(attributes["sub"], attributes.get("email") or None, attributes.get("name") or None)
