"""Bring in answers from a file, each once; rows that cannot be taken are told, the others land in one commit."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

from sfactl.config.surveys import read_survey, survey_names
from sfactl.leads.named_leads import fitting_leads
from sfactl.surveys.files import read_answers
from sfactl.surveys.model import AnswersImported, Line, Rejected, Unanswered
from sfactl.surveys.recording import WRITTEN, record
from sfactl.surveys.usecases.looking import known_survey

if TYPE_CHECKING:
    from sfactl.engine.duck import Query
    from sfactl.session import Session


def import_answers(session: Session, path: Path, *, survey: str = "") -> AnswersImported:
    """Bring in the answers of a CSV file; ``survey`` is that of rows that name none.

    The same file again brings nothing. Raises `NotFound` for a survey, `DataError` for a file that cannot be read.
    """
    if survey:
        known_survey(session, survey)
    surveys = {name: read_survey(session.folder, name) for name in survey_names(session.folder)}
    with session.write(*WRITTEN, reason=f"answers of {path.name}") as tx:
        read = list(
            read_answers(
                path,
                surveys=surveys,
                default=survey,
                moment=lambda text: session.moment(text).replace(microsecond=0),
                now=session.moment(session.today().isoformat()),
            )
        )
        rejected = [row for row in read if isinstance(row, Rejected)]
        lines = list(_known(tx.query, [row for row in read if isinstance(row, Line)], rejected))
        counts = record(tx, [line.given for line in lines], actor=session.actor) if lines else ()
        changed = _changed(tx.query, lines) if lines else []
        commit = tx.commit(answers=sum(c.new for c in counts)).seq if tx.touched() else None
    return AnswersImported(
        rows=len(read),
        new=sum(c.new for c in counts),
        known=sum(c.known for c in counts) - len(changed),
        open=sum(isinstance(row, Unanswered) for row in read),
        surveys=counts,
        rejected=tuple(sorted([*rejected, *changed], key=lambda r: r.row)),
        dry_run=session.dry_run,
        commit=commit,
    )


def _known(query: Query, lines: Sequence[Line], rejected: list[Rejected]) -> Iterator[Line]:
    """The lines whose lead and message are there, with the lead's number; the others are added to ``rejected``."""
    leads = fitting_leads(query, {line.lead for line in lines if line.lead})
    messages = _messages(query, {line.given.message_key for line in lines if line.given.message_key})
    for line in lines:
        given, key = line.given, line.given.message_key
        fits = leads[line.lead] if line.lead else (0,)
        lead_id = fits[0] if fits else 0
        campaign, recipient = messages.get(key, ("", 0))
        why = ""
        if len(fits) != 1:
            why = f"lead: {line.lead!r} is {len(fits)} leads" if fits else f"lead: there is no lead {line.lead!r}"
        elif key and campaign != given.survey:
            why = f"message: survey {given.survey} sent no message {key!r}"
        elif key and lead_id not in (0, recipient):
            why = f"message: {key!r} went to lead {recipient}, not to {lead_id}"
        if why:
            rejected.append(Rejected(row=line.row, reason=why))
        else:
            yield replace(line, given=replace(given, lead_id=lead_id or recipient))


def _messages(query: Query, keys: set[str]) -> Mapping[str, tuple[str, int]]:
    import pyarrow as pa

    if not keys:
        return {}
    query.register("keys", pa.table({"message_key": pa.array(sorted(keys), pa.string())}))
    found = query.rows(
        "select m.message_key, m.campaign, m.lead_id from messages m join keys k on k.message_key = m.message_key"
    )
    return {key: (campaign, lead_id) for key, campaign, lead_id in found}


def _changed(query: Query, lines: Sequence[Line]) -> list[Rejected]:
    """Rows that say another score than the answer that is there: what was answered is never changed."""
    sql = "select given_id, score, known_score from recorded where is_known and score <> known_score"
    rows: Mapping[str, int] = {line.given.given_id: line.row for line in lines}
    return [
        Rejected(row=rows[given_id], reason=f"was brought in with the score {before}, not {now}; answers never change")
        for given_id, now, before in query.rows(sql)
    ]
