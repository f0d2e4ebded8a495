"""Tell values that look like placeholders. They are told where frequent, blanked only where the mapping says so."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from sfactl.engine.duck import Query
from sfactl.leads.cleaning.cells import Cells
from sfactl.leads.cleaning.expression import among, name
from sfactl.leads.files.staging import Staged
from sfactl.leads.model import NO_TRANSFORM, Plan, Target

SUSPECTS = (
    "select", "select one", "please select", "unknown", "none", "na", "not available", "not provided", "unspecified",
    "tbd", "test", "nil", "?", "请选择", "請選擇", "未知", "不详", "不詳", "無", "无", "暂无", "暫無", "desconhecido",
    "não informado",
)  # fmt: skip
LOOKED = 30_000
"""So many rows are looked at."""
SHOWN = 6


def suspects(query: Query, plan: Plan, staged: Staged, cells: Cells) -> tuple[str, ...]:
    """Values that look like placeholders, with the number of rows among the first ones."""
    texts = [t for t in plan.targets if t.type == "varchar" and t.columns and not t.transform.values]
    # What nothing is done to is looked at as it came: to clean every cell for a hint would cost more than the hint.
    plain = {t.field: f"trim(c{t.columns[0]})" for t in texts if _plain(t, cells)}
    others = {t.field: name(t.field) for t in texts if t.field not in plain}
    rows = _found(query, plain, staged.source) + _found(query, others, cells.select(list(others)) if others else "")
    targets = {t.field: t for t in texts}
    rows = [r for r in rows if r[1].lower() not in {p.strip().lower() for p in targets[r[0]].placeholders}]
    if not rows:
        return ()
    order = list(targets)
    rows.sort(key=lambda r: (-r[2], order.index(r[0])))
    shown = ", ".join(f"{v!r} in {targets[f].names[0]} ({n:,})" for f, v, n in rows[:SHOWN])
    more = f" and {len(rows) - SHOWN} more" if len(rows) > SHOWN else ""
    values = ", ".join(f'"{v}"' for v in dict.fromkeys(v for _, v, _ in rows[:SHOWN]))
    return (
        f"kept as values, though they may mean nothing: {shown}{more}."
        f" To blank them: [placeholders] values = [{values}]",
    )


def _plain(target: Target, cells: Cells) -> bool:
    return len(target.columns) == 1 and target.transform == NO_TRANSFORM and target.columns[0] not in cells.normal


def _found(query: Query, values: Mapping[str, str], source: str) -> list[tuple[str, str, int]]:
    """(field, value, rows) of values that occur more than twice; ``values``: field → SQL over ``source``."""
    if not values:
        return []
    longest = max(len(s.encode()) for s in SUSPECTS)
    looked = f"(select * from {source} limit {LOOKED})"
    tests = {f: f"case when strlen({v}) <= {longest} then {among(v, SUSPECTS)} end" for f, v in values.items()}
    counts = query.one(f"select {', '.join(f'count(*) filter (where {t})' for t in tests.values())} from {looked}")
    often: Sequence[str] = [f for f, n in zip(values, counts or ()) if n > 2]
    return [
        (field, str(value), int(n))
        for field in often
        for value, n in query.rows(
            f"select {values[field]} as v, count(*) as n from {looked} where {tests[field]} group by 1 having n > 2"
        )
    ]
