"""``sfactl case ack``: tell customers what happened to their cases."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING

import click

from sfactl.cli import options
from sfactl.cli.app import App, Output, pass_app
from sfactl.cli.times import local
from sfactl.cli.values import shown
from sfactl.cli.words import count

if TYPE_CHECKING:
    from sfactl.cases.usecases.drafting import Notice
    from sfactl.cases.usecases.noticing import AckResult

_SHOWN = 20


def register(group: click.Group) -> None:
    """Add the command to the group ``case``."""
    group.add_command(ack)


@click.command()
@click.option("--texts", is_flag=True, help="With --dry-run: show the messages as they would be sent.")
@options.dry_run
@options.as_of
@options.fail_empty
@options.output
@pass_app
def ack(app: App, *, texts: bool, dry_run: bool, as_of: str | None, fail_empty: bool, output: Output) -> None:
    """Tell customers of their cases: one message for each change of status that cases.toml has a notice for.

    Each is sent once, whatever happens to a run. Nothing is said to suppressed addresses, to our own, or to those that
    nobody reads, and no more than per_day messages go to one address within 24 hours.

    \b
    Example:
      sfactl case ack --dry-run --texts
      sfactl case ack
    """
    from sfactl.cases import usecases

    session = app.session(dry_run=dry_run, as_of=as_of)
    done = usecases.acknowledge(session)
    zone = session.settings.workspace.time_zone
    empty = 4 if fail_empty and not done.notices else 0
    output.emit(done, human=lambda: _lines(done, zone, texts=texts), exit_code=3 if done.partly else empty)


def _lines(done: AckResult, zone: str, *, texts: bool) -> Iterator[str]:
    if not done.notices:
        yield "Nobody is to be told of anything."
        return
    if done.dry_run:
        yield f"Dry run: {count(done.to_send, 'notice')} would be sent, nothing is."
    else:
        yield _outcome(done)
    for notice in done.notices[:_SHOWN]:
        yield from _notice(notice, zone, texts=texts)
    if len(done.notices) > _SHOWN:
        yield f"  … and {len(done.notices) - _SHOWN:,} more: --format jsonl"
    for reason in (*done.blocked, *done.later, *done.details):
        yield f"  {reason.messages:,}: {shown(reason.reason)}"
    if done.stopped:
        yield f"Stopped: {done.stopped}"
    if done.left:
        yield f"{count(done.left, 'notice')} left. Next: sfactl case ack"
    if done.unknown:
        yield "Unknown ones are held: sfactl touch list --state unknown"


def _outcome(done: AckResult) -> str:
    parts = [f"accepted {done.accepted:,}"]
    parts += [f"{name} {n:,}" for name, n in (("refused", done.refused), ("unknown", done.unknown)) if n]
    parts += [f"tried out {done.dead:,}"] if done.dead else []
    waits = sum(n.action == "wait" for n in done.notices)
    skips = len(done.notices) - done.to_send - waits
    parts += [f"waiting {waits:,}"] if waits else []
    parts += [f"not told {skips:,}"] if skips else []
    return f"{count(len(done.notices), 'change')} · {' · '.join(parts)}"


def _notice(notice: Notice, zone: str, *, texts: bool) -> Iterator[str]:
    why = notice.reason + (f", until {local(notice.due_at, zone)}" if notice.due_at else "")
    said = f"  {notice.action}  {shown(notice.recipient)}{'  ' if notice.recipient and why else ''}{shown(why)}"
    yield f"  case {notice.case_id}  {notice.status}{said}".rstrip()
    if texts and notice.text:
        yield f"    Subject: {shown(notice.subject)}"
        yield from (f"    {shown(line)}".rstrip() for line in notice.text.strip().splitlines())
