"""The page for managers: everything it shows is read at one commit, then written as one file."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from sfactl.insight import page, shape
from sfactl.insight.attribution import Question
from sfactl.insight.model import Overview, PageWritten, Scope
from sfactl.insight.page import ASLEEP_DAYS, OUTCOME
from sfactl.insight.usecases.activity import read_sleeping
from sfactl.insight.usecases.attributing import read_attribution
from sfactl.insight.usecases.conversion import read_cohort
from sfactl.insight.usecases.journeys import journeys, rows
from sfactl.insight.usecases.lead_to_cash import (
    read_ageing,
    read_campaign,
    read_funnel,
    read_outcome,
    read_pipeline,
    read_score,
)
from sfactl.insight.usecases.speed import make_spans, read_speed

if TYPE_CHECKING:
    from sfactl.session import Session


def html(session: Session, file: Path | None = None, *, scope: Scope | None = None) -> PageWritten:
    """Write all reports as one self-contained page; without ``file`` into the workspace's ``reports`` folder.

    Raises `UserError` if the folder of ``file`` is not there.
    """
    return write_page(session, read_overview(session, scope=scope), file)


def write_page(session: Session, overview: Overview, file: Path | None = None) -> PageWritten:
    """Write ``overview`` as `html` does."""
    path = file or session.folder / "reports" / f"report-{overview.read_at:%Y-%m-%d}.html"
    data = page.render(overview).encode()
    if not session.dry_run:
        if file is None:
            path.parent.mkdir(exist_ok=True)
        page.write(path, data)
    return PageWritten(file=str(path), size=len(data), seq=overview.cohort.seq, leads=overview.funnel.stages[0].leads)


def read_overview(session: Session, *, scope: Scope | None = None) -> Overview:
    """Everything the page shows, from one snapshot."""
    settings = session.settings.workspace
    scope = scope or Scope()
    with journeys(session, by="month", scope=scope) as (query, cohort):
        months = read_funnel(query, cohort, "month").funnels
        cohorts = read_cohort(session, query, "month", OUTCOME, scope)
        attribution = read_attribution(session, query, Question(to=OUTCOME), scope)
        query.run("update journey set part = ''")
        whole = read_funnel(query, cohort, "").funnels[0]
        make_spans(session, query, "calendar", "", scope)
        speed = read_speed(query)
        query.run("update journey set part = owner")
        sleeping = read_sleeping(session, query, "owner", ASLEEP_DAYS, scope)
        query.run("update journey set part = source")
        return Overview(
            title=settings.name or session.folder.resolve().name,
            cohort=cohort,
            read_at=session.as_of_time(),
            language=settings.language,
            currency=settings.currency,
            funnel=whole,
            months=months,
            turnover=shape.turnover(rows(query, "money")),
            sources=read_outcome(query, cohort, "source", "won"),
            cohorts=cohorts,
            attribution=attribution,
            speed=speed,
            sleeping=sleeping,
            scores=read_score(query, cohort),
            campaigns=read_campaign(query, cohort),
            pipeline=read_pipeline(session, query),
            ageing=read_ageing(session, query),
        )
