"""The entry of the kind, and its workflow."""

from typing import Any

from sluice.domain.run_types import RunType

COUNT = RunType(workflow="count", stages=("count",), belongs_to="project", action="project.run", folder="counts")
WORKFLOW: dict[str, Any] = {
    "StartAt": "Count",
    "States": {
        "Count": {
            "Type": "Task",
            "Resource": "${CountFunctionArn}",
            "Retry": [{"ErrorEquals": ["States.ALL"], "MaxAttempts": 1}],
            "Next": "Counted",
        },
        "Counted": {
            "Type": "Choice",
            "Choices": [{"Variable": "$.outcome", "StringEquals": "done", "Next": "Done"}],
            "Default": "Failed",
        },
        "Done": {"Type": "Succeed"},
        "Failed": {"Type": "Fail", "ErrorPath": "$.error", "CausePath": "$.cause"},
    },
}
