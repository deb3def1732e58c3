"""With whom projects, datasources and inputs are shared."""

from __future__ import annotations

from collections.abc import Sequence

from sluice.catalog.definitions import Definition, Definitions
from sluice.catalog.table import ConditionFailed, Item, Table, Write
from sluice.catalog.transactions import transact
from sluice.domain.identity import Principal, Share
from sluice.domain.member import Member, MemberRole
from sluice.errors import Conflict, NotFound, PreconditionFailed

_ALWAYS = "attribute_exists(#name) OR attribute_not_exists(#name)"


class Members:
    """Shares in the table `Definitions`, each twice, so that both lists are read consistently.

    `workspace#member` / `{kind}/{slug}#{principal}` lists the members of a resource, `workspace#share` /
    `{principal}#{kind}/{slug}` what is shared with a principal.
    """

    def __init__(self, table: Table, definitions: Definitions, workspace: str) -> None:
        self._table = table
        self._definitions = definitions
        self._workspace = workspace

    def _keys(self, resource: str, principal: str) -> tuple[Item, Item]:
        return (
            {"workspace_kind": f"{self._workspace}#member", "name": f"{resource}#{principal}"},
            {"workspace_kind": f"{self._workspace}#share", "name": f"{principal}#{resource}"},
        )

    def find(self, resource: Definition, principal: str) -> Member | None:
        """The share of a resource with a principal; None if there is none."""
        return next((member for member in self.of_resource(resource) if member.principal == principal), None)

    def put(self, resource: Definition, member: Member, before: Member | None, most: int) -> None:
        """Share a resource, or change as what it is shared.

        Args:
            resource: the project, datasource or input as it was read.
            member: the share.
            before: the share with this principal as it was read; None if there was none.
            most: the most members of a resource.

        Raises:
            NotFound: the resource was deleted meanwhile.
            PreconditionFailed: the share was changed meanwhile.
            Conflict: the resource has `most` members.
        """
        if before is None and len(self.of_resource(resource)) >= most:
            raise Conflict(f"A {resource.kind} can be shared with at most {most} principals; share it with a group.")
        # A later resource of the same name is another one, which nobody has shared.
        changes = {**member.model_dump(exclude={"principal"}), "resource_created_at": resource.created_at}
        member_key, share_key = self._keys(_name(resource), member.principal)
        condition, values = _unchanged(resource, before)
        writes = [
            self._table.update(member_key, changes, condition, values),
            self._table.update(share_key, changes, _ALWAYS),
        ]
        self._transact(resource, writes)

    def remove(self, resource: Definition, before: Member) -> None:
        """End that a resource is shared with a principal.

        Args:
            resource: the project, datasource or input as it was read.
            before: the share as it was read.

        Raises:
            NotFound: the resource was deleted meanwhile.
            PreconditionFailed: the share was changed meanwhile.
        """
        member_key, share_key = self._keys(_name(resource), before.principal)
        condition, values = _unchanged(resource, before)
        writes = [self._table.delete(member_key, condition, values), self._table.delete(share_key, _ALWAYS)]
        self._transact(resource, writes)

    def _transact(self, resource: Definition, writes: Sequence[Write]) -> None:
        try:
            transact(self._table.client, [self._definitions.require_same_write(resource), *writes])
        except ConditionFailed as failed:
            if failed.position > 0:
                raise PreconditionFailed("Somebody else has changed the share; read it again.") from None
            raise NotFound(f"There is no {resource.kind} {resource.name!r}.") from None

    def of_resource(self, resource: Definition) -> list[Member]:
        """The members of a resource, by principal."""
        prefix = f"{_name(resource)}#"
        return [
            Member.model_validate({**item, "principal": str(item["name"]).removeprefix(prefix)})
            for item in self._with_prefix("member", prefix)
            if item["resource_created_at"] == resource.created_at
        ]

    def shares(self, principal: Principal) -> list[Share]:
        """What is shared with a principal or with one of its groups; read once for each request."""
        if principal.shares is None:
            principal.shares = [
                Share(
                    resource=str(item["name"]).removeprefix(f"{name}#"),
                    resource_created_at=item["resource_created_at"],
                    role=item["role"],
                )
                for name in principal.names
                for item in self._with_prefix("share", f"{name}#")
            ]
        return principal.shares

    def roles(self, principal: Principal, resource: Definition) -> set[MemberRole]:
        """As what a resource is shared with a principal or with its groups; empty: not at all."""
        return {
            share.role
            for share in self.shares(principal)
            if share.resource == _name(resource) and share.resource_created_at == resource.created_at
        }

    def projects_of(self, principal: Principal) -> set[str]:
        """The slugs of the projects that are shared with a principal or with its groups."""
        names = (share.resource.partition("/") for share in self.shares(principal))
        return {slug for kind, _, slug in names if kind == "project"}

    def remove_all(self, resource: Definition) -> None:
        """Remove all members of a deleted resource; it is safe to repeat."""
        for item in self._with_prefix("member", f"{_name(resource)}#"):
            principal = str(item["name"]).partition("#")[2]
            for key in self._keys(_name(resource), principal):
                self._table.execute(self._table.delete(key, _ALWAYS))

    def _with_prefix(self, kind: str, prefix: str) -> list[Item]:
        values = {"pk": f"{self._workspace}#{kind}", "prefix": prefix}
        return list(self._table.query_all("#workspace_kind = :pk AND begins_with(#name, :prefix)", values))


def _unchanged(resource: Definition, before: Member | None) -> tuple[str, Item]:
    """The condition that a share is still as it was read, and its values."""
    resource_made = {"this_resource": resource.created_at}
    if before is None:
        return "attribute_not_exists(#name) OR #resource_created_at <> :this_resource", resource_made
    condition = (
        "#resource_created_at = :this_resource AND #role = :old_role AND #created_at = :old_created_at "
        "AND #created_by = :old_created_by"
    )
    old = {f"old_{name}": value for name, value in before.model_dump(exclude={"principal"}).items()}
    return condition, resource_made | old


def _name(resource: Definition) -> str:
    return f"{resource.kind}/{resource.name}"
