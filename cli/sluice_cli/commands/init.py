"""The command that proposes a datasource."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import click

from sluice.domain.names import is_slug
from sluice_cli.blueprints.folder import DESCRIPTION
from sluice_cli.blueprints.yaml_writer import to_yaml, write_yaml
from sluice_cli.connection import connect
from sluice_cli.errors import StepFailed
from sluice_cli.output.formats import output_option, show_document
from sluice_cli.output.messages import echo
from sluice_cli.output.values import printable


@click.command()
@click.argument("url")
@click.option("--bearer", metavar="SECRET", help="Send this secret as a bearer token.")
@click.option("--header", metavar="NAME=SECRET", help="Send a secret as this header, such as X-API-Key=shop.")
@click.option("--param", metavar="NAME=SECRET", help="Send a secret as this query parameter.")
@click.option("--into", type=click.Path(file_okay=False, path_type=Path), help="Write it into this blueprint's folder.")
@output_option()
def init(
    url: str, bearer: str | None, header: str | None, param: str | None, into: Path | None, output: str | None
) -> None:
    """Propose the document of a datasource for the address of an API or file.

    The API requests the address and a second page, and proposes records, fields, keys and pagination, each with its
    reason. Nothing is stored. Secrets are named, as `sluice secrets set NAME` stores them.

    \b
    sluice init https://api.example.com/v1/coins --header X-API-Key=coins --into my-blueprint
    sluice apply my-blueprint
    """  # noqa: D301 - click's mark for lines that are not wrapped
    body: dict[str, Any] = {"url": url}
    if auth := _auth(bearer, header, param):
        body["auth"] = auth
    with connect() as api:
        detection = api.post("/datasources/detect", body)
    for warning in detection["warnings"]:
        echo(f"note: {warning}", err=True)
    if output in ("json", "jsonl"):
        show_document(detection, output)
        return
    text = commented_yaml(detection["document"], detection["reasons"])
    if into is None:
        click.echo(text, nl=False)
    else:
        echo(f"wrote {_write(into, detection['document']['slug'], text)}", err=True)


def _auth(bearer: str | None, header: str | None, param: str | None) -> dict[str, Any] | None:
    """The block `auth` for the options.

    Raises:
        UsageError: more than one is given, or one has no `=`.
    """
    given = [(place, text) for place, text in (("header", header), ("query", param)) if text]
    if len(given) + bool(bearer) > 1:
        raise click.UsageError("--bearer, --header and --param exclude each other.")
    if bearer:
        return {"type": "bearer", "secret": bearer}
    for place, text in given:
        name, separator, secret = text.partition("=")
        if not separator:
            raise click.UsageError(f"{text!r} is not NAME=SECRET.")
        return {"type": "api_key", "in": place, "name": name, "secret": secret}
    return None


def commented_yaml(document: dict[str, Any], reasons: list[dict[str, Any]]) -> str:
    """A document as YAML, with the reason of each field as a comment above it.

    Args:
        document: the document; its slug is left out, since the file's name is the slug.
        reasons: `{"pointer", "reason", "confidence"}`; reasons of inner fields stand above the outermost one.
    """
    lines = []
    for name, value in document.items():
        if name == "slug":
            continue
        lines += [
            printable(" ".join(f"# {reason['confidence']}: {reason['reason']}".split())) + "\n"
            for reason in reasons
            if reason["pointer"].split("/")[1:2] == [name]
        ]
        lines.append(to_yaml({name: value}))
    return "".join(lines)


def _write(folder: Path, slug: str, text: str) -> Path:
    """Write the document into a blueprint's folder, which is made if there is none.

    Raises:
        StepFailed: there is such a datasource in the folder, or the slug cannot be the name of a file.
    """
    if not is_slug(slug):
        raise StepFailed(f"nothing was written, since the API proposed the slug {slug!r}, which no datasource can have")
    file = folder / "datasources" / f"{slug}.yaml"
    if file.exists():
        raise StepFailed(f"{file} exists; move it away, or write into another folder")
    if not (folder / DESCRIPTION).exists():
        write_yaml(folder / DESCRIPTION, "blueprint", to_yaml({"name": folder.resolve().name}))
    write_yaml(file, "datasource", text)
    return file
