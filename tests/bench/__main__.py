"""Measure sfactl beside the bare engines it stands on: ``python -m tests.bench [NAME…] [--leads N] [--events M]``."""

from __future__ import annotations

import json
import os
import platform
import shutil
import sys
from dataclasses import asdict
from pathlib import Path
from tempfile import TemporaryDirectory

import click
from tabulate import tabulate

from tests.bench.model import Bench, Measured, Place, Size
from tests.bench.process import BenchFailed
from tests.bench.rows import BENCHES

FRACTIONS = (0.1, 0.3, 1.0)


@click.command()
@click.argument("names", nargs=-1, metavar="[NAME]...")
@click.option("--leads", default=1_000_000, show_default=True, type=click.IntRange(100), help="Leads at full size.")
@click.option("--events", default=20_000_000, show_default=True, type=click.IntRange(0), help="Events at full size.")
@click.option("--json", "file", type=click.Path(dir_okay=False, path_type=Path), help="Write the figures to this file.")
@click.option("--full-size-only", is_flag=True, help="Only the full size, not a tenth and three tenths of it too.")
@click.option("--quick", is_flag=True, help="Few repeats: shows that the benchmarks run, not how fast we are.")
@click.option(
    "--work", type=click.Path(file_okay=False, path_type=Path), help="Work in this folder [default: a new one]."
)
def bench(
    names: tuple[str, ...],
    leads: int,
    events: int,
    file: Path | None,
    full_size_only: bool,
    quick: bool,
    work: Path | None,
) -> None:
    """Measure each NAME (default: all), at a tenth, three tenths and all of the size, and compare with its bar."""
    chosen = [choose(name) for name in names] or list(BENCHES.values())
    fractions = (1.0,) if full_size_only else FRACTIONS
    sizes = [Size(leads=int(leads * f), events=int(events * f)) for f in fractions]
    measured: list[Measured] = []
    failed: dict[str, str] = {}
    with TemporaryDirectory(prefix="sfactl-bench-", dir=work) as folder:
        for size in sizes:
            place = Place(folder=Path(folder) / str(size.leads), quick=quick)
            place.folder.mkdir()
            for row in chosen:
                if row.sized or size == sizes[-1]:
                    measure(row, size, place, measured, failed)
            shutil.rmtree(place.folder)
    click.echo(table(measured))
    for name, reason in failed.items():
        click.echo(f"{name} could not be measured: {reason}", err=True)
    if file:
        file.write_text(
            json.dumps({"machine": machine(), "rows": [row_of(m) for m in measured], "failed": failed}, indent=2)
        )
    sys.exit(1 if failed else 0)


def choose(name: str) -> Bench:
    """The benchmark called ``name``."""
    if name not in BENCHES:
        raise click.UsageError(f"there is no benchmark {name!r}; choose from {', '.join(BENCHES)}")
    return BENCHES[name]


def measure(row: Bench, size: Size, place: Place, measured: list[Measured], failed: dict[str, str]) -> None:
    """Add what ``row`` measures at ``size``, or why it cannot."""
    click.echo(f"{row.name}: {row.summary}{f', {size}' if row.sized else ''} …", err=True)
    try:
        measured.extend(row.run(size, place))
    except BenchFailed as error:
        failed[f"{row.name} ({size})"] = str(error)


def row_of(m: Measured) -> dict[str, object]:
    """One measurement as JSON."""
    return {**asdict(m), "held": m.held}


def machine() -> dict[str, object]:
    """What the figures were measured on."""
    return {
        "cores": os.cpu_count(),
        "memory_gb": round(os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES") / 2**30, 1),
        "python": platform.python_version(),
        "system": platform.platform(),
    }


def table(measured: list[Measured]) -> str:
    """The measurements for people."""
    return tabulate(
        [cells(m) for m in measured], headers=["work", "size", "time", "bare", "memory", "measured", "bar", "", "what"]
    )


def cells(m: Measured) -> list[str]:
    """One measurement as a row of the table."""
    sign = "≥" if m.at_least else "≤"
    bar = "" if m.bar is None else f"{sign} {m.bar:g} {m.unit}"
    memory = "" if m.rss_bar_mb is None else f", ≤ {m.rss_bar_mb:,.0f} MB"
    return [
        m.name,
        m.size,
        duration(m.seconds),
        "" if m.bare_seconds is None else duration(m.bare_seconds),
        "" if m.rss_mb is None else f"{m.rss_mb:,.0f} MB",
        f"{m.value:,.2f} {m.unit}" if m.value < 10 else f"{m.value:,.0f} {m.unit}",
        bar + memory,
        "" if m.bar is None else "held" if m.held else "MISSED",
        m.note,
    ]


def duration(seconds: float) -> str:
    """Seconds, or milliseconds where there are few."""
    return f"{seconds:,.1f} s" if seconds >= 2 else f"{seconds * 1000:,.1f} ms"


if __name__ == "__main__":
    bench()
