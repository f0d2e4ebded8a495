"""What ``sfactl case open`` answers where cases come from mail or forms."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from sfactl.cli.app import Output
from sfactl.cli.values import shown
from sfactl.cli.words import count

if TYPE_CHECKING:
    from sfactl.cases.usecases.mailing import CaseMailResult
    from sfactl.cases.usecases.posting import CasesPosted
    from sfactl.session import Session

_SHOWN = 10


def read(session: Session, places: Sequence[str], output: Output) -> None:
    """Open cases from mails at ``places``: names of the workspace's mailboxes, or files and folders."""
    from sfactl.cases import usecases

    boxes = [place for place in places if place in session.settings.mailboxes]
    paths = [Path(place).expanduser() for place in places if place not in boxes]
    done = [usecases.fetch_case_mail(session, box) for box in boxes]
    done += [usecases.read_case_mail(session, paths)] if paths else []
    output.emit(tuple(done) if len(done) > 1 else done[0], human=lambda: (line for one in done for line in _lines(one)))


def posted(session: Session, output: Output) -> None:
    """Open cases from postings of forms."""
    from sfactl.cases import usecases

    done = usecases.open_posted(session)
    output.emit(done, human=lambda: _posted(done))


def _posted(done: CasesPosted) -> Iterator[str]:
    if done.dry_run:
        yield "Dry run: nothing is written."
    yield f"{count(done.opened, 'case')} opened from forms"
    if done.commit:
        yield f"Commit {done.commit}. Undo with: sfactl data undo {done.commit}"
        yield "Next: sfactl case ack"


def _lines(done: CaseMailResult) -> Iterator[str]:
    if done.dry_run:
        yield "Dry run: nothing is written."
    parts = [f"{count(done.opened, 'case')} opened", f"{done.heard:,} about cases that are there"]
    parts += [f"{done.again:,} of them taken up again"] if done.again else []
    parts += [f"{done.known:,} read before"] if done.known else []
    parts += [f"{sum(n.mails for n in done.nothing):,} opened nothing"] if done.nothing else []
    yield f"{count(done.mails, 'mail')} · {' · '.join(parts)}"
    for reason in done.nothing:
        first = "the first" if reason.mails > 1 else ""
        about = ", ".join(text for text in (first, shown(reason.example)) if text)
        yield f"  {reason.mails:,}: {reason.reason}{f' ({about})' if reason.example else ''}"
    if done.strangers:
        yield f"{count(done.strangers, 'writer')} whom nobody knew became leads."
    if done.cases and not done.dry_run:
        more = " …" if len(done.cases) > _SHOWN else ""
        yield f"New: {', '.join(f'case {n}' for n in done.cases[:_SHOWN])}{more}"
    if done.commit:
        undo = f"Undo with: sfactl data undo {done.commit}"
        yield (
            f"Commit {done.commit}. {undo}"
            if done.commits == 1
            else f"{done.commits} commits. {undo}, and those before"
        )
        yield "Next: sfactl case ack"
