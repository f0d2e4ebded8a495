"""What goes into the condition compiler and what comes out. Nothing here parses or renders."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Protocol

from sfactl.engine.conditions.kinds import Kind
from sfactl.engine.periods import Period

AMONG = "candidates"
"""The table of the entities that a statement may be limited to; it has the entity's key."""


class DatasetSchema(Protocol):
    """The part of a dataset's schema that conditions need."""

    @property
    def name(self) -> str: ...
    @property
    def key(self) -> tuple[str, ...]: ...
    @property
    def time(self) -> str | None: ...
    @property
    def until(self) -> str | None: ...
    @property
    def types(self) -> Mapping[str, str]: ...


class SchemaLookup(Protocol):
    """All datasets of a workspace by name; `sfactl.schemas.Schemas` is one."""

    def __getitem__(self, name: str, /) -> DatasetSchema: ...
    @property
    def zone(self) -> str: ...
    def __iter__(self) -> Iterator[str]: ...
    def __contains__(self, name: object, /) -> bool: ...


@dataclass(frozen=True, slots=True, kw_only=True)
class Condition:
    """One condition to compile: its ``name``, its ``text``, and ``where`` it stands, for messages (``file: key``).

    With ``on`` set to a relation the text is about one row of it (as inside a FILTER), not about the entity.
    """

    name: str
    text: str
    where: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Compiled:
    """A statement that answers the key columns of the members of one condition.

    ``relations`` are all datasets it reads, sorted. ``segments`` and ``scores`` are the stored ones it asks for.
    """

    sql: str
    params: Mapping[str, object]
    relations: tuple[str, ...]
    segments: tuple[str, ...] = ()
    scores: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Window:
    """Something that passing time alone can change: rows of ``dataset`` whose ``column`` enters or leaves a window.

    ``period`` None stands for rows that lie in the future and become visible. ``only`` is a column and the values of it
    outside which no row matters; None where all may. Days are those of ``zone``.
    """

    dataset: str
    column: str
    is_date: bool
    period: Period | None = None
    only: tuple[str, tuple[str, ...]] | None = None
    zone: str = "UTC"


@dataclass(frozen=True, slots=True, kw_only=True)
class CompiledMany:
    """A statement that answers the entity's key and one boolean column for each condition, never null.

    ``columns`` maps each condition's name to its column. Rows for which no condition holds are left out when the
    statement was compiled with ``members_only``. ``among_sql`` is the same about the entities in a table `AMONG` only.
    ``windows`` are what passing time can change, None where it may change anything. ``since`` tells by dataset the
    time before which none of its rows matters now; of datasets that are not in it any row may.
    """

    sql: str
    params: Mapping[str, object]
    columns: Mapping[str, str]
    relations: tuple[str, ...]
    among_sql: str = ""
    since: Mapping[str, datetime] = field(default_factory=dict)
    windows: tuple[Window, ...] | None = None
    segments: tuple[str, ...] = ()
    scores: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Need:
    """What a simple test asks of its subject.

    ``operator`` is one of = <> < <= > >= in, not in, between, not between, is null, is not null, member, not member,
    tagged, not tagged, contains, not contains, or "" for tests without a smallest change (like …). ``column`` is the
    entity's field where the subject is nothing but one, ``kind`` the kind of the subject's value.
    """

    subject: str
    operator: str
    values: tuple[object, ...]
    kind: Kind
    column: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Term:
    """One of the terms joined by AND: its text, its column in the statement, and the column of its actual value.

    ``needs`` are the simple tests of which any one makes the term true; empty where the term is not that simple.
    """

    text: str
    column: str
    value_column: str | None = None
    needs: tuple[Need, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Question:
    """A statement that answers one row about one entity: whether the condition holds, each term, each actual value.

    It answers no row where the entity does not exist. The key is bound as ``$key``.
    """

    sql: str
    params: Mapping[str, object]
    holds: str
    terms: tuple[Term, ...]
    relations: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Entity:
    """What a condition is about: the dataset, its name for one row, its key, and the key that relations point to."""

    dataset: str
    singular: str
    key: tuple[str, ...]
    link: str | None
    columns: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True, slots=True, kw_only=True)
class Settings:
    """What a compilation depends on besides the text.

    ``zone`` is the time zone whose days count. ``segments``, ``scores``, ``tags`` and ``layers`` are the names that
    exist, or None where they are not checked.
    """

    entity: Entity
    schemas: SchemaLookup
    now: datetime
    zone: str = "UTC"
    segments: frozenset[str] | None = None
    scores: frozenset[str] | None = None
    tags: frozenset[str] | None = None
    layers: frozenset[str] | None = None
