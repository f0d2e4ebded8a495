"""Bring in what was answered to surveys, once, and remove the files that held it after the commit."""

from __future__ import annotations

from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING

from sfactl.collect import segments
from sfactl.collect.model import Response
from sfactl.surveys.model import Given, SurveyCount
from sfactl.surveys.recording import WRITTEN, record

if TYPE_CHECKING:
    from sfactl.session import Session


@dataclass(slots=True, kw_only=True)
class Answered:
    """What was brought in, by survey, and how many files were done with."""

    surveys: list[SurveyCount] = field(default_factory=list)
    files: int = 0
    damaged: list[str] = field(default_factory=list)
    commit: int | None = None


def import_answers(session: Session, folder: Path) -> Answered:
    """Bring in the answers in ``folder``; what is done with a test message's link is nobody's and is left out."""
    done, start = Answered(), ""
    while True:
        with session.write(*WRITTEN, reason="surveys answered") as tx, segments.reading(folder, start) as chunk:
            ours = [f for f in chunk.files if f.ours]  # the collector completes the others within seconds
            found = {r.id: r for f in ours for r in f.records if isinstance(r, Response) and r.lead_id}
            if found:
                done.surveys += record(tx, [_given(r) for r in found.values()], actor=session.actor)
                if tx.touched():
                    done.commit = tx.commit(answers=len(found)).seq
            done.files += len(ours)
            done.damaged += segments.clear(ours, keep=session.dry_run)
            start = f"{chunk.files[-1].path.name} " if chunk.files else ""
        if not chunk.more:
            return done


def _given(response: Response) -> Given:
    return Given(
        given_id=response.id,
        at=response.at,
        survey=response.survey,
        kind=response.kind,
        low=response.low,
        high=response.high,
        answers=response.answers,
        first=next(iter(response.answers)),
        lead_id=response.lead_id,
        comment=response.comment,
        message_key=response.message_key,
        step=response.step,
    )
