"""What merging answers with: who stays, which value of which record each field takes and why, and what moves along."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any


@dataclass(frozen=True, slots=True, kw_only=True)
class Alternative:
    """A value that one of the records has."""

    record_id: int
    value: Any


@dataclass(frozen=True, slots=True, kw_only=True)
class FieldChoice:
    """One field of the survivor: the value, the record it comes from, by which rule, and what the others had."""

    field: str
    value: Any
    record_id: int | None
    rule: str
    others: tuple[Alternative, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class AttachedRows:
    """How many rows of a dataset name one of the records."""

    dataset: str
    record_id: int
    rows: int


@dataclass(frozen=True, slots=True, kw_only=True)
class MergeResult:
    """A merge of records into ``survivor_id``, made or (``dry_run``) tried."""

    entity: str
    survivor_id: int
    merged: tuple[int, ...]
    merge_ids: tuple[int, ...]
    fields: tuple[FieldChoice, ...]
    attached: tuple[AttachedRows, ...]
    moved: Mapping[str, int]
    set_aside: Mapping[str, int]
    added: Mapping[str, int]
    notes: tuple[str, ...]
    commit: int | None
    dry_run: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class LaterChange:
    """A value of the survivor that was changed after the merge, and so stays as it is when the merge is undone."""

    field: str
    value: Any
    before: Any


@dataclass(frozen=True, slots=True, kw_only=True)
class UnmergeResult:
    """A merge that was undone: the record that is back, what went back to it, and what stayed with the survivor."""

    entity: str
    merge_id: int
    record_id: int
    survivor_id: int
    restored: Mapping[str, int]
    stayed: Mapping[str, int]
    kept: tuple[LaterChange, ...]
    commit: int | None
    dry_run: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class MergeLine:
    """One merge of the history."""

    merge_id: int
    at: datetime
    entity: str
    survivor_id: int
    merged_id: int
    state: str
    actor: str
    reason: str | None
    plan: str | None
    undone_at: datetime | None


@dataclass(frozen=True, slots=True, kw_only=True)
class ApplyResult:
    """A plan of duplicates that was executed."""

    plan_id: str
    entity: str
    clusters: int
    merges: int
    moved: Mapping[str, int]
    set_aside: Mapping[str, int]
    added: Mapping[str, int]
    reviews: int
    commit: int | None
    dry_run: bool
    nothing: bool = False
    applied_at: datetime | None = None
    seconds: float = 0.0


@dataclass(frozen=True, slots=True, kw_only=True)
class ReviewField:
    """What both records of a pair say in one field."""

    field: str
    a: Any
    b: Any


@dataclass(frozen=True, slots=True, kw_only=True)
class ReviewPair:
    """Two records that a plan is in doubt about, side by side."""

    plan_id: str
    entity: str
    a: int
    b: int
    probability: float
    note: str | None
    fields: tuple[ReviewField, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Decision:
    """What a person said about two records; ``changed`` is false where that was known."""

    entity: str
    a: int
    b: int
    decision: str
    changed: bool
    commit: int | None
    dry_run: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class RefusedRow:
    """A row of a sheet that cannot be understood."""

    row: int
    reason: str


@dataclass(frozen=True, slots=True, kw_only=True)
class DecisionsRead:
    """The decisions of a filled review sheet."""

    rows: int
    changed: int
    unchanged: int
    blank: int
    refused: tuple[RefusedRow, ...]
    commit: int | None
    dry_run: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class IdentityShown:
    """All that one record is and was known by, and the merges that it took part in."""

    entity: str
    record_id: int
    asked: str
    numbers: tuple[int, ...]
    keys: tuple[KnownKey, ...]
    merges: tuple[MergeLine, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class KnownKey:
    """A key by which a lead is found: in its own row, or one it had."""

    kind: str
    value: str
    namespace: str
    own: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class LinkLine:
    """How the rows of one dataset lead to records: to one, to nobody, or to a number that is not there."""

    dataset: str
    field: str
    entity: str
    rows: int
    resolved: int
    by_merge: int
    nobody: int
    lost: int


@dataclass(frozen=True, slots=True, kw_only=True)
class LinkReport:
    """Every dataset that names records, and what is wrong with the links themselves."""

    links: tuple[LinkLine, ...]
    problems: tuple[str, ...]
