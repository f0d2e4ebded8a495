"""How merges and unmerges read at a terminal."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import TYPE_CHECKING, Any

from sfactl.cli.tables import table, terminal_width
from sfactl.cli.values import shown
from sfactl.cli.words import count

if TYPE_CHECKING:
    from sfactl.identity.answers import MergeResult, UnmergeResult

UNDO = "Undo with: sfactl {entity} unmerge {merge}      or all of the commit: sfactl data undo {commit}"

BOTH = "both texts"
DERIVED = frozenset({"company_key", "row_key", "id_namespace"})
"""Fields that say nothing to people."""


def merged_lines(result: MergeResult) -> Iterator[str]:
    """Who stays, where each field comes from, what is attached or was moved."""
    records = ", ".join(f"{result.entity}:{n}" for n in result.merged)
    if result.dry_run:
        yield f"Dry run: {records} would go into {result.entity}:{result.survivor_id}. Nothing is written."
    else:
        yield f"{records} → {result.entity}:{result.survivor_id}"
    several = len(result.merged) > 1
    rows = [
        [
            f.field,
            _value(f.value),
            f"{f.record_id}" if f.record_id is not None else "",
            f.rule,
            "" if f.rule == BOTH else _others(f.value, f.others, several),
        ]
        for f in result.fields
        if f.field not in DERIVED
    ]
    yield from (f"  {line}" for line in table(["field", "stays", "from", "why", "others"], rows, fit=_room()))
    if result.dry_run:
        yield from _attached(result)
    else:
        yield from _moved(result.moved, result.set_aside, result.added)
    yield from result.notes
    if result.commit is not None:
        merges = ", ".join(map(str, result.merge_ids))
        yield f"Commit {result.commit}, merge {merges}."
        yield UNDO.format(entity=result.entity, merge=result.merge_ids[0], commit=result.commit)


def _room() -> int | None:
    width = terminal_width()
    return None if width is None else width - 2


def _value(value: Any) -> str:
    return "–" if value is None else shown(value).replace("\n", " ⏎ ")


def _others(value: Any, others: tuple[Any, ...], several: bool) -> str:
    told = [o for o in others if o.value is not None and o.value != value]
    return " · ".join(f"{o.record_id}: {_value(o.value)}" if several else _value(o.value) for o in told)


def _attached(result: MergeResult) -> Iterator[str]:
    ids = [result.survivor_id, *result.merged]
    counts: dict[str, dict[int, int]] = {}
    for line in result.attached:
        counts.setdefault(line.dataset, {})[line.record_id] = line.rows
    if not counts:
        yield "Nothing is attached to them."
        return
    yield "Attached, all of it to the survivor afterwards"
    rows = [[name, *(found.get(i, 0) for i in ids)] for name, found in sorted(counts.items())]
    yield from (f"  {line}" for line in table(["rows of", *map(str, ids)], rows))


def _moved(moved: Mapping[str, int], set_aside: Mapping[str, int], added: Mapping[str, int]) -> Iterator[str]:
    parts = [f"{n:,} of {name.replace('_', ' ')}" for name, n in sorted(moved.items()) if n]
    if parts:
        yield f"  Moved: {' · '.join(parts)}"
    for name, n in sorted(set_aside.items()):
        yield f"  Set aside: {n:,} of {name.replace('_', ' ')}, the survivor has its own"
    if keys := added.get("identities"):
        yield f"  The survivor is known by {count(keys, 'more key')} now, so that imports find it"
    if addresses := added.get("suppressions"):
        yield f"  Still suppressed, because they had unsubscribed: {count(addresses, 'address')}"


def unmerged_lines(result: UnmergeResult) -> Iterator[str]:
    """What is back, what stayed."""
    said = "would be taken apart" if result.dry_run else "taken apart"
    if result.dry_run:
        yield "Dry run: nothing is written."
    yield f"Merge {result.merge_id} {said}: {result.entity}:{result.record_id} and {result.entity}:{result.survivor_id}"
    if result.restored:
        back = " · ".join(f"{n:,} of {name.replace('_', ' ')}" for name, n in sorted(result.restored.items()))
        yield f"  Back with {result.entity}:{result.record_id}: {back}"
    if result.stayed:
        stay = " · ".join(f"{n:,} of {name.replace('_', ' ')}" for name, n in sorted(result.stayed.items()))
        yield f"  Left where they are, they were changed since: {stay}"
    for change in result.kept:
        yield (
            f"  {change.field} was changed after the merge and stays with {result.entity}:{result.survivor_id}:"
            f" {_value(change.value)} (before the merge: {_value(change.before)})"
        )
    if result.commit is not None:
        yield f"Commit {result.commit}. Undo with: sfactl data undo {result.commit}"
