"""Blueprints: folders of YAML that describe a whole project, applied through the public API."""

from __future__ import annotations

import os
import re
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import yaml

from sluice_cli.api import Api
from sluice_cli.progress import StepFailed, console

_VARIABLE = re.compile(r"\$\{(\w+)(?::-([^}]*))?\}")


class Blueprint:
    """One folder.

    Args:
        folder: with `blueprint.yaml`, `datasources/*.yaml`, `projects/*.yaml`, `files/{slug}/*`, and of the
            project that `blueprint.yaml` names `models/*.yaml`, `reports/*.yaml`, `endpoints/*.yaml`.
        variables: what stands for `${NAME}` and `${NAME:-default}` in them.
    """

    def __init__(self, folder: Path, variables: Mapping[str, str] | None = None) -> None:
        self.folder = folder
        self._variables = os.environ if variables is None else variables
        if not (folder / "blueprint.yaml").exists():
            raise StepFailed(f"{folder} is no blueprint: it has no blueprint.yaml")
        self.description = self._load(folder / "blueprint.yaml", later=True)

    def _load(self, file: Path, *, later: bool = False) -> dict[str, Any]:
        text = file.read_text()
        try:
            document = yaml.safe_load(text if later else self._filled(text, file))
        except yaml.YAMLError as error:
            raise StepFailed(f"{file} is not YAML: {error}") from None
        if not isinstance(document, dict):
            raise StepFailed(f"{file} must hold a mapping")
        return document

    def _filled(self, text: str, file: Path) -> str:
        def value(match: re.Match[str]) -> str:
            found = self._variables.get(match[1], match[2])
            if found is None:
                raise StepFailed(f"{file.name} needs the environment variable {match[1]}; set it and try again")
            return found

        return _VARIABLE.sub(value, text)

    def apply(self, api: Api) -> None:
        """Make the workspace what the folder says; applying it again changes nothing.

        Raises:
            StepFailed: with what the API refuses.
        """
        for name, value in self.description.get("secrets", {}).items():
            api.put(f"/secrets/{name}", {"value": self._filled(value, self.folder / "blueprint.yaml")})
            console.print(f"  secret {name}")
        for file in sorted((self.folder / "datasources").glob("*.yaml")):
            api.put(f"/datasources/{file.stem}", self._load(file))
            console.print(f"  datasource {file.stem}")
        for file in sorted((self.folder / "projects").glob("*.yaml")):
            self._apply_project(api, file)

    def _apply_project(self, api: Api, file: Path) -> None:
        document = self._load(file)
        assigned = document.pop("datasources", {})
        api.put(f"/projects/{file.stem}", document)
        for slug, assignment in assigned.items():
            api.put(f"/projects/{file.stem}/datasources/{slug}", assignment or {})
        present = api.get(f"/projects/{file.stem}/datasources")["items"]
        for slug in {one["datasource"] for one in present} - set(assigned):
            api.call("DELETE", f"/projects/{file.stem}/datasources/{slug}")
        console.print(f"  project {file.stem} with {', '.join(assigned) or 'no datasource'}")
        if file.stem == self.description.get("project"):
            for kind in ("models", "reports", "endpoints"):
                self._apply_parts(api, file.stem, kind)

    def _apply_parts(self, api: Api, project: str, kind: str) -> None:
        """Make a project's models, reports or endpoints what the folder says; others are removed."""
        waiting = {file.stem: self._load(file) for file in sorted((self.folder / kind).glob("*.yaml"))}
        present = {one["name"] for one in api.get(f"/projects/{project}/{kind}")["items"]}
        for name in present - set(waiting):
            api.call("DELETE", f"/projects/{project}/{kind}/{name}")
        refused: dict[str, StepFailed] = {}
        while waiting:
            for name in list(waiting):
                try:
                    api.put(f"/projects/{project}/{kind}/{name}", waiting[name])
                except StepFailed as error:
                    refused[name] = error  # it may read a model that comes later
                    continue
                console.print(f"  {kind.removesuffix('s')} {name}")
                del waiting[name]
                refused.clear()
            if refused and set(refused) == set(waiting):
                raise next(iter(refused.values()))

    def files(self) -> list[tuple[str, Path]]:
        """The files to drop, each with the slug of its datasource."""
        return [(file.parent.name, file) for file in sorted((self.folder / "files").glob("*/*")) if file.is_file()]

    def sample_environment(self, url: str) -> dict[str, str]:
        """The variables that point the datasources to the sample server."""
        wanted = self.description.get("sample", {}).get("environment", {})
        return {name: str(value).replace("${SAMPLE_URL}", url) for name, value in wanted.items()}

    def sample_command(self) -> Path | None:
        """The sample server's file; none when the blueprint has none."""
        command = self.description.get("sample", {}).get("command")
        return self.folder / command if command else None
