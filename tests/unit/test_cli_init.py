"""`sluice init`: the proposed document as a file."""

from pathlib import Path

import httpx
import pytest
import yaml

from sluice_cli.blueprints.yaml_file import YamlFile
from sluice_cli.commands.init import commented_yaml
from support.command_line import Commands
from support.template import ROOT
from support.upstream import Upstream


def test_reasons_are_comments_above_their_fields() -> None:
    document = {"slug": "coins", "name": "Coins", "http": {"url": "https://a.example.com"}, "records": "data[]"}
    reasons = [
        {"pointer": "/records", "reason": "the longest list", "confidence": "likely"},
        {"pointer": "/http/pagination", "reason": "a Link\nheader", "confidence": "verified"},
    ]
    text = commented_yaml(document, reasons)
    assert yaml.safe_load(text) == {name: value for name, value in document.items() if name != "slug"}
    assert "# likely: the longest list\nrecords:" in text
    assert "# verified: a Link header\nhttp:" in text


def test_proposed_document_has_no_variables(tmp_path: Path) -> None:
    document = {"slug": "coins", "name": "${HOME}", "fields": {"${USER}": "a", "plain": "$${x}"}}
    reasons = [{"pointer": "/fields", "reason": "the keys ${A} and \x1b[31m\u2028name: b", "confidence": "likely"}]
    file = tmp_path / "coins.yaml"
    file.write_text(commented_yaml(document, reasons))
    read = YamlFile(file, {"HOME": "/home/me", "USER": "me"})
    assert (read.faults, read.document) == ([], {"name": "${HOME}", "fields": document["fields"]})


def test_proposal_stays_in_its_folder(sluice: Commands, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    proposal = {"document": {"slug": "../../out", "name": "D"}, "reasons": [], "warnings": []}
    monkeypatch.setattr(sluice.transport, "handle_request", lambda _: httpx.Response(200, json=proposal))
    refused = sluice("init", "https://api.example.com", "--into", str(tmp_path / "a/b"))
    assert (refused.code, "'../../out'" in refused.err, list(tmp_path.iterdir())) == (1, True, [])


def test_proposal_becomes_a_file_that_editors_can_check(sluice: Commands, upstream: Upstream, tmp_path: Path) -> None:
    upstream.serve([{"id": 1}])
    assert (
        sluice("init", "http://127.0.0.1:9/csv", "--into", str(tmp_path)).err
        == f"wrote {tmp_path}/datasources/csv.yaml\n"
    )
    for name, schema in (("blueprint.yaml", "blueprint"), ("datasources/csv.yaml", "datasource")):
        first, second = (tmp_path / name).read_text().splitlines()[:2]
        path = (tmp_path / name).parent / first.removeprefix("# yaml-language-server: $schema=")
        assert path.resolve() == ROOT / f"docs/schemas/{schema}.schema.json"
        assert second.startswith("name: ")


def test_what_is_no_address_gets_advice(sluice: Commands) -> None:
    refused = sluice("init", "foo")
    assert (refused.code, refused.out) == (1, "")
    assert "Give a whole address such as https://" in refused.err
    assert "pattern" not in refused.err
