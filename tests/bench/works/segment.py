"""Twenty segments over leads and events, and again after one lead in a hundred changed, beside one aggregation pass."""

from __future__ import annotations

from collections.abc import Iterator
from itertools import count
from pathlib import Path

from tests.bench.model import Bench, Measured, Place, Size
from tests.bench.process import SFACTL, here, ran
from tests.bench.workspace import workspace

KINDS = ("visit", "email_open", "email_click", "form_submit", "call")
COUNTRIES = ("TW", "CN", "JP", "US", "DE")
CLOCK = {"SFACTL_NOW": "2026-11-01T00:00:00"}


def run(size: Size, place: Place) -> Iterator[Measured]:
    folder = workspace(place, size) / "ws"
    names = write(folder)
    build = [*SFACTL, "-w", folder, "segment", "build", *names]
    bare = ran(here("bare", "aggregate", folder))
    first = ran(build, env=CLOCK)
    yield Measured(
        name="segment",
        size=str(size),
        seconds=first.seconds,
        bare_seconds=bare.seconds,
        rss_mb=first.rss_mb,
        value=first.seconds / bare.seconds,
        unit="×",
        bar=3,
        note="20 segments / one aggregation pass",
    )
    ran(here("ours", "touch-leads", folder, size.leads // 100))
    again = ran(build, env=CLOCK)
    yield Measured(
        name="segment",
        size=str(size),
        seconds=again.seconds,
        bare_seconds=first.seconds,
        rss_mb=again.rss_mb,
        value=again.seconds / first.seconds * 100,
        unit="%",
        bar=20,
        note="build after 1 % of the leads changed / the first build",
    )


def write(folder: Path) -> list[str]:
    """Twenty segments over fields, counts, windows and absences."""
    (folder / "segments").mkdir(exist_ok=True)
    number = count()
    names = []
    for kind, country in zip(KINDS, COUNTRIES, strict=True):
        for where in (
            f"country = '{country}' and count(touchpoints) filter (where kind = '{kind}') >= 3",
            f"has(touchpoints) filter (where kind = '{kind}' and within('30 days'))",
            f"not has(touchpoints) filter (where kind = '{kind}') and employees > 200",
            f"count(touchpoints) filter (where kind = '{kind}' and within('90 days')) > 2 and source <> 'bought-list'",
        ):
            names.append(f"bench-{next(number)}")
            (folder / "segments" / f"{names[-1]}.toml").write_text(f'schema = 1\nwhere = """\n{where}\n"""\n')
    return names


BENCH = Bench(name="segment", summary="20 segments, and a rebuild after 1 % changed", run=run)
