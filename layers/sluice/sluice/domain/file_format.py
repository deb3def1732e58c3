"""The formats of pages and files, and their options."""

from __future__ import annotations

import codecs
from typing import Annotated, Literal, Self

from pydantic import AfterValidator, Field, StringConstraints, model_validator

from sluice.domain.base import Document
from sluice.domain.time_format import time_format
from sluice.patterns import Pattern

Format = Literal["json", "jsonl", "csv", "parquet", "xml", "xlsx"]


def _check_encoding(name: str) -> str:
    try:
        codec = codecs.lookup(name)
    except LookupError:
        raise ValueError("unknown encoding; use a name such as utf-8, utf-16, windows-1252 or shift_jis") from None
    if not codec._is_text_encoding:
        raise ValueError("this is not a text encoding")
    return name


def _check_date_format(text: str) -> str:
    time_format(text, "date")
    return text


def _check_timestamp_format(text: str) -> str:
    time_format(text, "timestamp")
    return text


_TimeFormat = Annotated[str, StringConstraints(min_length=1, max_length=100)]


DELIMITER_PATTERN = Pattern(
    r"^[^\r\n\"0-9A-Za-z]$", "give one character that is no letter, digit, quotation mark or line break"
)


class CsvOptions(Document):
    """The CSV dialect. Options that are null are detected in each page or file."""

    delimiter: Annotated[str, DELIMITER_PATTERN] | None = Field(
        None, description="The field delimiter; a space stands for any number of spaces and tabs."
    )
    quote: Literal['"', "'", ""] | None = Field(None, description="The quotation mark; empty: fields are never quoted.")
    escape: Literal["\\"] | None = Field(
        None, description="The escape character for quotation marks in a field; null: they are doubled."
    )
    encoding: Annotated[str, AfterValidator(_check_encoding)] | None = Field(
        None, description="The text encoding, such as utf-8, utf-16, windows-1252 or shift_jis. Null: detected."
    )
    decimal: Literal[".", ","] | None = Field(None, description="The decimal mark of numbers.")
    null_strings: list[Annotated[str, StringConstraints(max_length=100)]] | None = Field(
        None,
        max_length=100,
        description="The texts that mean null, besides an empty field; null: NA and similar ones, in columns of "
        "numbers, dates and booleans.",
    )
    header: bool | None = Field(
        None,
        description="Whether the first line has the column names; if not, they are column_1, column_2, … Null: found "
        "by comparing the first line with those below it.",
    )
    date_format: Annotated[_TimeFormat, AfterValidator(_check_date_format)] | None = Field(
        None, description="How dates are written, in strptime codes such as %d.%m.%Y; null: ISO 8601."
    )
    timestamp_format: Annotated[_TimeFormat, AfterValidator(_check_timestamp_format)] | None = Field(
        None, description="How times are written, in strptime codes such as %d.%m.%Y %H:%M; null: ISO 8601."
    )

    @model_validator(mode="after")
    def _check(self) -> Self:
        if self.delimiter is not None and self.delimiter == self.quote:
            raise ValueError("the delimiter cannot be the quotation mark")
        return self


class XlsxOptions(Document):
    """Which sheet of a workbook holds the records."""

    sheet: Annotated[str, StringConstraints(min_length=1, max_length=31)] | None = Field(
        None, description="The sheet's name; null: the first one."
    )
    header_row: Annotated[int, Field(ge=1, le=1_048_576)] | None = Field(
        None, description="The row with the column names, from 1; null: the first non-empty row."
    )
