"""The Python client of Sluice.

    from sluice_client import Sluice

    with Sluice() as sluice:
        frame = sluice.project("top-coins").to_polars()

`sluice_client.types` has the types of the API's documents.
"""

from sluice_client._algorithms import Algorithm
from sluice_client._client import Sluice
from sluice_client._connection import segment
from sluice_client._datasources import Datasource
from sluice_client._errors import (
    ApiError,
    AuthenticationError,
    ConfigurationError,
    Conflict,
    Fault,
    InvalidName,
    InvalidResponse,
    MissingDependency,
    NotFound,
    PayloadTooLarge,
    PermissionDenied,
    PreconditionFailed,
    PushInterrupted,
    RateLimited,
    RunError,
    RunFailed,
    RunTimeout,
    ServerError,
    SluiceError,
    Unreachable,
    ValidationError,
)
from sluice_client._handles import Selection
from sluice_client._inputs import Input
from sluice_client._projects import Diff, Endpoint, FetchResult, Model, Project
from sluice_client._push import PushResult
from sluice_client._result import Result
from sluice_client._runs import ResultTable, Run
from sluice_client._sensors import Period, Readings, Sensor, SentReadings
from sluice_client._version import __version__

__all__ = [
    "Algorithm",
    "ApiError",
    "AuthenticationError",
    "ConfigurationError",
    "Conflict",
    "Datasource",
    "Diff",
    "Endpoint",
    "Fault",
    "FetchResult",
    "Input",
    "InvalidName",
    "InvalidResponse",
    "MissingDependency",
    "Model",
    "NotFound",
    "PayloadTooLarge",
    "Period",
    "PermissionDenied",
    "PreconditionFailed",
    "Project",
    "PushInterrupted",
    "PushResult",
    "RateLimited",
    "Readings",
    "Result",
    "ResultTable",
    "Run",
    "RunError",
    "RunFailed",
    "RunTimeout",
    "Selection",
    "Sensor",
    "SentReadings",
    "ServerError",
    "Sluice",
    "SluiceError",
    "Unreachable",
    "ValidationError",
    "__version__",
    "segment",
]

# Tracebacks and `repr` show where the names are imported from: sluice_client.NotFound.
for _name in __all__:
    if not _name.startswith("__"):
        globals()[_name].__module__ = __name__
