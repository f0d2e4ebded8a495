"""How mail that was read looks at the prompt."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING

from sfactl.cli.words import count

if TYPE_CHECKING:
    from sfactl.feedback.usecases import MailResult


def bounce_lines(result: MailResult) -> Iterator[str]:
    """Returned mail: what came back, why, and what follows."""
    yield (
        f"{count(result.mails, 'mail')} · {count(result.notices, 'notice')} · {result.new:,} new ·"
        f" {result.known:,} known · {result.no_report:,} without a report"
    )
    yield from _details(result)


def mail_lines(result: MailResult) -> Iterator[str]:
    """Answers: of whom, to what, and what follows."""
    stored = f"{result.new:,} new · {result.known:,} known"
    yield f"{count(result.mails, 'mail')} · {stored} · {result.no_report:,} of no use"
    yield from _details(result)


def _details(result: MailResult) -> Iterator[str]:
    for reason in result.reasons:
        weight = {"bounce": "hard" if reason.hard else "soft"}.get(reason.kind, "")
        yield f"  {reason.kind:<11} {f'{weight:<5} {reason.reason}':<28} {reason.notices:>6,}"
    for answer in result.answers:
        place = f"{answer.campaign}, {answer.step}" if answer.campaign else "to no message of ours"
        yield f"  {answer.kind:<11} {place:<28} {answer.mails:>6,}"
    if result.ours:
        yield f"  {count(result.ours, 'mail')} by colleagues: no touchpoint"
    if result.unread:
        yield f"  {count(result.unread, 'mail')} could not be read"
    if result.strangers:
        yield f"  {result.strangers:,} of addresses that no lead has: no touchpoint"
    if result.suppressed:
        yield f"  {count(result.suppressed, 'address')} will not be written to any more"
    ended = sum(a.mails for a in result.answers if a.kind == "reply")
    if ended:
        yield f"  {count(ended, 'reply')} after which sequences end: sfactl touch why CONTACT"
    if result.dry_run:
        yield "Dry run: nothing was stored."
    elif result.commits == 1:
        yield f"Commit {result.commit}. Undo with: sfactl data undo {result.commit}"
    elif result.commits:
        yield f"{result.commits:,} commits, the last is {result.commit}."
