"""``sfactl lead import`` of a CSV file beside DuckDB's own copy of it to Parquet."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path

from tests.bench.model import Bench, Measured, Place, Size
from tests.bench.process import SFACTL, here, ran


def run(size: Size, place: Place) -> Iterator[Measured]:
    folder = place.once(f"import-{size.leads}", lambda path: prepare(path, size))
    bare = ran(here("bare", "copy", folder / "leads.csv", folder / "copy.parquet"))
    ours = ran([*SFACTL, "-w", folder / "ws", "lead", "import", folder / "leads.csv", "--format", "json"], ok=(0, 3))
    counts = json.loads(ours.out)["result"]
    yield Measured(
        name="import",
        size=f"{size.leads:,} rows × 30",
        seconds=ours.seconds,
        bare_seconds=bare.seconds,
        rss_mb=ours.rss_mb,
        value=ours.seconds / bare.seconds,
        unit="×",
        bar=8,
        rss_bar_mb=1536,
        note=f"{counts['new']:,} new, {counts['updated']:,} updated, {counts['rejected']:,} rejected / DuckDB CSV → Parquet",
    )


def prepare(folder: Path, size: Size) -> None:
    """A fresh workspace and the file."""
    ran(here("ours", "lead-file", folder / "leads.csv", size.leads))
    ran([*SFACTL, "init", folder / "ws", "--preset", "b2b"])


BENCH = Bench(name="import", summary="sfactl lead import of a CSV file with 30 columns", run=run)
