"""With whom projects, datasources and inputs are shared."""

from __future__ import annotations

from collections.abc import Sequence

from sluice.catalog.definitions import Definition, Definitions
from sluice.catalog.table import ConditionFailed, Item, Table, Write, transact
from sluice.domain.identity import Principal, Share
from sluice.domain.member import Member, MemberRole
from sluice.domain.names import now, rfc3339
from sluice.errors import Conflict, NotFound

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

    def put(self, resource: Definition, principal: str, role: MemberRole, by: str, most: int) -> bool:
        """Share a resource, or change as what it is shared.

        Args:
            resource: the project, datasource or input as it was read.
            principal: whom it is shared with, such as `user/x`.
            by: the principal that shares it.
            most: the most members of a resource.

        Returns:
            Whether it was not shared with the principal before.

        Raises:
            NotFound: the resource was deleted meanwhile.
            Conflict: it has `most` members.
        """
        present = self.of_resource(resource)
        is_new = all(member.principal != principal for member in present)
        if is_new and len(present) >= most:
            raise Conflict(f"A {resource.kind} can be shared with at most {most} principals; share it with a group.")
        changes = {
            "role": role,
            "created_at": rfc3339(now()),
            "created_by": by,
            # A later resource of the same name is another one, which nobody has shared.
            "resource_created_at": resource.created_at,
        }
        writes = [self._table.update(key, changes, _ALWAYS) for key in self._keys(_name(resource), principal)]
        self._transact(resource, writes)
        return is_new

    def remove(self, resource: Definition, principal: str) -> None:
        """End that a resource is shared with a principal.

        Raises:
            NotFound: it is not.
        """
        if all(member.principal != principal for member in self.of_resource(resource)):
            raise NotFound(f"The {resource.kind} {resource.name!r} is not shared with {principal}.")
        writes = [self._table.delete(key, _ALWAYS) for key in self._keys(_name(resource), principal)]
        self._transact(resource, writes)

    def _transact(self, resource: Definition, writes: Sequence[Write]) -> None:
        try:
            transact(self._table.client, [self._definitions.require_same_write(resource), *writes])
        except ConditionFailed:
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


def _name(resource: Definition) -> str:
    return f"{resource.kind}/{resource.name}"
