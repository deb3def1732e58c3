"""The import of sites, equipment or sensors from a CSV file: all rows are checked before the first one is written."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any

from sluice.assets.csv_table import CsvRow, CsvTable, RowError, apply_cells, columns_of, parse_table
from sluice.assets.definitions import attempts, content_of, follow_changes, parent_fault
from sluice.catalog.assets import MAX_WRITES, Change, Key, reference_counts
from sluice.catalog.definitions import Definition
from sluice.container import Container
from sluice.domain.assets.codes import MAX_NAME
from sluice.domain.assets.kinds import AssetKind, AssetType
from sluice.domain.base import Record, validate
from sluice.domain.identity import Principal
from sluice.domain.json_text import same_json
from sluice.errors import AlreadyExists, Invalid, PreconditionFailed, Unavailable


class ImportResult(Record):
    """What an import has changed, or would change.

    Args:
        stored: whether the changes were made.
    """

    created: int
    changed: int
    unchanged: int
    stored: bool


def import_assets(services: Container, asset: AssetType, body: bytes, by: Principal, *, check: bool) -> ImportResult:
    """Create and change assets as the rows of a CSV file describe them.

    A row of an asset that exists changes the columns that the file has, and no others. The rows are written in
    transactions of up to 100; repeating an import that was interrupted completes it.

    Args:
        asset: the type of the assets.
        body: CSV in UTF-8; its first row has the names of the columns.
        by: who imports it.
        check: only check the file.

    Raises:
        Invalid: the file or cells are not valid; `errors` has the row and column of each, and nothing is stored.
        Unavailable: other requests kept changing the assets; try again.
    """
    settings = services.settings
    table = parse_table(body, columns_of(asset.model), asset.name_field, settings.max_import_rows)
    created = changed = 0
    for _ in attempts():
        plan = _Plan(services, asset, table)
        plan.require_valid(settings.max_import_errors)
        if check:
            new = sum(change.before is None for change in plan.changes)
            created, changed = new, len(plan.changes) - new
        else:
            try:
                for chunk in _chunks(plan.ordered_changes()):
                    services.assets.write(chunk, by)
                    created += sum(change.before is None for change in chunk)
                    changed += sum(change.before is not None for change in chunk)
            except (PreconditionFailed, AlreadyExists, Invalid):
                continue  # another request has changed one of the assets since it was read
            # All of them, since an earlier import of this file may have been interrupted before it got here.
            follow_changes(services, asset.kind, list(plan.documents))
        unchanged = len(table.rows) - created - changed
        return ImportResult(created=created, changed=changed, unchanged=unchanged, stored=not check)
    raise Unavailable("The assets keep being changed by other requests; send the file again.")


@dataclass
class _Plan:
    """The changes that a file makes to the assets as they are stored now.

    Args:
        services: the container.
        asset: the type of the assets.
        table: the file's rows.
    """

    services: Container
    asset: AssetType
    table: CsvTable
    errors: list[RowError] = field(default_factory=list)
    documents: dict[str, dict[str, Any]] = field(default_factory=dict)
    changes: list[Change] = field(default_factory=list)
    _stored_parents: dict[str, str | None] = field(default_factory=dict)

    def __post_init__(self) -> None:
        self.errors += self.table.errors
        rows: dict[str, CsvRow] = {}
        for row in self.table.rows:
            name = row.cells.get(self.asset.name_field, "")
            if not name:
                self.errors.append(RowError(row.number, self.asset.name_field, "This field is required."))
            elif name in rows:
                message = f"{name!r} is in row {rows[name].number} already."
                self.errors.append(RowError(row.number, self.asset.name_field, message))
            else:
                rows[name] = row
        stored = self._load(self.asset.kind, set(rows))
        for name, row in rows.items():
            self._read(row, name, stored.get(name))
        self._check_references(rows, stored)

    def _load(self, kind: AssetKind, names: set[str]) -> dict[str, Definition]:
        # No asset has a longer name, and DynamoDB refuses long keys.
        return self.services.definitions.find_all(kind, sorted(name for name in names if len(name) <= MAX_NAME))

    def _read(self, row: CsvRow, name: str, stored: Definition | None) -> None:
        """Read the document of a row."""
        before = stored.document if stored else {}
        try:
            document = content_of(validate(self.asset.model, apply_cells(row, self.table.columns, before)))
        except Invalid as invalid:
            self.errors += [
                RowError(row.number, self.table.column_at(fault["pointer"]), fault["message"])
                for fault in invalid.errors
            ]
            return
        self.documents[name] = document
        if stored is None or not same_json(document, stored.document):
            self.changes.append(Change(self.asset.kind, name, stored, document))

    def _check_references(self, rows: dict[str, CsvRow], stored: dict[str, Definition]) -> None:
        """Check that what the changed documents refer to exists, or is in the file."""
        for reference in self.asset.references:
            named = {change.name: change.after[reference.field] for change in self.changes if change.after}
            inside = self.documents if reference.kind == self.asset.kind else {}
            outside = self._load(reference.kind, {target for target in named.values() if target} - inside.keys())
            for name, target in named.items():
                if target is not None and target not in inside and target not in outside:
                    message = f"There is no {reference.kind} {target!r}."
                    self.errors.append(RowError(rows[name].number, reference.field, message))
                elif reference.kind == self.asset.kind:
                    fault = parent_fault(name, target, self._parent_of)
                    if fault is not None:
                        self.errors.append(RowError(rows[name].number, reference.field, fault))

    def _parent_of(self, code: str) -> str | None:
        """The parent of equipment after the import."""
        if code in self.documents:
            parent: str | None = self.documents[code]["parent"]
            return parent
        if code not in self._stored_parents:
            stored = self.services.definitions.find(self.asset.kind, code)
            self._stored_parents[code] = stored.document["parent"] if stored else None
        return self._stored_parents[code]

    def require_valid(self, most: int) -> None:
        """Refuse the file if it has errors.

        Args:
            most: the most errors to list.

        Raises:
            Invalid: the file has errors.
        """
        if not self.errors:
            return
        errors = sorted(self.errors, key=lambda error: error.row)
        shown = f", of which the first {most} are listed" if len(errors) > most else ""
        noun = "error" if len(errors) == 1 else "errors"
        detail = f"The file has {len(errors)} {noun}{shown}; nothing was stored."
        raise Invalid(detail, [error.presented() for error in errors[:most]])

    def ordered_changes(self) -> list[Change]:
        """The changes, those of parents before those of their parts."""
        if not any(reference.kind == self.asset.kind for reference in self.asset.references):
            return self.changes
        pending = {change.name: change for change in self.changes}
        ordered: list[Change] = []
        for change in self.changes:
            line: list[str] = []
            name: str | None = change.name
            while name in pending and name is not None:
                line.append(name)
                name = self._parent_of(name)
            ordered += [pending.pop(part) for part in reversed(line)]
        return ordered


def _chunks(changes: list[Change]) -> Iterator[list[Change]]:
    """Changes in groups that fit into one transaction each, with the assets that they refer to."""
    chunk: list[Change] = []
    written: set[Key] = set()
    for change in changes:
        keys = {(change.kind, change.name), *reference_counts([change])}
        if len(written | keys) > MAX_WRITES:
            yield chunk
            chunk, written = [], set()
        chunk.append(change)
        written |= keys
    if chunk:
        yield chunk
