"""Every setting of Sluice: its environment variable, its default, and what it does.

A setting's variable is its name in capitals. Functions read them once per process.
"""

from __future__ import annotations

import os
from collections.abc import Mapping

from pydantic import BaseModel, ConfigDict, Field


class Settings(BaseModel):
    """The typed settings; an unusable value fails the start of the process, not a request."""

    model_config = ConfigDict(frozen=True)

    workspace: str = Field("main", description="The workspace that every key begins with.")
    stack: str = Field("sluice", description="The stack's name; prefix of its SSM parameters.")
    definitions_table: str = Field("", description="Table of all that users write, but API keys.")
    access_table: str = Field("", description="Table of API keys.")
    assignments_table: str = Field("", description="Table of datasources assigned to projects.")
    runs_table: str = Field("", description="Table of runs.")
    pages_table: str = Field("", description="Table of page receipts.")
    datasets_table: str = Field("", description="Table of published pointers.")
    versions_table: str = Field("", description="Table of versions.")
    batches_table: str = Field("", description="Table of pushed records that wait to be drained.")
    locks_table: str = Field("", description="Table of locks, idempotent answers and buckets.")
    inbox_bucket: str = Field("", description="Bucket that files are dropped into.")
    lake_bucket: str = Field("", description="Bucket of the lake.")
    undelivered_queue: str = Field(
        "", description="URL of the queue of events that a function failed on; empty: the sweep reads none."
    )
    glue_database: str = Field("", description="Glue database of the tables over published datasets; empty: none.")
    workflow_prefix: str = Field("", description="What the ARNs of the state machines begin with, up to the workflow.")
    schedule_group: str = Field("", description="EventBridge Scheduler group of this stack.")
    scheduled_function: str = Field("", description="ARN of the function that schedules call.")
    schedule_role: str = Field("", description="ARN of the role with which schedules call it.")
    public_url: str = Field("", description="Address of the API in links, ending in /v1; empty: the gateway's own.")
    public_s3_url: str = Field("", description="Address of S3 in presigned links; empty: AWS's own.")
    aws_endpoint_url: str = Field("", description="Address of an emulator of AWS, which sets it itself; empty: AWS.")
    emulated: bool = Field(False, description="The stack runs on an emulator, whose API addresses have paths.")
    aws_sam_local: bool = Field(False, description="The function runs in a container of SAM; SAM sets it itself.")
    jwt_issuer: str = Field("", description="Issuer of the JSON Web Tokens that are taken; empty: none are.")
    jwt_audience: str = Field("", description="Audience that a token must name, such as the client's id.")
    jwt_jwks_url: str = Field("", description="Address of the issuer's keys; empty: its /.well-known/jwks.json.")
    jwt_role_claim: str = Field("cognito:groups", description="Claim that names viewer, editor or admin.")
    jwt_leeway_seconds: int = Field(5, description="How far the issuer's clock may be off.")
    jwks_seconds: int = Field(3600, description="How long the issuer's keys are kept.")
    cors_origins: str = Field("", description="Origins allowed by CORS, separated by commas; * for all.")
    private_networks: str = Field(
        "", description="Networks, as CIDR separated by commas, that datasources may call although they are not public."
    )
    lease_seconds: int = Field(900, description="How long a run may be silent before it counts as lost.")
    lost_run_attempts: int = Field(
        5, description="Attempts of a drop's or push's run that is lost with its machine; it is redriven until then."
    )
    max_active_ingests: int = Field(
        8, description="Most runs of dropped files that are active at a time; further ones wait, the oldest first."
    )
    sweep_seconds: float = Field(
        30.0, description="Longest that a sweep takes up lost files of the inbox, and as long undelivered events."
    )
    sweep_messages: int = Field(
        100, description="Most undelivered events that a sweep takes up; the next sweep takes up the others."
    )
    sweep_files: int = Field(
        20_000, description="Most files of the inbox that a sweep looks at; the next sweep goes on after them."
    )
    run_days: int = Field(400, description="How long runs and page receipts stay in the catalog.")
    idempotency_hours: int = Field(24, description="How long an Idempotency-Key replays its answer.")
    max_request_bytes: int = Field(3_000_000, description="Largest request body that the API takes.")
    max_inline_bytes: int = Field(4_000_000, description="Largest answer given inline; a larger one is a redirect.")
    presigned_seconds: int = Field(900, description="How long a presigned address is valid.")
    page_limit: int = Field(50, description="Items of a list when no limit is given.")
    max_page_limit: int = Field(200, description="Most items of a list that a client may ask for.")
    max_wait_seconds: int = Field(20, description="Longest wait that Prefer: wait=N is granted.")
    max_waiting_calls: int = Field(
        20, description="Most calls that wait for a run at a time; further ones are answered at once, with 202."
    )
    max_page_bytes: int = Field(100_000_000, description="Largest upstream answer, decompressed.")
    max_drop_bytes: int = Field(1_000_000_000, description="Largest file that a drop may have.")
    max_document_bytes: int = Field(
        100_000_000, description="Largest document that is read at once: JSON, a line of JSON lines, XML, a workbook."
    )
    max_document_memory: int = Field(
        2_000_000_000,
        description="Most memory that a document read at once may take by estimate: JSON, a line of JSON lines or CSV, "
        "XML, the texts of a workbook.",
    )
    max_cells: int = Field(20_000_000, description="Most cells of a workbook's sheet, empty ones within it included.")
    max_directory_bytes: int = Field(
        32_000_000, description="Largest directory of a zip archive or workbook, and largest footer of a Parquet file."
    )
    max_unpacked_bytes: int = Field(
        1_000_000_000,
        description="Largest page or file once unpacked from gzip or zip; of Parquet, most bytes decoded at once.",
    )
    max_decoded_bytes: int = Field(
        2_500_000_000, description="Most bytes of text, lists and bytes that a Parquet file may have once decoded."
    )
    sql_page_bytes: int = Field(8_000_000, description="A page of a SQL source ends once it has so many bytes.")
    mongo_page_bytes: int = Field(8_000_000, description="A page of a MongoDB ends once it has so many bytes.")
    mongo_connect_seconds: float = Field(
        15.0, description="Longest that a connection to one host of a MongoDB is waited for."
    )
    sql_connect_seconds: float = Field(15.0, description="Longest that a SQL source waits for a connection.")
    max_pages: int = Field(10_000, description="Most pages of a run when the datasource sets no max_pages.")
    max_concurrency: int = Field(
        16, description="Most requests at a time of one run, whatever its datasource's http.concurrency says."
    )
    max_pending_bytes: int = Field(
        64_000_000, description="Most bytes of pages that a run asks for ahead, and that wait to be stored."
    )
    tell_seconds: float = Field(
        2.0, description="How often fetch writes receipts and progress, and finds out whether its run was cancelled."
    )
    max_verification_passes: int = Field(
        1, description="How often an attempt of a run may read all pages again, to prove that it missed nothing."
    )
    max_compared_records: int = Field(
        20_000_000, description="Most records of a run whose pages are compared; beyond it the run is unproven."
    )
    max_columns: int = Field(2_000, description="Most columns that a dataset may have.")
    max_version_objects: int = Field(
        100, description="Parquet files of an appended dataset beyond which they are written into one."
    )
    max_nesting: int = Field(200, description="Deepest nesting of JSON that is read.")
    fetch_attempts: int = Field(5, description="Tries of one request before a page counts as failed.")
    fetch_backoff_seconds: float = Field(1.0, description="Longest first pause between tries; doubles each time.")
    fetch_max_backoff_seconds: float = Field(30.0, description="Longest pause between tries.")
    fetch_max_retry_after_seconds: float = Field(120.0, description="Longest Retry-After that is waited for.")
    fetch_reserve_seconds: float = Field(45.0, description="Time left at which fetch hands over to its next call.")
    probe_seconds: float = Field(20.0, description="Longest that check and preview wait for an upstream.")
    preview_records: int = Field(100, description="Most records that a preview shows.")
    preview_pages: int = Field(10, description="Most pages that a preview may ask for.")
    restore_days: int = Field(30, description="How long a deleted datasource can be restored.")
    extract_reserve_seconds: float = Field(
        60.0, description="Time left at which extract gives up, since calling it again would take as long."
    )
    keep_failed_answers: int = Field(10, description="Failed answers of one page that are listed in its receipt.")
    duckdb_memory: str = Field("2GB", description="DuckDB's memory_limit in a stage.")
    extract_memory: str = Field(
        "600MB", description="DuckDB's memory_limit while pages are read: what is more waits on the disk."
    )
    extract_part_bytes: int = Field(
        256_000_000,
        gt=0,
        description="Bytes of a run's pages beyond which they are read in parts of about so many, side by side.",
    )
    duckdb_threads: int = Field(2, description="DuckDB's threads in a stage.")
    merge_partition_rows: int = Field(
        10_000_000,
        gt=0,
        description="Rows of all datasources beyond which a merge is done in parts of about so many, side by side.",
    )
    merge_partition_bytes: int = Field(
        300_000_000, gt=0, description="Bytes of the datasources' Parquet beyond which a merge is done in parts."
    )
    query_seconds: float = Field(15.0, description="Longest that a query of a user may run.")
    query_memory: str = Field("512MB", description="DuckDB's memory_limit in a query of a user.")
    sandbox_memory: str = Field(
        "400MB",
        description="Resident memory that the process of queries and models may take besides a query's or model's own.",
    )
    query_bytes: int = Field(100_000_000, description="Most bytes that the rows of a query may have as JSON.")
    query_rows: int = Field(10_000, description="Most rows that an answer has; more are cut off, and it says so.")
    query_most_rows: int = Field(100_000, description="Most rows that a query may give at all.")
    max_models: int = Field(20, description="Most models of a project: all are published in one transaction.")
    max_reports: int = Field(10, description="Most reports of a project, as of models.")
    max_endpoints: int = Field(100, description="Most published endpoints of a project.")
    max_links: int = Field(100, description="Most signed links of a project that have not expired.")
    max_link_days: int = Field(90, description="Longest that a signed link can be valid.")
    report_rows: int = Field(5_000, description="Most rows of a section of a report.")
    endpoint_cache_bytes: int = Field(50_000_000, description="Most bytes of endpoints' answers that a process keeps.")
    endpoint_recheck_seconds: float = Field(
        2.0, description="How long a process takes an endpoint's tables and views for the same."
    )
    public_requests_per_minute: int = Field(
        120, description="Most requests to a public endpoint from one address without a key."
    )
    model_spill: str = Field("4GB", description="Most that DuckDB may spill to the disk in a model; its largest file.")
    model_seconds: float = Field(600.0, description="Longest that a model may run.")
    cache_dir: str = Field(
        "", description="Where a function keeps objects of the lake for its next call; empty: the temporary folder."
    )
    cache_bytes: int = Field(300_000_000, description="Most bytes kept there.")


def load_settings(environ: Mapping[str, str] | None = None) -> Settings:
    """The settings of this process.

    Raises:
        pydantic.ValidationError: a variable's value is not of its setting's type.
    """
    source = os.environ if environ is None else environ
    values = {name: source[name.upper()] for name in Settings.model_fields if name.upper() in source}
    return Settings.model_validate(values)
