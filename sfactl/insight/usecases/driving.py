"""Which traits and behaviours of leads go with an outcome, of all that are known before it."""

from __future__ import annotations

import re
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

UNDATED = "nobody knows when the condition came true, so what leads did afterwards counts too"
MET = "met"


def drivers(
    session: Session, *, to: str = "won", min_n: int = 20, fields: str = "", scope: Scope | None = None
) -> Sheet:
    """Each level of each field, and each thing leads did before the outcome, against all leads without it.

    ``lift`` is the rate with the trait ÷ the rate without; ``p`` tests the difference, ``q`` corrects it for the number
    of traits (Benjamini-Hochberg). Levels of fewer than ``min_n`` leads are taken together. Numbers are cut at their
    fifths, what is not known is a level of its own. ``to`` is a stage, or a condition about a lead as it is now; then
    the fields that the condition asks about are no traits. Raises `UserError`, `ConditionError`.
    """
    import pyarrow as pa

    column = outcome_column(to)
    if min_n < 1:
        raise UserError(f"--min-n: {min_n} is less than one lead")
    with journeys(session, scope=scope) as (query, known):
        levels = _levels(session, query, to, fields)
        total, hits = query.rows("select count(*), cast(coalesce(sum(hit), 0) as bigint) from fact")[0]
        counted = " union all ".join(
            f"select field, level, cast(count(*) as bigint) as leads, cast(sum(hit) as bigint) as hits from ({sql})"
            " group by field, level"
            for sql in levels.values()
        )
        answer = query.rows(
            f"select field, {_COMMON}, cast(sum(leads) as bigint), cast(sum(hits) as bigint) from ({counted})"
            f" where {_KEPT} group by 1, 2",
            {"min_n": min_n, "valid_at": (scope or Scope()).valid_at or NEVER},
        )
        seq = known.seq
    traits = [
        Trait(field=field, level=level, leads=n, hits=h, others=total - n, other_hits=hits - h)
        for field, level, n, h in answer
        if n >= min_n and n < total
    ]
    columns: dict[str, pa.DataType] = {"trait": pa.string(), "leads": pa.int64(), column: pa.int64()}
    doubles = ("other_rate", "lift", "lift_low", "lift_high", "p", "q")
    columns |= dict.fromkeys(doubles, pa.float64())
    rows = [{**row, column: row["hits"]} for row in judged(traits)]
    return Sheet(
        title=f"What goes with {to}: {hits:,} of {total:,} leads",
        table=sheet_table(rows, columns, seq, hits=column, of="leads"),
        seq=seq,
        warnings=(CAUTION, *((UNDATED,) if column == MET and any(t.field == "did" for t in traits) else ())),
        notes=(
            f"{len(rows):,} traits of {min_n} leads or more; q is p corrected for that number: doubt it above 0.05",
        ),
    )


def drivers_drill(
    session: Session, cell: str, *, to: str = "won", min_n: int = 20, fields: str = "", scope: Scope | None = None
) -> pa.Table:
    """The leads behind FIELD=LEVEL/leads or FIELD=LEVEL/OUTCOME."""
    column = outcome_column(to)
    wanted = read_cell(cell, ("leads", column))
    field = wanted.row.partition("=")[0]
    with journeys(session, scope=scope) as (query, _):
        levels = _levels(session, query, to, fields)
        shown = " union all ".join([levels[field]] if field in levels else levels.values())
        moment = {"valid_at": (scope or Scope()).valid_at or NEVER}
        query.run(f"create or replace temp table every as {shown}", moment)
        query.run(
            f"create or replace temp table level as select e.lead_id, e.hit, e.field, {_COMMON} as level"
            " from every e join (select field, level, count(*) as leads from every group by field, level) c"
            f" using (field, level) where {_KEPT}",
            {"min_n": min_n},
        )
        query.run(
            "create or replace temp table fact as select j.* exclude (part), l.hit,"
            " concat(l.field, '=', l.level) as part from level l join journey j on j.lead_id = l.lead_id"
        )
        return behind(query, wanted, "hit = 1" if wanted.column == column else "true", order="lead_id")


def outcome_column(to: str) -> str:
    """The name of the column that counts the outcome: the stage, or ``met`` where ``to`` is a condition."""
    return to if re.fullmatch(r"\w+", to) else MET


def _make_condition_fact(session: Session, query: Query, text: str) -> set[str]:
    """Make the table ``fact`` with a hit for each lead that meets the condition; answers the fields it asks about."""
    from sqlglot import exp

    from sfactl.engine.conditions import compile_condition
    from sfactl.engine.conditions.source import Source

    schemas, where = session.workspace.schemas, "--to"
    compiled = compile_condition(text, schemas=schemas, now=session.as_of_time(), where=where)
    query.run(
        "create or replace temp table fact as select j.*, case when m.lead_id is null then 0 else 1 end as hit,"
        f" cast(null as timestamp) as outcome_at from journey j left join ({compiled.sql}) m on m.lead_id = j.lead_id",
        compiled.params,
    )
    return {column.name.lower() for column in Source(text=text, where=where).parse().find_all(exp.Column)}


# A lead has one level of a field, so rare levels may be taken together. It may have done many rare things.
_COMMON = f"case when leads < $min_n then '{RARE}' else level end"
_KEPT = "(field <> 'did' or leads >= $min_n)"


def _levels(session: Session, query: Query, to: str, fields: str) -> dict[str, str]:
    """A SELECT for each field that answers lead_id, hit, field and level."""
    known = columns_of(session.workspace.schemas["leads"].types)
    if outcome_column(to) == MET:
        named = _make_condition_fact(session, query, to)
        known = {name: kind for name, kind in known.items() if name not in named}
    else:
        make_fact(session, query, to)
    asked = [f.strip() for f in fields.split(",") if f.strip()]
    for name in asked:
        check(name, (*known, "did"), "--fields")
    chosen = {name: kind for name, kind in known.items() if not asked or name in asked}
    columns = ", ".join(f'l."{name}"' for name in ("lead_id", *chosen))
    query.run(
        f"create or replace temp table base as select {columns}, f.hit"
        " from fact f join leads l on l.lead_id = f.lead_id"
    )
    found = {
        name: f"select lead_id, hit, '{name}' as field, {_level(query, name, kind)} as level from base"
        for name, kind in chosen.items()
    }
    if not asked or "did" in asked:
        found["did"] = query.statement("insight", "behaviour")
    return found


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
