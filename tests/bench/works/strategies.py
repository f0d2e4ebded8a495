"""Plan a strategy that everybody enters: a branch over their events, a split, a control group, messages and tasks."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path

from tests.bench.model import Measured, Size
from tests.bench.process import SFACTL, BenchFailed, ran

CLOCK = {"SFACTL_NOW": "2026-11-02T10:00:00"}
STRATEGY = """schema = 1
summary = "A bench strategy"
owner = "amy"
where = "email is not null"
[holdout]
percent = 5
[goal]
where = "has(touchpoints) filter (where kind = 'meeting' and within('30 days'))"
[touch]
sender = "bench"
from = "Bench <bench@acme.example>"
unsubscribe = "https://acme.example/u/{key}"
[touch.caps]
messages = 2
within = "7 days"
[[steps]]
name = "active"
action = "branch"
where = "has(touchpoints) filter (where within('30 days'))"
then = "letter"
otherwise = "variant"
[[steps]]
name = "variant"
action = "split"
arms = [{ name = "write", share = 80, next = "letter" }, { name = "call", share = 20, next = "call" }]
[[steps]]
name = "letter"
action = "touch"
template = "bench"
[[steps]]
name = "breathe"
action = "wait"
for = "7 days"
[[steps]]
name = "call"
action = "task"
task = { title = "Call" }
"""


def planned(folder: Path, size: Size, bare_seconds: float) -> Iterator[Measured]:
    """Plan the strategy twice in a workspace that has the template and the sender of the campaign."""
    (folder / "strategies").mkdir(exist_ok=True)
    (folder / "strategies" / "letters.toml").write_text(STRATEGY)
    command = [*SFACTL, "-w", folder, "strategy", "plan", "letters", "--format", "json"]
    first = ran(command, env=CLOCK)
    again = ran(command, env=CLOCK)
    results = [json.loads(r.out)["result"] for r in (first, again)]
    plans = [r["plan_id"] for r in results]
    if plans[0] != plans[1]:
        raise BenchFailed(f"two plans of the same data differ: {plans}")
    yield Measured(
        name="plan strategy",
        size=f"{size.leads:,} leads",
        seconds=first.seconds,
        bare_seconds=bare_seconds,
        rss_mb=first.rss_mb,
        value=first.seconds,
        unit="s",
        bar=20,
        note=f"{results[0]['moves']:,} enter, 5 steps, the same plan {plans[0][:12]} twice (again in {again.seconds:.1f} s)",
    )
