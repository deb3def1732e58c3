"""The plan of an apply: what differs between a blueprint and what the API stores."""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping
from dataclasses import dataclass, field
from typing import Any, Literal

from sluice_cli.blueprints.differences import FieldChange, differences
from sluice_cli.blueprints.faults import BlueprintFault, BlueprintInvalid, sentence
from sluice_cli.blueprints.folder import Blueprint, Source
from sluice_cli.blueprints.order import creation_order, deletion_order, readers_of, still_read, tables_of
from sluice_cli.blueprints.resources import TYPES, ResourceKey
from sluice_cli.blueprints.state import State, projects_of, read_state
from sluice_cli.blueprints.validate import Checked, Surroundings, check_documents, check_references
from sluice_cli.blueprints.variables import VariableError, expand
from sluice_client import Sluice

Action = Literal["create", "change", "delete"]


@dataclass(frozen=True)
class Change:
    """A resource that an apply creates, changes or deletes.

    Args:
        action: what happens to it.
        key: the resource.
        document: what is sent; null for a deletion.
        fields: what changes in a resource that exists.
        source: where the blueprint describes it; null for a deletion.
        precondition: the header with which the API refuses the change if the resource is not as the plan read it.
    """

    action: Action
    key: ResourceKey
    document: dict[str, Any] | None = None
    fields: tuple[FieldChange, ...] = ()
    source: Source | None = None
    precondition: dict[str, str] = field(default_factory=dict)


@dataclass
class Plan:
    """What an apply does.

    Args:
        changes: in the order in which they are made.
        unchanged: how many resources stay as they are.
        leftovers: stored resources of the blueprint's projects that the blueprint lacks and that stay.
        kept_secrets: how many secrets keep their value because they have one.
        notes: what the user may want to know.
    """

    changes: list[Change] = field(default_factory=list)
    unchanged: int = 0
    leftovers: list[ResourceKey] = field(default_factory=list)
    kept_secrets: int = 0
    notes: list[str] = field(default_factory=list)


def make_plan(blueprint: Blueprint, api: Sluice, *, prune: bool = False, secrets: bool = False) -> Plan:
    """Compare a blueprint with what the API stores.

    Args:
        blueprint: the blueprint.
        api: the client.
        prune: delete the models, algorithms, reports, endpoints and assignments that the blueprint's projects have
            beside it, and datasources whose only assignments are among these, as far as the key may; notes name the
            others.
        secrets: write the values of secrets that exist, too.

    Raises:
        BlueprintInvalid: the blueprint has faults; nothing was changed.
        SluiceError: the API cannot be reached, or refuses a request.
    """
    checked = check_documents(blueprint)
    if checked.faults:
        raise BlueprintInvalid(checked.faults)
    types = {key.type for key in blueprint.sources}
    state = read_state(api, blueprint.projects, types | ({"input"} if "pin" in types else set()))
    if prune:
        state.caller = api.get("/me")
    return compare(blueprint, checked, state, lambda slug: projects_of(api, slug), prune=prune, secrets=secrets)


def compare(
    blueprint: Blueprint,
    checked: Checked,
    state: State,
    users: Callable[[str], set[str]],
    *,
    prune: bool = False,
    secrets: bool = False,
) -> Plan:
    """Compare a blueprint with a state.

    Args:
        blueprint: the blueprint.
        checked: its documents, which are valid.
        state: what is stored.
        users: the projects that a datasource is assigned to.
        prune: as for `make_plan`.
        secrets: as for `make_plan`.

    Raises:
        BlueprintInvalid: a reference has no target, a variable has no value, or the API cannot make a change.
    """
    return _Planner(blueprint, checked, state, users, prune).plan(secrets)


class _Planner:
    """Makes the plan of one blueprint; the arguments are those of `compare`."""

    def __init__(
        self, blueprint: Blueprint, checked: Checked, state: State, users: Callable[[str], set[str]], prune: bool
    ) -> None:
        self._blueprint = blueprint
        self._checked = checked
        self._stored = state.documents
        self._state = state
        self._users = users
        self._prune = prune
        projects = set(blueprint.projects)
        self._leftovers = [key for key in self._stored if key.project in projects and key not in blueprint.sources]
        self._pruned = [key for key in self._leftovers if prune and state.may_delete(key)]

    def plan(self, write_secrets: bool) -> Plan:
        """The plan; the values of secrets that exist are part of it on request only."""
        plan = Plan(leftovers=[] if self._prune else sorted(self._leftovers))
        puts = {
            source.key: change
            for source in self._blueprint.sources.values()
            if (change := self._put(source, plan, write_secrets)) is not None
        }
        self._check_references(puts)
        deletions = self._deletions()
        late = still_read(deletions, self._stored)
        early = [key for key in deletions if key not in late]
        documents = {key: document for key, document in self._stored.items() if key in self._leftovers} | {
            source.key: source.document for source in self._blueprint.sources.values()
        }
        ordered = [puts[key] for key in creation_order(puts, documents)]
        self._check_table_names(ordered, early)
        if self._checked.faults:
            raise BlueprintInvalid(self._checked.faults)
        # What nothing reads goes first, so that its name is free for other tables.
        plan.changes = [
            *(self._deletion(key) for key in early),
            *ordered,
            *(self._deletion(key) for key in deletions if key in late),
        ]
        plan.unchanged = len(self._blueprint.sources) - len(puts)
        plan.notes += self._checked.notes
        return plan

    def _put(self, source: Source, plan: Plan, write_secrets: bool) -> Change | None:
        """The creation or change of a resource; null if it is stored as the blueprint describes it."""
        if source.key.type == "secret":
            return self._put_secret(source, plan, write_secrets)
        kind, stored = TYPES[source.key.type], self._stored.get(source.key)
        if stored is None:
            return self._write("create", source, source.document)
        new = kind.normalize(source.key.name, source.document)
        for name in kind.fixed:
            if stored.get(name) != new[name]:
                message = f"The {name} of the stored {source.key.type} is {stored.get(name)!r} and cannot change."
                self._fault(source.fault(f"/{name}", message))
        fields = tuple(differences(stored, new))
        return self._write("change", source, source.document, fields) if fields else None

    def _put_secret(self, source: Source, plan: Plan, write: bool) -> Change | None:
        """The creation or change of a secret: its value cannot be compared, so it is written only if it is new."""
        if self._state.secrets_hidden and not write:
            note = "this key may not list secrets, so those of the blueprint are neither compared nor written"
            plan.notes += [note] if note not in plan.notes else []
            return None
        stored = self._stored.get(source.key)
        # A secret that is given as a text keeps the hosts and projects that it has.
        document = {**(stored or {}), **source.document} if set(source.document) == {"value"} else source.document
        fields = list(differences(stored, TYPES["secret"].normalize(source.key.name, document))) if stored else []
        if stored is not None and not fields and not write:
            plan.kept_secrets += 1
            return None
        if stored is not None or self._state.secrets_hidden:
            fields.append(FieldChange(("value",), "(hidden)", "(written again)"))
        try:
            document = {**document, "value": expand(document["value"], self._blueprint.variables)}
        except VariableError as error:
            self._fault(source.fault("/value", sentence(str(error))))
        return self._write("change" if fields else "create", source, document, tuple(fields))

    def _write(
        self, action: Action, source: Source, document: dict[str, Any], fields: tuple[FieldChange, ...] = ()
    ) -> Change:
        return Change(action, source.key, document, fields, source, self._state.precondition(source.key))

    def _deletion(self, key: ResourceKey) -> Change:
        return Change("delete", key, precondition=self._state.precondition(key))

    def _fault(self, fault: BlueprintFault) -> None:
        self._checked.faults.append(fault)

    def _check_references(self, changed: Collection[ResourceKey]) -> None:
        sources = self._blueprint.sources
        kept = {key: self._stored[key] for key in self._leftovers if key not in self._pruned}
        secrets = None if self._state.secrets_hidden else self._state.names("secret")
        unchanged = {key for key in sources if key not in changed}
        surroundings = Surroundings(
            kept, self._state.names("datasource"), secrets, unchanged, self._state.names("input")
        )
        check_references(self._blueprint, self._checked, surroundings)

    def _deletions(self) -> list[ResourceKey]:
        """What the blueprint's projects have beside the blueprint, and datasources that only had these assignments."""
        notes = self._checked.notes
        kept = sorted(key for key in self._leftovers if self._prune and key not in self._pruned)
        if kept:
            who = "only the owner of the project or an admin may delete what it has"
            notes.append(f"not in the blueprint: {', '.join(map(str, kept))}; {who}")
        unassigned: dict[str, set[str]] = {}
        for key in self._pruned:
            if key.type == "assignment" and ResourceKey("datasource", key.name) not in self._blueprint.sources:
                unassigned.setdefault(key.name, set()).add(key.project)
        unused = []
        for slug, projects in unassigned.items():
            reason = self._reason_to_stay(ResourceKey("datasource", slug), projects)
            if reason:
                notes.append(f"the datasource {slug} stays: {reason}")
            else:
                unused.append(ResourceKey("datasource", slug))
        return deletion_order([*self._pruned, *unused], self._stored)

    def _reason_to_stay(self, datasource: ResourceKey, projects: set[str]) -> str | None:
        """Why a datasource is not deleted when these projects do not use it any more; null if it is."""
        others = sorted(self._users(datasource.name) - projects)
        if others:
            return f"{', '.join(others)} {'uses' if len(others) == 1 else 'use'} it, too"
        if not self._state.may_delete(datasource):
            return "only its owner or an admin may delete it"
        if self._state.caller is not None and self._state.caller["projects"] is not None:
            return "this key cannot see whether other projects use it"
        return None

    def _check_table_names(self, ordered: list[Change], early: Collection[ResourceKey]) -> None:
        """Refuse changes of names in SQL that the API cannot make one after the other."""
        present = {key: document for key, document in self._stored.items() if key not in early}
        holders = {(key.project, table): key for key, document in present.items() for table in tables_of(key, document)}
        for change in ordered:
            if change.source is not None:
                self._check_tables_of(change, change.source, present, holders)

    def _check_tables_of(
        self,
        change: Change,
        source: Source,
        present: Mapping[ResourceKey, dict[str, Any]],
        holders: dict[tuple[str, str], ResourceKey],
    ) -> None:
        """Refuse a change whose new names are taken, or whose old ones are read; update `holders` to it."""
        project, stored = change.key.project, present.get(change.key)
        new = tables_of(change.key, change.document or {})
        old = tables_of(change.key, stored) if stored is not None else ()
        pointer = "/alias" if change.key.type == "assignment" else ""
        for table in [table for table in new if table not in old]:
            holder = holders.get((project, table))
            if holder is not None:
                message = f"The name {table!r} is still used by the {holder}. Free it with an apply of its own first."
                self._fault(source.fault(pointer, message))
        for table in [table for table in old if table not in new]:
            readers = readers_of(table, project, present)
            if readers:
                message = f"The table {table!r} cannot become {', '.join(new)!r}: the stored {readers[0]} reads it; "
                self._fault(source.fault(pointer, f"{message}delete that first."))
            holders.pop((project, table), None)
        holders |= {(project, table): change.key for table in new}
