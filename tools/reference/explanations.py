"""When each error occurs, and what to do about it: the text of `docs/reference/errors.md`."""

from __future__ import annotations

from dataclasses import dataclass

from sluice import errors


@dataclass(frozen=True)
class Explanation:
    """What a user needs to know about an error.

    Args:
        cause: when it occurs, as Markdown.
        remedy: what to do, as Markdown.
    """

    cause: str
    remedy: str


# The classes that are raised; a test compares them with the tree in `sluice.errors`.
EXPLANATIONS: dict[type[errors.SluiceError], Explanation] = {
    errors.SluiceError: Explanation(
        "An unexpected error in Sluice itself.",
        "Try again. If it happens again, look up the function's log (`sluice logs` on a local stack) and report it.",
    ),
    errors.RequestError: Explanation(
        "API Gateway refused the request before it reached the API, for example because its path or a header is "
        "not valid.",
        "Compare the request with the API's reference (`/redoc`). The gateway's log has the reason if "
        "`AccessLogs` is on.",
    ),
    errors.MalformedRequest: Explanation(
        "The body is missing, is not JSON, or is nested too deeply.",
        "Correct what `detail` names. JSON needs double quotation marks, and allows no trailing commas and no "
        "comments.",
    ),
    errors.Unauthenticated: Explanation(
        "The request has no credentials, or an API key or token that is unknown, revoked or expired.",
        "Send a key as `Authorization: Bearer <key>` or `x-api-key: <key>`. `make up` writes the first key of a "
        "local stack to `.local/stack.json`; an admin creates others.",
    ),
    errors.Forbidden: Explanation(
        "The credentials are valid, but their role is too low for the action, or only the owner of the resource "
        "and admins may do it.",
        "`GET /me` shows your role. Ask an admin for a key with the role that `detail` names, or the owner to "
        "make the change.",
    ),
    errors.NotFound: Explanation(
        "Nothing has this path or name, or the key does not cover it: a resource that you may not see looks like "
        "one that does not exist.",
        "Check the spelling, and with `GET /me` which projects the key covers.",
    ),
    errors.NotPublished: Explanation(
        "The resource exists, but no run has published a version of it yet, or none had been published at the "
        "time in `as_of`.",
        "Start a run, or look at the last one with `GET /runs`: it may have failed.",
    ),
    errors.MethodNotAllowed: Explanation(
        "The path exists, but not with this method.",
        "`detail` lists the methods that the path has.",
    ),
    errors.Conflict: Explanation(
        "The request is valid, but what is stored rules it out: a name that is in use, a resource that others "
        "read, or a run in the wrong state.",
        "`detail` names what stands in the way. Change or remove that first.",
    ),
    errors.RequestRunning: Explanation(
        "A `POST` was repeated with its `Idempotency-Key` while the first request is still being answered.",
        "Send it again after a moment; then it gets the first request's answer.",
    ),
    errors.AlreadyExists: Explanation(
        "A `POST` creates a resource whose name is in use.",
        "Choose another name, or change the existing resource with `PUT`.",
    ),
    errors.PreconditionFailed: Explanation(
        "The `ETag` in `If-Match` is not the present one: somebody else changed the resource in between. Or "
        "`If-None-Match: *` met an existing resource.",
        "Read the resource again, repeat your change on it, and send the new `ETag`.",
    ),
    errors.PayloadTooLarge: Explanation(
        "The body is larger than `MAX_REQUEST_BYTES`.",
        "Send records in several requests, or upload a file with `POST /datasources/{slug}/uploads`.",
    ),
    errors.Invalid: Explanation(
        "The request can be read, but a field or parameter has a value that is not allowed.",
        "`errors` points to each invalid field of the body by JSON Pointer, and to a query parameter as `?name`, "
        "with a message that says what is expected.",
    ),
    errors.QueryLimit: Explanation(
        "A query, endpoint or test took longer than `QUERY_SECONDS`, needed more memory than `QUERY_MEMORY`, or "
        "has more rows than are allowed.",
        "Read fewer rows or columns, aggregate, or compute the result in a model. The limits are "
        "[settings](settings.md).",
    ),
    errors.WorkbookInvalid: Explanation(
        "The body is not an XLSX workbook, sheets or columns are missing, or cells have values that are not allowed.",
        "`errors` names the sheet, row, column and cell of each fault. Correct the workbook and send it again; "
        "with `check=true` nothing is stored, and `document` shows what was read.",
    ),
    errors.TooManyRequests: Explanation(
        "A rate limit is exceeded: that of the whole API, or that of a public endpoint for one IP address.",
        "Wait as many seconds as `Retry-After` says. With an API key, a public endpoint has no limit of its own.",
    ),
    errors.RunError: Explanation(
        "The run failed for a reason that has no code of its own.",
        "`detail` has the reason. Correct the datasource or the project, and start the run again.",
    ),
    errors.SourceRefused: Explanation(
        "The upstream answered with a status that another attempt would not change, such as 401 or 404; refused a "
        "statement or login; or redirects to where the request must not go.",
        "Correct the address, the parameters, the query or the secret that `detail` names. `POST "
        "/datasources/{slug}/check` sends one request, and `GET /runs/{id}/pages` leads to each stored response.",
    ),
    errors.SourceUnreachable: Explanation(
        "No connection was made in any attempt: the name does not resolve, the port is closed, TLS failed, or the "
        "response did not arrive in time. Or a dropped file was gone before it was read.",
        "Check host, port and certificate, and whether the upstream accepts connections from this network. A slow "
        "upstream needs a higher `timeout_seconds`.",
    ),
    errors.SourceBusy: Explanation(
        "Every attempt was answered with 429 or an error of the upstream such as 503, or a database accepts no "
        "more connections.",
        "Try again later, or lower `http.concurrency`. A redrive (`POST /runs/{id}/redrive`) continues after the "
        "pages that were received.",
    ),
    errors.AddressForbidden: Explanation(
        "The address is in a private network or belongs to the stack itself, or it is not a valid HTTP address.",
        "Use a public address, or let the operator add the network to `PRIVATE_NETWORKS`: see "
        "[credentials](credentials.md#addresses-that-datasources-may-call).",
    ),
    errors.SecretMissing: Explanation(
        "The datasource names a secret that has no value.",
        "An admin sets it with `PUT /secrets/{name}`. Then start the run again.",
    ),
    errors.SecretForbidden: Explanation(
        "The secret may not be sent to the datasource's host, or not be used by the datasource's projects or its "
        "author.",
        "An admin allows it with `hosts` and `projects` of the secret: see [credentials](credentials.md#secrets).",
    ),
    errors.SecretUnusable: Explanation(
        "The secret has a value that does not fit where it is used: characters that a header cannot hold, or a "
        "URI that is not valid or asks for something that is not supported.",
        "Set the secret again with a correct value. `detail` says what is wrong without quoting it.",
    ),
    errors.UnreadableData: Explanation(
        "A page or file is not in the format that the datasource says, or breaks its rules, such as a CSV line "
        "with too many fields.",
        "`detail` names the place. Set `format`, or the dialect in `csv` or `xlsx`; or have the file corrected. "
        "`GET /runs/{id}/pages/{n}/content` has the bytes as received.",
    ),
    errors.EmptyData: Explanation(
        "A file or page has no bytes, or a sheet no header, where records are expected.",
        "Check what the upstream sends. If the data may really be empty, it needs its frame: `[]` in JSON, a "
        "header line in CSV.",
    ),
    errors.CannotErase: Explanation(
        "A page has the record that is to be erased, but it cannot be removed from the page by itself: an expression "
        "makes records of several values, the page cannot be read, or other records would be read differently.",
        "`detail` names the page or version. Correct the datasource's `records` or format and redrive the run.",
    ),
    errors.Gone: Explanation(
        "What is asked for was removed: a kept answer that may have had a record that was erased, or a raw page whose "
        "retention has ended.",
        "Send a request with a new `Idempotency-Key`. A removed page cannot be restored; its receipt stays.",
    ),
    errors.DataTooLarge: Explanation(
        "A page, file or document exceeds a limit, or would need more memory than is allowed when it is read.",
        "Request smaller pages or split the file; or raise the setting that `detail` names: see "
        "[formats](formats.md#limits).",
    ),
    errors.RecordsNotFound: Explanation(
        "`records` selects nothing in a page, or a later page has a different shape than the first.",
        "Compare `records` with a page (`GET /runs/{id}/pages/{n}/content`) and try the document with `preview`. "
        "Set `allow_missing` if a page may have no records.",
    ),
    errors.NothingToMerge: Explanation(
        "None of the project's datasources has a published version.",
        "Start an ingest run of a datasource, drop a file or push records; then refresh the project.",
    ),
    errors.Overtaken: Explanation(
        "Another run published a version of the datasource while a replay ran, which the replay would have undone.",
        "Start the replay again.",
    ),
    errors.MergeFailed: Explanation(
        "The merge does not fit the data: a key column is missing or has types that cannot be compared, an "
        "expression refers to a column that does not exist, or a part does not fit into memory.",
        "`detail` names the column or expression. `POST /projects/{slug}/merge/preview` tries a merge without "
        "publishing it. The previous version stays published.",
    ),
    errors.ModelFailed: Explanation(
        "The SQL of a model, report or test fails on the data, for example because a column is gone or a cast is "
        "not possible.",
        "Try the SQL with `POST /projects/{slug}/query`, and correct the model. The previous versions stay published.",
    ),
    errors.TestsFailed: Explanation(
        "A test with the severity `error` failed, so nothing was published.",
        "`detail` names the test and how many rows fail it. Correct the data or the test; with the severity "
        "`warn`, it no longer stops publication.",
    ),
    errors.AlgorithmFailed: Explanation(
        "An algorithm cannot work on its inputs or parameters, or has raised an error.",
        "`detail` says what it cannot work on; change that. If it names an exception and a line, the algorithm has a "
        "fault. The run's events and the function's log have more.",
    ),
    errors.RunStopped: Explanation(
        "The run was cancelled, timed out, or lost its machine; or what it belongs to was deleted.",
        "Redrive it with `POST /runs/{id}/redrive`: it continues after the pages that were received.",
    ),
    errors.Unavailable: Explanation(
        "An AWS service or the token issuer did not answer, or other requests keep changing the same resource.",
        "Try again after a moment. Workflows do so by themselves.",
    ),
    errors.VersionConflict: Explanation(
        "Another run published a version while this one worked on the same dataset.",
        "Nothing: the workflow does the work again on the new version.",
    ),
}
