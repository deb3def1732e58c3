"""The example documents of `/docs`, sent to the deployed stack."""

from __future__ import annotations

import secrets

from support.examples import DOCUMENTS, example_requests
from support.stack import Deployed


def test_example_documents_are_accepted(deployed: Deployed) -> None:
    suffix = f"-{secrets.token_hex(3)}"  # the slug of a deleted datasource stays reserved
    requests = list(example_requests(*DOCUMENTS, suffix=suffix))
    answers = [(request, deployed.call(request.method, request.path, request.body)) for request in requests]
    refused = [f"{request.label} {answer.status_code}: {answer.text}" for request, answer in answers if answer.is_error]
    # Projects first, to which the datasources are assigned.
    for operation in ("put_project", "put_datasource"):
        for request in example_requests(operation, suffix=suffix):
            deployed.call("DELETE", request.path)
    assert refused == []
