"""Find the duplicates among leads of which about seven in a hundred are dirty copies, and count how many are found."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

from tests.bench.model import Bench, Measured, Place, Size
from tests.bench.process import SFACTL, here, ran
from tests.bench.workspace import workspace

EVERY = 13
"""One lead in so many has a copy."""
BAR_SECONDS = 120
MEMORY_MB = 12_000


def run(size: Size, place: Place) -> Iterator[Measured]:
    originals = size.leads * EVERY // (EVERY + 1)
    folder = workspace(Place(folder=place.folder / "doubles"), Size(leads=originals, events=0)) / "ws"
    ran(here("doubles", folder, EVERY))
    pairs = place.folder / "pairs.parquet"
    done = ran([*SFACTL, "-w", folder, "lead", "dedupe", "plan", "--format", "parquet", "--output", pairs])
    precision, recall = quality(pairs, folder)
    yield Measured(
        name="dedupe",
        size=str(size),
        seconds=done.seconds,
        bare_seconds=None,
        rss_mb=done.rss_mb,
        value=done.seconds,
        unit="s",
        bar=BAR_SECONDS,
        rss_bar_mb=MEMORY_MB,
        note=f"precision {precision:.1%}, recall {recall:.1%} of the dirty copies",
    )


def quality(pairs: Path, folder: Path) -> tuple[float, float]:
    """Precision and recall of the pairs to merge, by the external ids of the copies."""
    import duckdb

    from sfactl.config.settings import Settings
    from sfactl.session import open_session

    with duckdb.connect() as con:
        same = "replace(external_a, '-2', '') = replace(external_b, '-2', '')"
        found, right = con.execute(
            f"select count(*), count(*) filter (where {same}) from '{pairs}' where decision = 'merge'"
        ).fetchone() or (0, 0)
    with open_session(folder, settings=Settings(), command="bench", actor="bench") as session, session.query() as query:
        row = query.one("select count(*) from leads where ends_with(external_id, '-2')")
    return right / max(found, 1), right / max(row[0] if row else 0, 1)


BENCH = Bench(name="dedupe", summary="duplicates among leads, one in thirteen of them copied with slips", run=run)
