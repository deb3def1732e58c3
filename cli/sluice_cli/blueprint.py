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
    """A blueprint's folder.

    Args:
        folder: it has `blueprint.yaml`, `datasources/*.yaml`, `projects/*.yaml`, `files/{slug}/*` and, for the
            project that `blueprint.yaml` names, `models/*.yaml`, `reports/*.yaml` and `endpoints/*.yaml`.
        variables: the values of `${NAME}` and `${NAME:-default}` in these files; null for the environment's.

    Raises:
        StepFailed: the folder has no `blueprint.yaml`, or it is not YAML.
    """

    def __init__(self, folder: Path, variables: Mapping[str, str] | None = None) -> None:
        self.folder = folder
        self._variables = os.environ if variables is None else variables
        if not (folder / "blueprint.yaml").exists():
            raise StepFailed(f"{folder} is not a blueprint: it has no blueprint.yaml")
        self.description = self._load(folder / "blueprint.yaml", substitute=False)

    def _load(self, file: Path, *, substitute: bool = True) -> dict[str, Any]:
        text = file.read_text()
        try:
            document = yaml.safe_load(self._substitute(text, file) if substitute else text)
        except yaml.YAMLError as error:
            raise StepFailed(f"{file} is not YAML: {error}") from None
        if not isinstance(document, dict):
            raise StepFailed(f"{file} must contain a mapping")
        return document

    def _substitute(self, text: str, file: Path) -> str:
        def value(match: re.Match[str]) -> str:
            text = self._variables.get(match[1], match[2])
            if text is None:
                raise StepFailed(f"{file.name} needs the environment variable {match[1]}; set it and try again")
            return text

        return _VARIABLE.sub(value, text)

    def apply(self, api: Api) -> None:
        """Create or change everything that the folder describes; a second call changes nothing.

        Raises:
            StepFailed: the API refuses a document, or a variable has no value.
        """
        for name, value in self.description.get("secrets", {}).items():
            api.put(f"/secrets/{name}", {"value": self._substitute(value, self.folder / "blueprint.yaml")})
            console.print(f"  secret {name}")
        for file in sorted((self.folder / "datasources").glob("*.yaml")):
            api.put(f"/datasources/{file.stem}", self._load(file))
            console.print(f"  datasource {file.stem}")
        for file in sorted((self.folder / "projects").glob("*.yaml")):
            self._apply_project(api, file)

    def _apply_project(self, api: Api, file: Path) -> None:
        document = self._load(file)
        assignments = document.pop("datasources", {})
        api.put(f"/projects/{file.stem}", document)
        for slug, assignment in assignments.items():
            api.put(f"/projects/{file.stem}/datasources/{slug}", assignment or {})
        stored = api.get(f"/projects/{file.stem}/datasources")["items"]
        for slug in {assignment["datasource"] for assignment in stored} - set(assignments):
            api.call("DELETE", f"/projects/{file.stem}/datasources/{slug}")
        console.print(f"  project {file.stem} with {', '.join(assignments) or 'no datasource'}")
        if file.stem == self.description.get("project"):
            for kind in ("models", "reports", "endpoints"):
                self._apply_resources(api, file.stem, kind)

    def _apply_resources(self, api: Api, project: str, kind: str) -> None:
        """Create or change a project's models, reports or endpoints, and delete those that the folder lacks.

        Models may read each other, and their files have no order. So failed ones are tried again
        until a whole round brings no progress.
        """
        pending = {file.stem: self._load(file) for file in sorted((self.folder / kind).glob("*.yaml"))}
        stored = {resource["name"] for resource in api.get(f"/projects/{project}/{kind}")["items"]}
        for name in stored - set(pending):
            api.call("DELETE", f"/projects/{project}/{kind}/{name}")
        failures: dict[str, StepFailed] = {}
        while pending:
            for name in list(pending):
                try:
                    api.put(f"/projects/{project}/{kind}/{name}", pending[name])
                except StepFailed as error:
                    failures[name] = error
                    continue
                console.print(f"  {kind.removesuffix('s')} {name}")
                del pending[name]
                failures.clear()
            if failures and set(failures) == set(pending):
                raise next(iter(failures.values()))

    def files(self) -> list[tuple[str, Path]]:
        """The files to drop, each with the slug of its datasource."""
        return [(file.parent.name, file) for file in sorted((self.folder / "files").glob("*/*")) if file.is_file()]

    def sample_environment(self, url: str) -> dict[str, str]:
        """The variables that point the datasources to the sample server.

        Args:
            url: the server's address.
        """
        variables = self.description.get("sample", {}).get("environment", {})
        return {name: str(value).replace("${SAMPLE_URL}", url) for name, value in variables.items()}

    def sample_command(self) -> Path | None:
        """The sample server's Python file; null if the blueprint has no sample server."""
        command = self.description.get("sample", {}).get("command")
        return self.folder / command if command else None
