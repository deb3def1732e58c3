"""Examples of alarms."""

from __future__ import annotations

from typing import Any

EXAMPLES: dict[str, Any] = {
    "Acknowledgement": {"comment": "Cooling water is being checked."},
    "AlarmView": {
        "id": "100649add4493000-33ab63d22674",
        "sensor": "P-101:discharge-temperature",
        "equipment": "P-101",
        "site": "FPSO-1",
        "metric": "temperature",
        "unit": "°C",
        "kind": "high",
        "level": "high_high",
        "highest_level": "high_high",
        "limit": 95.0,
        "state": "acknowledged",
        "raised_at": "2026-01-31T12:00:00.000Z",
        "value": 96.4,
        "cleared_at": None,
        "acknowledged_at": "2026-01-31T12:03:00.000Z",
        "acknowledged_by": "key/3f9c2k7d1m5x",
        "comment": "Cooling water is being checked.",
    },
}
