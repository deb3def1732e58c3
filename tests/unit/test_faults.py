"""Where the faults of a document are: each pointer leads into what was sent."""

from __future__ import annotations

from itertools import product
from typing import Any

import pytest
from pydantic import BaseModel
from test_access import ROUTES

from sluice.domain.base import validate
from sluice.domain.datasource import Datasource
from sluice.domain.erasure import ErasureRequest
from sluice.errors import Invalid

BODIES = sorted({body for route in ROUTES if isinstance(body := route.body, type)}, key=str)
WRONG = ["1", 1, -1.5, True, None, [], [1], [{"a": []}], {}, {"a": 1}, {"type": "x"}, {"strategy": "y", "a": [None]}]


@pytest.mark.parametrize("model", BODIES, ids=lambda model: model.__name__)
def test_every_pointer_leads_into_the_document(model: type[BaseModel]) -> None:
    """Unions are checked by names of pydantic's own, which are no keys of the document."""
    kinds = [{"kind": kind} for kind in Datasource.KINDS] if model is Datasource else [{}]
    for name, value, kind in product(model.model_fields, WRONG, kinds):
        document = {**kind, (model.model_fields[name].alias or name): value}
        try:
            validate(model, document)
        except Invalid as error:
            for fault in error.errors or []:
                *path, last = fault["pointer"].split("/")[1:] or [""]
                node: Any = document
                for part in path:
                    node = node[int(part) if isinstance(node, list) else part]
                exists = last in node if isinstance(node, dict) else int(last) < len(node)
                assert exists or fault["message"] == "This field is required.", (document, fault)


@pytest.mark.parametrize("key", ["1", 1, None, True])
def test_a_fault_of_a_union_points_to_its_field(key: Any) -> None:
    with pytest.raises(Invalid) as raised:
        validate(ErasureRequest, {"key": key, "reason": "g"})
    assert {fault["pointer"] for fault in raised.value.errors or []} == {"/key"}
