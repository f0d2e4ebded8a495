"""One-row commits beside one fsynced Parquet file and one SQLite transaction."""

from __future__ import annotations

import json
from collections.abc import Iterator

from tests.bench.model import Bench, Measured, Place, Size
from tests.bench.process import here, ran


def run(size: Size, place: Place) -> Iterator[Measured]:
    commits = 20 if place.quick else 300
    bare = json.loads(ran(here("bare", "commits", place.folder, commits)).out)
    process = ran(here("ours", "commits", place.folder, commits))
    ours = json.loads(process.out)
    yield Measured(
        name="commit",
        size=f"{commits} commits",
        seconds=ours["median"],
        bare_seconds=bare["median"],
        rss_mb=process.rss_mb,
        value=ours["median"] / bare["median"],
        unit="×",
        bar=None,
        note=f"median; slowest of a hundred {ours['p99'] * 1000:.1f} ms / one fsynced Parquet row + one SQLite commit",
    )


BENCH = Bench(name="commit", summary="latency of one-row commits", run=run, sized=False)
