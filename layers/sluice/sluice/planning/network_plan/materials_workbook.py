"""The bill of materials as a workbook."""

from __future__ import annotations

import io
from collections.abc import Mapping
from datetime import datetime
from typing import Any

from sluice.planning.network_plan.materials import ROWS

# A fixed time of creation: the same bill has the same bytes.
_EPOCH = datetime(2000, 1, 1)


def materials_workbook(materials: Mapping[str, Any]) -> bytes:
    """Write a bill of materials as an XLSX workbook.

    Args:
        materials: what `bill_of_materials` returns.

    Returns:
        The workbook: a row for each item, a column for each node and one for the network.
    """
    import xlsxwriter  # imported for this file only

    file = io.BytesIO()
    with xlsxwriter.Workbook(file, {"in_memory": True}) as book:
        book.set_properties({"created": _EPOCH})
        sheet = book.add_worksheet("Materials")
        bold = book.add_format({"bold": True})
        columns = [*materials["nodes"].values(), materials["network"]]
        for column, title in enumerate(("Item", *materials["nodes"], "Total")):
            # Not write(), which would take a name such as =A1 for a formula.
            sheet.write_string(0, column, title, bold)
        for row, item in enumerate(ROWS, 1):
            sheet.write_string(row, 0, item, bold)
            for column, counts in enumerate(columns, 1):
                sheet.write_number(row, column, counts[item])
        sheet.freeze_panes(1, 1)
    return file.getvalue()
