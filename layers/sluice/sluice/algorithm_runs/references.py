"""References to inputs of algorithms: which versions they name, each kind of reference by its prefix."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace

from sluice.algorithm_runs.results import is_removed
from sluice.algorithms.algorithm import Algorithm, Input
from sluice.container import Container
from sluice.domain.algorithm_run import InputUse
from sluice.domain.base import json_pointer
from sluice.domain.dataset import Manifest
from sluice.domain.dataset_id import DatasetId
from sluice.domain.identity import Principal
from sluice.domain.names import is_ulid
from sluice.domain.reference import Reference, parse_reference
from sluice.errors import Invalid, NotFound, NotPublished, SluiceError
from sluice.inputs.pins import pinned_inputs
from sluice.inputs.references import resolve
from sluice.models.project_tables import MERGED


@dataclass(frozen=True)
class Scope:
    """Where references are resolved.

    Args:
        services: the adapters.
        project: the slug of the project.
        drafts: versions of a refresh that are not published yet: manifest key and manifest by table.
        before_publication: whether a table may have no version yet; its hash is then empty.
        principal: who asks, and may use inputs that it may read; None: no access is checked.
        trusted: the inputs whose references come from the project's settings: whoever wrote those could read them.
    """

    services: Container
    project: str
    drafts: Mapping[str, tuple[str, Manifest]] = field(default_factory=dict)
    before_publication: bool = False
    principal: Principal | None = None
    trusted: frozenset[str] = frozenset()


def resolve_inputs(
    scope: Scope, algorithm: Algorithm, references: Mapping[str, str | None], *, all_optional: bool = False
) -> dict[str, InputUse]:
    """Find the exact version of each input.

    Args:
        references: the reference of each input by the input's name. One that is missing is the input that the project
            pins, if there is one; one that is None is left out.
        all_optional: whether required ones may be missing, too.

    Returns:
        The inputs by name, in the order of the algorithm.

    Raises:
        Invalid: an input is missing, is unknown, does not exist, is of a kind that the algorithm does not take, or is
            replaced by another one that is given, too; all of them at once, with pointers such as `/inputs/topology`.
    """
    uses: dict[str, InputUse] = {}
    faults: dict[str, str] = {
        name: f"The algorithm has no input {name!r}; it has {', '.join(algorithm.inputs) or 'none'}."
        for name in references
        if name not in algorithm.inputs
    }
    replaced = replaced_inputs(algorithm, references)
    for name, declared in algorithm.inputs.items():
        if name in replaced:
            if references.get(name) is not None:
                faults[name] = f"The input {replaced[name]!r} replaces this one: leave out one of the two."
            continue
        try:
            asked = replace(scope, principal=None) if name in scope.trusted else scope
            reference = references[name] if name in references else _pinned(scope, declared)
            use = _resolve(asked, declared, reference, declared.required and not all_optional)
        except SluiceError as error:
            faults[name] = error.detail + _alternatives(algorithm, name, references)
        else:
            uses |= {name: use} if use is not None else {}
    if faults:
        errors = [{"pointer": json_pointer(("inputs", name)), "message": message} for name, message in faults.items()]
        raise Invalid(next(iter(faults.values())), errors)
    return uses


def replaced_inputs(algorithm: Algorithm, references: Mapping[str, str | None]) -> dict[str, str]:
    """The inputs that others among some references replace, each with the name of the other."""
    return {
        replaced: name
        for name, declared in algorithm.inputs.items()
        if references.get(name) is not None
        for replaced in declared.replaces
    }


def _alternatives(algorithm: Algorithm, name: str, references: Mapping[str, str | None]) -> str:
    """The inputs that can be given instead of a required one that is missing, as a sentence."""
    if name in references or not algorithm.inputs[name].required:
        return ""
    others = [other for other, declared in algorithm.inputs.items() if name in declared.replaces]
    return f" Or give {' or '.join(others)} instead." if others else ""


def _resolve(scope: Scope, declared: Input, text: str | None, required: bool) -> InputUse | None:
    if text is None:
        if required:
            raise Invalid(f"This input is required: {declared.description} It can be {_words(declared)}.")
        return None
    reference = parse_reference(text)
    resolver = _RESOLVERS.get(reference.prefix or "")
    use = resolver(scope, reference) if resolver else _input_document(scope, text)
    if use.kind not in declared.kinds:
        raise Invalid(f"{text!r} is {_article(use.kind)}; this input can be {_words(declared)}.")
    return use


def _words(declared: Input) -> str:
    return " or ".join(_article(kind) for kind in declared.kinds)


def _article(kind: str) -> str:
    if kind == "table":
        return "a table: dataset:<alias> or model:<name>"
    if kind.startswith("run:"):
        return f"a run of {kind.removeprefix('run:')}: run:<id>"
    return f"an input of kind {kind}"


def _run(scope: Scope, reference: Reference) -> InputUse:
    run_id = reference.name
    if reference.version is not None:
        raise Invalid(f"A run has no versions: write run:{run_id}.")
    run = scope.services.runs.find(run_id) if is_ulid(run_id) else None
    project = scope.services.definitions.find("project", scope.project)
    # Runs of a deleted project of the same name are another one's.
    is_own = run is not None and run.project == scope.project and project and run.created_at >= project.created_at
    if run is None or not is_own or run.algorithm is None:
        raise NotFound(f"The project {scope.project!r} has no run {run_id!r} of an algorithm.")
    if run.status != "succeeded" or run.fingerprint is None:
        raise Invalid(f"The run {run_id} has no result: it is {run.status}.")
    if is_removed(scope.services.lake, run):
        raise Invalid(f"The run {run_id} has no result any more: an erasure has removed it. Start the run again.")
    return InputUse(reference=f"run:{run_id}", kind=f"run:{run.algorithm}", hash=run.fingerprint, run=run_id)


def _dataset(scope: Scope, reference: Reference) -> InputUse:
    alias, number = reference.name, reference.number()
    if alias == MERGED:
        return _table(scope, "dataset", alias, number, DatasetId.of_project(scope.project))
    assigned = scope.services.assignments.of_project(scope.project)
    by_alias = {assignment.table_name: assignment.datasource for assignment in assigned}
    if alias not in by_alias:
        names = ", ".join([MERGED, *sorted(by_alias)])
        raise NotFound(f"The project {scope.project!r} has no dataset {alias!r}; it has {names}.")
    return _table(scope, "dataset", alias, number, DatasetId.of_datasource(by_alias[alias]))


def _model(scope: Scope, reference: Reference) -> InputUse:
    name, number = reference.name, reference.number()
    models = scope.services.resources.all("model", scope.project)
    if name not in models:
        names = ", ".join(sorted(models)) or "none"
        raise NotFound(f"The project {scope.project!r} has no model {name!r}; it has {names}.")
    if not models[name].document.get("materialize", True):
        raise Invalid(f"The model {name!r} is a view and has no versions; set `materialize` to true.")
    return _table(scope, "model", name, number, DatasetId.of_project_resource(scope.project, "model", name))


def _table(scope: Scope, prefix: str, name: str, number: int | None, dataset: DatasetId) -> InputUse:
    """A table at a version, or at that of the refresh, or at the published one."""
    draft = scope.drafts.get(name) if number is None else None
    if draft is not None:
        key, manifest = draft
        return _use(prefix, name, manifest.number, dataset, manifest.content_hash, key)
    datasets = scope.services.datasets
    try:
        version = datasets.version(dataset, number) if number is not None else datasets.published(dataset)
    except NotPublished:
        if scope.before_publication:
            return _use(prefix, name, None, dataset, "", None)
        raise
    content_hash = scope.services.lake.manifest(version.manifest_key).content_hash
    return _use(prefix, name, version.number, dataset, content_hash, version.manifest_key)


def _use(
    prefix: str, name: str, number: int | None, dataset: DatasetId, content_hash: str, manifest_key: str | None
) -> InputUse:
    return InputUse(
        reference=f"{prefix}:{name}" + (f"@{number}" if number is not None else ""),
        kind="table",
        hash=content_hash,
        version=number,
        dataset=dataset,
        manifest_key=manifest_key,
    )


_RESOLVERS: dict[str, Callable[[Scope, Reference], InputUse]] = {"run": _run, "dataset": _dataset, "model": _model}


def _pinned(scope: Scope, declared: Input) -> str | None:
    """The only input of a fitting kind that the project pins; None if there is none.

    Raises:
        Invalid: it pins several.
    """
    slugs = [
        head.name for _, head in pinned_inputs(scope.services, scope.project) if head.document["kind"] in declared.kinds
    ]
    if len(slugs) > 1:
        raise Invalid(f"The project pins several inputs that fit, {', '.join(slugs)}; name one of them.")
    return slugs[0] if slugs else None


def _input_document(scope: Scope, reference: str) -> InputUse:
    resolved = resolve(scope.services, reference, scope.project, scope.principal)
    return InputUse(
        reference=f"{resolved.slug}@{resolved.version}",
        kind=resolved.kind,
        hash=resolved.sha256,
        input=resolved.slug,
        version=resolved.version,
    )
