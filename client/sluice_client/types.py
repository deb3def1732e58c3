"""The types of the API's documents. Written by `make generate` from functions/api/openapi.json; do not edit.

Fields of answers that a later release adds are not in them.
"""

from __future__ import annotations

from typing import Any, Literal, NotRequired, TypeAlias, TypedDict


class AcceptedValues(TypedDict):
    """Each value is one of `values`; nulls are ignored."""

    severity: NotRequired[Literal["warn", "error"]]
    type: Literal["accepted_values"]
    column: str
    values: list[str | int | float | bool]


class Acknowledgement(TypedDict):
    """The acknowledgement of an alarm."""

    comment: NotRequired[str | None]


class AlarmView(TypedDict):
    """An alarm of a sensor, from the reading that raised it until the value is back."""

    id: str
    sensor: str
    equipment: str
    site: str | None
    metric: str
    unit: str | None
    kind: Literal["low", "high", "missing"]
    level: Literal["low_low", "low", "high", "high_high", "missing"]
    highest_level: Literal["low_low", "low", "high", "high_high", "missing"]
    limit: float | None
    state: Literal["active", "acknowledged", "cleared"]
    raised_at: str
    value: float | None
    cleared_at: str | None
    acknowledged_at: str | None
    acknowledged_by: str | None
    comment: str | None


class AlarmViewList(TypedDict):
    """One page of a list."""

    items: list[AlarmView]
    next: str | None


class AlgorithmInput(TypedDict):
    """One input of an algorithm."""

    kinds: list[str]
    description: str
    required: bool
    replaces: NotRequired[list[str]]


class AlgorithmRequestView(TypedDict):
    """Everything that decides the result of a run of an algorithm."""

    inputs: dict[str, InputUseView]
    parameters: dict[str, Any]
    seed: int
    layer: str
    code: str | None
    packages: dict[str, str]
    comment: str | None


class AlgorithmStart(TypedDict):
    """A run of an algorithm to start."""

    inputs: NotRequired[dict[str, str | None]]
    parameters: NotRequired[dict[str, Any]]
    seed: NotRequired[int | None]
    force: NotRequired[bool]
    comment: NotRequired[str | None]


class AlgorithmView(TypedDict):
    """An algorithm."""

    name: str
    title: str
    description: str
    inputs: dict[str, AlgorithmInput]
    parameters: dict[str, Any]
    output: dict[str, Any]
    tables: dict[str, str]
    layer: str
    packages: dict[str, str]
    code: str


class AlgorithmViewList(TypedDict):
    """One page of a list."""

    items: list[AlgorithmView]
    next: str | None


class ApiDescription(TypedDict):
    """An OpenAPI document."""

    openapi: str
    info: dict[str, Any]
    servers: list[dict[str, Any]]
    security: list[dict[str, Any]]
    tags: list[dict[str, Any]]
    paths: dict[str, dict[str, Any]]
    components: dict[str, dict[str, Any]]


ApiKeyAuth = TypedDict(
    "ApiKeyAuth", {"type": "Literal['api_key']", "in": "Literal['header', 'query']", "name": "str", "secret": "str"}
)
"""A secret in a header or a query parameter."""


class ApiRoot(TypedDict):
    """The API, and absolute links to its main resources."""

    name: str
    release: str
    docs: str
    redoc: str
    openapi: str
    health: str
    me: str
    datasources: str
    projects: str
    runs: str
    sites: str
    vessels: str
    equipment: str
    operations: str
    sensors: str
    readings: str
    alarms: str
    subscriptions: str
    secrets: str
    users: str
    keys: str


class Assignment(TypedDict):
    """The assignment of a datasource to a project."""

    priority: NotRequired[int]
    alias: NotRequired[str | None]
    optional: NotRequired[bool]


class AssignmentView(TypedDict):
    """The assignment of a datasource to a project."""

    project: str
    datasource: str
    created_at: str
    created_by: str
    etag: str
    priority: int
    alias: str | None
    optional: bool


class AssignmentViewList(TypedDict):
    """One page of a list."""

    items: list[AssignmentView]
    next: str | None


class AuditEntryView(TypedDict):
    """A recorded request."""

    id: str
    time: str
    principal: str | None
    role: Literal["viewer", "editor", "admin"] | None
    view_as: str | None
    action: str | None
    operation: str
    method: str
    path: str
    resource: str
    fields: list[str]
    granted: Literal["viewer", "editor", "admin"] | Literal["viewer", "designer", "editor", "owner"] | None
    version_before: str | None
    version: str | None
    created: str | None
    outcome: Literal["succeeded", "refused", "failed", "unfinished"]
    status: int | None
    error: str | None
    replayed: bool
    source_ip: str
    user_agent: str
    correlation_id: str | None


class AuditEntryViewList(TypedDict):
    """One page of a list."""

    items: list[AuditEntryView]
    next: str | None


class BarSection(TypedDict):
    """A bar for each row; several columns in `y` are drawn side by side."""

    title: NotRequired[str | None]
    sql: str
    format: NotRequired[dict[str, ColumnFormat]]
    x: NotRequired[str | None]
    y: NotRequired[list[str] | None]
    type: Literal["bar"]


class BasicAuth(TypedDict):
    """HTTP Basic: a user name, and a secret as the password."""

    type: Literal["basic"]
    username: str
    secret: str


class BearerAuth(TypedDict):
    """`Authorization: Bearer` with the secret's value."""

    type: Literal["bearer"]
    secret: str


class ChangeCounts(TypedDict):
    """The number of changed records, or parts of a document."""

    added: int
    removed: int
    changed: int


class CheckResult(TypedDict):
    """The result of one request to the upstream."""

    ok: bool
    status: int | None
    elapsed_ms: int
    records: int | None
    reason: str | None


class CitedPage(TypedDict):
    """A page as it was received."""

    hash: str | None
    url: str
    number: int
    run: str
    removed: NotRequired[bool]


class Column(TypedDict):
    """One column of a dataset."""

    name: str
    type: str
    nullable: NotRequired[bool]
    missing: NotRequired[bool]
    wide: NotRequired[bool]
    guessed: NotRequired[bool]
    from_json: NotRequired[bool]


class ColumnFormat(TypedDict):
    """How a report shows the values of a column. The section's CSV has them as they are."""

    unit: NotRequired[str | None]
    decimals: NotRequired[int | None]
    grouping: NotRequired[bool | None]


class ColumnView(TypedDict):
    """A column of rows that are not stored."""

    name: str
    type: str
    nullable: bool


class ConcatenationMerge(TypedDict):
    """One document: a list of the datasources' documents, by rank."""

    strategy: Literal["concatenation"]


class ConsoleConfig(TypedDict):
    """What the console needs to know before anybody has signed in."""

    issuer: str | None
    client_id: str | None
    scope: str


class CostSummaryView(TypedDict):
    """An aggregate of the costs of operations."""

    agg: Literal["avg", "sum", "min", "max", "count"]
    value: str | None
    count: int


class CsvOptions(TypedDict):
    """The CSV dialect. Options that are null are detected in each page or file."""

    delimiter: NotRequired[str | None]
    quote: NotRequired[Literal['"', "'", ""] | None]
    escape: NotRequired[Literal["\\"] | None]
    encoding: NotRequired[str | None]
    decimal: NotRequired[Literal[".", ","] | None]
    null_strings: NotRequired[list[str] | None]
    header: NotRequired[bool | None]
    date_format: NotRequired[str | None]
    timestamp_format: NotRequired[str | None]


class CursorPagination(TypedDict):
    """Each page has a cursor, which is sent to request the next one."""

    max_pages: NotRequired[int | None]
    has_more: NotRequired[str | None]
    stop_when: NotRequired[str | None]
    verify: NotRequired[Literal["never", "on_evidence", "always"]]
    type: Literal["cursor"]
    path: NotRequired[str | None]
    header: NotRequired[str | None]
    param: NotRequired[str | None]
    body_path: NotRequired[str | None]


class DataObject(TypedDict):
    """One Parquet file of a version."""

    key: str
    sha256: str
    bytes: int
    rows: int
    columns: NotRequired[dict[str, str] | None]
    run: NotRequired[str | None]


class DataPage(TypedDict):
    """A page of a version's rows; for a merge of documents, the document is the only item."""

    items: list[JsonValue]
    next: str | None
    version: int
    run: str
    completeness: Literal["complete", "unproven", "stale", "partial"]
    stale: list[StaleInput]
    data_as_of: str


Datasource: TypeAlias = (
    "FileDatasource | HttpDatasource | MongoDatasource | PushDatasource | SqlDatasource | StreamDatasource"
)
"""A datasource; `kind` decides which fields it has."""


class DatasourceStats(TypedDict):
    """Statistics of the calls to an upstream: rates in percent, null without calls."""

    calls: int
    average_success_ms: float | None
    success_rate: float | None
    timeout_rate: float | None
    error_rate: float | None
    first_call: str | None
    last_call: str | None


DatasourceView: TypeAlias = (
    "FileDatasourceView | "
    "HttpDatasourceView | "
    "MongoDatasourceView | "
    "PushDatasourceView | "
    "SqlDatasourceView | "
    "StreamDatasourceView"
)
"""A datasource; `kind` decides which fields it has."""


class DatasourceViewList(TypedDict):
    """One page of a list."""

    items: list[DatasourceView]
    next: str | None


class DeliveryView(TypedDict):
    """The delivery of an event to a webhook, with what its last attempt got."""

    id: str
    event: Literal["version.published", "run.failed", "alarm.raised"]
    event_id: str
    status: Literal["pending", "delivered", "failed"]
    attempts: int
    created_at: str
    attempted_at: str | None
    next_attempt_at: str | None
    response_status: int | None
    error: str | None


class DeliveryViewList(TypedDict):
    """One page of a list."""

    items: list[DeliveryView]
    next: str | None


class DetectRequest(TypedDict):
    """The address of an HTTP API whose datasource shall be detected."""

    url: str
    auth: NotRequired[NoAuth | BearerAuth | BasicAuth | ApiKeyAuth]


class Detection(TypedDict):
    """A proposal for the document of a datasource; nothing is stored."""

    document: Datasource
    reasons: list[DetectionReason]
    warnings: list[str]
    sample: Preview | None
    requests: int


class DetectionReason(TypedDict):
    """Why a field of the proposed document has its value."""

    pointer: str
    reason: str
    confidence: Literal["verified", "likely", "guess"]


Diff = TypedDict(
    "Diff",
    {
        "items": "list[RowChange | DocumentChange]",
        "next": "str | None",
        "from": "int",
        "to": "int",
        "counts": "ChangeCounts",
    },
)
"""One page of the changes between two versions."""


class DiscardedIds(TypedDict):
    """Which quarantined records to delete."""

    ids: list[str]


class DocumentChange(TypedDict):
    """How a part of a merged document changed: its old and its new value."""

    pointer: str
    change: Literal["added", "removed", "changed"]
    value: list[JsonValue]


class DocumentExplanation(TypedDict):
    """The sources of a part of a merged document."""

    pointer: str
    version: int
    value: JsonValue
    rule: str
    winners: list[SourceValue]
    losers: list[SourceValue]
    expression: str | None
    erased: NotRequired[list[Tombstone]]


class Endpoint(TypedDict):
    """An endpoint as a user writes it."""

    sql: str
    description: NotRequired[str | None]
    parameters: NotRequired[dict[str, EndpointParameter]]
    cache_seconds: NotRequired[int]
    max_age_seconds: NotRequired[int | None]
    as_of: NotRequired[str | None]
    public: NotRequired[bool]
    columns: NotRequired[dict[str, str]]


class EndpointFreshness(TypedDict):
    """How old the data of an endpoint with `max_age_seconds` is."""

    max_age_seconds: int
    refreshed_at: str | None
    older_than_promised: bool


class EndpointParameter(TypedDict):
    """A query parameter of an endpoint."""

    type: Literal["integer", "number", "boolean", "string", "date", "datetime"]
    default: NotRequired[str | int | float | bool | None]
    required: NotRequired[bool]
    min: NotRequired[int | float | str | None]
    max: NotRequired[int | float | str | None]
    values: NotRequired[list[str | int | float] | None]
    description: NotRequired[str | None]


class EndpointResult(TypedDict):
    """The rows of a published endpoint."""

    items: list[dict[str, JsonValue]]
    columns: list[ResultColumn]
    truncated: bool
    versions: dict[str, int]
    completeness: Literal["complete", "unproven", "stale", "partial"]
    stale: list[StaleInput]
    version: int | None
    data_as_of: str | None
    freshness: NotRequired[EndpointFreshness | None]


class EndpointView(TypedDict):
    """An endpoint as a user writes it."""

    sql: str
    description: NotRequired[str | None]
    parameters: NotRequired[dict[str, EndpointParameter]]
    cache_seconds: NotRequired[int]
    max_age_seconds: NotRequired[int | None]
    as_of: NotRequired[str | None]
    public: NotRequired[bool]
    columns: NotRequired[dict[str, str]]
    etag: str
    created_at: str
    updated_at: str
    created_by: str
    name: str
    project: str


class EndpointViewList(TypedDict):
    """One page of a list."""

    items: list[EndpointView]
    next: str | None


class Equipment(TypedDict):
    """A piece of equipment, which is at one site at a time."""

    code: str
    name: NotRequired[str | None]
    location: NotRequired[str | None]
    parent: NotRequired[str | None]
    status: NotRequired[Literal["active", "inactive"]]
    site: str


class EquipmentCodes(TypedDict):
    """Pieces of equipment to activate or deactivate together."""

    codes: list[str]


class EquipmentView(TypedDict):
    """A piece of equipment, which is at one site at a time."""

    code: str
    name: NotRequired[str | None]
    location: NotRequired[str | None]
    parent: NotRequired[str | None]
    status: NotRequired[Literal["active", "inactive"]]
    site: str
    etag: str
    created_at: str
    updated_at: str
    created_by: str


class EquipmentViewList(TypedDict):
    """One page of a list."""

    items: list[EquipmentView]
    next: str | None


class Erasure(TypedDict):
    """The erasure that a run does."""

    key_hash: str
    reason: str
    removed: NotRequired[dict[str, int]]


class ErasureRequest(TypedDict):
    """Which record to erase, and why."""

    key: dict[str, JsonValue] | list[JsonValue]
    reason: str
    dry_run: NotRequired[bool]


class ExplainedField(TypedDict):
    """The sources of a merged value."""

    value: JsonValue
    rule: str
    winners: list[SourceValue]
    losers: list[SourceValue]
    expression: str | None
    override: NotRequired[ExplainedOverride]


class ExplainedOverride(TypedDict):
    """A stored override of one field of one record."""

    key: list[str]
    value: Any
    exact: str | None
    reason: str
    created_at: str
    created_by: str


Explanation: TypeAlias = "RecordExplanation | DocumentExplanation"
"""The sources of merged values."""


class FailedRequest(TypedDict):
    """A failed attempt to request a page."""

    at: str
    attempt: int
    status: int | None
    reason: str
    hash: str | None


class Fault(TypedDict):
    """An invalid part of a request or document."""

    pointer: str
    message: str


class FetchedData(TypedDict):
    """The merged data."""

    size: int
    data: JsonValue


class FieldChange(TypedDict):
    """The change of one field of a document."""

    field: str
    old: Any
    new: Any


class FieldRule(TypedDict):
    """How the value of a merged field is chosen among the datasources."""

    rule: Literal[
        "priority",
        "first_non_null",
        "newest",
        "oldest",
        "longest",
        "majority",
        "min",
        "max",
        "sum",
        "mean",
        "count",
        "union",
        "all",
        "constant",
    ]
    by: NotRequired[str | None]
    key: NotRequired[str | None]
    value: NotRequired[str | int | float | bool | None]


class FileDatasource(TypedDict):
    """A datasource of files. Each file is ingested by a run of its own."""

    slug: NotRequired[str]
    name: str
    description: NotRequired[str | None]
    enabled: NotRequired[bool]
    kind: Literal["file"]
    format: NotRequired[Literal["json", "jsonl", "csv", "parquet", "xml", "xlsx"] | None]
    csv: NotRequired[CsvOptions | None]
    xlsx: NotRequired[XlsxOptions | None]
    records: NotRequired[str]
    allow_missing: NotRequired[bool]
    fields: NotRequired[dict[str, str] | None]
    types: NotRequired[dict[str, str]]
    primary_key: NotRequired[list[str] | None]
    write_disposition: NotRequired[Literal["replace", "append", "upsert"] | None]
    schema_contract: NotRequired[Literal["evolve"]]
    incremental: NotRequired[None]
    max_age_seconds: NotRequired[int | None]
    schedule: NotRequired[Schedule | None]
    retention: NotRequired[Retention]


class FileDatasourceView(TypedDict):
    """A datasource of files. Each file is ingested by a run of its own."""

    slug: NotRequired[str]
    name: str
    description: NotRequired[str | None]
    enabled: NotRequired[bool]
    kind: Literal["file"]
    format: NotRequired[Literal["json", "jsonl", "csv", "parquet", "xml", "xlsx"] | None]
    csv: NotRequired[CsvOptions | None]
    xlsx: NotRequired[XlsxOptions | None]
    records: NotRequired[str]
    allow_missing: NotRequired[bool]
    fields: NotRequired[dict[str, str] | None]
    types: NotRequired[dict[str, str]]
    primary_key: NotRequired[list[str] | None]
    write_disposition: NotRequired[Literal["replace", "append", "upsert"] | None]
    schema_contract: NotRequired[Literal["evolve"]]
    incremental: NotRequired[None]
    max_age_seconds: NotRequired[int | None]
    schedule: NotRequired[Schedule | None]
    retention: NotRequired[Retention]
    etag: str
    created_at: str
    updated_at: str
    created_by: str


class Freshness(TypedDict):
    """The data, or the newest time in a column, is at most this old when the run starts."""

    severity: NotRequired[Literal["warn", "error"]]
    type: Literal["freshness"]
    max_age_seconds: int
    column: NotRequired[str | None]


class Health(TypedDict):
    """The health of the platform."""

    status: Literal["ok"]
    version: str


class HistogramSection(TypedDict):
    """The distribution of `x` over `bins` intervals of equal width."""

    title: NotRequired[str | None]
    sql: str
    format: NotRequired[dict[str, ColumnFormat]]
    x: NotRequired[str | None]
    type: Literal["histogram"]
    bins: NotRequired[int]


class HistoryEntryView(TypedDict):
    """One change of a site, of equipment or of a sensor."""

    action: Literal["created", "changed", "deleted"]
    at: str
    by: str
    changes: list[FieldChange]


class HistoryEntryViewList(TypedDict):
    """One page of a list."""

    items: list[HistoryEntryView]
    next: str | None


class HttpDatasource(TypedDict):
    """A datasource that requests an HTTP API, page by page."""

    slug: NotRequired[str]
    name: str
    description: NotRequired[str | None]
    enabled: NotRequired[bool]
    kind: Literal["http"]
    format: NotRequired[Literal["json", "jsonl", "csv", "parquet", "xml", "xlsx"] | None]
    csv: NotRequired[CsvOptions | None]
    xlsx: NotRequired[XlsxOptions | None]
    records: NotRequired[str]
    allow_missing: NotRequired[bool]
    fields: NotRequired[dict[str, str] | None]
    types: NotRequired[dict[str, str]]
    primary_key: NotRequired[list[str] | None]
    write_disposition: NotRequired[Literal["replace", "append", "upsert"] | None]
    schema_contract: NotRequired[Literal["evolve"]]
    incremental: NotRequired[None]
    max_age_seconds: NotRequired[int | None]
    schedule: NotRequired[Schedule | None]
    retention: NotRequired[Retention]
    http: HttpSource


class HttpDatasourceView(TypedDict):
    """A datasource that requests an HTTP API, page by page."""

    slug: NotRequired[str]
    name: str
    description: NotRequired[str | None]
    enabled: NotRequired[bool]
    kind: Literal["http"]
    format: NotRequired[Literal["json", "jsonl", "csv", "parquet", "xml", "xlsx"] | None]
    csv: NotRequired[CsvOptions | None]
    xlsx: NotRequired[XlsxOptions | None]
    records: NotRequired[str]
    allow_missing: NotRequired[bool]
    fields: NotRequired[dict[str, str] | None]
    types: NotRequired[dict[str, str]]
    primary_key: NotRequired[list[str] | None]
    write_disposition: NotRequired[Literal["replace", "append", "upsert"] | None]
    schema_contract: NotRequired[Literal["evolve"]]
    incremental: NotRequired[None]
    max_age_seconds: NotRequired[int | None]
    schedule: NotRequired[Schedule | None]
    retention: NotRequired[Retention]
    http: HttpSource
    etag: str
    created_at: str
    updated_at: str
    created_by: str


class HttpSource(TypedDict):
    """How an HTTP API is requested."""

    url: str
    method: NotRequired[Literal["GET", "POST", "PUT", "DELETE"]]
    headers: NotRequired[dict[str, str]]
    params: NotRequired[dict[str, str | int | float | bool]]
    body: NotRequired[dict[str, Any] | list[Any] | None]
    auth: NotRequired[NoAuth | BearerAuth | BasicAuth | ApiKeyAuth]
    pagination: NotRequired[NoPagination | NextUrlPagination | CursorPagination | OffsetPagination | PagePagination]
    timeout_seconds: NotRequired[int]
    concurrency: NotRequired[int]


class Identity(TypedDict):
    """The caller of a request."""

    id: str
    role: Literal["viewer", "editor", "admin"]
    projects: list[str] | None
    groups: list[str]
    workspace: str
    actions: list[str]


class ImportResultView(TypedDict):
    """What the import of a CSV file has changed, or would change."""

    created: int
    changed: int
    unchanged: int
    stored: bool


class IngestRequest(TypedDict):
    """What an ingest run does; an empty object calls the upstream."""

    replay: NotRequired[int | None]


class InputChange(TypedDict):
    """One difference between two versions of an input."""

    change: str
    pointer: str | None
    old_pointer: str | None
    label: str
    old: JsonValue
    new: JsonValue


InputDiff = TypedDict(
    "InputDiff", {"items": "list[InputChange]", "next": "str | None", "from": "int", "to": "int", "truncated": "bool"}
)
"""The differences between two versions of an input."""


class InputImportView(TypedDict):
    """What was read from a workbook that has no errors."""

    slug: str
    kind: str
    stored: bool
    version: int | None
    document: dict[str, JsonValue] | None
    warnings: list[str]


class InputRequest(TypedDict):
    """A new version of an input."""

    kind: NotRequired[str | None]
    document: dict[str, Any]
    comment: NotRequired[str | None]


class InputSummaryView(TypedDict):
    """An input without its document."""

    slug: str
    kind: str
    version: int
    created_at: str
    created_by: str
    updated_at: str
    updated_by: str
    deleted_at: str | None
    etag: str
    comment: str | None
    hash: str
    size: int
    warnings: list[str]
    restored_from: int | None


class InputSummaryViewList(TypedDict):
    """One page of a list."""

    items: list[InputSummaryView]
    next: str | None


class InputUseView(TypedDict):
    """One input of a run, at one version."""

    reference: str
    kind: str
    hash: str
    input: str | None
    version: int | None
    run: str | None
    dataset: str | None


class InputVersion(TypedDict):
    """A dataset version that a merge read."""

    datasource: str
    version: int
    run: str
    completeness: Literal["complete", "unproven", "stale", "partial"]
    rows: int
    created_at: str
    fingerprint: str
    priority: int
    alias: str
    hash: NotRequired[str | None]


class InputVersionView(TypedDict):
    """What is known of a version of an input."""

    number: int
    comment: str | None
    hash: str
    size: int
    warnings: list[str]
    restored_from: int | None
    created_at: str
    created_by: str
    deleted_at: str | None
    deleted_by: str | None


class InputVersionViewList(TypedDict):
    """One page of a list."""

    items: list[InputVersionView]
    next: str | None


class InputView(TypedDict):
    """One version of an input."""

    document: dict[str, JsonValue] | None
    slug: str
    kind: str
    version: int
    created_at: str
    created_by: str
    updated_at: str
    updated_by: str
    deleted_at: str | None
    etag: str
    comment: str | None
    hash: str
    size: int
    warnings: list[str]
    restored_from: int | None


class JoinMerge(TypedDict):
    """One row per key, with the fields of all datasources."""

    sources: NotRequired[dict[str, Reshape]]
    result: NotRequired[Reshape]
    normalizers: NotRequired[dict[str, list[Literal["nfkc", "case_fold", "trim"]]]]
    strategy: Literal["join"]
    key: list[str]
    fields: NotRequired[dict[str, FieldRule]]
    default_rule: NotRequired[Literal["priority", "first_non_null", "longest", "majority", "min", "max", "all"]]
    join: NotRequired[Literal["full", "left", "inner"]]
    primary: NotRequired[str | None]


JsonValue: TypeAlias = "Any"
"""Any JSON value."""


class KeyRequest(TypedDict):
    """An API key as an admin requests it."""

    name: str
    role: Literal["viewer", "editor", "admin"]
    projects: NotRequired[list[str] | None]
    expires_at: NotRequired[str | None]


class KeyView(TypedDict):
    """An API key, without its secret."""

    last_used_at: str | None
    id: str
    name: str
    role: Literal["viewer", "editor", "admin"]
    projects: list[str] | None
    expires_at: str | None
    old_expires_at: str | None
    created_at: str
    created_by: str


class KeyViewList(TypedDict):
    """One page of a list."""

    items: list[KeyView]
    next: str | None


class LatestReading(TypedDict):
    """The latest reading of a sensor."""

    sensor: str
    time: str
    value: float
    quality: Literal["good", "uncertain", "bad"]


class LatestReadingList(TypedDict):
    """One page of a list."""

    items: list[LatestReading]
    next: str | None


class Limits(TypedDict):
    """When a sensor's values raise alarms. Null: never."""

    low_low: NotRequired[float | None]
    low: NotRequired[float | None]
    high: NotRequired[float | None]
    high_high: NotRequired[float | None]
    deadband: NotRequired[float | None]
    missing_after_seconds: NotRequired[int | None]


class LineSection(TypedDict):
    """A line for each column in `y` over `x`."""

    title: NotRequired[str | None]
    sql: str
    format: NotRequired[dict[str, ColumnFormat]]
    x: NotRequired[str | None]
    y: NotRequired[list[str] | None]
    type: Literal["line"]


class LinkRequest(TypedDict):
    """What a link leads to, and how long it is valid."""

    target: str
    expires_in_seconds: NotRequired[int]


class LinkView(TypedDict):
    """A signed link."""

    id: str
    url: str
    target: str
    created_at: str
    created_by: str
    expires_at: str


class LinkViewList(TypedDict):
    """One page of a list."""

    items: list[LinkView]
    next: str | None


LinkedData: TypeAlias = "DataPage | EndpointResult"
"""The data that a link opens."""


class ManualResult(TypedDict):
    """A result that was made by hand, to be stored as a run."""

    result: dict[str, Any]
    inputs: NotRequired[dict[str, str | None]]
    parameters: NotRequired[dict[str, Any]]
    comment: NotRequired[str | None]


class MarkdownSection(TypedDict):
    """Text in Markdown; HTML in it is escaped."""

    type: Literal["markdown"]
    text: str


class MemberRequest(TypedDict):
    """As what a resource is shared."""

    role: Literal["viewer", "designer", "editor", "owner"]


class MemberView(TypedDict):
    """One principal with whom a resource is shared."""

    etag: str
    principal: str
    role: Literal["viewer", "designer", "editor", "owner"]
    created_at: str
    created_by: str


class MemberViewList(TypedDict):
    """One page of a list."""

    items: list[MemberView]
    next: str | None


class MergePreview(TypedDict):
    """The result of a merge that is tried: its first rows, or the document."""

    items: list[JsonValue]
    schema: list[ColumnView]
    rows: int
    size: NotRequired[int]
    warnings: list[str]
    completeness: Literal["complete", "unproven", "stale", "partial"]
    completeness_reasons: list[str]
    stale: list[StaleInput]
    inputs: list[InputVersion]


MergedRecord: TypeAlias = "dict[str, JsonValue]"
"""One merged record: its values by column."""


class MissingDatasource(TypedDict):
    """A datasource whose data is missing or too old."""

    datasource: str
    error: str


class MissingDatasources(TypedDict):
    """The datasources whose data is missing or too old."""

    size: int
    data: list[MissingDatasource]


class Model(TypedDict):
    """A table defined by SQL."""

    sql: str
    description: NotRequired[str | None]
    tests: NotRequired[list[NotNull | Unique | AcceptedValues | Relationships | Range | RowCount | Freshness | SqlTest]]
    materialize: NotRequired[bool]


class ModelView(TypedDict):
    """A table defined by SQL."""

    sql: str
    description: NotRequired[str | None]
    tests: NotRequired[list[NotNull | Unique | AcceptedValues | Relationships | Range | RowCount | Freshness | SqlTest]]
    materialize: NotRequired[bool]
    etag: str
    created_at: str
    updated_at: str
    created_by: str
    name: str
    project: str
    test_results: TestResults | None


class ModelViewList(TypedDict):
    """One page of a list."""

    items: list[ModelView]
    next: str | None


class MongoDatasource(TypedDict):
    """A datasource that reads a collection of a MongoDB database."""

    slug: NotRequired[str]
    name: str
    description: NotRequired[str | None]
    enabled: NotRequired[bool]
    kind: Literal["mongo"]
    format: NotRequired[Literal["json", "jsonl", "csv", "parquet", "xml", "xlsx"] | None]
    csv: NotRequired[CsvOptions | None]
    xlsx: NotRequired[XlsxOptions | None]
    records: NotRequired[str]
    allow_missing: NotRequired[bool]
    fields: NotRequired[dict[str, str] | None]
    types: NotRequired[dict[str, str]]
    primary_key: NotRequired[list[str] | None]
    write_disposition: NotRequired[Literal["replace", "append", "upsert"] | None]
    schema_contract: NotRequired[Literal["evolve"]]
    incremental: NotRequired[None]
    max_age_seconds: NotRequired[int | None]
    schedule: NotRequired[Schedule | None]
    retention: NotRequired[Retention]
    mongo: MongoSource


class MongoDatasourceView(TypedDict):
    """A datasource that reads a collection of a MongoDB database."""

    slug: NotRequired[str]
    name: str
    description: NotRequired[str | None]
    enabled: NotRequired[bool]
    kind: Literal["mongo"]
    format: NotRequired[Literal["json", "jsonl", "csv", "parquet", "xml", "xlsx"] | None]
    csv: NotRequired[CsvOptions | None]
    xlsx: NotRequired[XlsxOptions | None]
    records: NotRequired[str]
    allow_missing: NotRequired[bool]
    fields: NotRequired[dict[str, str] | None]
    types: NotRequired[dict[str, str]]
    primary_key: NotRequired[list[str] | None]
    write_disposition: NotRequired[Literal["replace", "append", "upsert"] | None]
    schema_contract: NotRequired[Literal["evolve"]]
    incremental: NotRequired[None]
    max_age_seconds: NotRequired[int | None]
    schedule: NotRequired[Schedule | None]
    retention: NotRequired[Retention]
    mongo: MongoSource
    etag: str
    created_at: str
    updated_at: str
    created_by: str


class MongoSource(TypedDict):
    """How MongoDB is queried: the documents of one collection that match a filter, in the order of `_id`."""

    uri: str
    database: str
    collection: str
    filter: NotRequired[dict[str, Any]]
    projection: NotRequired[dict[str, Any] | None]
    ca_certificate: NotRequired[str | None]
    page_documents: NotRequired[int]
    max_time_seconds: NotRequired[int]


class NetworkSection(TypedDict):
    """Nodes at their coordinates, and the links between them: a row for each link."""

    title: NotRequired[str | None]
    sql: str
    format: NotRequired[dict[str, ColumnFormat]]
    type: Literal["network"]
    source: NotRequired[str]
    source_lat: NotRequired[str]
    source_lng: NotRequired[str]
    destination: NotRequired[str]
    destination_lat: NotRequired[str]
    destination_lng: NotRequired[str]
    load: NotRequired[str | None]
    max: NotRequired[float | None]
    source_type: NotRequired[str | None]
    destination_type: NotRequired[str | None]


class NewInput(TypedDict):
    """A new input."""

    kind: NotRequired[str | None]
    document: dict[str, Any]
    comment: NotRequired[str | None]
    slug: str


class NewKey(TypedDict):
    """A key with its secret."""

    last_used_at: str | None
    id: str
    name: str
    role: Literal["viewer", "editor", "admin"]
    projects: list[str] | None
    expires_at: str | None
    old_expires_at: str | None
    created_at: str
    created_by: str
    key: NotRequired[str]


class NewSubscription(TypedDict):
    """A subscription with its signing secret."""

    id: str
    etag: str
    secret_set_at: str
    created_at: str
    created_by: str
    event: Literal["version.published", "run.failed", "alarm.raised"]
    webhook: str
    project: str | None
    datasource: str | None
    site: str | None
    equipment: str | None
    sensor: str | None
    secret: NotRequired[str]


NextUrlPagination = TypedDict(
    "NextUrlPagination",
    {
        "max_pages": "NotRequired[int | None]",
        "has_more": "NotRequired[str | None]",
        "stop_when": "NotRequired[str | None]",
        "verify": "NotRequired[Literal['never', 'on_evidence', 'always']]",
        "type": "Literal['next_url']",
        "path": "NotRequired[str | None]",
        "from": "NotRequired[Literal['link'] | None]",
    },
)
"""Each page has the URL of the next one: in its document or in the `Link` header."""


class NoAuth(TypedDict):
    """No credentials."""

    type: Literal["none"]


class NoPagination(TypedDict):
    """One request returns everything."""

    max_pages: NotRequired[int | None]
    has_more: NotRequired[str | None]
    stop_when: NotRequired[str | None]
    type: Literal["none"]


class NotNull(TypedDict):
    """The column has no nulls."""

    severity: NotRequired[Literal["warn", "error"]]
    type: Literal["not_null"]
    column: str


class OffsetPagination(TypedDict):
    """`offset_param` grows by the number of records received until `total` or a short page is reached."""

    max_pages: NotRequired[int | None]
    has_more: NotRequired[str | None]
    stop_when: NotRequired[str | None]
    verify: NotRequired[Literal["never", "on_evidence", "always"]]
    type: Literal["offset"]
    offset_param: str
    start: NotRequired[int]
    limit_param: NotRequired[str | None]
    limit: NotRequired[int | None]
    total: NotRequired[str | None]


class OperationRequest(TypedDict):
    """An operation on a piece of equipment as a user records it."""

    type: str
    cost: str
    time: NotRequired[str | None]


class OperationView(TypedDict):
    """A recorded operation, which never changes."""

    id: str
    equipment: str
    site: str
    type: str
    cost: str
    time: str
    created_at: str
    created_by: str


class OperationViewList(TypedDict):
    """One page of a list."""

    items: list[OperationView]
    next: str | None


class OverrideRequest(TypedDict):
    """An override as a user writes it."""

    value: JsonValue
    reason: str


class OverrideView(TypedDict):
    """A stored override of one field of one record."""

    etag: str
    field: str
    key: list[str]
    value: Any
    exact: str | None
    reason: str
    created_at: str
    created_by: str


class OverrideViewList(TypedDict):
    """One page of a list."""

    items: list[OverrideView]
    next: str | None


class PageColumn(TypedDict):
    """A column of a page."""

    server_type: str
    type: str | None
    wide: NotRequired[bool]


class PagePagination(TypedDict):
    """`page_param` grows by one until `total_pages` or a short page is reached."""

    max_pages: NotRequired[int | None]
    has_more: NotRequired[str | None]
    stop_when: NotRequired[str | None]
    verify: NotRequired[Literal["never", "on_evidence", "always"]]
    type: Literal["page"]
    page_param: str
    start: NotRequired[int]
    size_param: NotRequired[str | None]
    size: NotRequired[int | None]
    total_pages: NotRequired[str | None]


class PageReceiptView(TypedDict):
    """What is known about one page of a run. It is written after the page's bytes are safe in the lake."""

    failures: list[FailedRequest]
    number: int
    attempt: int
    ok: bool
    url: str
    method: str
    status: int | None
    hash: str | None
    bytes: int
    media_type: str | None
    filename: str | None
    rows: int | None
    total: int | None
    pass_number: int
    check: bool
    replaced: str | None
    fetched_at: str
    etag: str | None
    last_modified: str | None
    open_ended: bool
    older_in_second: int | None
    columns: dict[str, PageColumn] | None
    erased: list[int]


class PageReceiptViewList(TypedDict):
    """One page of a list."""

    items: list[PageReceiptView]
    next: str | None


class PinRequest(TypedDict):
    """Which version of an input the runs of a project take."""

    version: NotRequired[int | None]


class PinView(TypedDict):
    """An input that a project pins."""

    project: str
    input: str
    kind: str
    version: int | None
    current: int
    hash: str
    comment: str | None
    latest: int
    deleted: bool
    etag: str
    created_at: str
    created_by: str


class PinViewList(TypedDict):
    """One page of a list."""

    items: list[PinView]
    next: str | None


class Preview(TypedDict):
    """The first records of a datasource."""

    records: list[dict[str, Any]]
    schema: list[ColumnView]
    pages: int
    warnings: list[str]


class PreviewRequest(TypedDict):
    """The merge to try."""

    merge: NotRequired[UnionMerge | JoinMerge | RecursiveMerge | ConcatenationMerge | None]
    inputs: NotRequired[dict[str, int]]


class Problem(TypedDict):
    """RFC 9457 problem details."""

    type: str
    title: str
    status: int
    detail: str
    instance: NotRequired[str]
    document: NotRequired[dict[str, Any]]
    errors: NotRequired[list[ProblemErrorsItem]]


class ProblemErrorsItem(TypedDict):
    pointer: str
    message: str
    sheet: NotRequired[str]
    row: NotRequired[int | None]
    column: NotRequired[str | None]
    cell: NotRequired[str | None]
    code: NotRequired[int | None]


class Progress(TypedDict):
    """How far a run is within its current stage."""

    stage: str
    current: NotRequired[int]
    total: NotRequired[int | None]
    text: NotRequired[str | None]
    subtasks: NotRequired[Subtasks | None]


class Project(TypedDict):
    """A project as a user writes it."""

    slug: NotRequired[str]
    name: str
    description: NotRequired[str | None]
    enabled: NotRequired[bool]
    merge: NotRequired[UnionMerge | JoinMerge | RecursiveMerge | ConcatenationMerge]
    tests: NotRequired[
        dict[str, list[NotNull | Unique | AcceptedValues | Relationships | Range | RowCount | Freshness | SqlTest]]
    ]
    refresh_on: NotRequired[Literal["change", "schedule", "manual"]]
    schedule: NotRequired[Schedule | None]


class ProjectAlgorithm(TypedDict):
    """How a project runs an algorithm."""

    inputs: NotRequired[dict[str, str | None]]
    parameters: NotRequired[dict[str, Any]]
    seed: NotRequired[int]
    on_refresh: NotRequired[bool]


class ProjectAlgorithmView(TypedDict):
    """How a project runs an algorithm."""

    inputs: NotRequired[dict[str, str | None]]
    parameters: NotRequired[dict[str, Any]]
    seed: NotRequired[int]
    on_refresh: NotRequired[bool]
    etag: str
    created_at: str
    updated_at: str
    created_by: str
    name: str
    project: str


class ProjectAlgorithmViewList(TypedDict):
    """One page of a list."""

    items: list[ProjectAlgorithmView]
    next: str | None


class ProjectFetch(TypedDict):
    """The merged data of a project, and the datasources that are missing from it."""

    result: FetchedData
    errors: MissingDatasources | None


class ProjectView(TypedDict):
    """A project as a user writes it."""

    slug: NotRequired[str]
    name: str
    description: NotRequired[str | None]
    enabled: NotRequired[bool]
    merge: NotRequired[UnionMerge | JoinMerge | RecursiveMerge | ConcatenationMerge]
    tests: NotRequired[
        dict[str, list[NotNull | Unique | AcceptedValues | Relationships | Range | RowCount | Freshness | SqlTest]]
    ]
    refresh_on: NotRequired[Literal["change", "schedule", "manual"]]
    schedule: NotRequired[Schedule | None]
    etag: str
    created_at: str
    updated_at: str
    created_by: str


class ProjectViewList(TypedDict):
    """One page of a list."""

    items: list[ProjectView]
    next: str | None


class PushDatasource(TypedDict):
    """A datasource whose records are posted. A run ingests the batches that are waiting when it starts."""

    slug: NotRequired[str]
    name: str
    description: NotRequired[str | None]
    enabled: NotRequired[bool]
    kind: Literal["push"]
    format: NotRequired[Literal["json", "jsonl", "csv", "parquet", "xml", "xlsx"] | None]
    csv: NotRequired[CsvOptions | None]
    xlsx: NotRequired[XlsxOptions | None]
    records: NotRequired[str]
    allow_missing: NotRequired[bool]
    fields: NotRequired[dict[str, str] | None]
    types: NotRequired[dict[str, str]]
    primary_key: NotRequired[list[str] | None]
    write_disposition: NotRequired[Literal["replace", "append", "upsert"] | None]
    schema_contract: NotRequired[Literal["evolve"]]
    incremental: NotRequired[None]
    max_age_seconds: NotRequired[int | None]
    schedule: NotRequired[Schedule | None]
    retention: NotRequired[Retention]


class PushDatasourceView(TypedDict):
    """A datasource whose records are posted. A run ingests the batches that are waiting when it starts."""

    slug: NotRequired[str]
    name: str
    description: NotRequired[str | None]
    enabled: NotRequired[bool]
    kind: Literal["push"]
    format: NotRequired[Literal["json", "jsonl", "csv", "parquet", "xml", "xlsx"] | None]
    csv: NotRequired[CsvOptions | None]
    xlsx: NotRequired[XlsxOptions | None]
    records: NotRequired[str]
    allow_missing: NotRequired[bool]
    fields: NotRequired[dict[str, str] | None]
    types: NotRequired[dict[str, str]]
    primary_key: NotRequired[list[str] | None]
    write_disposition: NotRequired[Literal["replace", "append", "upsert"] | None]
    schema_contract: NotRequired[Literal["evolve"]]
    incremental: NotRequired[None]
    max_age_seconds: NotRequired[int | None]
    schedule: NotRequired[Schedule | None]
    retention: NotRequired[Retention]
    etag: str
    created_at: str
    updated_at: str
    created_by: str


class PushReceipt(TypedDict):
    """Records that were stored."""

    accepted: int
    run: str | None


class QuarantinedIds(TypedDict):
    """Which quarantined records to take in again."""

    ids: NotRequired[list[str] | None]


class QuarantinedRecord(TypedDict):
    """A record of a stream or file that was refused."""

    id: str
    reason: str
    record: str
    page: str
    position: int
    arrived_at: str | None


class QuarantinedRecordList(TypedDict):
    """One page of a list."""

    items: list[QuarantinedRecord]
    next: str | None


class QueryRequest(TypedDict):
    """A query, and the values of its parameters by name."""

    sql: str
    parameters: NotRequired[dict[str, str | int | float | bool | None]]


class QueryResult(TypedDict):
    """The rows of a query."""

    items: list[dict[str, JsonValue]]
    columns: list[ResultColumn]
    truncated: bool
    versions: dict[str, int]
    completeness: Literal["complete", "unproven", "stale", "partial"]
    stale: list[StaleInput]


class Range(TypedDict):
    """Each value is between `min` and `max`, bounds included; nulls are ignored."""

    severity: NotRequired[Literal["warn", "error"]]
    type: Literal["range"]
    column: str
    min: NotRequired[int | float | str | None]
    max: NotRequired[int | float | str | None]


class ReadingList(TypedDict):
    """One page of the readings or points of several sensors, by sensor and time."""

    items: list[ReadingOfSensor]
    next: str | None
    resolution: Literal["raw", "1m", "1h", "1d"]


class ReadingOfSensor(TypedDict):
    """A reading or point with its sensor."""

    time: str
    value: NotRequired[float]
    quality: NotRequired[Literal["good", "uncertain", "bad"]]
    revision: NotRequired[int]
    avg: NotRequired[float]
    min: NotRequired[float]
    max: NotRequired[float]
    sum: NotRequired[float]
    count: NotRequired[int]
    last: NotRequired[float]
    sensor: str


class ReadingReceipt(TypedDict):
    """What became of posted readings."""

    accepted: int
    refused: list[RefusedReading]
    refused_count: NotRequired[int]


class ReceivedValue(TypedDict):
    """A value of a datasource's row, and where it was received."""

    page: CitedPage | None
    pointer: str
    exact: bool
    expression: str | None
    value: JsonValue
    missing: bool


class RecordExplanation(TypedDict):
    """The sources of each value of a merged record."""

    key: list[JsonValue]
    version: int
    fields: dict[str, ExplainedField]
    erased: NotRequired[list[Tombstone]]


class RecursiveMerge(TypedDict):
    """One document: the objects and lists of all datasources merged recursively."""

    strategy: Literal["recursive"]


class Redirect(TypedDict):
    """The URL of an answer that is too large to be inline, as in the header `Location`."""

    location: str


class RedriveReceipt(TypedDict):
    """What became of quarantined records."""

    accepted: int
    refused: list[StillRefused]
    next: str | None


class RefreshRequest(TypedDict):
    """What a refresh does."""

    ingest: NotRequired[Literal["stale", "all", "none"]]
    dry_run: NotRequired[bool]


class RefusedReading(TypedDict):
    """A reading that was not stored."""

    index: int
    message: str


class Relationships(TypedDict):
    """Each value is in another table's column; nulls are ignored."""

    severity: NotRequired[Literal["warn", "error"]]
    type: Literal["relationships"]
    column: str
    to: str
    field: str


class Report(TypedDict):
    """A report as a user writes it."""

    title: str
    description: NotRequired[str | None]
    sections: list[
        MarkdownSection | TableSection | LineSection | BarSection | ScatterSection | HistogramSection | NetworkSection
    ]


class ReportView(TypedDict):
    """A report as a user writes it."""

    title: str
    description: NotRequired[str | None]
    sections: list[
        MarkdownSection | TableSection | LineSection | BarSection | ScatterSection | HistogramSection | NetworkSection
    ]
    etag: str
    created_at: str
    updated_at: str
    created_by: str
    name: str
    project: str


class ReportViewList(TypedDict):
    """One page of a list."""

    items: list[ReportView]
    next: str | None


class Reshape(TypedDict):
    """Changes of columns and rows, applied in this order: rename, cast, compute, where."""

    rename: NotRequired[dict[str, str]]
    cast: NotRequired[dict[str, str]]
    compute: NotRequired[dict[str, str]]
    where: NotRequired[str | None]


class RestoreRequest(TypedDict):
    """Which version of an input to restore."""

    version: NotRequired[int | None]
    comment: NotRequired[str | None]


class ResultColumn(TypedDict):
    """A column of a query's result."""

    name: str
    type: str


class ResultDocument(TypedDict):
    """The document of a result; its form is the algorithm's `output`."""


class ResultDocumentFile(TypedDict):
    """The document of a result as a file."""

    bytes: int
    sha256: str


class ResultFileView(TypedDict):
    """A file of a result."""

    name: str
    bytes: int
    sha256: str


class ResultOutputs(TypedDict):
    """What a run of an algorithm has made."""

    document: ResultDocumentFile
    tables: list[ResultTableView]
    files: list[ResultFileView]
    restarts: int
    selected: int


class ResultTableView(TypedDict):
    """A table of a result."""

    name: str
    rows: int
    schema: list[Column]


class Retention(TypedDict):
    """How long data is kept; once a day, what is older is removed for good."""

    raw_days: NotRequired[int | None]
    versions: NotRequired[int | None]


class RotationRequest(TypedDict):
    """The options of a rotation."""

    keep_old_seconds: NotRequired[int | None]


class RowChange(TypedDict):
    """How a record changed, with the old and the new value of each changed field."""

    key: list[JsonValue]
    change: Literal["added", "removed", "changed"]
    fields: dict[str, list[JsonValue]]


class RowCount(TypedDict):
    """The number of rows is between `min` and `max`."""

    severity: NotRequired[Literal["warn", "error"]]
    type: Literal["row_count"]
    min: NotRequired[int | None]
    max: NotRequired[int | None]


class RowExplanation(TypedDict):
    """Where each value of a datasource's row was received."""

    version: int
    row: int
    fields: dict[str, ReceivedValue]


class RunComparison(TypedDict):
    """What differs between two runs of an algorithm."""

    a: str
    b: str
    algorithm: str
    same_request: bool
    same_result: bool
    request: list[InputChange]
    result: list[InputChange]
    changes: int
    truncated: bool


class RunEventView(TypedDict):
    """An event in the timeline of a run."""

    time: str
    event: str
    attempt: int
    detail: dict[str, Any]


class RunEventViewList(TypedDict):
    """One page of a list."""

    items: list[RunEventView]
    next: str | None


class RunProblem(TypedDict):
    """Why a run failed: problem details without `instance`."""

    type: str
    title: str
    status: int
    detail: str
    errors: NotRequired[list[Fault]]


class RunView(TypedDict):
    """One run."""

    kind: Literal["ingest", "refresh", "model", "report", "erase", "algorithm", "manual"]
    error: RunProblem | None
    request: AlgorithmRequestView | None
    id: str
    status: Literal["pending", "running", "succeeded", "partial", "failed", "cancelled"]
    attempt: int
    datasource: str | None
    project: str | None
    algorithm: str | None
    trigger: Literal["api", "schedule", "drop", "push", "stream", "change", "refresh", "redrive", "read"]
    created_at: str
    created_by: str
    started_at: str | None
    finished_at: str | None
    progress: Progress | None
    completeness: Literal["complete", "unproven", "stale", "partial"] | None
    completeness_reasons: list[str]
    stale: list[StaleInput]
    sources: list[SourceUse]
    summary: str | None
    version: int | None
    rows: int | None
    bytes: int | None
    requests: int
    fingerprint: str | None
    cost_usd: str | None
    warnings: list[str]
    part: str | None
    dry_run: bool
    erasure: Erasure | None


class RunViewList(TypedDict):
    """One page of a list."""

    items: list[RunView]
    next: str | None


class ScatterSection(TypedDict):
    """A point for each row."""

    title: NotRequired[str | None]
    sql: str
    format: NotRequired[dict[str, ColumnFormat]]
    x: NotRequired[str | None]
    y: NotRequired[list[str] | None]
    type: Literal["scatter"]


class Schedule(TypedDict):
    """When a datasource is ingested or a project is refreshed."""

    expression: str
    timezone: NotRequired[str]


class SecretValue(TypedDict):
    """A secret's value, and where it may be sent."""

    value: str
    hosts: NotRequired[list[str] | None]
    projects: NotRequired[list[str] | None]


class SecretView(TypedDict):
    """A secret without its value."""

    name: str
    etag: str
    hosts: list[str] | None
    projects: list[str] | None
    used_by: list[str]
    created_at: str
    updated_at: str
    created_by: str


class SecretViewList(TypedDict):
    """One page of a list."""

    items: list[SecretView]
    next: str | None


class Sensor(TypedDict):
    """A sensor of a piece of equipment: what it measures, and the limits of its values."""

    id: str
    equipment: str
    metric: str
    unit: NotRequired[str | None]
    limits: NotRequired[Limits]


class SensorReading(TypedDict):
    """A reading, or the point of a rollup: only with the fields that its resolution has and `agg` names."""

    time: str
    value: NotRequired[float]
    quality: NotRequired[Literal["good", "uncertain", "bad"]]
    revision: NotRequired[int]
    avg: NotRequired[float]
    min: NotRequired[float]
    max: NotRequired[float]
    sum: NotRequired[float]
    count: NotRequired[int]
    last: NotRequired[float]


class SensorReadingList(TypedDict):
    """One page of the readings or points of a sensor, by time."""

    items: list[SensorReading]
    next: str | None
    resolution: Literal["raw", "1m", "1h", "1d"]


class SensorView(TypedDict):
    """A sensor of a piece of equipment: what it measures, and the limits of its values."""

    id: str
    equipment: str
    metric: str
    unit: NotRequired[str | None]
    limits: NotRequired[Limits]
    etag: str
    created_at: str
    updated_at: str
    created_by: str


class SensorViewList(TypedDict):
    """One page of a list."""

    items: list[SensorView]
    next: str | None


class Site(TypedDict):
    """A place with equipment: a vessel, a factory or a plant."""

    code: str
    type: Literal["vessel", "factory", "plant"]
    name: NotRequired[str | None]


class SiteCostView(TypedDict):
    """An aggregate of the costs of a site's operations."""

    site: str
    agg: Literal["avg", "sum", "min", "max", "count"]
    value: str | None
    count: int


class SiteCostViewList(TypedDict):
    """One page of a list."""

    items: list[SiteCostView]
    next: str | None


class SiteEquipment(TypedDict):
    """A piece of equipment of a site that the path names."""

    code: str
    name: NotRequired[str | None]
    location: NotRequired[str | None]
    parent: NotRequired[str | None]
    status: NotRequired[Literal["active", "inactive"]]


class SiteView(TypedDict):
    """A place with equipment: a vessel, a factory or a plant."""

    code: str
    type: Literal["vessel", "factory", "plant"]
    name: NotRequired[str | None]
    etag: str
    created_at: str
    updated_at: str
    created_by: str


class SiteViewList(TypedDict):
    """One page of a list."""

    items: list[SiteView]
    next: str | None


class SourceUse(TypedDict):
    """What a refresh did with one datasource."""

    datasource: str
    outcome: Literal["pending", "fetched", "failed", "fresh", "received", "disabled", "not_requested"]
    run: NotRequired[str | None]
    fresh_until: NotRequired[str | None]


class SourceValue(TypedDict):
    """The value in one datasource, and where it was received."""

    page: CitedPage | None
    pointer: str
    exact: bool
    expression: str | None
    value: JsonValue
    datasource: str
    version: int


class SqlDatasource(TypedDict):
    """A datasource that queries a database server, or a SQLite file in the inbox."""

    slug: NotRequired[str]
    name: str
    description: NotRequired[str | None]
    enabled: NotRequired[bool]
    kind: Literal["sql"]
    format: NotRequired[Literal["json", "jsonl", "csv", "parquet", "xml", "xlsx"] | None]
    csv: NotRequired[CsvOptions | None]
    xlsx: NotRequired[XlsxOptions | None]
    records: NotRequired[str]
    allow_missing: NotRequired[bool]
    fields: NotRequired[dict[str, str] | None]
    types: NotRequired[dict[str, str]]
    primary_key: NotRequired[list[str] | None]
    write_disposition: NotRequired[Literal["replace", "append", "upsert"] | None]
    schema_contract: NotRequired[Literal["evolve"]]
    incremental: NotRequired[None]
    max_age_seconds: NotRequired[int | None]
    schedule: NotRequired[Schedule | None]
    retention: NotRequired[Retention]
    sql: SqlSource


class SqlDatasourceView(TypedDict):
    """A datasource that queries a database server, or a SQLite file in the inbox."""

    slug: NotRequired[str]
    name: str
    description: NotRequired[str | None]
    enabled: NotRequired[bool]
    kind: Literal["sql"]
    format: NotRequired[Literal["json", "jsonl", "csv", "parquet", "xml", "xlsx"] | None]
    csv: NotRequired[CsvOptions | None]
    xlsx: NotRequired[XlsxOptions | None]
    records: NotRequired[str]
    allow_missing: NotRequired[bool]
    fields: NotRequired[dict[str, str] | None]
    types: NotRequired[dict[str, str]]
    primary_key: NotRequired[list[str] | None]
    write_disposition: NotRequired[Literal["replace", "append", "upsert"] | None]
    schema_contract: NotRequired[Literal["evolve"]]
    incremental: NotRequired[None]
    max_age_seconds: NotRequired[int | None]
    schedule: NotRequired[Schedule | None]
    retention: NotRequired[Retention]
    sql: SqlSource
    etag: str
    created_at: str
    updated_at: str
    created_by: str


class SqlSource(TypedDict):
    """How a SQL database is queried: a PostgreSQL, MySQL or MariaDB server, or a SQLite file in the inbox."""

    engine: Literal["postgresql", "mysql", "sqlite"]
    host: NotRequired[str | None]
    port: NotRequired[int | None]
    database: NotRequired[str | None]
    user: NotRequired[str | None]
    password: NotRequired[str | None]
    tls: NotRequired[bool]
    verify_certificate: NotRequired[bool]
    ca_certificate: NotRequired[str | None]
    key: NotRequired[str | None]
    query: str
    parameters: NotRequired[dict[str, str | bool | int | float | None]]
    fetch_rows: NotRequired[int]
    statement_timeout_seconds: NotRequired[int]


class SqlTest(TypedDict):
    """A query that returns the rows that are wrong; the test passes if there are none."""

    severity: NotRequired[Literal["warn", "error"]]
    type: Literal["sql"]
    sql: str


class StaleInput(TypedDict):
    """An earlier version that stood in for a datasource that could not be fetched."""

    datasource: str
    version: int
    data_as_of: str
    error: str


class StillRefused(TypedDict):
    """A record that stays in quarantine."""

    id: str
    message: str


class StreamDatasource(TypedDict):
    """A datasource whose records are readings of sensors, as they were sent or rolled up; `time` is a timestamp."""

    slug: NotRequired[str]
    name: str
    description: NotRequired[str | None]
    enabled: NotRequired[bool]
    kind: Literal["stream"]
    format: NotRequired[Literal["json", "jsonl", "csv", "parquet", "xml", "xlsx"] | None]
    csv: NotRequired[CsvOptions | None]
    xlsx: NotRequired[XlsxOptions | None]
    records: NotRequired[str]
    allow_missing: NotRequired[bool]
    fields: NotRequired[dict[str, str] | None]
    types: NotRequired[dict[str, str]]
    primary_key: NotRequired[list[str] | None]
    write_disposition: NotRequired[Literal["replace", "append", "upsert"] | None]
    schema_contract: NotRequired[Literal["evolve"]]
    incremental: NotRequired[None]
    max_age_seconds: NotRequired[int | None]
    schedule: NotRequired[Schedule | None]
    retention: NotRequired[Retention]
    stream: NotRequired[StreamSelection]


class StreamDatasourceView(TypedDict):
    """A datasource whose records are readings of sensors, as they were sent or rolled up; `time` is a timestamp."""

    slug: NotRequired[str]
    name: str
    description: NotRequired[str | None]
    enabled: NotRequired[bool]
    kind: Literal["stream"]
    format: NotRequired[Literal["json", "jsonl", "csv", "parquet", "xml", "xlsx"] | None]
    csv: NotRequired[CsvOptions | None]
    xlsx: NotRequired[XlsxOptions | None]
    records: NotRequired[str]
    allow_missing: NotRequired[bool]
    fields: NotRequired[dict[str, str] | None]
    types: NotRequired[dict[str, str]]
    primary_key: NotRequired[list[str] | None]
    write_disposition: NotRequired[Literal["replace", "append", "upsert"] | None]
    schema_contract: NotRequired[Literal["evolve"]]
    incremental: NotRequired[None]
    max_age_seconds: NotRequired[int | None]
    schedule: NotRequired[Schedule | None]
    retention: NotRequired[Retention]
    stream: NotRequired[StreamSelection]
    etag: str
    created_at: str
    updated_at: str
    created_by: str


class StreamSelection(TypedDict):
    """Which readings become records: those of the sensors that match every list that is given."""

    resolution: NotRequired[Literal["raw", "1m", "1h", "1d"]]
    days: NotRequired[int]
    sites: NotRequired[list[str] | None]
    equipment: NotRequired[list[str] | None]
    metrics: NotRequired[list[str] | None]
    sensors: NotRequired[list[str] | None]


class Subscription(TypedDict):
    """A subscription as a user writes it: a type of event, where it is sent, and which events of the type."""

    event: Literal["version.published", "run.failed", "alarm.raised"]
    webhook: str
    project: NotRequired[str | None]
    datasource: NotRequired[str | None]
    site: NotRequired[str | None]
    equipment: NotRequired[str | None]
    sensor: NotRequired[str | None]


class SubscriptionView(TypedDict):
    """A subscription, without its signing secret."""

    id: str
    etag: str
    secret_set_at: str
    created_at: str
    created_by: str
    event: Literal["version.published", "run.failed", "alarm.raised"]
    webhook: str
    project: str | None
    datasource: str | None
    site: str | None
    equipment: str | None
    sensor: str | None


class SubscriptionViewList(TypedDict):
    """One page of a list."""

    items: list[SubscriptionView]
    next: str | None


class Subtasks(TypedDict):
    """How many of a run's restarts are in which state."""

    total: NotRequired[int]
    pending: NotRequired[int]
    running: NotRequired[int]
    retried: NotRequired[int]
    succeeded: NotRequired[int]
    failed: NotRequired[int]


class TableSection(TypedDict):
    """The rows of a query."""

    title: NotRequired[str | None]
    sql: str
    format: NotRequired[dict[str, ColumnFormat]]
    type: Literal["table"]


class TestResult(TypedDict):
    """The result of a test."""

    test: dict[str, JsonValue]
    severity: Literal["warn", "error"]
    status: Literal["passed", "failed"]
    failures: int
    message: str


class TestResults(TypedDict):
    """The latest results of a model's tests."""

    run: str
    checked_at: str
    results: list[TestResult]


class Tombstone(TypedDict):
    """What stays of an erased record: who erased it, when, why, and what was rewritten."""

    datasource: str
    key_hash: str
    reason: str
    erased_at: str
    erased_by: str
    run: str
    removed: dict[str, int]


class UnionMerge(TypedDict):
    """All rows of all datasources, with `_source`; with a key, one row per key."""

    sources: NotRequired[dict[str, Reshape]]
    result: NotRequired[Reshape]
    normalizers: NotRequired[dict[str, list[Literal["nfkc", "case_fold", "trim"]]]]
    strategy: Literal["union"]
    key: NotRequired[list[str] | None]


class Unique(TypedDict):
    """No two rows have the same values in these columns; nulls are ignored."""

    severity: NotRequired[Literal["warn", "error"]]
    type: Literal["unique"]
    columns: list[str]


class Upload(TypedDict):
    """A file to upload."""

    filename: str


class UploadForm(TypedDict):
    """A form to upload one file with, which is its last field, `file`."""

    url: str
    fields: dict[str, str]


class UserView(TypedDict):
    """A person or an API key, to share with."""

    principal: str
    name: str | None
    email: str | None
    role: NotRequired[Literal["viewer", "editor", "admin"] | None]
    groups: NotRequired[list[str] | None]
    last_seen_at: NotRequired[str | None]


class UserViewList(TypedDict):
    """One page of a list."""

    items: list[UserView]
    next: str | None


class VersionColumn(TypedDict):
    """One column of a dataset."""

    name: str
    type: str
    nullable: bool
    missing: bool
    wide: bool
    guessed: bool
    from_json: bool


class VersionDetail(TypedDict):
    """A version with its inputs, objects and specification."""

    number: int
    rows: int
    bytes: int
    schema: list[VersionColumn]
    completeness: Literal["complete", "unproven", "stale", "partial"]
    completeness_reasons: list[str]
    stale: list[StaleInput]
    run: str
    created_at: str
    data_as_of: str
    fingerprint: str
    inputs: list[InputVersion]
    objects: list[DataObject]
    provenance: list[DataObject]
    document: DataObject | None
    key: list[str] | None
    engine: str
    spec: dict[str, Any]
    warnings: list[str]
    erased: list[Tombstone]
    output_hash: str


class VersionView(TypedDict):
    """A committed version."""

    number: int
    rows: int
    bytes: int
    schema: list[VersionColumn]
    completeness: Literal["complete", "unproven", "stale", "partial"]
    completeness_reasons: list[str]
    stale: list[StaleInput]
    run: str
    created_at: str
    data_as_of: str
    fingerprint: str


class VersionViewList(TypedDict):
    """One page of a list."""

    items: list[VersionView]
    next: str | None


class Vessel(TypedDict):
    """A site of type vessel, as `/vessels` takes it."""

    code: str
    type: NotRequired[Literal["vessel"]]
    name: NotRequired[str | None]


class XlsxOptions(TypedDict):
    """Which sheet of a workbook holds the records."""

    sheet: NotRequired[str | None]
    header_row: NotRequired[int | None]
