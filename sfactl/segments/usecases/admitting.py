"""Find the smallest change that would make a lead a member, by trying it on a copy of the lead's data."""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime

from sfactl.config.tags import known_tags
from sfactl.engine.conditions.inquiry import Inquiry, inquire
from sfactl.engine.conditions.trial import Applied, smallest
from sfactl.engine.conditions.waiting import first_moment
from sfactl.segments import files
from sfactl.segments.layer_names import layer_names
from sfactl.segments.model import Admission, Explanation
from sfactl.segments.usecases.look import explain
from sfactl.session import Session


def why_not(session: Session, name: str, lead_id: int) -> Explanation:
    """The explanation, and for one who is no member the smallest changes after which the lead is one.

    The changes were applied to a copy of the lead's own rows and the whole condition was asked again, so they are
    known to suffice; so was the moment from which it is one by itself. Errors as for `explain`.
    """
    explained = explain(session, name, lead_id)
    if explained.member:
        return explained
    now = session.as_of_time()
    inquiry = _inquiry(session, name, now)
    with session.query() as query:
        tables = {
            relation: query.table(f"select * from {relation} where {inquiry.link} = $key", {"key": explained.lead_id})
            for relation in inquiry.relations
        }
    found = smallest(inquiry, tables, explained.lead_id)
    return replace(
        explained,
        admission=None if found is None else _admission(found),
        by_itself=first_moment(lambda at: _inquiry(session, name, at), now, tables, explained.lead_id),
    )


def _inquiry(session: Session, name: str, now: datetime) -> Inquiry:
    segments = files.read_segments(session.folder)
    used = [s for s in files.with_used(segments, [name]) if s.name != name]
    return inquire(
        files.named(segments, name).where,
        schemas=session.workspace.schemas,
        now=now,
        where=f"{files.FOLDER}/{name}.toml: where",
        segments=segments,
        scores=files.score_names(session.folder),
        tags=known_tags(session.folder),
        layers=layer_names(session.folder),
        using=files.as_conditions(used),
    )


def _admission(changes: tuple[Applied, ...]) -> tuple[Admission, ...]:
    return tuple(
        Admission(text=change.text, subject=change.subject, kind=change.kind, value=change.value) for change in changes
    )
