"""``sfactl lead show ID`` among all leads, in a fresh process."""

from __future__ import annotations

from collections.abc import Iterator

from tests.bench.model import Bench, Measured, Place, Size
from tests.bench.process import SFACTL, best, here
from tests.bench.workspace import workspace


def run(size: Size, place: Place) -> Iterator[Measured]:
    folder = workspace(place, size) / "ws"
    times = 2 if place.quick else 7
    lead = size.leads // 2
    bare = best(here("bare", "lookup", folder, lead), times)
    ours = best([*SFACTL, "-w", folder, "lead", "show", str(lead)], times)
    yield Measured(
        name="show",
        size=f"{size.leads:,} leads",
        seconds=ours.seconds,
        bare_seconds=bare.seconds,
        rss_mb=ours.rss_mb,
        value=ours.seconds * 1000,
        unit="ms",
        bar=250,
        note="sfactl lead show / DuckDB: where lead_id = N on the same file",
    )


BENCH = Bench(name="show", summary="sfactl lead show ID, cold", run=run)
