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
    seconds: float = 0.0
