"""The flows of a book as small tables, which the statements of a walk join: versions, steps, ways, arms and limits."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from datetime import datetime
from functools import lru_cache
from typing import TYPE_CHECKING, Any

from sfactl.engine.duck import Query
from sfactl.engine.periods import parse_period
from sfactl.strategies.book import Book
from sfactl.strategies.model import END, NEVER, Step, Strategy
from sfactl.strategies.turns import turns

if TYPE_CHECKING:
    import pyarrow as pa

TABLES: Mapping[str, Mapping[str, str]] = {
    "flow_versions": {"version_no": "bigint", "version": "varchar"},
    "flow_steps": {
        "version_no": "bigint",
        "step": "varchar",
        "step_no": "bigint",
        "sender": "varchar",
        "turn": "bigint",
    },
    "flow_ways": {"version_no": "bigint", "step": "varchar", "way": "varchar", "to_step": "varchar", "to_no": "bigint"},
    "flow_arms": {
        "version_no": "bigint",
        "step": "varchar",
        "arm": "varchar",
        "lower_share": "bigint",
        "upper_share": "bigint",
        "total": "bigint",
    },
    "flow_limits": {"version_no": "bigint", "months": "bigint", "seconds": "bigint"},
    "flow_endings": {"version_no": "bigint", "kind": "varchar"},
    "flow_group": {"strategy": "varchar"},
    "flow_rivals": {"strategy": "varchar", "again_before": "timestamp"},
}


def register_flows(query: Query, book: Book, at: datetime) -> None:
    """Make the tables of ``TABLES`` from the versions of ``book``; version 1 is the newest."""
    rows: dict[str, list[tuple[Any, ...]]] = {name: [] for name in TABLES}
    for number, file in enumerate(book.versions, 1):
        strategy = file.strategy
        rows["flow_versions"].append((number, file.version))
        rows["flow_steps"] += [(number, *step) for step in _steps(strategy)]
        rows["flow_ways"] += [(number, *way) for way in _ways(strategy)]
        rows["flow_arms"] += [(number, *arm) for arm in _arms(strategy)]
        if strategy.exit and strategy.exit.after:
            limit = parse_period(strategy.exit.after)
            rows["flow_limits"].append((number, limit.months, limit.seconds))
        rows["flow_endings"] += [(number, kind) for kind in (strategy.exit.on if strategy.exit else ())]
    rows["flow_group"] = [(name,) for name in book.group]
    for rival in book.rivals:
        again = rival.strategy.entry.again
        rows["flow_rivals"].append((rival.name, None if again == NEVER else parse_period(again).before(at)))
    for name in TABLES:
        query.register(name, _table(name, tuple(rows[name])))


def _steps(strategy: Strategy) -> Iterator[tuple[str, int, str | None, int | None]]:
    turn = turns(strategy)
    for place, step in enumerate(strategy.steps, 1):
        touches = step.name in turn
        yield step.name, place, strategy.sender_of(step) if touches else None, turn.get(step.name)


def _ways(strategy: Strategy) -> Iterator[tuple[str, str, str, int]]:
    for step in strategy.steps:
        for reason, target in strategy.ways[step.name]:
            yield step.name, _way(step, reason), target, 0 if target == END else strategy.number(target)


def _way(step: Step, reason: str) -> str:
    """What the statements call a way."""
    if step.action == "wait":
        return "late" if reason == "time ran out" else "on"
    return reason or "on"


def _arms(strategy: Strategy) -> Iterator[tuple[str, str, int, int, int]]:
    for step in strategy.of("split"):
        total, lower = sum(arm.share for arm in step.arms), 0
        for arm in step.arms:
            yield step.name, arm.name, lower, lower + arm.share, total
            lower += arm.share


@lru_cache(maxsize=256)
def _table(name: str, rows: tuple[tuple[Any, ...], ...]) -> pa.Table:
    """One of ``TABLES``; the same object for the same rows, so that walks of one flow register it once."""
    import pyarrow as pa

    from sfactl.schemas.dataset import arrow_type

    columns = TABLES[name]
    values = list(zip(*rows, strict=True)) if rows else [()] * len(columns)
    return pa.table(
        {column: pa.array(c, arrow_type(kind)) for (column, kind), c in zip(columns.items(), values, strict=True)}
    )
