"""Read the dataset schemas that ship as TOML, and add the custom fields of a workspace to them."""

from __future__ import annotations

import re
import tomllib
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field, replace
from functools import cached_property, lru_cache
from pathlib import Path
from typing import TYPE_CHECKING, Literal

from sfactl.api.errors import ConfigError, NotFound
from sfactl.schemas.references import Reference, references_of

if TYPE_CHECKING:
    import pyarrow as pa

FOLDER = Path(__file__).parent / "datasets"

CUSTOM_TYPES: Mapping[str, str] = {
    "text": "varchar",
    "integer": "bigint",
    "number": "double",
    "money": "decimal(18,4)",
    "boolean": "boolean",
    "date": "date",
    "time": "timestamp",
}
"""Types a custom field may have, and how they are stored."""


@dataclass(frozen=True, slots=True)
class Column:
    """One column: its SQL type and what it means."""

    name: str
    type: str
    summary: str = ""
    custom: bool = False


@dataclass(frozen=True, kw_only=True)
class Dataset:
    """The schema of one dataset.

    ``kind`` is ``state`` (the newest row of each key counts) or ``event`` (rows are only ever added). ``migrations``
    maps a version to the SQL expressions, over the columns of the version before, of the columns it changed.
    ``versions`` holds the column names of older versions. ``until`` is the column that says when a row stops to count.
    ``declared`` says of columns which records they name. Events lie in the order of their time; with a ``cluster``
    those of one month lie in the order of that column, so that all events of one lead are in a few places.
    """

    name: str
    kind: Literal["state", "event"]
    version: int
    key: tuple[str, ...]
    row: str
    columns: tuple[Column, ...]
    time: str | None = None
    cluster: str | None = None
    until: str | None = None
    migrations: Mapping[int, Mapping[str, str]] = field(default_factory=dict)
    versions: Mapping[int, tuple[str, ...]] = field(default_factory=dict)
    declared: Mapping[str, str] = field(default_factory=dict)

    @cached_property
    def references(self) -> tuple[Reference, ...]:
        """Columns that name a lead, an account or a contact; custom fields never do."""
        return references_of(self.name, [c.name for c in self.columns if not c.custom], self.declared)

    @cached_property
    def types(self) -> Mapping[str, str]:
        """SQL type of each column, in order."""
        return {c.name: c.type for c in self.columns}

    @property
    def order(self) -> str:
        """The order of the rows in a file, as SQL."""
        columns = [f'"{c}"' for c in (self.cluster, self.time, *self.key) if c]
        if self.cluster:
            columns.insert(0, f"date_trunc('month', \"{self.time}\")")
        return ", ".join(columns)

    def arrow(self) -> pa.Schema:
        """The Arrow schema of the columns, in order."""
        return self._arrow

    @cached_property
    def _arrow(self) -> pa.Schema:
        import pyarrow as pa

        return pa.schema([(c.name, arrow_type(c.type)) for c in self.columns])

    def with_fields(self, fields: Mapping[str, str]) -> Dataset:
        """This dataset with custom fields (name → one of `CUSTOM_TYPES`) added behind its own columns."""
        taken = self.types
        extra = []
        for name, kind in fields.items():
            if name in taken:
                raise ConfigError(f"custom field {name!r} of {self.name} has the name of a built-in field")
            if not re.fullmatch(r"[a-z][a-z0-9_]{0,62}", name):
                raise ConfigError(f"custom field {name!r} of {self.name}: use lower-case letters, digits and _")
            if kind not in CUSTOM_TYPES:
                raise ConfigError(
                    f"custom field {name!r} of {self.name}: unknown type {kind!r}, use one of {', '.join(CUSTOM_TYPES)}"
                )
            extra.append(Column(name, CUSTOM_TYPES[kind], "Custom field", custom=True))
        return replace(self, columns=(*self.columns, *extra))


class Schemas:
    """All datasets of a workspace by name, read on first use, and the ``zone`` in which its times are days."""

    def __init__(self, custom: Mapping[str, Mapping[str, str]] | None = None, *, zone: str = "UTC") -> None:
        self.zone = zone
        self._custom = dict(custom or {})
        self._read: dict[str, Dataset] = {}
        for name in self._custom:
            if name not in names():
                raise ConfigError(f"fields.{name}: there is no dataset {name!r}")

    def __getitem__(self, name: str) -> Dataset:
        """The schema of ``name``; raises `NotFound` with the nearest name."""
        if name not in self._read:
            dataset = core_dataset(name)
            self._read[name] = dataset.with_fields(self._custom[name]) if name in self._custom else dataset
        return self._read[name]

    def __contains__(self, name: object) -> bool:
        return name in names()

    def __iter__(self) -> Iterator[str]:
        return iter(names())


@lru_cache(maxsize=1)
def names() -> tuple[str, ...]:
    """Names of all datasets, sorted."""
    return tuple(sorted(p.stem for p in FOLDER.glob("*.toml")))


@lru_cache
def core_dataset(name: str) -> Dataset:
    """The built-in schema of ``name``."""
    path = FOLDER / f"{name}.toml"
    if name not in names():
        import difflib

        near = difflib.get_close_matches(name, names(), 1)
        raise NotFound(
            f"there is no dataset {name!r}", hint=f"Did you mean {near[0]}?" if near else "See: sfactl data list"
        )
    raw = tomllib.loads(path.read_text(encoding="utf-8"))
    return Dataset(
        name=raw["name"],
        kind=raw["kind"],
        version=raw["version"],
        key=tuple(raw["key"]),
        row=raw["row"],
        columns=tuple(Column(n, t, s) for n, (t, s) in raw["columns"].items()),
        time=raw.get("time"),
        cluster=raw.get("cluster"),
        until=raw.get("until"),
        migrations={int(v): m for v, m in raw.get("migrations", {}).items()},
        versions={int(v): tuple(d["columns"]) for v, d in raw.get("versions", {}).items()},
        declared=raw.get("references", {}),
    )


def core_schemas() -> Schemas:
    """The built-in datasets, without custom fields."""
    return Schemas()


def arrow_type(sql_type: str) -> pa.DataType:
    """The Arrow type of one of the SQL types that datasets may use."""
    import pyarrow as pa

    if match := re.fullmatch(r"decimal\((\d+),(\d+)\)", sql_type):
        return pa.decimal128(int(match[1]), int(match[2]))
    plain: dict[str, pa.DataType] = {
        "bigint": pa.int64(),
        "integer": pa.int32(),
        "double": pa.float64(),
        "boolean": pa.bool_(),
        "varchar": pa.string(),
        "date": pa.date32(),
        "timestamp": pa.timestamp("us"),
    }
    return plain[sql_type]
