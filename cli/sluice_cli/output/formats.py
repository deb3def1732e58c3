"""The formats of `-o`. A new one is a function and its entry in `FORMATS`."""

from __future__ import annotations

import csv
import io
import json
import re
import sys
from collections.abc import Callable, Sequence
from typing import Any, TypeVar

import click

from sluice_cli.output.messages import echo
from sluice_cli.output.values import Row, columns_of, is_number, plain_text, printable, text_of

_RAW_CONTROL = re.compile("[\x7f-\x9f]")
F = TypeVar("F", bound=Callable[..., Any])
# Longer words are broken in tables.
_MOST_WORD = 60
_WIDEST = 10_000


def _table(rows: Sequence[Row], columns: Sequence[str]) -> str:
    from rich.console import Console
    from rich.measure import Measurement
    from rich.table import Table
    from rich.text import Text

    table = Table()
    for name in columns:
        values = [row.get(name) for row in rows if row.get(name) is not None]
        numeric = bool(values) and all(map(is_number, values))
        texts = [text_of(value) for value in values]
        is_short = all(len(word) <= _MOST_WORD for text in texts for word in text.split())
        table.add_column(
            Text(printable(name)),
            justify="right" if numeric else "left",
            overflow="fold",
            no_wrap=is_short and not any(" " in text for text in texts),
            max_width=None if is_short else _MOST_WORD,
        )
    for row in rows:
        table.add_row(*(Text(printable(text_of(row.get(name), "–"))) for name in columns))
    console = Console(highlight=False)
    # Ids, times and addresses stay whole, so that they can be copied: rather a table wider than the terminal.
    least = Measurement.get(console, console.options.update(width=_WIDEST), table).minimum
    console.width = max(console.width, least)
    with console.capture() as capture:
        console.print(table if rows else "no rows")
    return capture.get()


def _plain(rows: Sequence[Row], columns: Sequence[str]) -> str:
    return "".join("\t".join(plain_text(row.get(name)) for name in columns) + "\n" for row in rows)


def _json(rows: Sequence[Row], columns: Sequence[str]) -> str:
    return json_text(list(rows), indent=2) + "\n"


def _jsonl(rows: Sequence[Row], columns: Sequence[str]) -> str:
    return "".join(json_text(row) + "\n" for row in rows)


def _csv(rows: Sequence[Row], columns: Sequence[str]) -> str:
    if not columns:
        return ""
    text = io.StringIO()
    writer = csv.writer(text, lineterminator="\n")
    writer.writerow(map(_cell, columns))
    writer.writerows([_cell(row.get(name)) for name in columns] for row in rows)
    return text.getvalue()


def _cell(value: Any) -> str:
    """A value for a cell of CSV: a text that a spreadsheet would run as a formula is quoted, as in the API's CSV."""
    from sluice.reads.csv_text import escape_formula

    return escape_formula(value) if isinstance(value, str) and not is_number(value) else text_of(value)


def _yaml(rows: Sequence[Row], columns: Sequence[str]) -> str:
    return yaml_text(list(rows))


FORMATS: dict[str, Callable[[Sequence[Row], Sequence[str]], str]] = {
    "table": _table,
    "json": _json,
    "jsonl": _jsonl,
    "csv": _csv,
    "yaml": _yaml,
}
# Without `-o`, when the output is no terminal: for `cut`, `awk` and `while read`.
PLAIN = "plain"


def json_text(value: Any, indent: int | None = None) -> str:
    """A JSON value as JSON, on one line without `indent`.

    The control characters that JSON allows within texts are written as escapes: a terminal would obey them.
    """
    text = json.dumps(value, indent=indent, ensure_ascii=False)
    return _RAW_CONTROL.sub(lambda character: f"\\u{ord(character[0]):04x}", text)


def yaml_text(value: Any) -> str:
    """A JSON value as YAML, its fields in their order."""
    import yaml

    text: str = yaml.safe_dump(value, sort_keys=False, allow_unicode=True, default_flow_style=False, width=100)
    return text


_DEFAULT_FORMAT = "The format; default: a table on a terminal, tab-separated values otherwise."


def output_option(*more: str, about: str = _DEFAULT_FORMAT) -> Callable[[F], F]:
    """The option `-o`, whose value is null if it is not given.

    Args:
        more: further formats of a command.
        about: the help text.
    """
    return click.option(
        "-o",
        "--output",
        type=click.Choice([*FORMATS, *more]),
        help=about,
    )


def is_terminal() -> bool:
    """Whether the output goes to a terminal."""
    return sys.stdout.isatty()


def show_rows(rows: Sequence[Row], output: str | None, columns: Sequence[str] | None = None) -> None:
    """Print rows.

    Args:
        rows: JSON objects.
        output: the format; null for a table on a terminal, and tab-separated values otherwise.
        columns: the columns of a table, of CSV and of tab-separated values; default: all.
    """
    click.echo(rows_text(rows, output, columns), nl=False)


def rows_text(rows: Sequence[Row], output: str | None, columns: Sequence[str] | None = None) -> str:
    """Rows in a format; the arguments are those of `show_rows`."""
    write = FORMATS[output] if output else (_table if is_terminal() else _plain)
    return write(rows, list(columns or columns_of(rows)))


def show_document(document: Any, output: str | None) -> None:
    """Print one document: as YAML, unless another format is asked for.

    Args:
        document: a JSON value.
        output: the format; `table` and `csv` have one line for each field.
    """
    if output in (None, "yaml") and isinstance(document, dict | list):
        click.echo(yaml_text(document), nl=False)
    elif output == "json":
        click.echo(json_text(document, indent=2))
    elif output == "jsonl":
        click.echo(json_text(document))
    elif isinstance(document, dict):
        show_rows([{"field": name, "value": value} for name, value in document.items()], output)
    else:
        echo(text_of(document))
