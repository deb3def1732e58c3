"""The documents that users write: where each is described, and which model checks it."""

from __future__ import annotations

from dataclasses import dataclass, field

from pydantic import BaseModel

from reference.examples import EXAMPLES, Example
from reference.project_file import ProjectFile
from sluice.domain.algorithm import ProjectAlgorithm
from sluice.domain.assets.equipment import Equipment
from sluice.domain.assets.operation import OperationRequest
from sluice.domain.assets.sensor import Sensor
from sluice.domain.assets.site import Site
from sluice.domain.datasource import Datasource
from sluice.domain.endpoint import Endpoint
from sluice.domain.model import Model
from sluice.domain.report import Report
from sluice_cli.blueprints.description import BlueprintDescription
from sluice_cli.blueprints.input_file import InputFile


@dataclass(frozen=True)
class DocumentPage:
    """The page of one document.

    Args:
        name: the page's file name without its suffix.
        title: the heading.
        introduction: Markdown below the heading.
        model: the pydantic model.
        inherited: fields that another page describes.
    """

    name: str
    title: str
    introduction: str
    model: type[BaseModel]
    inherited: frozenset[str] = field(default_factory=frozenset)

    @property
    def examples(self) -> tuple[Example, ...]:
        """The examples of the document, each valid."""
        return EXAMPLES.get(self.name, ())


_SHARED = frozenset(Datasource.model_fields)
_KIND = (
    "A datasource of the kind `{kind}` has the fields below, besides those of [every datasource](datasource.md). "
    "{more}In a blueprint, it is a file in `datasources/`, and the file's name is the slug."
)
_MORE = {
    "http": "[Pagination](../pagination.md) explains how pages are requested. ",
    "sql": "[SQL databases](../databases.md) explains how a database is read. ",
    "mongo": "[MongoDB](../mongodb.md) explains how a collection is read. ",
    "file": "It has no block of its own. [Formats](../formats.md) explains how files are read. ",
    "stream": "Its records are readings of sensors, which projects, models, reports and endpoints read like others. ",
    "push": "It has no block of its own. ",
}


def _kinds() -> tuple[DocumentPage, ...]:
    return tuple(
        DocumentPage(
            f"datasource-{kind}",
            f"Datasource of the kind {kind}",
            _KIND.format(kind=kind, more=_MORE.get(kind, "")),
            model,
            _SHARED - {"kind"},
        )
        for kind, model in Datasource.KINDS.items()
    )


def _in_blueprint(folder: str, name: str = "name") -> str:
    return f"In a blueprint, it is a file in `{folder}/`, and the file's name is the {name}."


# An object that several documents have is described on the first page, and the others link to it.
PAGES: tuple[DocumentPage, ...] = (
    DocumentPage(
        "datasource",
        "Fields of every datasource",
        "A datasource describes where data comes from and how it is read. `kind` decides how the data arrives, and "
        "which further fields the document has: [`http`](datasource-http.md), [`sql`](datasource-sql.md), "
        "[`mongo`](datasource-mongo.md), [`stream`](datasource-stream.md), [`file`](datasource-file.md) and "
        "[`push`](datasource-push.md). The API takes "
        "it with `PUT /datasources/{slug}`.",
        Datasource,
    ),
    *_kinds(),
    DocumentPage(
        "project",
        "Project",
        "A project merges datasources into one dataset, and has models, reports and endpoints. The API takes it with "
        "`PUT /projects/{slug}`, and assignments of datasources with `PUT /projects/{slug}/datasources/{datasource}`. "
        "In a blueprint, it is a file in `projects/`, whose name is the slug, and `datasources` has the assignments.",
        ProjectFile,
    ),
    DocumentPage(
        "model",
        "Model",
        "A model is a table that SQL computes from a project's tables. The API takes it with "
        f"`PUT /projects/{{slug}}/models/{{name}}`. {_in_blueprint('models')} See [SQL](../sql.md#models).",
        Model,
    ),
    DocumentPage(
        "algorithm",
        "Algorithm of a project",
        "How a project runs an algorithm. The API takes it with `PUT /projects/{slug}/algorithms/{name}`; "
        "`GET /algorithms` lists the algorithms with their inputs and parameters. "
        f"{_in_blueprint('algorithms', 'name of the algorithm')}",
        ProjectAlgorithm,
    ),
    DocumentPage(
        "report",
        "Report",
        "A report is a page of text, tables and charts. The API takes it with "
        f"`PUT /projects/{{slug}}/reports/{{name}}`. {_in_blueprint('reports')} See [SQL](../sql.md#reports).",
        Report,
    ),
    DocumentPage(
        "endpoint",
        "Endpoint",
        "An endpoint publishes a query under its own address. The API takes it with "
        f"`PUT /projects/{{slug}}/endpoints/{{name}}`. {_in_blueprint('endpoints')} See "
        "[SQL](../sql.md#published-endpoints).",
        Endpoint,
    ),
    DocumentPage(
        "input",
        "Input",
        "An input is a versioned document for algorithms. The API takes `kind`, `document` and `comment` with "
        f"`PUT /inputs/{{slug}}`. {_in_blueprint('inputs', 'slug')} See [Inputs](../../how-to/inputs.md).",
        InputFile,
    ),
    DocumentPage(
        "site",
        "Site",
        "A site is a place with equipment: a vessel, a factory or a plant. The API takes it with `PUT /sites/{code}`. "
        f"{_in_blueprint('sites', 'code')} See [Vessels and sensors](../../how-to/vessels-and-sensors.md).",
        Site,
    ),
    DocumentPage(
        "equipment",
        "Equipment",
        "A piece of equipment is at one site at a time. The API takes it with `PUT /equipment/{code}`. "
        f"{_in_blueprint('equipment', 'code')} See [Vessels and sensors](../../how-to/vessels-and-sensors.md).",
        Equipment,
    ),
    DocumentPage(
        "sensor",
        "Sensor",
        "A sensor belongs to a piece of equipment and measures one metric. The API takes it with "
        f"`PUT /sensors/{{id}}`. {_in_blueprint('sensors', 'id')} See "
        "[Vessels and sensors](../../how-to/vessels-and-sensors.md).",
        Sensor,
    ),
    DocumentPage(
        "operation",
        "Operation",
        "An operation is what was done on a piece of equipment, and what it cost. The API takes it with "
        "`POST /equipment/{code}/operations`; it never changes. See "
        "[Vessels and sensors](../../how-to/vessels-and-sensors.md#record-operations-and-their-costs).",
        OperationRequest,
    ),
    DocumentPage(
        "blueprint",
        "Blueprint",
        "A blueprint is a folder of YAML files. `blueprint.yaml` has the fields below. The other files are documents: "
        "[datasources](datasource.md) in `datasources/`, [projects](project.md) in `projects/`, [models](model.md) in "
        "`models/`, [algorithms](algorithm.md) in `algorithms/`, [reports](report.md) in `reports/`, "
        "[endpoints](endpoint.md) in `endpoints/`, [sites](site.md) in `sites/`, [equipment](equipment.md) in "
        "`equipment/`, and [sensors](sensor.md) in `sensors/`. In values, `${NAME}` is an environment variable, and "
        "`${NAME:-text}` has a default. See [Blueprints](../blueprints.md).",
        BlueprintDescription,
    ),
)
