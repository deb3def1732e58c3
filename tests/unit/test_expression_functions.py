"""Functions of JMESPath besides those of jmespath.py."""

from typing import Any

import pytest

from sluice.domain.expression import compile_expression, search


@pytest.mark.parametrize(
    ("expression", "document", "value"),
    [
        ("items(@)", {"a": 1, "b": {"c": 2}}, [["a", 1], ["b", {"c": 2}]]),
        ("items(@)[*][0]", {"b": 1, "a": 2}, ["b", "a"]),
        ("items(@)", {}, []),
        ("zip(a, b)", {"a": [1, 2, 3], "b": ["x", "y"]}, [[1, "x"], [2, "y"]]),
        ("zip(a)", {"a": [1, 2]}, [[1], [2]]),
        ("zip(a, a, a)[0]", {"a": [1]}, [1, 1, 1]),
    ],
)
def test_function(expression: str, document: Any, value: Any) -> None:
    assert search(expression, document) == value


@pytest.mark.parametrize(("expression", "document"), [("items(@)", [1]), ("zip(a, b)", {"a": [1], "b": "x"})])
def test_arguments_of_another_type_are_refused(expression: str, document: Any) -> None:
    with pytest.raises(ValueError, match="failed"):
        search(expression, document)


@pytest.mark.parametrize("expression", ["items()", "items(@, @)", "zip()"])
def test_number_of_arguments_is_checked_when_a_document_is_written(expression: str) -> None:
    with pytest.raises(ValueError, match="argument"):
        compile_expression(expression)
