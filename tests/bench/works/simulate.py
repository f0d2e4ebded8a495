"""``sfactl strategy simulate``: ten steps and ninety days, with everybody in the audience.

Whoever is known enters at once, the others when they appear; all go through waits, branches, touches, a split and tasks,
so that in ninety days most come to the end. Goals and exits are asked of all who are in it, every day.
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path

from tests.bench.model import Bench, Measured, Place, Size
from tests.bench.process import SFACTL, BenchFailed, here, ran
from tests.bench.workspace import workspace

START, END, SOON = "2026-08-03", "2026-10-31", "2026-08-05"
CLOCK = {"SFACTL_NOW": "2026-11-02T10:00:00"}
STRATEGY = """schema = 1
summary = "Ten steps for everybody"
owner = "amy"
where = "email is not null"
max_effects = 100000000

[holdout]
percent = 5
[goal]
where = "has(touchpoints) filter (where kind = 'meeting' and within('30 days'))"
[exit]
where = "has(touchpoints) filter (where kind = 'unsubscribe' and within('30 days'))"
after = "80 days"

[touch]
sender = "bench"
from = "Bench <bench@acme.example>"
unsubscribe = "https://acme.example/u/{key}"
[touch.window]
days = ["mon", "tue", "wed", "thu", "fri"]
hours = "08:00-18:00"
tz = "workspace"
[touch.caps]
messages = 2
within = "7 days"

[[steps]]
name = "hello"
action = "touch"
template = "bench"
[[steps]]
name = "breathe"
action = "wait"
for = "7 days"
[[steps]]
name = "opened"
action = "branch"
where = "has(touchpoints) filter (where kind = 'email_open' and within('7 days'))"
then = "offer"
otherwise = "remind"
[[steps]]
name = "remind"
action = "touch"
template = "bench"
[[steps]]
name = "listen"
action = "wait"
for = "10 days"
until = "has(touchpoints) filter (where kind = 'email_click' and within('10 days'))"
[[steps]]
name = "offer"
action = "touch"
template = "bench"
[[steps]]
name = "think"
action = "wait"
for = "12 days"
[[steps]]
name = "variant"
action = "split"
arms = [{ name = "call", share = 20, next = "call" }, { name = "write", share = 80, next = "last" }]
[[steps]]
name = "call"
action = "task"
task = { title = "Call the customer", due = "2 days" }
[[steps]]
name = "last"
action = "touch"
template = "bench"
"""
TEMPLATE = """schema = 1
summary = "A bench letter"
subject = "Spring at {{ workspace.name }}"
text = \"\"\"
Dear {{ lead.full_name or "customer" }},
come and see our laser cutters.

To hear no more of this: {{ message.unsubscribe }}
\"\"\"
"""


def run(size: Size, place: Place) -> Iterator[Measured]:
    folder = workspace(place, size) / "ws"
    write(folder)
    period = ("--from", START, "--to", SOON if place.quick else END, "--every", "1 day", "--history", "happened")
    ours = ran([*SFACTL, "-w", folder, "strategy", "simulate", "ten", *period, "--format", "json"], env=CLOCK)
    said = json.loads(ours.out)["result"]["real"]
    if not size.leads * 0.5 < said["entered"] <= size.leads or not said["messages"]:
        raise BenchFailed(f"{said['entered']} entered and {said['messages']} messages: this simulates something else")
    bare = ran(here("bare", "aggregate", folder))
    yield Measured(
        name="simulate",
        size=f"{size.leads:,} leads",
        seconds=ours.seconds,
        bare_seconds=bare.seconds,
        rss_mb=ours.rss_mb,
        value=ours.seconds,
        unit="s",
        bar=120,
        note=f"10 steps, 90 days: {said['entered']:,} entered, {said['messages']:,} messages",
    )


def write(folder: Path) -> None:
    """The strategy, its template and its sender."""
    for part in ("strategies", "templates", "senders"):
        (folder / part).mkdir(exist_ok=True)
    (folder / "strategies" / "ten.toml").write_text(STRATEGY)
    (folder / "templates" / "bench.toml").write_text(TEMPLATE)
    (folder / "senders" / "bench.toml").write_text('schema = 1\nuse = "outbox"\n')


BENCH = Bench(name="simulate", summary="simulate ten steps over ninety days", run=run)
