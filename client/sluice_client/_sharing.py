"""Sharing of projects, datasources and inputs."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING, Literal

from sluice_client._connection import segment

if TYPE_CHECKING:
    from sluice_client._client import Sluice
    from sluice_client.types import MemberView

MemberRole = Literal["viewer", "designer", "editor", "owner"]


class Shareable:
    """A resource that can be shared; a handle besides this class."""

    _sluice: Sluice
    _path: str

    def members(self) -> Iterator[MemberView]:
        """Those with whom it is shared, its owner first."""
        return self._sluice.items(f"{self._path}/members")

    def share(self, principal: str, role: MemberRole) -> MemberView:
        """Share it, or change as what it is shared.

        Args:
            principal: `user:<subject>`, `group:<name>` or `key:<id>`.
            role: `viewer`, `designer`, `editor` or `owner`.

        Raises:
            NotFound: there is no such resource or key.
            Forbidden: only its owners share it.
        """
        member: MemberView = self._sluice.put(f"{self._path}/members/{segment(principal)}", {"role": role})
        return member

    def unshare(self, principal: str) -> None:
        """End that it is shared with a principal.

        Raises:
            NotFound: it is not.
        """
        self._sluice.delete(f"{self._path}/members/{segment(principal)}")
