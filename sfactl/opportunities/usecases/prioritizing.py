"""Order the open deals by what an hour of work on each may bring."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date
from typing import TYPE_CHECKING

from sfactl.config.stages import pipeline_of, read_pipelines
from sfactl.engine.exchange import factors
from sfactl.opportunities.usecases.pipeline import check_stages

if TYPE_CHECKING:
    import pyarrow as pa

    from sfactl.session import Session

EFFORT_H = 8.0
"""Hours of work where neither the deal nor its stage says any."""
ORDER = "per_hour desc nulls last, opportunity_id"


@dataclass(frozen=True, slots=True, kw_only=True)
class Priorities:
    """Open deals in the order of expected value an hour, in ``currency`` at the rates of ``day``, and their sums."""

    day: date
    currency: str
    deals: int
    ranked: int
    hours: float
    expected: float
    rows: pa.Table


def prioritize(
    session: Session, *, owner: str | None = None, pipeline: str | None = None, effort_h: float = EFFORT_H
) -> Priorities:
    """Open deals that were not filtered out, the most worth an hour first: p(win) × amount / hours; ties by number.

    Hours are the deal's ``effort_h``, else its stage's, else ``effort_h``. Amounts are turned into the workspace's
    currency at the rates of the day; a deal without an amount or a rate comes last and says so. Nothing is written.
    """
    import pyarrow as pa

    pipelines = read_pipelines(session.folder)
    if pipeline is not None:
        pipeline_of(pipelines, pipeline)
    into, day = session.settings.workspace.currency, session.as_of_time().date()
    stages = [(p.name, s.name, s.probability, s.effort_h) for p in pipelines.values() for s in p.stages]
    names = ["pipeline", "stage", "probability", "effort_h"]
    with session.query() as query:
        check_stages(query, pipelines)
        query.register("stages_known", pa.table([list(c) for c in zip(*stages, strict=True)], names=names))
        pairs = "select distinct coalesce(currency, $into) as currency, cast($day as date) as day from opportunities"
        query.run(f"create or replace temp table factor as {factors(pairs, '$into')}", {"into": into, "day": day})
        rows = query.table(
            query.statement("opportunities", "prioritize").format(order=ORDER),
            {"owner": owner, "pipeline": pipeline, "effort": effort_h, "into": into, "day": day},
        )
    ranked = rows.filter(pa.compute.is_valid(rows.column("per_hour"))) if rows.num_rows else rows
    return Priorities(
        day=day,
        currency=into,
        deals=rows.num_rows,
        ranked=ranked.num_rows,
        hours=float(sum(ranked.column("hours").to_pylist())),
        expected=float(sum(ranked.column("expected").to_pylist())),
        rows=rows,
    )
