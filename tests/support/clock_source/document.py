from __future__ import annotations

from typing import ClassVar, Literal

from sluice.domain.base import Document
from sluice.domain.datasource import Datasource


class Clock(Document):
    ticks: int
    secret: str


class ClockDatasource(Datasource):
    KIND: ClassVar[str] = "clock"

    kind: Literal["clock"]
    clock: Clock

    def secrets(self) -> dict[str, str]:
        return {"/clock/secret": self.clock.secret}

    def host(self) -> tuple[str, int]:
        return "clock.example.com", 123
