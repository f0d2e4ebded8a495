"""Reports on the way from lead to cash. They read one commit, change nothing, and say which commit it was."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from datetime import date
from pathlib import Path
from typing import TYPE_CHECKING, Any

from sfactl.api.errors import UserError
from sfactl.config.stages import read_pipelines
from sfactl.insight import page, shape
from sfactl.insight.model import (
    OUTCOMES,
    PARTS,
    STAGES,
    AgeingReport,
    CampaignReport,
    Cohort,
    FunnelReport,
    MoneyReport,
    OutcomeReport,
    Overview,
    PageWritten,
    PipelineReport,
    ScoreReport,
)

if TYPE_CHECKING:
    import pyarrow as pa

    from sfactl.engine.duck import Query
    from sfactl.session import Session


def funnel(session: Session, *, by: str = "", since: date | None = None, until: date | None = None) -> FunnelReport:
    """The funnel of the leads first met from ``since`` to ``until``, in parts if ``by`` is one of `PARTS`."""
    _check(by, ("", *PARTS), "--by")
    with _journeys(session, by=by, since=since, until=until) as (query, cohort):
        return _funnel(query, cohort, by)


def drill(
    session: Session,
    stage: str,
    *,
    by: str = "",
    part: str = "",
    since: date | None = None,
    until: date | None = None,
) -> pa.Table:
    """The leads behind one cell of the funnel, as many as it says: those who came to ``stage`` or further."""
    _check(stage, STAGES, "--drill")
    with _journeys(session, by=by, since=since, until=until) as (query, _):
        return query.table(query.statement("insight", "drill"), {"stage_no": STAGES.index(stage), "part": part})


def source(
    session: Session,
    *,
    by: str = "source",
    to: str = "won",
    since: date | None = None,
    until: date | None = None,
) -> OutcomeReport:
    """How many of each source's leads came to the outcome ``to``, with Wilson intervals at 95 %."""
    _check(by, PARTS, "--by")
    _check(to, OUTCOMES, "--to")
    with _journeys(session, by=by, since=since, until=until) as (query, cohort):
        return _outcome(query, cohort, by, to)


def score(session: Session, *, since: date | None = None, until: date | None = None) -> ScoreReport:
    """Whether leads with more points became opportunities more often; points as they were before anybody decided."""
    with _journeys(session, since=since, until=until) as (query, cohort):
        return _score(query, cohort)


def campaign(session: Session, *, since: date | None = None, until: date | None = None) -> CampaignReport:
    """What each campaign sent, what recipients did, and how far they came compared with the control group."""
    with _journeys(session, since=since, until=until) as (query, cohort):
        return _campaign(query, cohort)


def money(session: Session, *, since: date | None = None, until: date | None = None) -> MoneyReport:
    """What the leads of a period ordered and what was paid of it, by currency."""
    with _journeys(session, since=since, until=until) as (query, cohort):
        return MoneyReport(cohort=cohort, turnover=shape.turnover(_rows(query, "money")))


def pipeline(session: Session) -> PipelineReport:
    """All deals by pipeline, stage and currency."""
    with session.query() as query:
        return _pipeline(session, query)


def ageing(session: Session) -> AgeingReport:
    """What customers owe, by days since it was due."""
    with session.query() as query:
        return _ageing(session, query)


def html(
    session: Session, file: Path | None = None, *, since: date | None = None, until: date | None = None
) -> PageWritten:
    """Write all reports as one self-contained page; without ``file`` into the workspace's ``reports`` folder.

    Raises `UserError` if the folder of ``file`` is not there.
    """
    return write_page(session, read_overview(session, since=since, until=until), file)


def write_page(session: Session, overview: Overview, file: Path | None = None) -> PageWritten:
    """Write ``overview`` as `html` does."""
    path = file or session.folder / "reports" / f"report-{overview.read_at:%Y-%m-%d}.html"
    data = page.render(overview).encode()
    if not session.dry_run:
        if file is None:
            path.parent.mkdir(exist_ok=True)
        page.write(path, data)
    return PageWritten(file=str(path), size=len(data), seq=overview.cohort.seq, leads=overview.funnel.stages[0].leads)


def read_overview(session: Session, *, since: date | None = None, until: date | None = None) -> Overview:
    """Everything the page shows, from one snapshot."""
    settings = session.settings.workspace
    with _journeys(session, by="month", since=since, until=until) as (query, cohort):
        months = _funnel(query, cohort, "month").funnels
        query.run("update journey set part = ''")
        whole = _funnel(query, cohort, "").funnels[0]
        query.run("update journey set part = source")
        return Overview(
            title=settings.name or session.folder.resolve().name,
            cohort=cohort,
            read_at=session.as_of_time(),
            language=settings.language,
            currency=settings.currency,
            funnel=whole,
            months=months,
            turnover=shape.turnover(_rows(query, "money")),
            sources=_outcome(query, cohort, "source", "won"),
            scores=_score(query, cohort),
            campaigns=_campaign(query, cohort),
            pipeline=_pipeline(session, query),
            ageing=_ageing(session, query),
        )


@contextmanager
def _journeys(
    session: Session, *, by: str = "", since: date | None = None, until: date | None = None
) -> Iterator[tuple[Query, Cohort]]:
    if since and until and since > until:
        raise UserError(f"--from {since} is later than --to {until}")
    with session.query() as query:
        query.run(
            f"create temp table journey as {query.statement('insight', 'journey')}",
            {"by": by, "since": since, "until": until},
        )
        yield query, Cohort(since=since, until=until, seq=query.seq)


def _funnel(query: Query, cohort: Cohort, by: str) -> FunnelReport:
    return FunnelReport(cohort=cohort, by=by, funnels=shape.funnels(_rows(query, "funnel")))


def _outcome(query: Query, cohort: Cohort, by: str, outcome: str) -> OutcomeReport:
    stage_no = STAGES.index(outcome) if outcome in STAGES else len(STAGES)
    rows = _rows(query, "outcome", {"outcome": outcome, "stage_no": stage_no})
    return shape.outcomes(rows, cohort=cohort, by=by, outcome=outcome)


def _score(query: Query, cohort: Cohort) -> ScoreReport:
    rows = _rows(query, "reliability", {"stage_no": STAGES.index("opportunity")})
    return ScoreReport(cohort=cohort, scores=shape.reliability(rows, outcome="opportunity"))


def _campaign(query: Query, cohort: Cohort) -> CampaignReport:
    rows = _rows(query, "campaigns", {"stage_no": STAGES.index("opportunity")})
    return CampaignReport(cohort=cohort, outcome="opportunity", campaigns=shape.campaigns(rows))


def _pipeline(session: Session, query: Query) -> PipelineReport:
    pipelines = read_pipelines(session.folder)
    order = {name: [s.name for s in found.stages] for name, found in pipelines.items()}
    return PipelineReport(seq=query.seq, stages=shape.pipeline(_rows(query, "pipeline"), order))


def _ageing(session: Session, query: Query) -> AgeingReport:
    on = session.as_of_time().date() if session.as_of else session.today()
    return AgeingReport(seq=query.seq, on=on, ages=shape.ages(_rows(query, "ageing", {"today": on})))


def _rows(query: Query, name: str, params: Mapping[str, Any] | None = None) -> list[dict[str, Any]]:
    rows: list[dict[str, Any]] = query.table(query.statement("insight", name), params).to_pylist()
    return rows


def _check(value: str, known: tuple[str, ...], option: str) -> None:
    if value not in known:
        raise UserError(f"{option}: there is no {value!r}. Choose from {', '.join(k for k in known if k)}")
