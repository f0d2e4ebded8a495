"""``sfactl timeline``: everything that happened with a customer."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING

import click

from sfactl.cli import options
from sfactl.cli.app import App, Output, pass_app
from sfactl.cli.tables import cut, pad, terminal_width, width
from sfactl.cli.values import shown

if TYPE_CHECKING:
    from sfactl.portrait.timeline import Timeline


@click.command()
@click.argument("ref")
@click.option("--kind", "kinds", multiple=True, metavar="KIND", help="Only this kind: touch, stage, order …")
@click.option("--page", type=click.IntRange(min=1), default=1, show_default=True, metavar="N", help="1 is the newest.")
@options.limit(50)
@options.as_of
@options.fail_empty
@options.output
@pass_app
def group(
    app: App,
    *,
    ref: str,
    kinds: tuple[str, ...],
    page: int,
    limit: int,
    as_of: str | None,
    fail_empty: bool,
    output: Output,
) -> None:
    """Show everything that happened with REF, a lead, contact or account, in time order.

    \b
    Kinds: touch, message, stage, field, assignment, task, action, tag, intent,
    score, deal, quote, order, invoice, payment, merge.

    \b
    Example:
      sfactl timeline lead:8841
      sfactl timeline account:12 --kind order,payment --as-of 2026-06-30
    """
    from sfactl.portrait.usecases.history import timeline

    session = app.session(as_of=as_of)
    found = timeline(session, ref, kinds=kinds, page=page, limit=limit)
    result = found if output.format in ("table", "json") else found.entries
    output.emit(result, human=lambda: _lines(found), exit_code=4 if fail_empty and not found.total else 0)


def _lines(found: Timeline) -> Iterator[str]:
    yield f"{found.name or 'Unnamed'} · {found.ref} · {found.total:,} entries"
    if not found.entries:
        yield "Nothing happened yet."
        return
    if found.page < found.pages:
        yield f"  … earlier: --page {found.page + 1} of {found.pages}"
    kind_room = max(width(entry.kind) for entry in found.entries)
    what_room = min(24, max(width(shown(entry.what)) for entry in found.entries))
    day = ""
    for entry in found.entries:
        now = f"{entry.at:%Y-%m-%d}"
        date = now if now != day else " " * 10
        day = now
        about = f" ({entry.about})" if entry.about and entry.about != found.ref else ""
        actor = f" · {shown(entry.actor)}" if entry.actor else ""
        what = pad(cut(shown(entry.what), what_room), what_room)
        line = f"{date} {entry.at:%H:%M}  {pad(entry.kind, kind_room)}  {what}  {shown(entry.detail)}{actor}{about}"
        yield cut(line, terminal_width() or 10_000).rstrip()
    if found.page > 1:
        yield f"  … later: --page {found.page - 1}"
