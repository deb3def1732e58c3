"""Responses about alarms."""

from __future__ import annotations

from typing import Any

from sluice.api.responses.base import list_model, record_model
from sluice.domain.alarm import Alarm

AlarmView: Any = record_model("AlarmView", Alarm)
AlarmViewList: Any = list_model(AlarmView)
