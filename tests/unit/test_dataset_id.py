"""The identity of a dataset: its forms, its parts, and the name of its table."""

import pytest
from pydantic import TypeAdapter, ValidationError

from sluice.domain.dataset_id import DatasetId
from sluice.platform.glue_tables import table_name


@pytest.mark.parametrize(
    ("dataset", "text", "owner_kind", "resource", "table"),
    [
        (DatasetId.of_datasource("a-b"), "datasource/a-b", "datasource", None, "datasource_a_b"),
        (DatasetId.of_project("a-b"), "project/a-b", "project", None, "project_a_b"),
        (
            DatasetId.of_project_resource("a-b", "model", "m_n"),
            "project/a-b/model/m_n",
            "project",
            ("model", "m_n"),
            "project_a_b__m_n",
        ),
        (
            DatasetId.of_project_resource("a-b", "report", "m-n"),
            "project/a-b/report/m-n",
            "project",
            ("report", "m-n"),
            "project_a_b_report_m_n",
        ),
    ],
)
def test_dataset_id_has_owner_and_resource(
    dataset: DatasetId, text: str, owner_kind: str, resource: object, table: str
) -> None:
    assert dataset == text
    assert (dataset.owner_kind, dataset.owner, dataset.resource) == (owner_kind, "a-b", resource)
    assert table_name(dataset) == table
    assert TypeAdapter(DatasetId).validate_json(TypeAdapter(DatasetId).dump_json(dataset)) == dataset


@pytest.mark.parametrize(
    "text", ["", "a", "datasource", "datasource/", "datasource/a/b", "project/a/model", "project/a//b", "run/a"]
)
def test_invalid_dataset_ids_are_refused(text: str) -> None:
    with pytest.raises(ValueError, match="names no dataset"):
        DatasetId(text)
    with pytest.raises(ValidationError):
        TypeAdapter(DatasetId).validate_python(text)
