"""Every setting of Sluice: its environment variable, its default, and what it does.

A setting's variable is its name in capitals. Functions read them once per process.
"""

from __future__ import annotations

import os
from collections.abc import Mapping
from typing import Literal

from pydantic import BaseModel, ConfigDict, Field


class Settings(BaseModel):
    """The typed settings. An invalid value stops the process when it starts, not at a request."""

    model_config = ConfigDict(frozen=True)

    workspace: str = Field("main", description="The workspace, with which every key in tables and buckets begins.")
    stack: str = Field("sluice", description="The stack's name, with which its SSM parameters and metrics begin.")
    # Resources of this stack, set by the template.
    definitions_table: str = Field("", description="Table of the documents that users write, except API keys.")
    access_table: str = Field("", description="Table of API keys.")
    assignments_table: str = Field("", description="Table of the assignments of datasources to projects.")
    runs_table: str = Field("", description="Table of runs.")
    pages_table: str = Field("", description="Table of page receipts.")
    subtasks_table: str = Field("", description="Table of the restarts of runs of algorithms.")
    datasets_table: str = Field("", description="Table of the pointers to published versions.")
    versions_table: str = Field("", description="Table of versions.")
    batches_table: str = Field("", description="Table of pushed records and dropped files that wait for a run.")
    operations_table: str = Field("", description="Table of operations on equipment.")
    readings_table: str = Field("", description="Table of recent sensor readings and their rollups.")
    alarms_table: str = Field("", description="Table of the alarms of sensors.")
    deliveries_table: str = Field("", description="Table of the deliveries of events to webhooks.")
    audit_table: str = Field("", description="Table of the audit: who did what, when and from where.")
    locks_table: str = Field("", description="Table of locks, stored idempotent answers and rate limits.")
    inbox_bucket: str = Field("", description="Bucket that files are dropped into.")
    lake_bucket: str = Field("", description="Bucket of the data lake.")
    undelivered_queue: str = Field(
        "", description="URL of the queue of events that a function failed on; empty: the sweep reads none."
    )
    glue_database: str = Field(
        "", description="Glue database with a table for each published dataset; empty: no tables."
    )
    workflow_prefix: str = Field(
        "", description="Beginning of the state machines' ARNs; a workflow's name completes it."
    )
    schedule_group: str = Field("", description="EventBridge Scheduler group of the stack's schedules.")
    scheduled_function: str = Field("", description="ARN of the function that schedules call.")
    readings_function: str = Field("", description="ARN of the function that stores readings.")
    webhooks_function: str = Field("", description="ARN of the function that sends events to webhooks.")
    missing_data_function: str = Field("", description="ARN of the function that looks for missing data.")
    schedule_role: str = Field("", description="ARN of the role that schedules call functions with.")
    # Addresses.
    public_url: str = Field("", description="URL of the API in links, ending in /v1; empty: the gateway's own.")
    public_s3_url: str = Field("", description="URL of S3 in presigned URLs; empty: AWS's own.")
    aws_endpoint_url: str = Field("", description="URL of an AWS emulator, which sets it itself; empty: AWS.")
    emulated: bool = Field(False, description="Whether the stack runs on an emulator, where the API's URL has a path.")
    aws_sam_local: bool = Field(False, description="Whether the function runs in `sam local`, which sets it itself.")
    # Authentication.
    user_pool: str = Field("", description="Id of the stack's own Cognito user pool; empty: it has none.")
    sign_up_domains: str = Field(
        "",
        description="Domains of the e-mail addresses that may sign up, separated by commas; * for all, empty: nobody "
        "can sign up.",
    )
    sign_up_role: Literal["viewer", "editor"] = Field(
        "viewer", description="Role of a person who has signed up and confirmed the e-mail address."
    )
    unconfirmed_days: int = Field(
        7, ge=1, description="How long a sign-up waits for its confirmation before it is removed."
    )
    jwt_issuer: str = Field("", description="Issuer of accepted JSON Web Tokens; empty: no tokens are accepted.")
    jwt_audience: str = Field("", description="Audience that a token must have, such as a client id.")
    jwt_jwks_url: str = Field("", description="URL of the issuer's JWKS; empty: the issuer's /.well-known/jwks.json.")
    jwt_role_claim: str = Field("cognito:groups", description="Claim with the role: viewer, editor or admin.")
    jwt_leeway_seconds: int = Field(5, description="Tolerated difference between the issuer's clock and ours.")
    jwks_seconds: int = Field(3600, description="How long the issuer's keys are cached.")
    last_use_seconds: int = Field(
        600,
        ge=0,
        description="How far the stored last use of an API key or a person's token may be behind; each is written at "
        "most once in this time. 0: no uses are stored, and no people.",
    )
    rotation_overlap_seconds: int = Field(
        86_400,
        ge=0,
        description="How long the old secret of a rotated API key stays valid, unless the rotation says otherwise.",
    )
    max_rotation_overlap_seconds: int = Field(
        2_592_000, ge=0, description="Longest time that a rotation may keep the old secret valid."
    )
    # The console, and other pages in browsers.
    console_folder: str = Field("/opt/console", description="Folder with the files of the console.")
    console_client_id: str = Field(
        "",
        description="Client id with which the console signs people in at the issuer; empty: it offers API keys only.",
    )
    console_sign_in_urls: str = Field(
        "",
        description="Further addresses, separated by commas, that the console asks when people sign in, such as the "
        "issuer's token endpoint on another host.",
    )
    cors_origins: str = Field("", description="Origins allowed by CORS, separated by commas; * for all.")
    # People, and sharing with them.
    max_searched_people: int = Field(
        10_000, gt=0, description="Most people, and most API keys, that one request searches; its cursor continues."
    )
    max_members: int = Field(
        200, gt=0, description="Most principals that a project, datasource or input is shared with."
    )
    # Runs.
    lease_seconds: int = Field(900, description="How long a run may report nothing before it counts as lost.")
    run_days: int = Field(400, description="How long runs and page receipts stay in the catalog.")
    lost_run_attempts: int = Field(
        5, description="Most attempts of a lost run of a drop or push, which is redriven automatically."
    )
    max_active_ingests: int = Field(
        8, description="Most runs of dropped files that are active at a time; later ones wait in a queue."
    )
    sweep_seconds: float = Field(
        30.0,
        description="Longest time that a sweep spends on each of: files whose notification was lost, undelivered "
        "events, publications that followers have not been told of, sign-ups that were never confirmed.",
    )
    sweep_messages: int = Field(
        100, description="Most undelivered events that a sweep processes; the next sweep processes the others."
    )
    sweep_files: int = Field(
        20_000, description="Most files of the inbox that a sweep lists; the next sweep continues after them."
    )
    # Sensor readings.
    reading_days: int = Field(
        35,
        ge=4,
        le=90,  # objects of large blocks expire after 100 days, see the lake's lifecycle rules in the template
        description="How long readings and rollups stay in DynamoDB after they arrived; older ones are read from the "
        "lake. After an increase, readings are missing until as many days have passed as were added.",
    )
    max_clock_lead_seconds: int = Field(
        600, le=86_400, description="How far in the future the time of a reading may be; later ones are refused."
    )
    max_listed_refusals: int = Field(
        10_000,
        gt=0,
        description="Most refused readings that the answer to posted ones lists; a Lambda answer is limited.",
    )
    known_sensor_seconds: float = Field(
        60.0, description="How long a function remembers that a sensor exists, and so takes readings of a deleted one."
    )
    compaction_files: int = Field(
        100, description="Files of new readings of a day at which the next sweep compacts them, however new they are."
    )
    compaction_age_seconds: int = Field(
        21_600, description="Age of a file of new readings at which the next sweep compacts those of its day."
    )
    compaction_readings: int = Field(
        5_000_000, gt=0, description="Most new readings that are compacted at once; more of a day take several turns."
    )
    compaction_seconds: float = Field(
        600.0, description="Longest time in which a sweep begins to compact days; the next sweep continues."
    )
    page_settling_seconds: int = Field(
        60,
        ge=0,
        description="How long an erasure takes a page that no run refers to for one that a request or a run has just "
        "stored, and waits; longer than any request.",
    )
    replaced_file_seconds: int = Field(
        3600,
        ge=120,
        description="How long a file of readings is kept in the lake after it was replaced, for those who read it; "
        "longer than any function runs.",
    )
    reading_points: int = Field(
        2_000,
        gt=0,
        description="Most readings or points of an answer that chooses the resolution itself, and of a page without "
        "`limit`.",
    )
    max_reading_points: int = Field(
        50_000, gt=0, description="Largest `limit` of readings and points; CSV without `limit` has as many."
    )
    max_read_sensors: int = Field(500, gt=0, description="Most sensors whose readings one request reads.")
    lake_read_bytes: int = Field(
        200_000_000,
        gt=0,
        description="Size of the lake's files of readings at which a page ends; a page has at least one day of them.",
    )
    lake_read_files: int = Field(
        1_000, gt=0, description="Number of the lake's files of readings at which a page ends; see LAKE_READ_BYTES."
    )
    reading_batch: int = Field(
        50_000, gt=0, description="Readings of a dropped file that are stored at a time, in one raw page."
    )
    reading_reserve_seconds: float = Field(
        90.0,
        description="Remaining time of a Lambda call at which a dropped file of readings is left to the next call.",
    )
    redrive_seconds: float = Field(
        15.0, description="Longest time that a request takes quarantined readings in; its cursor continues."
    )
    # Requests and answers of the API.
    idempotency_hours: int = Field(24, description="How long an Idempotency-Key replays its answer.")
    key_requests_per_second: float = Field(
        100.0,
        ge=0,
        description="Requests that an API key, a user of tokens, or an IP address without either may send in a second, "
        "on average; more are answered 429. 0: no limit but the stage's, which all callers share.",
    )
    key_burst: int = Field(
        250, ge=1, description="Requests that one of them may send at once, after a pause; see KEY_REQUESTS_PER_SECOND."
    )
    max_request_bytes: int = Field(3_000_000, description="Largest request body that the API accepts.")
    max_inline_bytes: int = Field(
        4_000_000, description="Largest answer that is sent inline; a larger one is a redirect to S3."
    )
    answer_reuse_seconds: int = Field(
        3600, description="How long a file of data (Parquet, Arrow, XLSX) answers equal requests; 0: not at all."
    )
    presigned_seconds: int = Field(900, description="How long a presigned URL is valid.")
    page_limit: int = Field(50, description="Items of a list's page without `limit`.")
    max_page_limit: int = Field(200, description="Largest `limit` of a list's page.")
    max_wait_seconds: int = Field(20, description="Longest wait for a run with `Prefer: wait=N`.")
    max_waiting_calls: int = Field(
        20, description="Most requests that wait for a run at a time; further ones get 202 at once."
    )
    max_anonymous_waiting_calls: int = Field(
        5,
        description="As MAX_WAITING_CALLS, for reads of public endpoints without a key: with so many requests waiting, "
        "they get older data at once, so that those with a key can still wait.",
    )
    # Sizes of what is fetched, dropped and parsed.
    max_page_bytes: int = Field(100_000_000, description="Largest response of an upstream, decompressed.")
    max_drop_bytes: int = Field(1_000_000_000, description="Largest file that may be dropped or uploaded.")
    max_document_bytes: int = Field(
        100_000_000,
        description="Largest document that is parsed as a whole: JSON, a line of JSON Lines, XML, a workbook.",
    )
    max_document_memory: int = Field(
        2_000_000_000,
        description="Most memory, by estimate, of a document parsed as a whole: JSON, a line of JSON Lines or CSV, "
        "XML, the texts of a workbook.",
    )
    max_cells: int = Field(
        20_000_000, description="Most cells of a worksheet, including the empty ones between others."
    )
    max_directory_bytes: int = Field(
        32_000_000,
        description="Largest central directory of a zip archive or workbook, and largest footer of a Parquet file.",
    )
    max_unpacked_bytes: int = Field(
        1_000_000_000,
        description="Largest page or file after decompression; of Parquet, most bytes that are decoded at once.",
    )
    max_decoded_bytes: int = Field(
        2_500_000_000, description="Most bytes of texts, lists and binary values of a Parquet file after decoding."
    )
    max_nesting: int = Field(200, description="Deepest nesting of JSON that is accepted.")
    max_field_growth: int = Field(
        32_000_000,
        description="Most characters that the fields of a page's records may write beyond 50 times their records, or "
        "500 characters for each, as fields with `root()` can.",
    )
    sql_page_bytes: int = Field(8_000_000, description="Size at which a raw page of a SQL source ends.")
    mongo_page_bytes: int = Field(8_000_000, description="Size at which a raw page of a MongoDB collection ends.")
    # Fetching.
    max_pages: int = Field(10_000, description="Most pages of a run if the datasource sets no max_pages.")
    max_concurrency: int = Field(16, description="Most concurrent requests of a run; caps http.concurrency.")
    max_pending_bytes: int = Field(
        64_000_000, description="Most bytes of pages that are prefetched or wait to be stored in a run."
    )
    tell_seconds: float = Field(
        2.0, description="How often fetch writes receipts and progress, and checks whether its run was cancelled."
    )
    max_verification_passes: int = Field(
        1, description="How often an attempt of a run may read all pages again to verify that none are missing."
    )
    max_compared_records: int = Field(
        20_000_000, description="Most records whose pages are compared for duplicates; a larger run is unproven."
    )
    keep_failed_answers: int = Field(10, description="Most failed responses that a page's receipt lists.")
    fetch_reserve_seconds: float = Field(
        45.0, description="Remaining time of a Lambda call at which fetch hands over to the next call."
    )
    # Requests to upstreams.
    fetch_attempts: int = Field(5, description="Attempts of a request before its page counts as failed.")
    fetch_backoff_seconds: float = Field(
        1.0, description="Longest first backoff between attempts; it doubles each time."
    )
    fetch_max_backoff_seconds: float = Field(30.0, description="Longest backoff between attempts.")
    fetch_max_retry_after_seconds: float = Field(120.0, description="Longest Retry-After that is honoured.")
    private_networks: str = Field(
        "", description="Private networks that datasources may call, as CIDR blocks separated by commas."
    )
    sql_connect_seconds: float = Field(15.0, description="Longest time to connect to a SQL database.")
    mongo_connect_seconds: float = Field(15.0, description="Longest time to connect to one host of a MongoDB.")
    # Datasources: trying and restoring them.
    probe_seconds: float = Field(20.0, description="Longest time that check, preview and detect wait for an upstream.")
    detect_requests: int = Field(
        12, description="Most requests that detect sends to an upstream; each redirect is one."
    )
    detect_records: int = Field(
        5_000, description="Most records of a page that detect examines for columns, types, keys and the sample."
    )
    detect_fields: int = Field(200, description="Most columns that detect proposes.")
    detect_sample: int = Field(10, description="Most records that detect shows as the proposed document reads them.")
    preview_records: int = Field(100, description="Most records of a preview.")
    preview_pages: int = Field(10, description="Most pages that a preview may request.")
    restore_days: int = Field(30, description="How long a deleted datasource can be restored.")
    # Datasets.
    max_columns: int = Field(2_000, description="Most columns of a dataset.")
    max_version_objects: int = Field(
        100, description="Most Parquet files of an appended dataset; beyond it they are compacted into one."
    )
    # Extracting and merging, by DuckDB.
    duckdb_memory: str = Field("2GB", description="DuckDB's memory_limit in a stage.")
    extract_memory: str = Field(
        "600MB", description="DuckDB's memory_limit while pages are read; it spills more to disk."
    )
    extract_part_bytes: int = Field(
        256_000_000,
        gt=0,
        description="Size of a run's pages above which they are read in parallel, in parts of about this size.",
    )
    duckdb_threads: int = Field(2, description="DuckDB's threads in a stage.")
    merge_partition_rows: int = Field(
        10_000_000,
        gt=0,
        description="Input rows above which a merge is done in parallel, in parts of about this many.",
    )
    merge_partition_bytes: int = Field(
        300_000_000,
        gt=0,
        description="Size of the input Parquet above which a merge is done in parallel, in parts of about this size.",
    )
    extract_reserve_seconds: float = Field(
        60.0,
        description="Remaining time of a Lambda call at which extract fails the run: another call would take as long.",
    )
    # SQL of users.
    query_seconds: float = Field(15.0, description="Longest time that a user's query may run.")
    query_memory: str = Field("512MB", description="DuckDB's memory_limit in a user's query.")
    sandbox_memory: str = Field(
        "400MB",
        description="Resident memory that the sandbox process may have besides a query's or model's memory_limit.",
    )
    query_bytes: int = Field(100_000_000, description="Most bytes of a query's rows as JSON.")
    query_rows: int = Field(
        10_000, description="Most rows of a query's answer; a longer result is cut off and marked as truncated."
    )
    query_most_rows: int = Field(100_000, description="Most rows that a query may produce; more are an error.")
    # Assets.
    max_import_rows: int = Field(5_000, description="Most rows of a CSV file of sites, equipment or sensors.")
    max_import_errors: int = Field(
        1_000, description="Most errors of a CSV file, a workbook or an input that an answer lists."
    )
    max_named_equipment: int = Field(
        500, description="Most pieces of equipment with the given names whose operations one request reads."
    )
    # Inputs.
    max_input_bytes: int = Field(
        50_000_000, description="Largest document of an input, and largest workbook of one after unpacking."
    )
    max_input_cells: int = Field(
        2_000_000, description="Most cells of a worksheet of an input, including the empty ones between others."
    )
    max_imported_services: int = Field(
        500_000, description="Most services of a traffic matrix that is imported from a workbook."
    )
    max_input_changes: int = Field(
        20_000, description="Most differences between two versions of an input that are listed."
    )
    # Project resources.
    max_models: int = Field(20, description="Most models of a project; all are published in one transaction.")
    max_reports: int = Field(10, description="Most reports of a project; all are published in one transaction.")
    max_endpoints: int = Field(100, description="Most published endpoints of a project.")
    max_links: int = Field(100, description="Most signed links of a project that have not expired.")
    max_link_days: int = Field(90, description="Longest lifetime of a signed link.")
    report_rows: int = Field(5_000, description="Most rows of a report's section.")
    report_link_bytes: int = Field(
        2_000_000,
        description="Most bytes of CSV that the links of a report's page contain together; the rows of further "
        "sections are read from the API.",
    )
    endpoint_cache_bytes: int = Field(50_000_000, description="Most bytes of endpoints' answers that a process caches.")
    endpoint_recheck_seconds: float = Field(
        2.0, description="How long a process caches which tables and views an endpoint reads."
    )
    endpoint_wait_seconds: float = Field(
        10.0,
        description="Longest time, from the start of the refresh, that a read of an endpoint waits for data that is no "
        "older than the endpoint's max_age_seconds.",
    )
    endpoint_retry_seconds: int = Field(
        300,
        description="How long after a refresh that a read has started and that failed no other read starts one; "
        "less if the endpoint's max_age_seconds is less, but at least 30 (or this value).",
    )
    public_requests_per_minute: int = Field(
        120, description="Most requests without a key to a public endpoint from one IP address."
    )
    model_spill: str = Field("4GB", description="Most that DuckDB may spill to disk in a model, and its largest file.")
    model_seconds: float = Field(600.0, description="Longest time that a model may run.")
    # Alarms and subscriptions.
    alarm_ahead_seconds: int = Field(
        300, ge=0, description="How far the time of a reading may be ahead of its arrival for alarms to judge it."
    )
    alarm_days: int = Field(400, ge=1, description="How long cleared alarms are kept.")
    max_subscriptions: int = Field(100, description="Most subscriptions of a workspace.")
    webhook_seconds: float = Field(10.0, description="Longest time that a webhook may take to answer.")
    webhook_attempts: int = Field(
        10, ge=1, description="Attempts to deliver an event to a webhook before its delivery counts as failed."
    )
    webhook_backoff_seconds: float = Field(
        60.0, ge=1, description="Longest time before the second attempt; it doubles with each further one."
    )
    webhook_max_backoff_seconds: float = Field(21_600.0, ge=1, description="Longest time between two attempts.")
    webhook_days: int = Field(30, ge=1, description="How long deliveries are listed, and can be repeated.")
    # The audit.
    audit_days: int = Field(400, ge=0, description="How long entries of the audit are kept; 0: for ever.")
    audit_reads: str = Field(
        "",
        description="Actions whose reads are recorded in the audit as well, separated by commas, such as project.read. "
        "Without it, those of raw pages, explanations, keys, secrets and the audit itself are.",
    )
    audit_export_entries: int = Field(
        10_000, gt=0, description="Most entries of the audit that a CSV or JSON Lines file without `limit` has."
    )
    audit_read_entries: int = Field(
        20_000, gt=0, description="Most entries of the audit that one request examines for those of an action."
    )
    # Algorithms.
    max_algorithms: int = Field(10, description="Most algorithms of which a project has settings.")
    max_restarts: int = Field(1_000, gt=0, description="Most restarts of a run of an algorithm.")
    max_differences: int = Field(1_000, gt=0, description="Most differences that a comparison of runs lists.")
    max_counted_differences: int = Field(
        100_000, gt=0, description="Most differences that a comparison of runs counts; beyond that it is truncated."
    )
    max_parameters_bytes: int = Field(
        100_000, description="Largest parameters of an algorithm, as JSON; larger data belongs into an input."
    )
    series_points: int = Field(
        2_000_000, gt=0, description="Most times of all series that `forecast` or `anomalies` reads in a run."
    )
    # The file cache.
    cache_dir: str = Field(
        "",
        description="Folder in which a function caches objects of the lake between calls; empty: the temporary folder.",
    )
    cache_bytes: int = Field(300_000_000, description="Most bytes of that cache.")


def load_settings(environ: Mapping[str, str] | None = None) -> Settings:
    """Read the settings from environment variables.

    Args:
        environ: the variables; null for those of the process.

    Raises:
        pydantic.ValidationError: a variable's value does not have its setting's type.
    """
    source = os.environ if environ is None else environ
    values = {name: source[name.upper()] for name in Settings.model_fields if name.upper() in source}
    return Settings.model_validate(values)
