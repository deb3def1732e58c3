"""Names, identifiers and times in the one form that the API, the tables and the lake share."""

from __future__ import annotations

import re
import unicodedata
from datetime import UTC, datetime
from typing import Annotated

from pydantic import AwareDatetime, BeforeValidator, StringConstraints
from ulid import ULID

from sluice.patterns import Pattern

SLUG_PATTERN = Pattern(
    r"^[a-z0-9]+(-[a-z0-9]+)*$", "use small letters and digits, with single hyphens between them, such as north-sea"
)
SLUG_MAX = 50
SQL_NAME_PATTERN = Pattern(
    r"^[a-z_][a-z0-9_]{0,62}$", "use up to 63 small letters, digits and _, and no digit at the beginning, such as top_5"
)
SECRET_NAME_PATTERN = Pattern(
    r"^[A-Za-z0-9][A-Za-z0-9_.-]{0,62}$",
    "use up to 63 letters, digits, -, _ and ., the first a letter or digit",
)

Slug = Annotated[str, StringConstraints(max_length=SLUG_MAX), SLUG_PATTERN]
SqlName = Annotated[str, SQL_NAME_PATTERN]
SecretName = Annotated[str, SECRET_NAME_PATTERN]

# Words that DuckDB or Athena parse as syntax even in the place of a table name, and `merged`, which is Sluice's.
RESERVED_SQL_NAMES = frozenset(
    [
        "all",
        "analyse",
        "analyze",
        "and",
        "any",
        "array",
        "as",
        "asc",
        "asymmetric",
        "between",
        "both",
        "case",
        "cast",
        "check",
        "collate",
        "column",
        "constraint",
        "create",
        "cross",
        "current_date",
        "current_time",
        "current_timestamp",
        "default",
        "deferrable",
        "delete",
        "desc",
        "describe",
        "distinct",
        "do",
        "drop",
        "else",
        "end",
        "escape",
        "except",
        "exists",
        "false",
        "fetch",
        "for",
        "foreign",
        "from",
        "full",
        "grant",
        "group",
        "having",
        "in",
        "initially",
        "inner",
        "insert",
        "intersect",
        "into",
        "is",
        "join",
        "lateral",
        "leading",
        "left",
        "like",
        "limit",
        "natural",
        "not",
        "null",
        "offset",
        "on",
        "only",
        "or",
        "order",
        "outer",
        "pivot",
        "placing",
        "primary",
        "qualify",
        "references",
        "returning",
        "right",
        "rows",
        "select",
        "show",
        "some",
        "summarize",
        "symmetric",
        "table",
        "then",
        "to",
        "trailing",
        "true",
        "union",
        "unique",
        "unpivot",
        "update",
        "using",
        "values",
        "variadic",
        "when",
        "where",
        "window",
        "with",
        "merged",
    ]
)


def is_sql_name(text: str) -> bool:
    """Whether the text is a valid name of a table or parameter in SQL."""
    return SQL_NAME_PATTERN.matches(text)


def is_slug(text: str) -> bool:
    """Whether the text is a valid slug."""
    return len(text) <= SLUG_MAX and SLUG_PATTERN.matches(text)


def is_secret_name(text: str) -> bool:
    """Whether the text is a valid name of a secret."""
    return SECRET_NAME_PATTERN.matches(text)


def slug_of(name: str) -> str:
    """Derive a slug from a display name; empty if the name has no letters or digits that ASCII can express."""
    plain = unicodedata.normalize("NFKD", name).encode("ascii", "ignore").decode().lower()
    return re.sub(r"[^a-z0-9]+", "-", plain).strip("-")[:SLUG_MAX].strip("-")


def sql_name_of(slug: str) -> str:
    """The name of a datasource's table in a project's SQL if it has no alias."""
    name = slug.replace("-", "_")
    # SQL names must not begin with a digit or be a reserved word.
    return f"t_{name}" if name[0].isdigit() or name in RESERVED_SQL_NAMES else name


def quoted(name: str) -> str:
    """The name as a quoted SQL identifier."""
    return '"' + name.replace('"', '""') + '"'


def new_run_id() -> str:
    """A new ULID: 26 characters that sort by creation time."""
    return str(ULID())


def is_ulid(text: str) -> bool:
    """Whether the text is a ULID in its canonical form."""
    return re.match(r"^[0-7][0-9A-HJKMNP-TV-Z]{25}$", text) is not None


def now() -> datetime:
    """The current time in UTC."""
    return datetime.now(UTC)


def rfc3339(moment: datetime) -> str:
    """Format a time as RFC 3339 in UTC with `Z`, to the millisecond."""
    return moment.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%S.") + f"{moment.microsecond // 1000:03d}Z"


def parse_time(text: str) -> datetime:
    """Parse a time that has an offset.

    Returns:
        The time in UTC.

    Raises:
        ValueError: the text is not an RFC 3339 time with an offset.
    """
    moment = datetime.fromisoformat(text)
    if moment.tzinfo is None:
        raise ValueError("a time needs an offset, such as Z")
    try:
        return moment.astimezone(UTC)
    except OverflowError:
        raise ValueError("the time is outside the years 1 to 9999") from None


def _parse_moment(value: object) -> datetime:
    """A time in UTC. Pydantic would also take epoch seconds, and times that are outside the years 1 to 9999 in UTC."""
    if isinstance(value, datetime):
        return value
    try:
        return parse_time(str(value))
    except ValueError:
        raise ValueError("give an RFC 3339 time with an offset, such as 2026-01-31T12:00:00Z") from None


# A time as users write it in documents.
Moment = Annotated[AwareDatetime, BeforeValidator(_parse_moment, json_schema_input_type=AwareDatetime)]


def table_of_algorithm(algorithm: str, table: str) -> str:
    """The name of an algorithm's table in SQL: `main` has the algorithm's name."""
    return algorithm if table == "main" else f"{algorithm}_{table}"
