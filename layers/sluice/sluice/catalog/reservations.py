"""Counts and names that a project's tables reserve, so that limits and unique names hold with concurrent writes."""

from __future__ import annotations

from sluice.catalog.definitions import PRESENT, Definition, Kind, count_field, missing
from sluice.catalog.table import ConditionFailed, Item, Table, Write


class Reservations:
    """Writes for the transactions that assign datasources and create resources, in the table `Definitions`.

    A project's item counts its resources, a datasource's item its assignments. A name in a project's SQL is an item
    `workspace#sql_name` / `project#name`.
    """

    def __init__(self, table: Table, workspace: str) -> None:
        self._table = table
        self._workspace = workspace

    def _key(self, kind: Kind, name: str) -> Item:
        return {"workspace_kind": f"{self._workspace}#{kind}", "name": name}

    def count_assignment_write(self, name: str, by: int) -> Write:
        """A write that changes the count of a datasource's assignments.

        Args:
            name: the datasource; the write fails if it does not exist.
            by: 1, 0 or -1.
        """
        return self._table.update(self._key("datasource", name), {}, PRESENT, add={"assigned": by})

    def recount(self, project: str, kind: Kind, present: int) -> None:
        """Store how many resources of a kind a project has, unless its item counts them already.

        Args:
            present: their number.

        Raises:
            NotFound: there is no such project.
        """
        try:
            self._table.execute(
                self._table.update(self._key("project", project), {}, PRESENT, once={count_field(kind): present})
            )
        except ConditionFailed:
            raise missing("project", project) from None

    def count_resource_write(self, project: str, kind: Kind, limit: int) -> Write:
        """A write that adds 1 to a project's count of resources of a kind; it fails if there are `limit` of them."""
        condition = f"{PRESENT} AND #{count_field(kind)} < :most"
        return self._table.update(
            self._key("project", project), {}, condition, {"most": limit}, add={count_field(kind): 1}
        )

    def discount_resource_write(self, project: str, kind: Kind) -> Write:
        """A write that subtracts 1 from a project's count of resources of a kind."""
        condition = f"{PRESENT} AND attribute_exists(#{count_field(kind)})"
        return self._table.update(self._key("project", project), {}, condition, add={count_field(kind): -1})

    def is_counted(self, project: str, kind: Kind) -> bool:
        """Whether a project's item counts its resources of a kind."""
        item = self._table.get(self._key("project", project))
        return item is not None and count_field(kind) in item

    def claim_name_write(self, project: Definition, name: str, holder: str) -> Write:
        """A write that claims a name in a project's SQL; it fails if another table has claimed it.

        Claims that a deleted project of the same slug has left are ignored.

        Args:
            name: the table's name.
            holder: the datasource or model, such as `model/{name}`.
        """
        claim = {**self._claim_key(project.name, name), "project_created_at": project.created_at, "holder": holder}
        condition = "attribute_not_exists(#name) OR #holder = :holder OR #project_created_at <> :created_at"
        return self._table.put(claim, condition, {"holder": holder, "created_at": project.created_at})

    def release_name_write(self, project: str, name: str, holder: str) -> Write:
        """A write that releases a claimed name; it fails if another table has claimed it."""
        # Releases before 0.3 did not claim names, so there may be no claim to release.
        condition = "attribute_not_exists(#name) OR #holder = :holder"
        return self._table.delete(self._claim_key(project, name), condition, {"holder": holder})

    def _claim_key(self, project: str, name: str) -> Item:
        return {"workspace_kind": f"{self._workspace}#sql_name", "name": f"{project}#{name}"}
