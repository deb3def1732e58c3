"""Sites, equipment and sensors by the API: verbs, references, lists of equipment, and histories."""

from __future__ import annotations

from typing import Any

import pytest

from sluice.container import Container
from support.client import Client, client_of_projects

SENSOR = {"id": "P-1:temp", "equipment": "P-1", "metric": "temperature", "unit": "°C", "limits": {"high": 80}}


@pytest.fixture
def fleet(editor: Client) -> Client:
    """An editor with two vessels, a factory, and two pumps on the first vessel."""
    for code in ("V-1", "V-2"):
        assert editor.post("/vessels", {"code": code}).status == 201
    assert editor.post("/sites", {"code": "F-1", "type": "factory", "name": "Mill"}).status == 201
    for code in ("P-1", "P-2"):
        created = editor.post("/vessels/V-1/equipment", {"code": code, "name": "Pump", "location": "deck 2"})
        assert created.status == 201
    return editor


def codes(client: Client, path: str, field: str = "code") -> list[str]:
    return [item[field] for item in client.get(path).json()["items"]]


def changes(client: Client, path: str) -> list[tuple[str, dict[str, tuple[Any, Any]]]]:
    """The actions and changes in a history, the oldest first."""
    entries: list[dict[str, Any]] = []
    cursor: str | None = ""
    while cursor is not None:
        page = client.get(f"{path}?limit=3" + (f"&cursor={cursor}" if cursor else "")).json()
        entries += page["items"]
        cursor = page["next"]
    return [
        (entry["action"], {change["field"]: (change["old"], change["new"]) for change in entry["changes"]})
        for entry in reversed(entries)
    ]


def test_vessel_is_created_by_its_code_alone(editor: Client) -> None:
    created = editor.post("/vessels", {"code": "V-1"})
    assert (created.status, created.headers["Location"].partition("/v1")[2]) == (201, "/vessels/V-1")
    document = created.json()
    assert (document["code"], document["type"], document["name"]) == ("V-1", "vessel", "V-1")
    assert editor.get("/vessels/V-1").json() == editor.get("/sites/V-1").json() == document
    again = editor.post("/vessels", {"code": "V-1"})
    assert (again.status, again.json()["detail"]) == (409, "There is already a site 'V-1'.")


def test_site_of_another_type_is_no_vessel(fleet: Client) -> None:
    assert codes(fleet, "/vessels") == ["V-1", "V-2"]
    assert codes(fleet, "/sites") == ["F-1", "V-1", "V-2"]
    assert codes(fleet, "/sites?type=factory") == ["F-1"]
    assert fleet.get("/vessels/F-1").status == 404
    assert fleet.put("/vessels/F-1", {}).status == 409
    assert fleet.patch("/vessels/V-1", {"type": "plant"}).status == 422
    assert fleet.post("/vessels", {"code": "X", "type": "plant"}).status == 422
    assert fleet.get("/sites?type=ship").status == 422


def test_equipment_is_active_and_its_code_unique_over_all_sites(fleet: Client) -> None:
    assert fleet.get("/equipment/P-1").json()["status"] == "active"
    assert fleet.post("/sites/F-1/equipment", {"code": "P-1"}).status == 409
    assert fleet.post("/sites/NO/equipment", {"code": "P-9"}).status == 404
    assert fleet.post("/sites/F-1/equipment", {"code": "P-9", "site": "V-1"}).status == 422
    refused = fleet.post("/equipment", {"code": "P-9", "site": "NO"})
    assert (refused.status, refused.json()["errors"]) == (
        422,
        [{"pointer": "/site", "message": "There is no site 'NO'."}],
    )
    assert codes(fleet, "/equipment") == ["P-1", "P-2"], "a refused request stores nothing"


def test_equipment_is_listed_by_site_status_and_name(fleet: Client) -> None:
    fleet.post("/sites/F-1/equipment", {"code": "M-1", "name": "Motor"})
    fleet.post("/equipment/deactivate", {"codes": ["P-2"]})
    assert codes(fleet, "/equipment?site=V-1") == codes(fleet, "/vessels/V-1/equipment") == ["P-1", "P-2"]
    assert codes(fleet, "/sites/V-1/equipment?status=active") == ["P-1"]
    assert codes(fleet, "/equipment?status=inactive") == ["P-2"]
    assert codes(fleet, "/equipment?name=Motor") == ["M-1"]
    assert codes(fleet, "/vessels/V-2/equipment") == []
    assert fleet.get("/equipment?status=broken").status == 422


@pytest.mark.parametrize("query", ["", "&site=V-1", "&status=active"])
def test_lists_are_paged(fleet: Client, query: str) -> None:
    fleet.post("/vessels/V-1/equipment", {"code": "P-3"})
    first = fleet.get(f"/equipment?limit=2{query}").json()
    second = fleet.get(f"/equipment?limit=2{query}&cursor={first['next']}").json()
    assert [item["code"] for item in first["items"] + second["items"]] == ["P-1", "P-2", "P-3"]
    assert second["next"] is None
    assert fleet.get(f"/equipment?name=x&cursor={first['next']}").status == 422, "a cursor of another list"


def test_status_of_a_list_changes_for_all_or_none(fleet: Client) -> None:
    refused = fleet.post("/equipment/deactivate", {"codes": ["P-1", "NO-1", "P-2", "NO-2"]})
    assert refused.status == 422
    assert "NO-1, NO-2" in refused.json()["detail"]
    assert [fault["pointer"] for fault in refused.json()["errors"]] == ["/codes/1", "/codes/3"]
    assert codes(fleet, "/equipment?status=active") == ["P-1", "P-2"]
    done = fleet.post("/equipment/deactivate", {"codes": ["P-2", "P-1", "P-2"]})
    assert [(item["code"], item["status"]) for item in done.json()["items"]] == [
        ("P-2", "inactive"),
        ("P-1", "inactive"),
    ]
    before = fleet.get("/equipment/P-1").json()
    assert fleet.post("/equipment/deactivate", {"codes": ["P-1"]}).json()["items"] == [before]
    assert fleet.post("/equipment/activate", {"codes": ["P-1"]}).json()["items"][0]["status"] == "active"
    assert fleet.post("/equipment/deactivate", {"codes": []}).status == 422


def test_hundred_pieces_change_in_one_transaction(services: Container, fleet: Client) -> None:
    rows = "".join(f"E-{number},V-2\n" for number in range(100))
    assert fleet.post("/equipment/import", "code,site\n" + rows).json()["created"] == 100
    done = fleet.post("/equipment/deactivate", {"codes": [f"E-{number}" for number in range(100)]})
    assert {item["status"] for item in done.json()["items"]} == {"inactive"}
    assert len(done.json()["items"]) == 100
    assert fleet.post("/equipment/deactivate", {"codes": [f"E-{number}" for number in range(101)]}).status == 422


def test_overtaken_change_of_a_list_is_repeated(
    services: Container, fleet: Client, monkeypatch: pytest.MonkeyPatch
) -> None:
    original = type(services.assets).write
    overtaken: list[bool] = []

    def write(self: Any, *arguments: Any) -> None:
        if not overtaken:
            overtaken.append(True)
            fleet.patch("/equipment/P-2", {"location": "deck 9"})
        original(self, *arguments)

    monkeypatch.setattr(type(services.assets), "write", write)
    done = fleet.post("/equipment/deactivate", {"codes": ["P-1", "P-2"]}).json()["items"]
    assert [(item["status"], item["location"]) for item in done] == [("inactive", "deck 2"), ("inactive", "deck 9")]


def test_moved_equipment_has_a_complete_history(fleet: Client) -> None:
    for site in ("V-2", "F-1", "V-1", "V-2"):
        assert fleet.patch("/equipment/P-1", {"site": site}).json()["site"] == site
        assert "P-1" in codes(fleet, f"/sites/{site}/equipment")
    assert codes(fleet, "/vessels/V-1/equipment") == ["P-2"]
    assert fleet.patch("/equipment/P-1", {"site": "NO"}).status == 422
    created = {"code": (None, "P-1"), "name": (None, "Pump"), "location": (None, "deck 2")}
    assert changes(fleet, "/equipment/P-1/history") == [
        ("created", {**created, "status": (None, "active"), "site": (None, "V-1")}),
        ("changed", {"site": ("V-1", "V-2")}),
        ("changed", {"site": ("V-2", "F-1")}),
        ("changed", {"site": ("F-1", "V-1")}),
        ("changed", {"site": ("V-1", "V-2")}),
    ]


def test_long_history_stays_complete_over_deletion_and_in_any_page(fleet: Client, viewer: Client) -> None:
    names = [f"Pump {number}" for number in range(25)]
    for name in names:
        fleet.patch("/equipment/P-1", {"name": name})
    fleet.post("/equipment/deactivate", {"codes": ["P-1"]})
    assert fleet.delete("/equipment/P-1").status == 204
    assert fleet.get("/equipment/P-1").status == 404
    fleet.post("/vessels/V-2/equipment", {"code": "P-1"})
    history = changes(fleet, "/equipment/P-1/history")
    assert [action for action, _ in history] == ["created", *["changed"] * 26, "deleted", "created"]
    assert [fields["name"][1] for _, fields in history[1:26]] == names
    assert history[26][1] == {"status": ("active", "inactive")}
    entry = viewer.get("/equipment/P-1/history").json()["items"][1]
    assert (entry["action"], entry["by"]) == ("deleted", viewer.get("/equipment/P-1").json()["created_by"])
    assert viewer.get("/equipment/NO/history").status == 404
    assert [action for action, _ in changes(fleet, "/vessels/V-1/history")] == ["created"]


def test_unchanged_document_leaves_no_trace(fleet: Client) -> None:
    stored = fleet.get("/equipment/P-1")
    for answer in (fleet.put("/equipment/P-1", stored.json()), fleet.patch("/equipment/P-1", {"name": "Pump"})):
        assert (answer.status, answer.json()) == (200, stored.json())
    assert len(changes(fleet, "/equipment/P-1/history")) == 1


def test_asset_in_use_is_not_deleted(fleet: Client) -> None:
    refused = fleet.delete("/sites/V-1")
    assert (refused.status, "GET /sites/V-1/equipment" in refused.json()["detail"]) == (409, True)
    assert fleet.post("/sensors", SENSOR).status == 201
    refused = fleet.delete("/equipment/P-1")
    assert (refused.status, "GET /sensors?equipment=P-1" in refused.json()["detail"]) == (409, True)
    assert fleet.delete("/sensors/P-1:temp").status == 204
    assert fleet.delete("/equipment/P-1").status == 204
    assert fleet.patch("/equipment/P-2", {"site": "V-2"}).status == 200
    assert fleet.delete("/sites/V-1").status == 204, "its equipment was deleted or moved"
    assert fleet.delete("/sites/V-2").status == 409
    assert fleet.post("/vessels/V-1/equipment", {"code": "P-3"}).status == 404


def test_parent_exists_and_is_no_part(fleet: Client) -> None:
    assert fleet.patch("/equipment/P-2", {"parent": "P-1"}).status == 200
    assert fleet.patch("/equipment/P-1", {"parent": "P-2"}).status == 422
    assert fleet.patch("/equipment/P-1", {"parent": "NO"}).json()["errors"][0]["pointer"] == "/parent"
    assert fleet.delete("/equipment/P-1").status == 409
    assert fleet.patch("/equipment/P-2", {"parent": None}).json()["parent"] is None
    assert fleet.delete("/equipment/P-1").status == 204


def test_sensor_is_changed_by_a_merge_patch(fleet: Client) -> None:
    created = fleet.post("/sensors", SENSOR)
    assert (created.status, created.headers["Location"].partition("/v1")[2]) == (201, "/sensors/P-1:temp")
    limits = created.json()["limits"]
    patched = fleet.patch("/sensors/P-1:temp", {"limits": {"low": 5, "high": None}}, if_match=created.headers["ETag"])
    assert patched.json()["limits"] == {**limits, "low": 5.0, "high": None}
    assert fleet.patch("/sensors/P-1:temp", {"unit": "K"}, if_match=created.headers["ETag"]).status == 412
    assert fleet.get("/sensors/P-1%3Atemp").json() == patched.json()
    assert fleet.get("/sensors/P-1:temp", if_none_match=patched.headers["ETag"]).status == 304
    assert fleet.post("/sensors", SENSOR).status == 409
    assert fleet.put("/sensors/P-2.flow", {"equipment": "NO", "metric": "flow"}).status == 422
    assert fleet.put("/sensors/P-2.flow", {"equipment": "P-2", "metric": "flow"}).status == 201
    assert fleet.put("/sensors/P-2.flow", {"id": "other", "equipment": "P-2", "metric": "flow"}).status == 422
    assert fleet.delete("/sensors/P-2.flow", if_match='"9"').status == 412
    assert changes(fleet, "/sensors/P-1:temp/history")[1][1] == {"limits": (limits, patched.json()["limits"])}


def test_sensors_are_listed_by_site_equipment_and_metric(fleet: Client) -> None:
    for number, (equipment, metric) in enumerate((e, m) for e in ("P-1", "P-2") for m in ("flow", "temperature")):
        fleet.post("/sensors", {"id": f"s{number}", "equipment": equipment, "metric": metric})
    fleet.patch("/equipment/P-2", {"site": "V-2"})
    assert codes(fleet, "/sensors", "id") == ["s0", "s1", "s2", "s3"]
    assert codes(fleet, "/sensors?equipment=P-1", "id") == ["s0", "s1"]
    assert codes(fleet, "/sensors?site=V-2", "id") == ["s2", "s3"]
    assert codes(fleet, "/sensors?site=V-2&metric=flow", "id") == ["s2"]
    assert codes(fleet, "/sensors?site=V-2&equipment=P-1", "id") == []
    assert codes(fleet, "/sensors?metric=temperature", "id") == ["s1", "s3"]
    assert fleet.get("/sensors?color=red").status == 422


def test_repeated_creation_with_a_key_is_answered_once(editor: Client) -> None:
    first = editor.post("/vessels", {"code": "V-1"}, idempotency_key="k")
    assert editor.post("/vessels", {"code": "V-1"}, idempotency_key="k").json() == first.json()


def test_viewers_read_and_keys_of_projects_see_no_assets(services: Container, fleet: Client, viewer: Client) -> None:
    assert viewer.get("/vessels/V-1").status == 200
    assert viewer.patch("/equipment/P-1", {"name": "x"}).status == 403
    guest = client_of_projects(services, ["p"])
    for path in ("/sites", "/sites/V-1", "/equipment/NO", "/sensors", "/operations"):
        refused = guest.get(path)
        assert (refused.status, "limited to projects" in refused.json()["detail"]) == (403, True)
