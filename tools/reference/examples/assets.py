"""Examples of sites, equipment, sensors and operations, by page and title."""

from __future__ import annotations

from typing import Any

Documents = dict[str, dict[str, Any]]

ASSETS: dict[str, Documents] = {
    "equipment": {
        "A part of other equipment": {
            "code": "P-101-M",
            "site": "FPSO-1",
            "name": "Motor",
            "location": "deck 2",
            "parent": "P-101",
            "status": "inactive",
        }
    },
    "sensor": {
        "With every limit": {
            "id": "P-101:vibration",
            "equipment": "P-101",
            "metric": "vibration",
            "unit": "mm/s",
            "limits": {
                "low_low": 0.0,
                "low": 0.1,
                "high": 4.5,
                "high_high": 7.1,
                "deadband": 0.2,
                "missing_after_seconds": 3600,
            },
        }
    },
}
