"""The command that tries a datasource."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import click

from sluice_cli.completion import DATASOURCE
from sluice_cli.connection import connect
from sluice_cli.errors import StepFailed
from sluice_cli.output.formats import output_option, show_document, show_rows
from sluice_cli.output.messages import echo
from sluice_client import segment


@click.command()
@click.argument("datasource", type=DATASOURCE)
@click.option("--pages", type=click.IntRange(1), default=1, show_default=True, help="Pages to request.")
@click.option("--schema", is_flag=True, help="Show the columns and their types instead of the records.")
@output_option()
def preview(datasource: str, pages: int, schema: bool, output: str | None) -> None:
    """Show the first records of a datasource; nothing is stored.

    DATASOURCE is a slug, or a YAML or JSON file with the document of a datasource that is not saved.
    """
    params = {"pages": pages}
    with connect() as api:
        if Path(datasource).suffix in (".yaml", ".yml", ".json"):
            answer = api.request("POST", "/datasources/preview", params=params, json=_document(Path(datasource))).json()
        else:
            path = f"/datasources/{segment(datasource)}/preview"
            answer = api.request("POST", path, params=params).json()
    for warning in answer.get("warnings", []):
        echo(f"note: {warning}", err=True)
    if output in ("json", "yaml") and not schema:
        show_document(answer, output)
        return
    show_rows(answer["schema"] if schema else answer["records"], output)


def _document(file: Path) -> dict[str, Any]:
    """The document in a file.

    Raises:
        StepFailed: it cannot be read.
    """
    from sluice_cli.blueprints.yaml_file import YamlFile

    read = YamlFile(file)
    if read.faults:
        raise StepFailed("\n".join(str(fault) for fault in read.faults))
    return read.document
