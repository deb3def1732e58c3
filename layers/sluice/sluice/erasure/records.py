"""Removing a record from the versions of datasources: their Parquet files are written again without its rows."""

from __future__ import annotations

import hashlib
import re
from collections import defaultdict
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field

from sluice.container import Container
from sluice.domain.dataset import DataObject, Manifest, Tombstone, Version
from sluice.domain.dataset_id import DatasetId
from sluice.domain.erasure import key_text
from sluice.domain.json_text import canonical_key, dumps
from sluice.domain.schema import convert, duckdb_type
from sluice.erasure.matching import Key, texts_of
from sluice.erasure.plan import Plan, Use, find_manifest
from sluice.lake.parquet import copy_to, data_object, engine, literal, quoted

Places = dict[tuple[str, int], set[int]]
_SUFFIX = re.compile(r"(-erased-[0-9a-z]+)?\.parquet$")


@dataclass
class Rewritten:
    """A version whose manifest is written again.

    Args:
        dataset: the dataset.
        number: the number of the version.
        rows: how many of its rows were removed.
    """

    dataset: DatasetId
    number: int
    rows: int


@dataclass
class RecordVersions:
    """Removes the record from all versions of the datasources of a plan.

    Args:
        services: the catalog and the lake.
        slug: the datasource of the record.
        key: the key of the record.
        plan: where else the record is.
        tombstone: what the manifests say of it afterwards.
        texts: gets the texts of the rows that are removed.
    """

    services: Container
    slug: str
    key: Key
    plan: Plan
    tombstone: Tombstone
    texts: set[str]
    _objects: dict[str, tuple[DataObject, int]] = field(default_factory=dict)

    def affected(self) -> list[tuple[DatasetId, Version, Manifest, list[int]]]:
        """The versions that have the record, or a page with it, and the numbers of its rows; nothing is changed."""
        found = []
        for dataset, version, manifest in self._versions():
            rows, before = [], 0
            for part in manifest.objects:
                rows += [before + row for row in self._places(dataset, manifest, part)]
                before += part.rows
            if rows or any(page in self.plan.pages for page in manifest.pages):
                found.append((dataset, version, manifest, rows))
        return found

    def rewrite(self, hashes: dict[str, str]) -> list[Rewritten]:
        """Write the affected versions again: new objects first, then the manifest in the place of the old one.

        Args:
            hashes: the new hashes of pages.

        Returns:
            The versions that had the record, or pages that have it.
        """
        found = []
        for dataset, version, manifest in self._versions():
            changed, rows = self._without_record(dataset, manifest, hashes)
            if changed is not None:
                self.services.lake.put_json(version.manifest_key, changed.model_dump(mode="json"))
                manifest = changed
            if self._is_marked(manifest) or (dataset, version.number) in self.plan.versions:
                # After the manifest, so that a call that was killed between the two is completed by the next one.
                self.services.erasures.update_version(dataset, version.number, manifest)
                found.append(Rewritten(dataset, version.number, rows))
        return found

    def _is_marked(self, manifest: Manifest) -> bool:
        return any(tombstone.run == self.tombstone.run for tombstone in manifest.erased)

    def _versions(self) -> Iterable[tuple[DatasetId, Version, Manifest]]:
        for slug in self.plan.datasources:
            dataset = DatasetId.of_datasource(slug)
            for version in self.services.erasures.versions(dataset):
                manifest = find_manifest(self.services, version.manifest_key)
                if manifest is not None:
                    yield dataset, version, manifest

    def _without_record(
        self, dataset: DatasetId, manifest: Manifest, hashes: dict[str, str]
    ) -> tuple[Manifest | None, int]:
        parts, removed, removed_of_run = [], 0, 0
        for part in manifest.objects:
            changed, rows = self._rewritten(dataset, manifest, part)
            parts.append(changed)
            removed += rows
            removed_of_run += rows if part.run in (None, manifest.run) else 0
        pages = [hashes.get(page, page) for page in manifest.pages]
        if not removed and pages == manifest.pages:
            return None, 0
        changes = {
            "objects": parts,
            "rows": manifest.rows - removed,
            "bytes": sum(part.bytes for part in parts),
            "pages": pages,
            "added": None if manifest.added is None else max(0, manifest.added - removed_of_run),
            "fingerprint": erased_fingerprint(manifest.fingerprint, self.tombstone.run),
            "erased": [*manifest.erased, self.tombstone],
        }
        return manifest.model_copy(update=changes), removed

    def _rewritten(self, dataset: DatasetId, manifest: Manifest, part: DataObject) -> tuple[DataObject, int]:
        """A Parquet file without the rows of the record. Versions that add to others share files."""
        if part.key in self._objects:
            changed, rows = self._objects[part.key]
            return (changed.model_copy(update={"columns": part.columns, "run": part.run}), rows)
        rows = len(self._places(dataset, manifest, part))
        changed = part
        if rows:
            condition = self._condition(dataset, manifest, part)
            key = _SUFFIX.sub(f"-erased-{self.tombstone.run.lower()}.parquet", part.key)
            path = self.services.lake.local(part.key, part.sha256)
            with self.services.lake.scratch() as scratch, engine(self.services.settings, scratch.parent) as connection:
                target = scratch.with_name("kept.parquet")
                read = f"read_parquet({literal(str(path))}, file_row_number = true)"
                connection.execute(
                    f"COPY (SELECT * EXCLUDE (file_row_number) FROM {read} WHERE NOT ({condition}) "
                    f"ORDER BY file_row_number) {copy_to(target)}"
                )
                changed = data_object(key, target, part.rows - rows)
                self.services.lake.put_file(key, target)
            changed = changed.model_copy(update={"columns": part.columns, "run": part.run})
        self._objects[part.key] = (changed, rows)
        return changed, rows

    def _places(self, dataset: DatasetId, manifest: Manifest, part: DataObject) -> list[int]:
        """The numbers of the record's rows in a file."""
        condition = self._condition(dataset, manifest, part)
        path = self.services.lake.local(part.key, part.sha256)
        with self.services.lake.scratch() as scratch, engine(self.services.settings, scratch.parent) as connection:
            read = f"read_parquet({literal(str(path))}, file_row_number = true)"
            answer = connection.execute(
                f"SELECT file_row_number, * EXCLUDE (file_row_number) FROM {read} WHERE {condition}"
            )
            found = answer.fetchall()
        for _, *values in found:
            self.texts |= texts_of(values)
        return [row for row, *_ in found]

    def _condition(self, dataset: DatasetId, manifest: Manifest, part: DataObject) -> str:
        """The SQL condition of the record's rows in a file: by the key, and by the places in the pages."""
        types = part.columns or {column.name: column.type for column in manifest.columns}
        terms = [self._at(manifest, use) for use in self.plan.uses if use.datasource == dataset.owner and use.fresh]
        terms = [term for term in terms if term]
        named = key_condition(self.key, types) if dataset.owner == self.slug else None
        terms += [named] if named is not None else []
        return f"coalesce({' OR '.join(terms)}, false)" if terms else "false"

    @staticmethod
    def _at(manifest: Manifest, use: Use) -> str:
        rows = f"_page = {use.number} AND _row IN ({', '.join(map(str, use.fresh))})"
        if manifest.disposition == "replace":
            return f"({rows})" if use.run == manifest.run else ""
        return f"(_run = {literal(use.run)} AND {rows})"


@dataclass
class KeyedRows:
    """The rows of versions that have a key, each by its run and the number of its page, with its place in that.

    Args:
        named: by the columns of the key.
        renamed: of versions without these columns, by the primary key that their document had.
        mentioned: of versions without both, those that have the key in any columns.
    """

    named: Places = field(default_factory=lambda: defaultdict(set))
    renamed: Places = field(default_factory=lambda: defaultdict(set))
    mentioned: Places = field(default_factory=lambda: defaultdict(set))

    @classmethod
    def find(cls, services: Container, slug: str, key: Key) -> KeyedRows:
        """Search all versions of a datasource.

        Args:
            services: the catalog and the lake.
            slug: the datasource.
            key: the key.
        """
        rows, searched = cls(), set()
        for version in services.erasures.versions(DatasetId.of_datasource(slug)):
            manifest = find_manifest(services, version.manifest_key)
            for part in manifest.objects if manifest is not None else ():
                if manifest is not None and part.key not in searched:
                    searched.add(part.key)
                    rows._search(services, key, manifest, part)
        return rows

    def _search(self, services: Container, key: Key, manifest: Manifest, part: DataObject) -> None:
        types = part.columns or {column.name: column.type for column in manifest.columns}
        earlier = key.under(manifest.spec["datasource"].get("primary_key") or [])
        places = self.named
        condition = key_condition(key, types)
        if condition is None and earlier is not None:
            places, condition = self.renamed, key_condition(earlier, types)
        if condition is None:
            cells = ", ".join(f"{quoted(name)}::VARCHAR" for name in types)
            places, condition = self.mentioned, " AND ".join(f"{literal(text)} IN ({cells})" for text in key.texts)
        run = literal(manifest.run) if manifest.disposition == "replace" else "_run"
        path = services.lake.local(part.key, part.sha256)
        with services.lake.scratch() as scratch, engine(services.settings, scratch.parent) as connection:
            query = f"SELECT {run}, _page, _row FROM read_parquet({literal(str(path))}) WHERE {condition}"
            for name, page, row in connection.execute(query).fetchall():
                places[name, page].add(row)


def key_condition(key: Key, types: Mapping[str, str]) -> str | None:
    """The SQL condition that a row has a key.

    Args:
        key: the key.
        types: the types of the file's columns.

    Returns:
        None if the file lacks a column of the key.
    """
    if not all(name in types for name in key.columns):
        return None
    equal = [_equals(name, types[name], value) for name, value in zip(key.columns, key.values, strict=True)]
    return f"({' AND '.join(equal)})"


def _equals(name: str, column_type: str, value: object) -> str:
    """The SQL condition that a cell has the value of a key, which is converted as those of pages are."""
    if column_type == "json":
        # Numbers of equal value may be written differently in JSON.
        plain = canonical_key(dumps(value).decode())
        numeric = f" OR TRY_CAST({quoted(name)}::VARCHAR AS DOUBLE) = TRY_CAST({literal(plain)} AS DOUBLE)"
        is_number = isinstance(value, int | float) and not isinstance(value, bool)
        return f"({quoted(name)}::VARCHAR = {literal(plain)}{numeric if is_number else ''})"
    try:
        converted = convert(value, column_type)
    except ValueError:
        return "false"
    return f"{quoted(name)} = TRY_CAST({literal(key_text(converted))} AS {duckdb_type(column_type)})"


def erased_fingerprint(fingerprint: str, run: str) -> str:
    """The fingerprint of a version without a record: the same pages, received again, make another version."""
    return "sha256:" + hashlib.sha256(f"{fingerprint}\n{run}".encode()).hexdigest()
