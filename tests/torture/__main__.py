"""Kill runners again and again while they send, and let the receiver count: ``python -m tests.torture``."""

from __future__ import annotations

import os
import random
import sys
from collections.abc import Callable
from pathlib import Path
from tempfile import TemporaryDirectory

import click
from tabulate import tabulate

from sfactl.testkit import Commands
from tests.torture.receiver import KINDS, Kind
from tests.torture.run import IMPORTS, Counts, Size, torture

ROOT = Path(__file__).resolve().parents[2]
SHOWN = 20


@click.command()
@click.option("--kills", default=500, show_default=True, type=click.IntRange(0), help="Runners killed while at work.")
@click.option("--recipients", default=10_000, show_default=True, type=click.IntRange(1), help="People to write to.")
@click.option("--runners", default=4, show_default=True, type=click.IntRange(1), help="Processes at a time.")
@click.option(
    "--campaigns", default=10, show_default=True, type=click.IntRange(1), help="Recipients are split among so many."
)
@click.option(
    "--connections", default=2, show_default=True, type=click.IntRange(1), help="Of each runner to the receiver."
)
@click.option(
    "--receiver", "kind", default="plain", show_default=True, type=click.Choice(KINDS), help="Who is written to."
)
@click.option(
    "--fresh",
    default=0.1,
    show_default=True,
    type=click.FloatRange(0, 1),
    help="Share of runners started from nothing, not forked.",
)
@click.option(
    "--slow",
    default=0.01,
    show_default=True,
    type=click.FloatRange(0),
    help="Seconds that the receiver takes for an answer, on average.",
)
@click.option(
    "--minutes",
    default=float("inf"),
    type=click.FloatRange(0),
    help="Stop killing after so long, finish and judge [default: no limit].",
)
@click.option("--seed", default=20261121, show_default=True, help="Draws the deaths.")
@click.option(
    "--work", type=click.Path(file_okay=False, path_type=Path), help="Work in this folder [default: a new one]."
)
def main(
    kills: int,
    recipients: int,
    runners: int,
    campaigns: int,
    connections: int,
    kind: Kind,
    fresh: float,
    slow: float,
    minutes: float,
    seed: int,
    work: Path | None,
) -> None:
    """Prove that nobody is written to twice and nobody is left out, however often runners are killed.

    Exits with 1 where the receiver counted a message twice or not at all, or where sfactl's word differs from it.
    """
    os.environ["PYTHONPATH"] = os.pathsep.join([str(ROOT), *filter(None, [os.environ.get("PYTHONPATH")])])
    size = Size(
        kills=kills,
        recipients=recipients,
        runners=runners,
        campaigns=campaigns,
        connections=connections,
        kind=kind,
        fresh=fresh,
        slow_s=slow,
        minutes=minutes,
    )
    with TemporaryDirectory(prefix="sfactl-torture-", dir=work) as folder, Commands(IMPORTS) as commands:
        counts = torture(Path(folder), size, random.Random(seed), commands, say=_say)
    click.echo(table(counts))
    for line in counts.found[:SHOWN]:
        click.echo(f"✗ {line}", err=True)
    if len(counts.found) > SHOWN:
        click.echo(f"… {len(counts.found) - SHOWN} more", err=True)
    if counts.too_few:
        click.echo(f"✗ {counts.too_few}", err=True)
    sys.exit(1 if counts.found or counts.too_few else 0)


def table(counts: Counts) -> str:
    """The counts as people read them."""
    return tabulate(counts.rows(), headers=["count", "value"], colalign=("left", "right"), disable_numparse=True)


_say: Callable[[str], None] = lambda line: click.echo(line, err=True)  # noqa: E731

if __name__ == "__main__":
    main()
