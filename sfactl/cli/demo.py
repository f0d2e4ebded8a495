"""``sfactl demo``: the whole loop on made-up data, from lead files to paid invoices and a report."""

from __future__ import annotations

import time
from dataclasses import replace
from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING

import click

from sfactl.cli import options
from sfactl.cli.app import App, Output, pass_app

if TYPE_CHECKING:
    from sfactl.demo.story.telling import Told
    from sfactl.demo.world import World

FEW_LEADS = 20_000
"""Up to so many one thread is enough: a second one would only be waited for."""


@click.command("demo")
@click.argument("folder", metavar="[DIR]", default="sfactl-demo", type=click.Path(file_okay=False, path_type=Path))
@click.option("--leads", type=click.IntRange(50), default=2_000, show_default=True, metavar="N", help="Rows of leads.")
@click.option("--events", type=click.IntRange(0), default=None, metavar="N", help="Events [default: 20 for each lead].")
@click.option("--seed", type=int, default=None, metavar="N", help="Another seed, another world [default: 1].")
@click.option(
    "--until",
    type=click.DateTime(formats=["%Y-%m-%d"]),
    default="2026-11-01",
    show_default=True,
    metavar="DAY",
    help="The day after the story's last.",
)
@options.dry_run
@options.output
@pass_app
def group(
    app: App,
    folder: Path,
    *,
    leads: int,
    events: int | None,
    seed: int | None,
    until: datetime,
    dry_run: bool,
    output: Output,
) -> None:
    """Live through a year of a made-up seller in DIR, with every step from lead to cash, and report on it.

    The same seed gives the same year. DIR must be new or empty; it becomes a workspace to look around in.

    \b
    Example:
      sfactl demo
      sfactl demo /tmp/acme --leads 500 --seed 7
    """
    from sfactl.cli.init import create
    from sfactl.demo.world import World

    started = time.monotonic()
    number = seed if seed is not None else app.seed or 1
    world = World(leads=leads, events=leads * 20 if events is None else events, seed=number, closes_on=until.date())
    made = create(folder, preset="b2b", dry_run=dry_run)
    if dry_run:
        output.emit(made, human=made.lines)
        return
    told = _told(folder, world, number, quiet=app.quiet)
    took = time.monotonic() - started
    output.emit(
        told,
        human=lambda: [
            f"A year of a made-up seller of laser cutters (seed {told.seed}), lived through in {took:.0f} s:",
            *told.lines,
            f"Report: {told.report}",
            f"Next: sfactl -w {told.workspace} report funnel --by source, or open the report in a browser",
        ],
    )


def _told(folder: Path, world: World, seed: int, *, quiet: bool) -> Told:
    from sfactl.config.layers import load_settings
    from sfactl.demo.story import tell
    from sfactl.session import FixedClock, open_session

    clock = FixedClock(world.opens_at)
    settings = load_settings(folder)
    if world.leads <= FEW_LEADS:
        settings = replace(settings, engine=replace(settings.engine, threads=1))
    with open_session(
        folder, settings=settings, command="demo", actor="demo", clock=clock, seed=seed, quiet=quiet
    ) as session:
        return tell(session, clock, world)
