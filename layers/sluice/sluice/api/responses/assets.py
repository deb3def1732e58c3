"""Responses about sites, equipment, sensors and operations."""

from __future__ import annotations

from typing import Any

from pydantic import Field

from sluice.api.responses.base import Response, list_model, record_model, view_model
from sluice.domain.assets.equipment import Equipment
from sluice.domain.assets.history import HistoryEntry
from sluice.domain.assets.operation import CostSummary, Operation
from sluice.domain.assets.sensor import Sensor
from sluice.domain.assets.site import Site

SiteView: Any = view_model(Site)
SiteViewList: Any = list_model(SiteView)
EquipmentView: Any = view_model(Equipment)
EquipmentViewList: Any = list_model(EquipmentView)
SensorView: Any = view_model(Sensor)
SensorViewList: Any = list_model(SensorView)
HistoryEntryView: Any = record_model("HistoryEntryView", HistoryEntry)
HistoryEntryViewList: Any = list_model(HistoryEntryView)
OperationView: Any = record_model("OperationView", Operation)
OperationViewList: Any = list_model(OperationView)
CostSummaryView: Any = record_model("CostSummaryView", CostSummary, about="An aggregate of the costs of operations.")
SiteCostView: Any = record_model(
    "SiteCostView",
    CostSummary,
    about="An aggregate of the costs of a site's operations.",
    site=(str, Field(description="The code of the site.")),
)
SiteCostViewList: Any = list_model(SiteCostView)


class ImportResultView(Response):
    """What the import of a CSV file has changed, or would change."""

    created: int = Field(description="The number of rows whose code or id did not exist.")
    changed: int = Field(description="The number of rows that change what existed.")
    unchanged: int = Field(description="The number of rows that say what is stored already.")
    stored: bool = Field(description="Whether the changes were made; false with `check=true`.")
