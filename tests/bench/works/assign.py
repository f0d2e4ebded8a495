"""``sfactl assign run`` of every lead among two hundred reps by rules, beside one bare pass over the same leads."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path

from tests.bench.model import Bench, Measured, Place, Size
from tests.bench.process import SFACTL, BenchFailed, here, ran
from tests.bench.workspace import workspace

CLOCK = {"SFACTL_NOW": "2026-11-02T10:00:00"}
REPS = 200
COUNTRIES = ("TW", "CN", "JP", "US", "DE", "GB", "KR", "SG", "")
RULES = """schema = 1
stages = ["new"]

[[rules]]
name = "known"
method = "sticky"

[[rules]]
name = "large"
where = "employees >= 500 and has(touchpoints) filter (where kind = 'form_submit')"
to = { teams = ["key"] }
method = "round-robin"

[[rules]]
name = "regional"
method = "weighted"

[[rules]]
name = "anybody"
regardless = ["countries", "skills", "territories"]
method = "balanced"

[territories.asia]
countries = ["TW", "CN", "JP", "KR", "SG"]

[territories.mid]
employees = [50, 500]

[skills]
medical = "industry = 'medical'"
"""


def run(size: Size, place: Place) -> Iterator[Measured]:
    # Few events: they are not what is measured, but a rule asks about them.
    folder = workspace(place, Size(leads=size.leads, events=min(size.events, size.leads))) / "ws"
    prepare(folder, size.leads)
    bare = ran(here("bare", "rank", folder, REPS))
    planned = [
        ran([*SFACTL, "-w", folder, "assign", "plan", "--dry-run", "--format", "json"], env=CLOCK) for _ in range(2)
    ]
    plans = [json.loads(p.out)["result"]["plan_id"] for p in planned]
    if plans[0] != plans[1]:
        raise BenchFailed(f"two plans of the same data differ: {plans}")
    ours = ran([*SFACTL, "-w", folder, "assign", "run", "--plan", plans[0], "--format", "json"], env=CLOCK)
    done = json.loads(ours.out)["result"]
    yield Measured(
        name="assign",
        size=f"{size.leads:,} leads × {REPS} reps",
        seconds=ours.seconds,
        bare_seconds=bare.seconds,
        rss_mb=ours.rss_mb,
        value=ours.seconds / bare.seconds,
        unit="×",
        bar=None,
        note=f"{done['given']:,} given, {done['waiting']:,} wait, 4 rules (plan alone {planned[0].seconds:.1f} s)"
        " / DuckDB numbers the same leads and writes them anew",
    )


def prepare(folder: Path, leads: int) -> None:
    """The rules, and reps of whom some serve one country, some a territory; together they have room for most leads."""
    (folder / "assignment.toml").write_text(RULES)
    (folder / "pool.toml").unlink(missing_ok=True)
    lines = ["rep_id,team,weight,capacity,countries,territories,skills"]
    for n in range(REPS):
        country = COUNTRIES[n % len(COUNTRIES)]
        territory = ("", "", "asia", "mid")[n // len(COUNTRIES) % 4]
        skill = "medical" if n % 3 == 0 else ""
        capacity = leads * (3 + n % 5) // (5 * REPS) + 1
        lines.append(
            f"r{n:03},{'key' if n % 10 == 0 else 'field'},{1 + n % 3},{capacity},{country},{territory},{skill}"
        )
    (folder / "bench-reps.csv").write_text("\n".join(lines) + "\n")
    ran([*SFACTL, "-w", folder, "rep", "import", folder / "bench-reps.csv"], env=CLOCK)


BENCH = Bench(name="assign", summary="assign every lead among 200 reps by 4 rules", run=run)
