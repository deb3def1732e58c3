"""The import of assets from CSV files."""

from __future__ import annotations

from sluice.api.call import Answer, Call
from sluice.api.routes import Parameter
from sluice.assets.csv_import import import_assets
from sluice.container import Container
from sluice.domain.assets.kinds import AssetType

CHECK = Parameter("check", "`true` only checks the file and stores nothing.", {"type": "boolean", "default": False})
CSV_BODY = {
    "type": "string",
    "description": "A CSV file in UTF-8. Its first row has the names of the columns, which are those of the document; "
    "an empty cell means the default.",
}


def import_answer(call: Call, services: Container, asset: AssetType) -> Answer:
    """Import the CSV file in the body, and answer what changed.

    Args:
        asset: the type of the assets.

    Raises:
        Invalid: the file is not valid; `errors` names the cells, and nothing is stored.
    """
    body = call.body()
    call.require_known_parameters()
    check = call.choice("check", ("true", "false"), "false") == "true"
    return Answer(import_assets(services, asset, body, call.principal, check=check).model_dump())
