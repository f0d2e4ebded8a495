"""Take one merge out of a record's history, as if it had never been among the ones made since. Pure.

A value that the merge gave the survivor goes back to what it would be without it, in every later merge that took it
over and at last in the living record; a value that was changed since stays, and is told.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace

from sfactl.identity.merging import rules_of

Row = Mapping[str, str | None]
"""A record's values as text."""

Recompute = Callable[[Row, Sequence[Row], Mapping[str, str], Mapping[str, int]], Row]
"""What the survivor is: from the row before, the rows merged into it, the rules, and the values picked by hand."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Merge:
    """One merge as it is stored, with the rows as mappings."""

    merge_id: int
    group_id: int
    survivor_id: int
    merged_id: int
    rules: Mapping[str, str]
    picks: Mapping[str, int]
    merged_row: Row
    before: Row
    after: Row


def read_merge(row: Mapping[str, object]) -> Merge:
    """A row of ``merges``."""
    rules, picks = rules_of(str(row["rules"]))
    numbers = {n: int(str(row[n])) for n in ("merge_id", "group_id", "survivor_id", "merged_id")}
    rows = {
        n: json.loads(str(row[column]))
        for n, column in (("merged_row", "merged_row"), ("before", "survivor_before"), ("after", "survivor_after"))
    }
    return Merge(**numbers, rules=rules, picks=picks, **rows)  # type: ignore[arg-type]


@dataclass
class Without:
    """What a history is without one merge: the merges that read otherwise, and what changes in the living record."""

    rewritten: dict[int, Merge] = field(default_factory=dict)
    changes: dict[str, tuple[str | None, str | None]] = field(default_factory=dict)
    record_id: int = 0


def without(undone: Merge, history: Sequence[Merge], recompute: Recompute) -> Without:
    """``history`` are the other merges of the same survivors that stand, in the order in which they were made."""
    made = Without(record_id=undone.survivor_id)
    rest = [m for m in history if m.group_id == undone.group_id]
    before, after = undone.before, undone.after
    now = _recomputed(undone, before, [m.merged_row for m in rest], after, recompute) if rest else before
    made.changes = _differences(after, now)
    for m in rest:
        made.rewritten[m.merge_id] = replace(m, after=now)
    for group in _later_groups(history, undone.group_id):
        if not made.changes:
            break
        _rebase(made, group, recompute)
    return made


def _later_groups(history: Sequence[Merge], group_id: int) -> list[list[Merge]]:
    groups: dict[int, list[Merge]] = {}
    for merge in history:
        if merge.group_id > group_id:
            groups.setdefault(merge.group_id, []).append(merge)
    return [groups[g] for g in sorted(groups)]


def _rebase(made: Without, group: Sequence[Merge], recompute: Recompute) -> None:
    """Let the changes of the record reach the merges of ``group``, and what these made of it."""
    head = group[0]
    if head.survivor_id != made.record_id and all(m.merged_id != made.record_id for m in group):
        return
    before = head.before
    rows = {m.merge_id: m.merged_row for m in group}
    if head.survivor_id == made.record_id:
        before = apply(made.changes, before)
    else:
        rows |= {m.merge_id: apply(made.changes, m.merged_row) for m in group if m.merged_id == made.record_id}
    was = [m.merged_row for m in group]
    old = recompute(head.before, was, head.rules, head.picks)
    new = recompute(before, list(rows.values()), head.rules, head.picks)
    after = {f: new.get(f) if new.get(f) != old.get(f) else v for f, v in head.after.items()}
    for m in group:
        made.rewritten[m.merge_id] = replace(m, before=before, merged_row=rows[m.merge_id], after=after)
    made.changes = _differences(head.after, after)
    made.record_id = head.survivor_id


def _recomputed(undone: Merge, before: Row, rest: list[Row], after: Row, recompute: Recompute) -> Row:
    """What stays of ``after`` when the row of ``undone`` is taken out; what it did not decide is left alone."""
    old = recompute(before, [undone.merged_row, *rest], undone.rules, undone.picks)
    new = recompute(before, rest, undone.rules, undone.picks)
    return {f: new.get(f) if new.get(f) != old.get(f) else v for f, v in after.items()}


def _differences(old: Row, new: Row) -> dict[str, tuple[str | None, str | None]]:
    return {f: (v, new.get(f)) for f, v in old.items() if v != new.get(f)}


def apply(changes: Mapping[str, tuple[str | None, str | None]], row: Row) -> Row:
    """``row`` with every change whose old value it still has."""
    return {f: changes[f][1] if f in changes and changes[f][0] == v else v for f, v in row.items()}


def kept(changes: Mapping[str, tuple[str | None, str | None]], row: Row) -> list[str]:
    """Fields that were to change, but hold a newer value."""
    return [f for f, (old, new) in changes.items() if row.get(f) not in (old, new)]


def roots(into: Mapping[int, int]) -> dict[int, int]:
    """For each merged number the living record at the end of its chain."""
    found = {}
    for start in into:
        at = into[start]
        while at in into:
            at = into[at]
        found[start] = at
    return found
