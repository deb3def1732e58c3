"""The commands for blueprints against the application."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from sluice.container import Container
from sluice_cli.blueprints.apply import apply_blueprint
from sluice_cli.blueprints.folder import Blueprint
from sluice_cli.blueprints.validate import check_documents
from sluice_cli.commands import blueprints as commands
from support.blueprints import PUMPS, SHOP, write_blueprint
from support.client import Client, client_of
from support.command_line import Done, Requests, in_process_api, run_command
from support.template import ROOT

OTHER = {"name": "Other", "merge": {"strategy": "union"}, "refresh_on": "manual"}
CREATED = [
    "PUT /projects/shop",
    "PUT /secrets/key",
    "PUT /datasources/notes",
    "PUT /datasources/orders",
    "PUT /projects/shop/datasources/notes",
    "PUT /projects/shop/datasources/orders",
    "PUT /projects/shop/models/early",
    "PUT /projects/shop/models/a_late",
    "PUT /projects/shop/reports/sales",
    "PUT /projects/shop/endpoints/top",
]


@pytest.fixture
def requests(admin: Client, monkeypatch: pytest.MonkeyPatch) -> Requests:
    """The requests of the commands."""
    requests = Requests()
    api = in_process_api(admin, requests)
    monkeypatch.setattr("sluice_cli.connection.connect", lambda: api)
    monkeypatch.setenv("SHOP_KEY", "sesame")
    return requests


@pytest.fixture
def folder(tmp_path: Path, requests: Requests) -> Path:
    """A blueprint that was not applied."""
    return write_blueprint(tmp_path / "shop", dict(SHOP))


def apply(folder: Path, *options: str) -> Done:
    return run_command(commands.apply, str(folder), "--yes", *options)


def plan(folder: Path, *options: str) -> list[str]:
    done = run_command(commands.apply, str(folder), "--plan", *options)
    assert (done.code, done.error) == (0, "")
    return done.output.splitlines()


def test_failed_apply_continues_and_the_plan_is_empty_then(
    folder: Path, requests: Requests, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert plan(folder)[-1] == "10 to create, 0 to change, 0 to delete, 0 unchanged."
    assert run_command(commands.apply, str(folder), "--plan", "--exit-code").code == 2
    assert requests.writes() == [], "a plan changes nothing"
    requests.refuse = lambda method, path: path == "/projects/shop/models/a_late"
    done = apply(folder)
    assert (done.code, requests.writes()) == (1, CREATED[:8])
    assert done.error.splitlines() == [
        "model shop/a_late: the change failed:",
        f"  {folder}/models/a_late.yaml:1:1: the test refuses this request",
        "7 of 10 changes are done. Not done:",
        "  + model shop/a_late",
        "  + report shop/sales",
        "  + endpoint shop/top",
        "Correct the error and apply again: it continues with what is left.",
    ]
    assert done.output.splitlines()[-1] == "+ model shop/early applied"
    requests.refuse = lambda method, path: False
    requests.seen.clear()
    assert apply(folder).code == 0
    assert requests.writes() == CREATED[7:]
    monkeypatch.delenv("SHOP_KEY")
    assert plan(folder, "--prune", "--exit-code") == [
        "note: 1 secret keeps its value; --secrets writes values again",
        "No changes: 10 unchanged.",
    ]
    assert run_command(commands.apply, str(folder)).code == 0, "there is nothing to ask"


def test_changes_and_deletions(folder: Path, requests: Requests, admin: Client) -> None:
    assert apply(folder).code == 0
    admin.put("/projects/other", OTHER)
    admin.put("/projects/other/datasources/notes", {})
    write_blueprint(
        folder,
        {
            "projects/shop.yaml": "name: Renamed\nrefresh_on: manual\ndatasources: {orders: {alias: top}}\n",
            "models/early.yaml": "sql: |\n  SELECT 1 AS id\n",
            "models/a_late.yaml": None,
            "reports/sales.yaml": None,
            "endpoints/top.yaml": "sql: SELECT id, 1 AS a FROM early\ncolumns:\n  id: Id\n  b: B\n",
            "datasources/notes.yaml": None,
        },
    )
    done = apply(folder, "--prune")
    assert "cannot become 'top': the stored model shop/early reads it" in done.error
    project = "name: Renamed\nrefresh_on: manual\ndatasources: {orders: {optional: true}}\n"
    write_blueprint(folder, {"projects/shop.yaml": project})
    requests.seen.clear()
    done = apply(folder, "--prune")
    assert (
        done.error.splitlines()[1]
        == f"  {folder}/endpoints/top.yaml:4:6: columns.b: The query has no column 'b'; it has id, a."
    )
    write_blueprint(folder, {"endpoints/top.yaml": "sql: SELECT id FROM early\n"})
    assert apply(folder, "--prune").code == 0
    assert requests.writes() == [
        "DELETE /projects/shop/reports/sales",
        "DELETE /projects/shop/datasources/notes",
        "PUT /projects/shop",
        "PUT /projects/shop/datasources/orders",
        "PUT /projects/shop/models/early",
        "PUT /projects/shop/endpoints/top",
        "PUT /projects/shop/endpoints/top",
        "DELETE /projects/shop/models/a_late",
    ]
    assert admin.get("/projects/other/datasources/notes").status == 200
    assert plan(folder, "--prune")[-1] == "No changes: 6 unchanged."


def test_plan_can_be_read_by_programs(folder: Path, requests: Requests) -> None:
    apply(folder)
    write_blueprint(folder, {"datasources/notes.yaml": "name: Old notes\nkind: file\n"})
    done = run_command(commands.apply, str(folder), "--plan", "-o", "json")
    assert json.loads(done.output) == [
        {"action": "change", "resource": "datasource notes", "field": "name", "old": "Notes", "new": "Old notes"}
    ]
    assert run_command(commands.apply, str(folder), "-o", "json").code == 2, "it needs --plan"


def test_deletion_that_somebody_else_makes(folder: Path, requests: Requests, admin: Client) -> None:
    only_data = {name: None for name in SHOP if name.startswith(("models", "reports", "endpoints"))}
    write_blueprint(folder, only_data)
    assert apply(folder).code == 0
    empty = {"projects/shop.yaml": "name: Shop\n", "datasources/notes.yaml": None, "datasources/orders.yaml": None}
    write_blueprint(folder, empty)

    def overtake(method: str, path: str) -> bool:
        if method == "DELETE":
            admin.delete(path)
        return False

    requests.refuse = overtake
    assert apply(folder, "--prune").code == 0
    assert admin.get("/datasources").json()["items"] == []


@pytest.mark.parametrize("stored", [True, False], ids=["changed", "created"])
def test_what_somebody_else_writes_meanwhile_is_not_overwritten(
    folder: Path, requests: Requests, admin: Client, stored: bool
) -> None:
    if stored:
        assert apply(folder).code == 0
    early, late, theirs = "/projects/shop/models/early", "/projects/shop/models/a_late", {"sql": "SELECT 2 AS id"}
    files = {"models/early.yaml": "sql: SELECT 7 AS id\n", "models/a_late.yaml": "sql: SELECT *, 8 AS b FROM early\n"}
    write_blueprint(folder, files)

    def overtake(method: str, path: str) -> bool:
        if (method, path) == ("PUT", late):
            admin.put(late, theirs)
        return False

    requests.refuse = overtake
    requests.seen.clear()
    done = apply(folder)
    assert (done.code, requests.writes()[-1]) == (1, f"PUT {late}")
    verb, made, left = (
        ("changed", "1 of 2 changes is", []) if stored else ("created", "7 of 10 changes are", ["report", "endpoint"])
    )
    lines = done.error.splitlines()
    assert lines[:3] == [
        "model shop/a_late: the change failed:",
        f"  the model was {verb} by somebody else since this plan was made",
        f"{made} done. Not done:",
    ]
    assert [line.split()[1] for line in lines[3:-1]] == ["model", *left]
    assert lines[-1] == "Run apply again: it makes a new plan for what is left."
    assert admin.get(late).json()["sql"] == theirs["sql"]
    assert admin.get(early).json()["sql"] == "SELECT 7 AS id"
    requests.refuse = lambda method, path: False
    assert apply(folder).code == 0
    assert admin.get(late).json()["sql"] == "SELECT *, 8 AS b FROM early"


def test_change_whose_answer_was_lost_is_done(folder: Path, requests: Requests, admin: Client) -> None:
    assert apply(folder).code == 0
    model = "/projects/shop/models/early"
    write_blueprint(folder, {"models/early.yaml": "sql: SELECT *, 5 AS five FROM orders\n"})

    def do_it_first(method: str, path: str) -> bool:
        if (method, path) == ("PUT", model):
            assert admin.put(model, {"sql": "SELECT *, 5 AS five FROM orders"}).status == 200
        return False

    requests.refuse = do_it_first
    assert apply(folder).code == 0
    assert plan(folder)[-1] == "No changes: 10 unchanged."


def test_what_somebody_else_changes_meanwhile_is_not_deleted(folder: Path, requests: Requests, admin: Client) -> None:
    assert apply(folder).code == 0
    write_blueprint(folder, {"reports/sales.yaml": None})
    theirs = {**admin.get("/projects/shop/reports/sales").json(), "title": "Theirs"}

    def overtake(method: str, path: str) -> bool:
        if method == "DELETE":
            admin.put(path, {name: theirs[name] for name in ("title", "sections")})
        return False

    requests.refuse = overtake
    done = apply(folder, "--prune")
    assert (done.code, "changed by somebody else since this plan was made" in done.error) == (1, True)
    assert admin.get("/projects/shop/reports/sales").json()["title"] == "Theirs"


@pytest.mark.parametrize("projects", [None, ["shop", "mine"]], ids=["all projects", "some projects"])
def test_prune_plans_only_what_the_key_may_delete(
    folder: Path,
    requests: Requests,
    services: Container,
    admin: Client,
    monkeypatch: pytest.MonkeyPatch,
    projects: list[str] | None,
) -> None:
    write_blueprint(folder, {"datasources/notes.yaml": "name: Notes\nkind: file\n"})
    assert apply(folder).code == 0
    editor = client_of(services, "editor", projects)
    api = in_process_api(editor, requests)
    monkeypatch.setattr("sluice_cli.connection.connect", lambda: api)
    mine = {"blueprint.yaml": "name: mine\n", "projects/mine.yaml": "name: Mine\nrefresh_on: manual\n"}
    own = write_blueprint(folder.parent / "mine", {**mine, "datasources/own.yaml": "name: Own\nkind: push\n"})
    project = mine["projects/mine.yaml"]
    write_blueprint(own, {"projects/mine.yaml": project + "datasources: {own: {}, notes: {}}\n"})
    assert apply(own).code == 0
    write_blueprint(own, {"projects/mine.yaml": project, "datasources/own.yaml": None})
    admin.delete("/projects/shop/datasources/notes")
    requests.seen.clear()
    lines = plan(own, "--prune")
    assert "note: the datasource notes stays: only its owner or an admin may delete it" in lines
    hidden = "note: the datasource own stays: this key cannot see whether other projects use it"
    assert (hidden in lines) == (projects is not None)
    done = apply(own, "--prune")
    assert (done.code, done.error) == (0, "")
    deleted = ["DELETE /projects/mine/datasources/own", "DELETE /projects/mine/datasources/notes"]
    assert requests.writes() == (deleted if projects else [*deleted, "DELETE /datasources/own"])
    # The project and what it has belong to the admin.
    write_blueprint(folder, {"models/a_late.yaml": None, "reports/sales.yaml": None, "endpoints/top.yaml": None})
    lines = plan(folder, "--prune")
    note = "note: not in the blueprint: endpoint shop/top, model shop/a_late, report shop/sales; only the owner of the "
    assert f"{note}project or an admin may delete what it has" in lines
    assert [line for line in lines if line.startswith("−")] == []


def test_changes_need_an_answer(folder: Path, requests: Requests, monkeypatch: pytest.MonkeyPatch) -> None:
    write_blueprint(folder, {name: None for name in SHOP if name not in ("blueprint.yaml", "projects/shop.yaml")})
    write_blueprint(folder, {"blueprint.yaml": "name: x\n", "projects/shop.yaml": "name: Shop\n"})
    done = run_command(commands.apply, str(folder))
    assert (done.code, "add --yes" in done.error, requests.writes()) == (1, True, [])
    monkeypatch.setattr("click.testing._NamedTextIOWrapper.isatty", lambda self: True, raising=False)
    done = run_command(commands.apply, str(folder), answers="n\n")
    assert (done.code, requests.writes()) == (1, [])
    done = run_command(commands.apply, str(folder), answers="y\n")
    assert (done.code, requests.writes()) == (0, ["PUT /projects/shop"])
    assert run_command(commands.apply, str(folder), "--exit-code").code == 2, "it needs --plan"


def test_editor_applies_without_seeing_secrets(
    folder: Path, services: Container, admin: Client, monkeypatch: pytest.MonkeyPatch
) -> None:
    admin.put("/secrets/key", {"value": "v", "hosts": ["orders.example.com"]})
    api = in_process_api(client_of(services, "editor"))
    monkeypatch.setattr("sluice_cli.connection.connect", lambda: api)
    assert apply(folder).code == 0
    lines = plan(folder)
    assert lines[0].startswith("note: this key may not list secrets")
    assert lines[-1] == "No changes: 10 unchanged."
    assert services.secrets.value("key") == "v"


def test_demonstration_applies_secrets_again(services: Container, admin: Client) -> None:
    folder = ROOT / "blueprints/top-coins"
    for key in ("one", "two"):
        apply_blueprint(Blueprint(folder, {"COINMARKETCAP_KEY": key}), in_process_api(admin))
        assert services.secrets.value("coinmarketcap") == key


def test_plan_after_the_demonstration_is_empty(
    requests: Requests, admin: Client, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    folder, address = ROOT / "blueprints/top-coins", "http://127.0.0.1:4567"
    for name in ("COINMARKETCAP_URL", "COINMARKETCAP_KEY", "CRYPTOCOMPARE_URL"):
        monkeypatch.delenv(name, raising=False)
    local = {"stack.json": json.dumps({"api": "http://api.test/v1", "endpoint_url": "http://127.0.0.1:4566"})}
    write_blueprint(tmp_path, {**local, "4566/samples/top-coins.port": "4567"})
    monkeypatch.setenv("SLUICE_LOCAL", str(tmp_path))
    before = run_command(commands.apply, str(folder), "--plan")
    assert "COINMARKETCAP_KEY has no value" in before.error, "nothing points to the sample server"
    apply_blueprint(Blueprint(folder, Blueprint(folder).sample_environment(address)), in_process_api(admin))
    lines = plan(folder)
    assert lines[-1] == "No changes: 9 unchanged."
    assert f"the sample server {address} stands in for the real APIs" in lines[0]
    monkeypatch.setenv("COINMARKETCAP_KEY", "mine")
    assert plan(folder)[-1] == "0 to create, 2 to change, 0 to delete, 7 unchanged."


def test_assets_are_applied_in_their_order_and_exported_as_they_were(
    tmp_path: Path, requests: Requests, admin: Client
) -> None:
    folder = write_blueprint(tmp_path / "pumps", dict(PUMPS))
    assert apply(folder).code == 0
    assert requests.writes() == ["PUT /sites/V-1", "PUT /equipment/P-1", "PUT /equipment/A-1", "PUT /sensors/P-1.flow"]
    assert plan(folder, "--exit-code") == ["No changes: 4 unchanged."]
    write_blueprint(folder, {"sensors/P-1.flow.yaml": "equipment: P-1\nmetric: flow\nlimits: {high: 90}\n"})
    assert plan(folder)[:2] == ["~ sensor P-1.flow", "    limits.high: 80.0 → 90.0"]
    done = run_command(commands.export, str(tmp_path / "all"), "--all")
    assert (done.code, done.error) == (0, "")
    exported = Blueprint(tmp_path / "all", {})
    assert [str(key) for key in exported.sources] == ["site V-1", "equipment A-1", "equipment P-1", "sensor P-1.flow"]
    schema, _, exported_sensor = (tmp_path / "all/sensors/P-1.flow.yaml").read_text().partition("\n")
    assert schema.endswith("docs/schemas/sensor.schema.json")
    assert exported_sensor == "equipment: P-1\nmetric: flow\nlimits: {high: 80.0}\n"
    assert plan(tmp_path / "all", "--exit-code") == ["No changes: 4 unchanged."]


def test_assets_in_one_file_are_those_in_files_of_their_own(tmp_path: Path, requests: Requests) -> None:
    assert apply(write_blueprint(tmp_path / "pumps", dict(PUMPS))).code == 0
    tables: dict[str, str] = {"blueprint.yaml": PUMPS["blueprint.yaml"]}
    for name, text in PUMPS.items():
        folder, _, file = name.partition("/")
        if file:
            indented = "".join(f"  {line}\n" for line in text.splitlines())
            tables[f"{folder}.yaml"] = tables.get(f"{folder}.yaml", "") + f"{file.removesuffix('.yaml')}:\n{indented}"
    together = write_blueprint(tmp_path / "together", tables)
    assert plan(together, "--exit-code") == ["No changes: 4 unchanged."]
    write_blueprint(together, {"sensors.yaml": tables["sensors.yaml"].replace("flow\n", "flow\n  unit: 7\n", 1)})
    (fault,) = check_documents(Blueprint(together, {})).faults
    assert str(fault).endswith('sensors.yaml:4:9: ["P-1.flow"].unit: Input should be a valid string.')


def test_assets_of_wrong_names_are_faults(tmp_path: Path) -> None:
    folder = write_blueprint(tmp_path / "pumps", {**PUMPS, "sites/import.yaml": "type: vessel\n"})
    faults = [str(fault) for fault in check_documents(Blueprint(folder, {})).faults]
    assert len(faults) == 1
    assert "sites/import.yaml" in faults[0]
    assert "none of activate" in faults[0]


def test_blueprint_without_assets_reads_none(folder: Path, requests: Requests) -> None:
    plan(folder)
    assert not any(path.startswith(("/sites", "/equipment", "/sensors")) for _, path in requests.seen)
