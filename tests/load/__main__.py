"""Put a server under load, kill it meanwhile, and count what was lost: ``python -m tests.load collect``."""

from __future__ import annotations

import sys
from pathlib import Path
from tempfile import TemporaryDirectory

import click
from tabulate import tabulate

from tests.load.collector import Load, Outcome, strain


@click.group()
def load() -> None:
    """Servers under load, on loopback."""


@load.command()
@click.option(
    "--requests", default=20_000, show_default=True, type=click.IntRange(1, 1_000_000), help="At least so many answers."
)
@click.option("--connections", default=32, show_default=True, type=click.IntRange(1, 500), help="Clients at a time.")
@click.option("--kills", default=3, show_default=True, type=click.IntRange(0, 100), help="How often it is killed -9.")
@click.option(
    "--work", type=click.Path(file_okay=False, path_type=Path), help="Work on this disk [default: a temporary folder]."
)
def collect(requests: int, connections: int, kills: int, work: Path | None) -> None:
    """Clicks, opens and unsubscribes at the collector; each that was answered must come into the workspace once."""
    with TemporaryDirectory(prefix="sfactl-load-", dir=work) as folder:
        outcome = strain(Path(folder), Load(requests=requests, connections=connections, kills=kills))
    click.echo(tabulate(rows(outcome), disable_numparse=True, colalign=("left", "right")))
    sys.exit(1 if outcome.lost or outcome.doubled else 0)


def rows(outcome: Outcome) -> list[tuple[str, str]]:
    """The figures, with their names."""
    return [
        ("answered", f"{outcome.answered:,}"),
        ("killed -9", f"{outcome.kills:,}"),
        ("broken off, and asked again", f"{outcome.broken:,}"),
        ("answers a second while it served", f"{outcome.per_second:,.0f}"),
        ("median of an answer", f"{outcome.p50_ms:.1f} ms"),
        ("99 of 100 within", f"{outcome.p99_ms:.1f} ms"),
        ("brought in", f"{outcome.brought_in:,}"),
        ("brought in a second", f"{outcome.brought_in_per_second:,.0f}"),
        ("answered and lost", f"{outcome.lost:,}"),
        ("brought in twice", f"{outcome.doubled:,}"),
    ]


if __name__ == "__main__":
    load()
