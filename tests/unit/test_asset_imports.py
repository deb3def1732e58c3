"""The import of sites, equipment and sensors from CSV files."""

from __future__ import annotations

from typing import Any

import pytest

from sluice.container import Container
from support.client import Client

SITES = "code,type,name\nV-1,vessel,Northern Star\nF-1,factory,\n"


@pytest.fixture
def fleet(editor: Client) -> Client:
    """An editor with a vessel and a factory."""
    assert editor.post("/sites/import", SITES).json() == counts(created=2)
    return editor


def counts(created: int = 0, changed: int = 0, unchanged: int = 0, *, stored: bool = True) -> dict[str, Any]:
    return {"created": created, "changed": changed, "unchanged": unchanged, "stored": stored}


def errors(client: Client, path: str, body: str) -> list[tuple[int, str | None, str]]:
    refused = client.post(path, body)
    assert refused.status == 422
    assert "nothing was stored" in refused.json()["detail"]
    return [(fault["row"], fault["column"], fault["message"]) for fault in refused.json()["errors"]]


def test_repeated_import_changes_nothing(fleet: Client) -> None:
    assert fleet.get("/sites/F-1").json()["name"] == "F-1", "an empty cell means the default"
    before = fleet.get("/sites").json()
    assert fleet.post("/sites/import", SITES).json() == counts(unchanged=2)
    assert fleet.get("/sites").json() == before


def test_check_stores_nothing(fleet: Client) -> None:
    body = "code,type,name\nV-1,vessel,New name\nV-2,vessel,\nF-1,factory,\n"
    assert fleet.post("/sites/import?check=true", body).json() == counts(1, 1, 1, stored=False)
    assert [site["name"] for site in fleet.get("/sites").json()["items"]] == ["F-1", "Northern Star"]
    assert fleet.post("/sites/import?check=maybe", body).status == 422


def test_columns_that_the_file_lacks_keep_their_values(fleet: Client) -> None:
    fleet.post("/equipment/import", "code,site,name,location\nP-1,V-1,Pump,deck 2\n")
    assert fleet.post("/equipment/import", "code,location\nP-1,deck 3\n").json() == counts(changed=1)
    document = fleet.get("/equipment/P-1").json()
    assert (document["site"], document["name"], document["location"]) == ("V-1", "Pump", "deck 3")
    fleet.post("/equipment/import", "code,site,location\nP-1,F-1,\n")
    document = fleet.get("/equipment/P-1").json()
    assert (document["site"], document["location"]) == ("F-1", None)


def test_every_bad_cell_is_named_and_no_row_is_stored(fleet: Client) -> None:
    body = (
        "code,site,name,parent,status\n"
        "P-1,V-1,Pump,,\n"
        "P_2,V-1,Pump,,broken\n"
        "\n"
        "P-3,NO,Pump,GONE,\n"
        "P-1,V-1,Pump,,\n"
        ",V-1,Pump,,\n"
        "P-4,V-1\n"
    )
    assert errors(fleet, "/equipment/import", body) == [
        (3, "code", "Use up to 32 letters, digits and hyphens, such as PUMP-1."),
        (3, "status", "Input should be 'active' or 'inactive'."),
        (5, "site", "There is no site 'NO'."),
        (5, "parent", "There is no equipment 'GONE'."),
        (6, "code", "'P-1' is in row 2 already."),
        (7, "code", "This field is required."),
        (8, None, "The row has 2 cells, and the header 5."),
    ]
    assert fleet.get("/equipment").json()["items"] == []


@pytest.mark.parametrize(
    ("header", "faults"),
    [
        ("code,site,colour", [("colour", "There is no column 'colour'; the columns are")]),
        ("site,name", [("code", "The column 'code' is missing.")]),
        ("code,site,site", [("site", "The column 'site' is there twice.")]),
    ],
)
def test_header_is_checked(fleet: Client, header: str, faults: list[tuple[str, str]]) -> None:
    named = errors(fleet, "/equipment/import", header + "\nP-1,V-1,x\n")
    assert [(row, column) for row, column, _ in named] == [(1, column) for column, _ in faults]
    assert all(message.startswith(start) for (_, _, message), (_, start) in zip(named, faults, strict=True))


def test_parents_may_be_in_the_file_in_any_order_but_in_no_circle(fleet: Client) -> None:
    rows = [f"E-{number},V-1,{f'E-{number + 1}' if number < 40 else ''}" for number in range(41)]
    assert fleet.post("/equipment/import", "\n".join(["code,site,parent", *rows])).json() == counts(created=41)
    assert fleet.delete("/equipment/E-7").status == 409
    circle = errors(fleet, "/equipment/import", "code,parent\nE-40,E-38\n")
    assert circle == [(2, "parent", "The parent is a part of 'E-40' itself.")]
    swapped = "code,parent\nE-2,\nE-3,E-2\nE-1,E-3\n"
    assert fleet.post("/equipment/import", swapped).json() == counts(changed=3)
    assert fleet.get("/equipment/E-3").json()["parent"] == "E-2"
    assert fleet.post("/equipment/import", "code,parent\nE-1,\nE-0,\n").json() == counts(changed=2)
    assert [fleet.delete(f"/equipment/E-{number}").status for number in (0, 1, 2)] == [204, 204, 409]


def test_sensors_have_columns_for_their_limits(fleet: Client) -> None:
    fleet.post("/sites/V-1/equipment", {"code": "P-1"})
    body = "id,equipment,metric,unit,low,high,missing_after_seconds\nP-1:t,P-1,temperature,°C,-1.5,80,900\n"
    assert fleet.post("/sensors/import", "\ufeff" + body).json() == counts(created=1)
    limits = fleet.get("/sensors/P-1:t").json()["limits"]
    assert (limits["low"], limits["high"], limits["missing_after_seconds"]) == (-1.5, 80.0, 900)
    assert fleet.post("/sensors/import", "id,high\nP-1:t,\n").json() == counts(changed=1)
    assert fleet.get("/sensors/P-1:t").json()["limits"] == {**limits, "high": None}
    named = errors(fleet, "/sensors/import", "id,low,high,missing_after_seconds\nP-1:t,-1e999,12 bar,1.5\nP-2:t,9,3,\n")
    assert [(row, column) for row, column, _ in named] == [
        (2, "low"),
        (2, "high"),
        (2, "missing_after_seconds"),
        (3, "equipment"),
        (3, "metric"),
        (3, "high"),
    ]


def test_vessels_are_imported_without_a_type(fleet: Client) -> None:
    assert fleet.post("/vessels/import", "code\nV-1\nV-2\n").json() == counts(created=1, unchanged=1)
    assert errors(fleet, "/vessels/import", "code\nF-1\n") == [(2, "type", "Input should be 'vessel'.")]


def test_import_larger_than_a_transaction_is_complete(fleet: Client) -> None:
    rows = "".join(f"E-{number},{('V-1', 'F-1')[number % 2]}\n" for number in range(110))
    assert fleet.post("/equipment/import", "code,site\n" + rows).json() == counts(created=110)
    assert len(fleet.get("/sites/F-1/equipment?limit=200").json()["items"]) == 55
    assert fleet.delete("/sites/V-1").status == 409
    assert len(fleet.get("/equipment/E-109/history").json()["items"]) == 1


def test_import_that_others_overtake_counts_each_row_once(
    services: Container, fleet: Client, monkeypatch: pytest.MonkeyPatch
) -> None:
    original = type(services.assets).write
    calls: list[Any] = []

    def write(self: Any, *arguments: Any) -> None:
        calls.append(arguments)
        if len(calls) == 2:  # the second transaction of the import
            fleet.post("/sites/V-1/equipment", {"code": "E-105", "location": "deck 1"})
        original(self, *arguments)

    monkeypatch.setattr(type(services.assets), "write", write)
    rows = "".join(f"E-{number},V-1\n" for number in range(110))
    assert fleet.post("/equipment/import", "code,site\n" + rows).json() == counts(created=109, unchanged=1)


def test_file_that_is_no_csv_is_refused(services: Container, fleet: Client) -> None:
    assert fleet.post("/sites/import", " \n").status == 400
    assert errors(fleet, "/sites/import", 'code,type\nV-9,"vessel\n')[0][:2] == (2, None)
    services.settings.__dict__ |= {"max_import_rows": 1, "max_import_errors": 2}
    assert fleet.post("/sites/import", SITES).status == 422
    too_long = fleet.post("/sites/import", "code,type\nV-1\nV-2\n").json()
    assert too_long["detail"] == "The file has more than 1 rows; split it."
    assert len(errors(fleet, "/sites/import", "code,type,name\n_,x,\n")) == 2
    refused = fleet.post("/sites/import", "a,b,c\n").json()
    assert (len(refused["errors"]), "4 errors, of which the first 2 are listed" in refused["detail"]) == (2, True)
