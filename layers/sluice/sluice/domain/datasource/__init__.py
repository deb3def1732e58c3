"""Datasources: the document of each kind is a module here.

A new kind is a module with a subclass of `Datasource` that is imported below, and a package of the same name
in `sluice.sources`, which fetches.
"""

from sluice.domain.datasource.base import (
    Arrival,
    ColumnName,
    Datasource,
    Description,
    DisplayName,
    Disposition,
    is_reserved,
)
from sluice.domain.datasource.file import FileDatasource
from sluice.domain.datasource.http import HttpDatasource
from sluice.domain.datasource.mongo import MongoDatasource
from sluice.domain.datasource.push import PushDatasource
from sluice.domain.datasource.sql import SqlDatasource
from sluice.domain.datasource.stream import StreamDatasource

__all__ = [
    "Arrival",
    "ColumnName",
    "Datasource",
    "Description",
    "DisplayName",
    "Disposition",
    "FileDatasource",
    "HttpDatasource",
    "MongoDatasource",
    "PushDatasource",
    "SqlDatasource",
    "StreamDatasource",
    "is_reserved",
]
