"""What all routes share of HTTP: calls, answers, problems, preconditions, paging, OpenAPI."""
