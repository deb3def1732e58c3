"""The page of all errors, by their codes."""

from __future__ import annotations

from reference.explanations import EXPLANATIONS
from reference.markdown import NOTICE, code
from sluice.errors import PROBLEM_TYPE_PREFIX, RequestError, RunError, SluiceError, TransientError, all_errors

_INTRODUCTION = f"""\
The API answers an error as [problem details](https://www.rfc-editor.org/rfc/rfc9457) (`application/problem+json`), and
a failed run has one in its field `error`:

```json
{{
  "type": "{PROBLEM_TYPE_PREFIX}invalid",
  "title": "The request is not valid",
  "status": 422,
  "detail": "The document has 1 invalid field.",
  "instance": "/v1/datasources",
  "errors": [{{"pointer": "/http/url", "message": "This field is required."}}]
}}
```

The last part of `type` is the code. It stays the same from release to release, so programs can rely on it. `detail` is
for people: it says what is wrong this time, and what to do. The paths below come after the API's address, which ends in
`/v1`."""
_GROUPS: tuple[tuple[type[SluiceError], str, str], ...] = (
    (RequestError, "Errors of requests", "The client can correct them. The same request gets the same answer again."),
    (
        RunError,
        "Errors of runs",
        "They end a run, or a try such as `check` and `preview`. What was published before stays published.",
    ),
    (TransientError, "Errors that pass", "They go away by themselves."),
)


def errors_page() -> dict[str, str]:
    """`reference/errors.md`, with every error that has an explanation."""
    lines = [NOTICE, "# Errors", "", _INTRODUCTION]
    for root, heading, introduction in _GROUPS:
        lines += ["", f"## {heading}", "", introduction]
        for error in all_errors(root):
            lines += _section(error)
    lines += ["", "## Other errors", *_section(SluiceError)]
    return {"reference/errors.md": "\n".join(lines) + "\n"}


def _section(error: type[SluiceError]) -> list[str]:
    explanation = EXPLANATIONS.get(error)
    if explanation is None:
        return []
    return [
        "",
        f"### {code(error.code)}",
        "",
        f"{error.title} (HTTP status {error.status}).",
        "",
        f"**When:** {explanation.cause}",
        "",
        f"**What to do:** {explanation.remedy}",
    ]
