"""Results of runs of algorithms: the document, tables, files, and comparisons."""

from sluice.algorithm_runs.comparison import compare_runs
from sluice.algorithm_runs.results import content_of, stored_result, table_version
from sluice.api.call import Answer, Call
from sluice.api.dataset_answers import DATA_MEDIA_TYPES, DATA_PARAMETERS, rows_answer
from sluice.api.routes import IF_NONE_MATCH, Parameter, Routes
from sluice.api.running import readable_run
from sluice.container import Container
from sluice.errors import Invalid, NotFound
from sluice.reads.file_names import file_name

routes = Routes("algorithms")
_ROWS = [parameter for parameter in DATA_PARAMETERS if parameter.name not in ("version", "as_of")]


@routes.get("/runs/{run_id}/result", "run.read", answer="ResultDocument", parameters=[IF_NONE_MATCH])
def get_result(call: Call, services: Container, run_id: str) -> Answer:
    """The whole document that a run of an algorithm has made, whatever its size."""
    result = stored_result(services.lake, call.run)
    headers = {"ETag": f'"{result.document.sha256[:32]}"'}
    if call.client_has(result.document.sha256[:32]):
        return Answer(status=304, headers=headers)
    name = file_name([call.run.project or "", result.algorithm, run_id], None, "json")
    return Answer(content_of(services.lake, result.document), headers=headers, filename=name)


@routes.get("/runs/{run_id}/outputs", "run.read", answer="ResultOutputs")
def list_outputs(call: Call, services: Container, run_id: str) -> Answer:
    """What a run of an algorithm has made: its document, tables and files."""
    result = stored_result(services.lake, call.run)
    tables = {name: services.lake.manifest(key) for name, key in result.tables.items()}
    return Answer(
        {
            "document": {"bytes": result.document.bytes, "sha256": result.document.sha256},
            "tables": [
                {"name": name, "rows": manifest.rows, "schema": [column.model_dump() for column in manifest.columns]}
                for name, manifest in tables.items()
            ],
            "files": [
                {"name": name, "bytes": file.bytes, "sha256": file.sha256} for name, file in result.files.items()
            ],
            "restarts": result.restarts,
            "selected": result.selected,
        }
    )


@routes.get(
    "/runs/{run_id}/files/{name}", "run.read", media_types=("application/octet-stream",), parameters=[IF_NONE_MATCH]
)
def get_result_file(call: Call, services: Container, run_id: str, name: str) -> Answer:
    """A file that a run of an algorithm has made, such as a workbook."""
    result = stored_result(services.lake, call.run)
    if name not in result.files:
        raise NotFound(f"The result has no file {name!r}; it has {', '.join(result.files) or 'none'}.")
    file = result.files[name]
    headers = {"ETag": f'"{file.sha256[:32]}"'}
    if call.client_has(file.sha256[:32]):
        return Answer(status=304, headers=headers)
    # A redirect, since the gateway of an emulator does not carry bytes.
    return Answer(headers=headers, media_type="application/octet-stream", filename=name, stored_key=file.key)


@routes.get(
    "/runs/{run_id}/tables/{name}",
    "run.read",
    answer="DataPage",
    parameters=_ROWS,
    media_types=DATA_MEDIA_TYPES,
    head=True,
)
def get_result_table(call: Call, services: Container, run_id: str, name: str) -> Answer:
    """The rows of a table that a run of an algorithm has made."""
    result = stored_result(services.lake, call.run)
    version = table_version(services.lake, result, name)
    parts = [call.run.project or "", result.algorithm, name, run_id]
    return rows_answer(call, services, ["result", run_id, name], version, parts)


@routes.get(
    "/runs/compare",
    "run.list",
    answer="RunComparison",
    parameters=[Parameter("a", "The id of one run."), Parameter("b", "The id of the other run.")],
)
def compare(call: Call, services: Container) -> Answer:
    """What differs between two runs of an algorithm: inputs, parameters, code, packages, and results."""
    ids = {name: call.query_value(name) for name in ("a", "b")}
    missing = [{"pointer": f"?{name}", "message": "Give the id of a run."} for name, run in ids.items() if not run]
    if missing:
        raise Invalid("Give the ids of two runs, as in ?a=01J…&b=01K….", missing)
    first, second = (readable_run(services, call.principal, run or "") for run in ids.values())
    return Answer(compare_runs(services, first, second))
