"""Responses about the audit."""

from __future__ import annotations

from typing import Any

from sluice.api.responses.base import list_model, record_model
from sluice.domain.audit import AuditEntry

AuditEntryView: Any = record_model("AuditEntryView", AuditEntry)
AuditEntryViewList: Any = list_model(AuditEntryView)
