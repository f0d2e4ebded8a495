"""Which traits and behaviours of leads go with an outcome, of all that are known before it."""

from __future__ import annotations

from typing import TYPE_CHECKING

from sfactl.api.errors import UserError
from sfactl.insight.drivers import Trait, columns_of, judged
from sfactl.insight.model import Scope
from sfactl.insight.sheet import Sheet, read_cell, sheet_table
from sfactl.insight.usecases.conversion import behind, make_fact
from sfactl.insight.usecases.journeys import NEVER, check, journeys

if TYPE_CHECKING:
    import pyarrow as pa

    from sfactl.engine.duck import Query
    from sfactl.session import Session

FIFTHS = (0.2, 0.4, 0.6, 0.8)
RARE = "(rarer ones)"
CAUTION = (
    "this shows what goes together, not what causes what: a field that is filled in because a lead does well looks like"
    " a driver"
)


def drivers(
    session: Session, *, to: str = "won", min_n: int = 20, fields: str = "", scope: Scope | None = None
) -> Sheet:
    """Each level of each field, and each thing leads did before the outcome, against all leads without it.

    ``lift`` is the rate with the trait ÷ the rate without; ``p`` tests the difference, ``q`` corrects it for the number
    of traits (Benjamini-Hochberg). Levels of fewer than ``min_n`` leads are taken together. Numbers are cut at their
    fifths, what is not known is a level of its own. Raises `UserError`.
    """
    import pyarrow as pa

    if min_n < 1:
        raise UserError(f"--min-n: {min_n} is less than one lead")
    with journeys(session, scope=scope) as (query, known):
        _make_levels(session, query, to, fields, scope or Scope(), min_n)
        total, hits = query.rows("select count(*), cast(coalesce(sum(hit), 0) as bigint) from fact")[0]
        answer = query.rows(
            "select field, level, cast(count(*) as bigint), cast(sum(hit) as bigint) from level group by 1, 2"
        )
        seq = known.seq
    traits = [
        Trait(field=field, level=level, leads=n, hits=h, others=total - n, other_hits=hits - h)
        for field, level, n, h in answer
        if n >= min_n and n < total
    ]
    columns: dict[str, pa.DataType] = {"trait": pa.string(), "leads": pa.int64(), to: pa.int64()}
    doubles = ("other_rate", "lift", "lift_low", "lift_high", "p", "q")
    columns |= dict.fromkeys(doubles, pa.float64())
    rows = [{**row, to: row["hits"]} for row in judged(traits)]
    return Sheet(
        title=f"What goes with {to}: {hits:,} of {total:,} leads",
        table=sheet_table(rows, columns, seq, hits=to, of="leads"),
        seq=seq,
        warnings=(CAUTION,),
        notes=(
            f"{len(rows):,} traits of {min_n} leads or more; q is p corrected for that number: doubt it above 0.05",
        ),
    )


def drivers_drill(
    session: Session, cell: str, *, to: str = "won", min_n: int = 20, fields: str = "", scope: Scope | None = None
) -> pa.Table:
    """The leads behind FIELD=LEVEL/leads or FIELD=LEVEL/OUTCOME."""
    wanted = read_cell(cell, ("leads", to))
    with journeys(session, scope=scope) as (query, _):
        _make_levels(session, query, to, fields, scope or Scope(), min_n)
        query.run(
            "create or replace temp table fact as select j.* exclude (part), l.hit,"
            " concat(l.field, '=', l.level) as part from level l join journey j on j.lead_id = l.lead_id"
        )
        return behind(query, wanted, "hit = 1" if wanted.column == to else "true", order="lead_id")


def _make_levels(session: Session, query: Query, to: str, fields: str, scope: Scope, min_n: int) -> None:
    """Make the table ``level``: a row a lead and trait (field, level); of each field a lead has one level."""
    make_fact(session, query, to)
    known = columns_of(session.workspace.schemas["leads"].types)
    asked = [f.strip() for f in fields.split(",") if f.strip()]
    for name in asked:
        check(name, (*known, "did"), "--fields")
    chosen = {name: kind for name, kind in known.items() if not asked or name in asked}
    query.run(
        "create or replace temp table base as select l.*, f.hit, f.outcome_at"
        " from fact f join leads l on l.lead_id = f.lead_id"
    )
    parts = [
        f"select lead_id, hit, '{name}' as field, {_level(query, name, kind)} as level from base"
        for name, kind in chosen.items()
    ]
    if not asked or "did" in asked:
        parts.append(query.statement("insight", "behaviour"))
    query.run(
        f"create or replace temp table every as {' union all '.join(parts)}", {"valid_at": scope.valid_at or NEVER}
    )
    query.run(
        "create or replace temp table level as select distinct e.lead_id, e.hit, e.field,"
        f" case when c.n < $min_n then '{RARE}' else e.level end as level from every e join"
        " (select field, level, count(*) as n from every group by field, level) c"
        " on c.field = e.field and c.level = e.level",
        {"min_n": min_n},
    )


def _level(query: Query, name: str, kind: str) -> str:
    """SQL for the level of a lead in the column ``name``."""
    column = f'"{name}"'
    if kind == "filled":
        return f"case when {column} is null then 'empty' else 'filled' end"
    if kind == "text":
        return f"coalesce(nullif(trim(cast({column} as varchar)), ''), 'unknown')"
    cuts = ", ".join(f"quantile_cont(cast({column} as double), {at})" for at in FIFTHS)
    found = query.rows(f"select {cuts} from base")[0]
    bounds = sorted({float(b) for b in found if b is not None})
    tests = [f"when {column} <= {bound!r} then '≤ {bound:g}'" for bound in bounds]
    if not bounds:
        return "'unknown'"
    return f"case when {column} is null then 'unknown' {' '.join(tests)} else '> {bounds[-1]:g}' end"
