"""HTTP as all routes speak it: calls, answers, problems, preconditions, paging, OpenAPI."""
