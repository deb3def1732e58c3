"""Examples of sites, equipment, sensors and operations."""

from __future__ import annotations

from typing import Any

from sluice.api.responses.examples.common import BY, METADATA, RUN, TIME

_SITE: dict[str, Any] = {"code": "FPSO-1", "type": "vessel", "name": "Northern Star"}
_SITE_EQUIPMENT: dict[str, Any] = {"code": "P-101", "name": "Pump", "location": "deck 2", "parent": None}
_EQUIPMENT: dict[str, Any] = {**_SITE_EQUIPMENT, "site": "FPSO-1", "status": "active"}
_SENSOR: dict[str, Any] = {
    "id": "P-101-temperature",
    "equipment": "P-101",
    "metric": "temperature",
    "unit": "°C",
    "limits": {"high": 80.0, "high_high": 95.0, "deadband": 2.0, "missing_after_seconds": 900},
}
_OPERATION: dict[str, Any] = {"type": "repair", "cost": "12.50", "time": "2026-01-31T12:00:00.000Z"}
_COST: dict[str, Any] = {"agg": "avg", "value": "15.20", "count": 3}

EXAMPLES: dict[str, Any] = {
    "Site": _SITE,
    "SiteView": {**_SITE, **METADATA},
    "Vessel": {"code": "FPSO-2"},
    "put_site.body": _SITE,
    "put_vessel.body": {"code": "FPSO-1", "name": "Northern Star"},
    "patch_site.body": {"name": "Southern Star"},
    "patch_vessel.body": {"name": "Northern Star"},
    "import_sites.body": "code,type,name\nFPSO-1,vessel,Northern Star\nF-7,factory,\n",
    "import_vessels.body": "code,name\nFPSO-1,Northern Star\nFPSO-3,\n",
    "SiteEquipment": _SITE_EQUIPMENT,
    "create_vessel_equipment.body": {"code": "P-102", "name": "Pump"},
    "Equipment": _EQUIPMENT,
    "create_equipment.body": {"code": "P-103", "site": "FPSO-1", "name": "Compressor", "location": "deck 3"},
    "EquipmentView": {**_EQUIPMENT, **METADATA},
    "EquipmentCodes": {"codes": ["P-101", "P-102"]},
    "patch_equipment.body": {"site": "FPSO-2"},
    "import_equipment.body": "code,site,name,location\nP-101,FPSO-1,Pump,deck 2\nP-102,FPSO-1,Pump,deck 2\n",
    "Sensor": _SENSOR,
    "put_sensor.body": _SENSOR,
    "SensorView": {**_SENSOR, **METADATA},
    "patch_sensor.body": {"limits": {"high": 85.0}},
    "import_sensors.body": "id,equipment,metric,unit,high\nP-101-pressure,P-101,pressure,bar,16\n",
    "HistoryEntryView": {
        "action": "changed",
        "at": TIME,
        "by": BY,
        "changes": [{"field": "site", "old": "FPSO-1", "new": "FPSO-2"}],
    },
    "OperationRequest": _OPERATION,
    "OperationView": {
        "id": RUN,
        "equipment": "P-101",
        "site": "FPSO-1",
        **_OPERATION,
        "created_at": TIME,
        "created_by": BY,
    },
    "CostSummaryView": _COST,
    "SiteCostView": {"site": "FPSO-1", **_COST},
    "ImportResultView": {"created": 2, "changed": 0, "unchanged": 0, "stored": True},
}
