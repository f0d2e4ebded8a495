"""The funnel in an order of one's own, as a file of the workspace says."""

from __future__ import annotations

from typing import TYPE_CHECKING

from sfactl.insight import shape
from sfactl.insight.layout import FOLDER, FunnelLayout, read_layout
from sfactl.insight.model import PARTS, STAGES, FunnelReport, Scope
from sfactl.insight.sheet import Cell, check_row
from sfactl.insight.usecases.conversion import behind
from sfactl.insight.usecases.journeys import check, journeys, observed

if TYPE_CHECKING:
    import pyarrow as pa

    from sfactl.engine.duck import Query
    from sfactl.session import Session


def layout_funnel(session: Session, name: str, *, by: str = "", scope: Scope | None = None) -> FunnelReport:
    """The funnel ``name`` of the leads of ``scope``: who came to a stage of it has come to all before.

    Raises `ConfigError` or `ConditionError` naming file and stage.
    """
    layout = read_layout(session.folder, name)
    check(by, ("", *PARTS), "--by")
    with journeys(session, by=by, scope=scope) as (query, cohort):
        _make_placed(session, query, layout, scope or Scope())
        counts = {
            (part, place): leads
            for part, place, leads in query.rows("select part, place, count(*) from fact group by part, place")
        }
        parts = [r[0] for r in query.rows("select distinct part from fact order by part")]
    last = len(layout.stages)
    rows = [
        {
            "part": part,
            "stage": stage.name,
            "leads": sum(counts.get((part, place), 0) for place in range(number, last)),
            "median_days": None,
        }
        for part in parts or [""]
        for number, stage in enumerate(layout.stages)
    ]
    return FunnelReport(cohort=cohort, by=by, funnels=shape.funnels(rows))


def layout_drill(
    session: Session, name: str, stage: str, *, by: str = "", part: str = "", scope: Scope | None = None
) -> pa.Table:
    """The leads behind one cell of `layout_funnel`, as many as it says."""
    layout = read_layout(session.folder, name)
    names = [s.name for s in layout.stages]
    check_row(Cell(row=stage, column=""), names)
    with journeys(session, by=by, scope=scope) as (query, _):
        _make_placed(session, query, layout, scope or Scope())
        wanted = Cell(row=part if by and part else "all", column="leads")
        return behind(query, wanted, f"place >= {names.index(stage)}", order="lead_id")


def _make_placed(session: Session, query: Query, layout: FunnelLayout, scope: Scope) -> None:
    """Make the table ``fact``: ``journey`` with the place of the last stage of the layout that each lead came to."""
    from sfactl.engine.conditions import Condition, compile_many  # late: only a condition pays for its parser

    conditions = [
        Condition(name=s.name, text=s.where, where=f"{FOLDER}/{layout.name}.toml: stage {s.name!r}")
        for s in layout.stages
        if s.where
    ]
    if conditions:
        compiled = compile_many(conditions, schemas=session.workspace.schemas, now=observed(session, scope))
        query.run(f"create or replace temp table flags as {compiled.sql}", compiled.params)
        columns = compiled.columns
    else:
        query.run("create or replace temp table flags as select lead_id from journey")
        columns = {}
    tests = []
    for number, stage in reversed(list(enumerate(layout.stages))[1:]):
        own = f"j.reached >= {STAGES.index(stage.stage)}" if stage.stage in STAGES else "j.won = 1"
        test = f"g.{columns[stage.name]}" if stage.where else own
        tests.append(f"when {test} then {number}")
    place = f"case {' '.join(tests)} else 0 end" if tests else "0"
    query.run(
        f"create or replace temp table fact as select j.*, {place} as place"
        " from journey j left join flags g on g.lead_id = j.lead_id"
    )
