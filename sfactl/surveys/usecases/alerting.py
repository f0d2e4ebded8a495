"""Open a case where somebody answered badly, or an account's figure falls: once for each, however often it is asked.

The customer gave an answer and not a complaint, so they are told nothing of the case.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace
from datetime import date, datetime, timedelta
from typing import TYPE_CHECKING

from sfactl.api.errors import ConfigError, UserError
from sfactl.cases.model import Opening
from sfactl.cases.usecases.writing import DATASETS, check_owner, sheet_of, store
from sfactl.config.cases import CaseRules, read_cases
from sfactl.config.surveys import Alert, Period, Survey, read_survey, survey_names, survey_path
from sfactl.session import Session
from sfactl.surveys.usecases.looking import PACKAGE, known_survey, load_counted
from sfactl.surveys.usecases.reporting import Asked, Reader

if TYPE_CHECKING:
    from sfactl.engine.duck import Query

SOURCE = "survey"
"""Whose numbers the keys of these cases are."""
SILENT = "opened for an answer to a survey"
_LONGEST = 300


@dataclass(frozen=True, slots=True, kw_only=True)
class Alerted:
    """One case that was opened, and why; without a number where it was a dry run."""

    survey: str
    case_id: int | None
    lead_id: int | None
    owner: str
    subject: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Alerts:
    """The cases that were opened; ``known`` reasons had theirs before."""

    surveys: int
    opened: tuple[Alerted, ...]
    known: int
    dry_run: bool = False
    commit: int | None = None


def alert(session: Session, names: tuple[str, ...] = ()) -> Alerts:
    """Open the cases that surveys ask for, by default those of all surveys that have an ``[alert]``, in one commit.

    Raises `NotFound`, `ConfigError`, and `UserError` for a word that ``cases.toml`` does not know.
    """
    surveys = _with_alert(session, names)
    rules = read_cases(session.folder)
    for survey, said in surveys:
        try:
            rules.check_word("priority", said.priority)
            rules.check_word("category", said.category)
        except UserError as err:
            raise ConfigError(f"{survey_path(session.folder, survey.name)}: alert: {err.message}") from None
    with session.write(*DATASETS, reason="surveys: low answers and falling figures") as tx:
        found = [(s.name, o) for s, said in surveys for o in _reasons(session, tx.query, s, said, rules)]
        there = {key for (key,) in tx.query.rows("select source_key from cases where source = $s", {"s": SOURCE})}
        new = [(name, opening) for name, opening in found if opening.source_key not in there]
        opened: list[Alerted] = []
        if new:
            sheet = sheet_of(session, rules, len(new))
            first = session.reserve("case", len(new))
            for number, (name, opening) in enumerate(new, first):
                check_owner(tx.query, opening.owner)
                sheet.open(number, opening)
                opened.append(_alerted(name, None if session.dry_run else number, opening))
            store(session, tx, sheet)
        commit = tx.commit(cases=len(opened)).seq if opened else None
    return Alerts(
        surveys=len(surveys),
        opened=tuple(opened),
        known=len(found) - len(new),
        dry_run=session.dry_run,
        commit=commit,
    )


def _with_alert(session: Session, names: tuple[str, ...]) -> list[tuple[Survey, Alert]]:
    if not names:
        all_surveys = [read_survey(session.folder, name) for name in survey_names(session.folder)]
        return [(survey, survey.alert) for survey in all_surveys if survey.alert]
    found = []
    for name in dict.fromkeys(names):
        survey = known_survey(session, name)
        if survey.alert is None:
            raise ConfigError(
                f"{survey_path(session.folder, name)}: alert: missing, so no answer opens a case",
                hint="Add a table [alert]; at_most says up to which answer.",
            )
        found.append((survey, survey.alert))
    return found


def _reasons(session: Session, query: Query, survey: Survey, said: Alert, rules: CaseRules) -> Iterator[Opening]:
    """Every reason for a case, whether it has one or not."""
    load_counted(session, query, survey)
    at = session.now()
    since = at - timedelta(seconds=said.within_s)
    openings = [*_low(query, survey, at, since)]
    if said.trend:
        openings += _falls(session, query, survey, said.trend, since)
    for opening in openings:
        channel = opening.channel if opening.channel in (rules.channels or (opening.channel,)) else ""
        yield replace(
            opening,
            channel=channel,
            owner=said.owner or opening.owner,
            priority=said.priority,
            category=said.category,
        )


def _low(query: Query, survey: Survey, at: datetime, since: datetime) -> Iterator[Opening]:
    params = {"question": survey.questions[0].name, "most": survey.lowest, "since": since, "at": at}
    for row in query.table(query.statement(PACKAGE, "low_answers"), params).to_pylist():
        yield Opening(
            lead_id=row["lead_id"],
            contact_id=row["contact_id"],
            account_id=row["account_id"],
            owner=row["owner"] or "",
            channel=row["channel"] or "",
            subject=f"{row['name'] or 'A customer'} answered {row['score']} of {survey.high} to {survey.name}"[
                :_LONGEST
            ],
            text=row["comment"] or "",
            opened_at=row["at"],
            source=SOURCE,
            source_key=f"{survey.name}:{row['key']}",
            silent=SILENT,
        )


def _falls(session: Session, query: Query, survey: Survey, trend: Period, since: datetime) -> Iterator[Opening]:
    """Accounts whose figure fell between two periods, the newer of which is not over for longer than ``since``."""
    reader = Reader(query, survey, survey.questions[0].name, Asked(by="account", trend=trend))
    fallen = {row["account"]: row for row in reader.trends() if row["direction"] == "down" and row["account"]}
    oldest = period_of(since.date(), trend)
    for row in query.table(query.statement(PACKAGE, "newest_of_account")).to_pylist() if fallen else ():
        moved = fallen.get(row["account"])
        if moved is None or moved["after"] < oldest:
            continue
        points = f"{-moved['change']:.0f} points in {moved['after']}"
        yield Opening(
            lead_id=row["lead_id"],
            contact_id=row["contact_id"],
            account_id=row["account_id"],
            owner=row["owner"] or "",
            channel="",
            subject=f"{row['account']}: {survey.name} fell by {points}"[:_LONGEST],
            text=f"{moved['answers_before']} answers in {moved['before']}, then {moved['answers_after']}",
            opened_at=session.now(),
            source=SOURCE,
            source_key=f"{survey.name}:{row['account']}:{moved['after']}",
            silent=SILENT,
        )


def period_of(day: date, length: Period) -> str:
    """The period of a day, written as reports do."""
    if length == "month":
        return f"{day:%Y-%m}"
    if length == "quarter":
        return f"{day.year}-Q{(day.month + 2) // 3}"
    return f"{day.year}-H{(day.month + 5) // 6}" if length == "half" else f"{day.year}"


def _alerted(survey: str, number: int | None, opening: Opening) -> Alerted:
    return Alerted(survey=survey, case_id=number, lead_id=opening.lead_id, owner=opening.owner, subject=opening.subject)
