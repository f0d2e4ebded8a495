"""Look at surveys: which there are, what they ask, and what was answered."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from sfactl.api.errors import ConfigError, NotFound
from sfactl.campaigns.surveys import survey_campaign
from sfactl.campaigns.usecases.checking import Finding
from sfactl.campaigns.usecases.checking import check as check_campaigns
from sfactl.campaigns.usecases.looking import state_of
from sfactl.config.surveys import Survey, read_survey, survey_names, survey_path
from sfactl.leads.named_leads import find_leads

if TYPE_CHECKING:
    import pyarrow as pa

    from sfactl.campaigns.model import Campaign
    from sfactl.engine.duck import Query
    from sfactl.session import Session

PACKAGE = "surveys"


@dataclass(frozen=True, slots=True, kw_only=True)
class SurveyLine:
    """One survey in a listing. ``asked`` are invitations, ``answered`` those of them that were answered."""

    survey: str
    kind: str
    state: str
    when: str
    asked: int
    answered: int
    answers: int
    summary: str


@dataclass(frozen=True, slots=True, kw_only=True)
class SurveyShown:
    """A survey as its file says it, with what it sent and got."""

    survey: str
    kind: str
    scale: str
    state: str
    summary: str
    questions: tuple[str, ...]
    comment: str
    when: str
    audience: str
    topic: str
    sender: str
    minimum: int
    asked: int
    answered: int
    answers: int


def surveys(session: Session) -> tuple[SurveyLine, ...]:
    """All surveys of the workspace."""
    lines = []
    with session.query() as query:
        for name in survey_names(session.folder):
            try:
                survey, campaign = survey_campaign(session.folder, name)
                state, when, summary = state_of(session, name), when_of(campaign), survey.summary
                asked, answered, answers = _counts(session, query, survey)
                kind: str = survey.kind
            except ConfigError as err:
                kind, state, when, summary = "", "broken", "", err.message
                asked = answered = answers = 0
            lines.append(
                SurveyLine(
                    survey=name,
                    kind=kind,
                    state=state,
                    when=when,
                    asked=asked,
                    answered=answered,
                    answers=answers,
                    summary=summary,
                )
            )
    return tuple(lines)


def show(session: Session, name: str) -> SurveyShown:
    """The survey ``name``. Raises `NotFound` and `ConfigError`."""
    known_survey(session, name)
    survey, campaign = survey_campaign(session.folder, name)
    with session.query() as query:
        asked, answered, answers = _counts(session, query, survey)
    return SurveyShown(
        survey=name,
        kind=survey.kind,
        scale=f"{survey.low} to {survey.high}",
        state=state_of(session, name),
        summary=survey.summary,
        questions=tuple(f"{q.name}: {q.text}" for q in survey.questions),
        comment=survey.comment.text if survey.comment else "",
        when=when_of(campaign),
        audience=f"segment {campaign.segment}" if campaign.segment else campaign.where,
        topic=campaign.topic,
        sender=campaign.sender,
        minimum=survey.minimum,
        asked=asked,
        answered=answered,
        answers=answers,
    )


def check(session: Session, names: tuple[str, ...] = ()) -> tuple[Finding, ...]:
    """Look at surveys, the campaigns they make, their templates and senders; by default all. Raises `NotFound`."""
    for name in names:
        known_survey(session, name)
    chosen = names or tuple(survey_names(session.folder))
    return check_campaigns(session, chosen) if chosen else ()


def answers(session: Session, name: str, *, lead: str = "", question: str = "", most: int | None = None) -> pa.Table:
    """The answers that count, the newest on top; ``most`` leaves those of at most that score.

    Raises `NotFound` for a survey or a lead that is not there.
    """
    survey = known_survey(session, name)
    with session.query() as query:
        load_counted(session, query, survey)
        number = find_leads(query, [lead])[0] if lead else None
        params = {"lead": number, "question": question, "most": most}
        return query.table(query.statement(PACKAGE, "listed_answers"), params)


def known_survey(session: Session, name: str) -> Survey:
    """The survey called ``name``. Raises `NotFound` and `ConfigError`."""
    if not survey_path(session.folder, name).is_file():
        known = ", ".join(survey_names(session.folder))
        hint = f"There are: {known}" if known else "Surveys are files surveys/NAME.toml in the workspace."
        raise NotFound(f"there is no survey {name!r}", hint=hint)
    return read_survey(session.folder, name)


def load_counted(session: Session, query: Query, survey: Survey) -> None:
    """Make the tables counted, the answers that count, and invited, whom the survey asked."""
    named = {"survey": survey.name, "zone": session.settings.workspace.time_zone}
    scale = {"kind": survey.kind, "low": survey.low, "high": survey.high}
    query.run(f"create or replace temp table counted as {query.statement(PACKAGE, 'counted')}", {**named, **scale})
    query.run(f"create or replace temp table invited as {query.statement(PACKAGE, 'invited')}", named)


def when_of(campaign: Campaign) -> str:
    """When the survey asks, in words."""
    said = campaign.occasion
    assert said is not None
    if said.every:
        return f"every {said.every}"
    return f"{said.wait} after {str(said.after).replace('_', ' ')}"


def _counts(session: Session, query: Query, survey: Survey) -> tuple[int, int, int]:
    load_counted(session, query, survey)
    first = survey.questions[0].name
    (asked, answered) = query.one("select count(*), count(*) filter (where is_answered) from invited") or (0, 0)
    (answers,) = query.one("select count(*) from counted where question = $first", {"first": first}) or (0,)
    return int(asked), int(answered), int(answers)
