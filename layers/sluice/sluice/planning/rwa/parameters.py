"""The parameters of routing and wavelength assignment."""

from __future__ import annotations

from typing import Literal

from pydantic import Field, model_validator

from sluice.domain.base import Document, FieldError
from sluice.planning.rwa.assignment import Order, Rules
from sluice.planning.rwa.candidates import Search


class RwaParameters(Document):
    """How paths and wavelengths are assigned."""

    modulation_type: Literal["QPSK", "8QAM"] = Field(
        "QPSK", description="The modulation of all lightpaths. Its lowest SNR is 11.3 dB (QPSK) or 16 dB (8QAM)."
    )
    algorithm: Literal["Greedy", "ILP"] = Field(
        "Greedy",
        description="`Greedy`: several restarts, each of which takes the lightpaths one after the other. `ILP`: the "
        "fewest blocked lightpaths and then the least objective that paths and wavelengths can have, starting from the "
        "best restart; restoration paths are assigned afterwards.",
    )
    shortest_path_k: int = Field(3, ge=1, le=20, description="How many working paths are candidates.")
    restoration_k: int = Field(
        2, ge=1, le=10, description="How many restoration paths are candidates for each failure."
    )
    order: Order = Field(
        "random",
        description="In which order a restart takes the lightpaths. `longest_first` and `shortest_first` go by the "
        "links of the shortest path, `most_loaded_first` by the load of its most loaded link; ties are random.",
    )
    iterations: int = Field(4, ge=1, le=1000, description="How many restarts there are; the best gives the result.")
    trade_off: float = Field(
        0.1,
        ge=0,
        le=1,
        allow_inf_nan=False,
        description="The weight of a wavelength in the objective; that of a regenerator is the rest to 1.",
    )
    noise_margin: int = Field(
        4,
        ge=1,
        le=39,
        description="Estimates of the SNR assume that so many channels are lit on either side of the received one.",
    )
    wavelengths: int = Field(80, ge=3, le=320, description="How many wavelengths a link has; numbered from 0.")
    restoration_combinations: int = Field(
        256,
        ge=1,
        le=100_000,
        description="How many combinations of a lightpath's restoration paths are weighed; if there are more, its "
        "failures are taken one after the other.",
    )
    node_limit: int = Field(
        1000, ge=1, le=1_000_000, description="How many nodes each search of `ILP` may visit. The result depends on it."
    )
    time_limit_seconds: int = Field(
        300,
        ge=1,
        le=780,
        description="How long `ILP` may search. A result that it ends has the status `time_limit`, and may differ the "
        "next time.",
    )
    enable_merge: bool = Field(False, description="Accepted, without effect.")
    group_size: int = Field(4, ge=1, description="Accepted, without effect: of the group ILP, which is not offered.")
    history_window: int = Field(30, ge=1, description="Accepted, without effect: of the group ILP.")
    comment: str | None = Field(None, description="Kept with the run, not used.")

    @model_validator(mode="after")
    def _check_margin(self) -> RwaParameters:
        most = (self.wavelengths - 1) // 2
        if self.noise_margin > most:
            message = f"{self.wavelengths} wavelengths leave room for at most {most} lit channels on either side."
            raise FieldError(message, "noise_margin")
        return self

    @property
    def search(self) -> Search:
        """How candidates are searched."""
        return Search(
            modulation=self.modulation_type,
            paths=self.shortest_path_k,
            restoration_paths=self.restoration_k,
            noise_margin=self.noise_margin,
            channels=self.wavelengths,
        )

    @property
    def rules(self) -> Rules:
        """How lightpaths are assigned."""
        return Rules(
            trade_off=self.trade_off,
            channels=self.wavelengths,
            order=self.order,
            restoration_combinations=self.restoration_combinations,
        )
