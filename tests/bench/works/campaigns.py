"""Plan a campaign for everybody, and send it over SMTP to a process that takes everything."""

from __future__ import annotations

import json
import socket
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from tests.bench.model import Bench, Measured, Place, Size
from tests.bench.process import SFACTL, BenchFailed, best, here, ran
from tests.bench.works import strategies
from tests.bench.workspace import workspace

CLOCK = {"SFACTL_NOW": "2026-11-02T10:00:00"}
SENT = ((2_000, 1), (10_000, 4), (30_000, 4), (100_000, 4))
"""Messages and connections of each measured run."""

MOST_BARE = 10_000
"""What smtplib does in a second does not depend on how many there are."""

MOST_RSS_MB = 500
TEMPLATE = """schema = 1
summary = "A bench letter"
subject = "Spring at {{ workspace.name }}"
text = \"\"\"
Dear {{ lead.full_name or "customer" }},
come and see our laser cutters.

To hear no more of this: {{ message.unsubscribe }}
\"\"\"
"""
CAMPAIGN = """schema = 1
summary = "A bench campaign"
where = "email is not null and lead_id <= {most}"
sender = "bench"
from = "Bench <bench@acme.example>"
unsubscribe = "https://acme.example/u/{{key}}"
approve_above = 100000000
[caps]
messages = 2
within = "7 days"
[[steps]]
name = "letter"
template = "bench"
"""


def plan(size: Size, place: Place) -> Iterator[Measured]:
    folder = workspace(place, size) / "ws"
    write(folder, "everybody", size.leads, port=1)
    command = [*SFACTL, "-w", folder, "campaign", "plan", "everybody", "--format", "json"]
    first = ran(command, env=CLOCK)
    again = ran(command, env=CLOCK)
    plans = [json.loads(r.out)["result"]["plan_id"] for r in (first, again)]
    if plans[0] != plans[1]:
        raise BenchFailed(f"two plans of the same data differ: {plans}")
    bare = ran(here("bare", "aggregate", folder))
    yield Measured(
        name="plan",
        size=f"{size.leads:,} leads",
        seconds=first.seconds,
        bare_seconds=bare.seconds,
        rss_mb=first.rss_mb,
        value=first.seconds,
        unit="s",
        bar=20,
        note=f"the same plan {plans[0][:12]} twice (again in {again.seconds:.1f} s)",
    )
    yield from strategies.planned(folder, size, bare.seconds)


def dispatch(size: Size, place: Place) -> Iterator[Measured]:
    for recipients, connections in ((60, 2),) if place.quick else SENT:
        yield delivered(place, recipients, connections)


def delivered(place: Place, recipients: int, connections: int) -> Measured:
    """Deliver to so many over so many connections, beside smtplib with as many."""
    folder = workspace(place, Size(leads=max(recipients * 2, 300), events=300)) / "ws"
    name = f"letter{connections}"
    bare_count = min(recipients, MOST_BARE)
    with sink() as port:
        bare = here("bare", "deliver", port, bare_count, connections)
        before = json.loads(ran(bare).out)["seconds"]
        write(folder, name, recipients, port=port, connections=connections)
        planned = json.loads(ran([*SFACTL, "-w", folder, "campaign", "plan", name, "--format", "json"], env=CLOCK).out)
        apply = [*SFACTL, "-w", folder, "campaign", "apply", planned["result"]["plan_id"]]
        ours = ran([*apply, "--format", "json"], env=CLOCK)
        accepted = json.loads(ours.out)["result"]["accepted"]
        start = best(apply, 1, env=CLOCK)
        after = json.loads(ran(bare).out)["seconds"]
    if accepted < recipients * 0.9:
        raise BenchFailed(f"{accepted} of {recipients} accepted")
    # Opening the workspace is not delivery: what an apply with nothing to do costs is taken off.
    rate = accepted / (ours.seconds - start.seconds)
    # Half of the bare loop before and half after, so that what else the machine does meanwhile weighs on both.
    bare_rate = 2 * bare_count / (before + after)
    return Measured(
        name="dispatch",
        size=f"{accepted:,} messages",
        seconds=ours.seconds,
        bare_seconds=accepted / bare_rate,
        rss_mb=ours.rss_mb,
        value=rate / bare_rate * 100,
        unit="%",
        bar=50,
        at_least=True,
        rss_bar_mb=MOST_RSS_MB,
        note=f"{rate:,.0f} messages a second / {bare_rate:,.0f} by smtplib, {connections} connection"
        f"{'s' if connections > 1 else ''} each",
    )


def write(folder: Path, name: str, most: int, *, port: int, connections: int = 1) -> None:
    """The campaign, its template and its sender."""
    for part in ("campaigns", "templates", "senders"):
        (folder / part).mkdir(exist_ok=True)
    (folder / "campaigns" / f"{name}.toml").write_text(CAMPAIGN.format(most=most))
    (folder / "templates" / "bench.toml").write_text(TEMPLATE)
    (folder / "senders" / "bench.toml").write_text(
        f'schema = 1\nuse = "smtp"\nhost = "127.0.0.1"\nport = {port}\ntls = "none"\nconnections = {connections}\n'
    )


@contextmanager
def sink() -> Iterator[int]:
    """An SMTP server process that takes every message and keeps none; answers its port."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    server = subprocess.Popen([sys.executable, "-m", "tests.bench.sink", str(port)], stdout=subprocess.PIPE, text=True)
    try:
        if not server.stdout or server.stdout.readline().strip() != "ready":
            raise BenchFailed("the SMTP sink did not start")
        yield port
    finally:
        server.terminate()
        server.wait()
        if server.stdout:
            server.stdout.close()


PLAN = Bench(name="plan", summary="plan a campaign and a strategy for everybody, twice", run=plan)
DISPATCH = Bench(name="dispatch", summary="deliver a campaign over SMTP", run=dispatch, sized=False)
