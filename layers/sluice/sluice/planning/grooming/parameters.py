"""The parameters of grooming."""

from __future__ import annotations

from typing import Literal

from pydantic import Field, model_validator

from sluice.domain.base import Document, FieldError
from sluice.planning.services import PANEL_OF, TP1H
from sluice.planning.traffic import ServiceType

Threshold = Literal[0, 10, 20, 30, 40, 50, 60, 70, 80, 90, 100]
Method = Literal["end_to_end", "clustered", "advanced", "intermediate"]


class GroomingParameters(Document):
    """The parameters of grooming."""

    method: Method = Field(
        "end_to_end",
        description="How services share lightpaths. `end_to_end`: those of one demand only. `clustered`: services that "
        "do not fill a lightpath are cut at the gateways of clusters. `advanced`: small demands share connections "
        "between neighbouring nodes, after nodes are folded onto their gateways. `intermediate`: as `advanced`, with "
        "only the steps in `intermediate_steps` before.",
    )
    mp1h_threshold: Threshold = Field(
        70, description="The lowest rate in Gb/s of a lightpath of MP1H devices. Services below it remain."
    )
    line_rate: Literal[40, 100, 200] = Field(
        100, description="The rate of a connection in Gb/s, for `advanced` and `intermediate`."
    )
    direct_threshold: Literal[70, 80, 90] = Field(
        80,
        description="The rate in percent of `line_rate` from which a demand has connections of its own, for `advanced` "
        "and `intermediate`.",
    )
    intermediate_steps: list[Literal["direct", "fold"]] = Field(
        default_factory=list,
        max_length=1,
        description="The step that `intermediate` keeps, if any. `direct`: demands above `direct_threshold` have "
        "connections of their own. `fold`: nodes are folded onto their gateways.",
    )
    shelves_per_rack: int = Field(4, ge=1, le=20, description="How many shelves a rack has.")
    search_nodes: int = Field(
        20_000,
        ge=0,
        le=2_000_000,
        description="How far to search, for each demand, for a packing into fewer MP2X lines than first-fit decreasing "
        "needs; 1,000,000 nodes take about two seconds.",
    )
    rates: dict[ServiceType, float] = Field(
        default_factory=dict, description="Rates in Gb/s that replace those of the table, by type of service."
    )

    @model_validator(mode="after")
    def _check_rates(self) -> GroomingParameters:
        for kind, rate in self.rates.items():
            highest = PANEL_OF.get(kind, TP1H).client_rate
            # Rates are whole bits per second.
            if not 1e-9 <= rate <= highest:
                message = f"the rate of {kind} must be above 0 and at most {highest} Gb/s"
                raise FieldError(message, "rates", kind)
        return self
