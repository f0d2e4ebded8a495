"""The funnel, sources, scores, campaigns, money, pipeline and receivables of a cohort."""

from __future__ import annotations

from typing import TYPE_CHECKING

from sfactl.config.stages import read_pipelines
from sfactl.insight import shape
from sfactl.insight.model import (
    PARTS,
    STAGES,
    AgeingReport,
    CampaignReport,
    Cohort,
    FunnelReport,
    MoneyReport,
    OutcomeReport,
    PipelineReport,
    Scope,
    ScoreReport,
)
from sfactl.insight.usecases.journeys import check, journeys, rows, stage_number

if TYPE_CHECKING:
    import pyarrow as pa

    from sfactl.engine.duck import Query
    from sfactl.session import Session


def funnel(session: Session, *, by: str = "", scope: Scope | None = None) -> FunnelReport:
    """The funnel of the leads of ``scope``, in parts if ``by`` is one of `PARTS`."""
    check(by, ("", *PARTS), "--by")
    with journeys(session, by=by, scope=scope) as (query, cohort):
        return read_funnel(query, cohort, by)


def drill(
    session: Session,
    stage: str,
    *,
    by: str = "",
    part: str = "",
    scope: Scope | None = None,
) -> pa.Table:
    """The leads behind one cell of the funnel, as many as it says: those who came to ``stage`` or further."""
    check(stage, STAGES, "--drill")
    with journeys(session, by=by, scope=scope) as (query, _):
        return query.table(query.statement("insight", "drill"), {"stage_no": STAGES.index(stage), "part": part})


def source(
    session: Session,
    *,
    by: str = "source",
    to: str = "won",
    scope: Scope | None = None,
) -> OutcomeReport:
    """How many of each source's leads came to the outcome ``to``, with Wilson intervals at 95 %."""
    check(by, PARTS, "--by")
    stage_number(to)
    with journeys(session, by=by, scope=scope) as (query, cohort):
        return read_outcome(query, cohort, by, to)


def score(session: Session, *, scope: Scope | None = None) -> ScoreReport:
    """Whether leads with more points became opportunities more often; points as they were before anybody decided."""
    with journeys(session, scope=scope) as (query, cohort):
        return read_score(query, cohort)


def campaign(session: Session, *, scope: Scope | None = None) -> CampaignReport:
    """What each campaign sent, what recipients did, and how far they came compared with the control group."""
    with journeys(session, scope=scope) as (query, cohort):
        return read_campaign(query, cohort)


def money(session: Session, *, scope: Scope | None = None) -> MoneyReport:
    """What the leads of a period ordered and what was paid of it, by currency."""
    with journeys(session, scope=scope) as (query, cohort):
        return MoneyReport(cohort=cohort, turnover=shape.turnover(rows(query, "money")))


def pipeline(session: Session) -> PipelineReport:
    """All deals by pipeline, stage and currency."""
    with session.query() as query:
        return read_pipeline(session, query)


def ageing(session: Session) -> AgeingReport:
    """What customers owe, by days since it was due."""
    with session.query() as query:
        return read_ageing(session, query)


def read_funnel(query: Query, cohort: Cohort, by: str) -> FunnelReport:
    """The funnel of the leads in ``journey``."""
    return FunnelReport(cohort=cohort, by=by, funnels=shape.funnels(rows(query, "funnel")))


def read_outcome(query: Query, cohort: Cohort, by: str, outcome: str) -> OutcomeReport:
    """Conversion of each part of ``journey``."""
    answer = rows(query, "outcome", {"outcome": outcome, "stage_no": stage_number(outcome)})
    return shape.outcomes(answer, cohort=cohort, by=by, outcome=outcome)


def read_score(query: Query, cohort: Cohort) -> ScoreReport:
    """The reliability of every score."""
    bands = rows(query, "reliability", {"stage_no": STAGES.index("opportunity")})
    return ScoreReport(cohort=cohort, scores=shape.reliability(bands, outcome="opportunity"))


def read_campaign(query: Query, cohort: Cohort) -> CampaignReport:
    """The result of every campaign."""
    results = rows(query, "campaigns", {"stage_no": STAGES.index("opportunity")})
    return CampaignReport(cohort=cohort, outcome="opportunity", campaigns=shape.campaigns(results))


def read_pipeline(session: Session, query: Query) -> PipelineReport:
    """Deals by stage, in the order of the stage files."""
    pipelines = read_pipelines(session.folder)
    order = {name: [s.name for s in found.stages] for name, found in pipelines.items()}
    return PipelineReport(seq=query.seq, stages=shape.pipeline(rows(query, "pipeline"), order))


def read_ageing(session: Session, query: Query) -> AgeingReport:
    """What is owed on the day the session looks at."""
    on = session.as_of_time().date() if session.as_of else session.today()
    return AgeingReport(seq=query.seq, on=on, ages=shape.ages(rows(query, "ageing", {"today": on})))
