"""``sfactl lead refer``: link leads with those who referred them; registered by the group ``lead``."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING

import click

from sfactl.cli import options
from sfactl.cli.app import App, Output, pass_app
from sfactl.cli.words import count

if TYPE_CHECKING:
    from sfactl.leads.model import ReferralResult


def register(group: click.Group) -> None:
    """Add the command to ``group``."""
    group.add_command(refer)


@click.command()
@options.dry_run
@options.output
@pass_app
def refer(app: App, *, dry_run: bool, output: Output) -> None:
    """Link leads with the rep, lead or contact named as their referrer, who gets the credit.

    A referrer may be named by e-mail address, number (lead:8841, contact:12), id or full name. Names that nobody has,
    or that several people have, are listed and kept as they are.

    \b
    Example:
      sfactl lead refer --dry-run
    """
    from sfactl.leads.usecases import link_referrers

    result = link_referrers(app.session(dry_run=dry_run))
    output.emit(result, human=lambda: _lines(result), exit_code=3 if result.unknown else 0)


def _lines(result: ReferralResult) -> Iterator[str]:
    if result.dry_run:
        yield "Dry run: nothing is written."
    by = ", ".join(f"{n:,} by a {kind}" for kind, n in result.by.items())
    yield f"{count(result.linked, 'lead')} linked with a referrer{f': {by}' if by else ''}"
    if result.unknown:
        yield f"{count(result.unknown, 'referrer')} not known:"
    for row in result.missing:
        yield f"  lead:{row.lead_id}  {row.referrer}  ({row.reason})"
    if result.unknown > len(result.missing):
        yield f"  … and {result.unknown - len(result.missing):,} more"
    if result.commit is not None:
        yield f"Commit {result.commit}. Undo with: sfactl data undo {result.commit}"
