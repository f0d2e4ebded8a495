"""``sfactl order sign``: record the contract of an order; registered by the group ``order``."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import date
from pathlib import Path
from typing import TYPE_CHECKING

import click

from sfactl.cli import options
from sfactl.cli.app import App, Output, pass_app
from sfactl.cli.kinds import DAY
from sfactl.cli.values import shown

if TYPE_CHECKING:
    from sfactl.orders.contracts import Signed


def register(group: click.Group) -> None:
    """Add the command to ``group``."""
    group.add_command(sign)


@click.command()
@click.argument("order")
@click.option("--number", required=True, metavar="TEXT", help="Number that stands on the contract.")
@click.option("--on", type=DAY, metavar="DATE", help="Day on which it was signed [default: today].")
@click.option("--by", default="", metavar="NAME", help="Who signed for the customer.")
@click.option("--ends", type=DAY, metavar="DATE", help="Last day that it holds.")
@click.option("--file", type=click.Path(dir_okay=False, path_type=Path), help="What was signed; its hash is kept.")
@options.dry_run
@options.output
@pass_app
def sign(
    app: App,
    *,
    order: str,
    number: str,
    on: date | None,
    by: str,
    ends: date | None,
    file: Path | None,
    dry_run: bool,
    output: Output,
) -> None:
    """Record that the contract of ORDER was signed. The same again changes nothing.

    The document stays where it is; its SHA-256 is kept, so that it can be told from any other.

    \b
    Example:
      sfactl order sign O-12 --number C-2026-7 --by "Mei Lin" --file contract.pdf
    """
    from sfactl.orders import usecases

    done = usecases.sign(app.session(dry_run=dry_run), order, number=number, on=on, by=by, ends=ends, file=file)
    output.emit(done, human=lambda: _lines(done))


def _lines(done: Signed) -> Iterator[str]:
    if done.dry_run:
        yield "Dry run: nothing is written."
    by = f" by {shown(done.signed_by)}" if done.signed_by else ""
    said = " was recorded before. Nothing to do." if done.repeated else ""
    yield f"Contract {shown(done.number)} of O-{done.order_id}, signed on {done.signed_on}{by}{said}"
    if done.commit:
        yield f"Commit {done.commit}. Undo with: sfactl data undo {done.commit}"
