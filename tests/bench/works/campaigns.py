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
RECIPIENTS = 2_000
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
    recipients = 60 if place.quick else RECIPIENTS
    folder = workspace(place, Size(leads=max(recipients * 2, 300), events=100)) / "ws"
    with sink() as port:
        bare = [json.loads(ran(here("bare", "deliver", port, recipients, 1)).out)["seconds"] for _ in range(2)]
        write(folder, "letter", recipients, port=port)
        planned = json.loads(
            ran([*SFACTL, "-w", folder, "campaign", "plan", "letter", "--format", "json"], env=CLOCK).out
        )
        ours = ran(
            [*SFACTL, "-w", folder, "campaign", "apply", planned["result"]["plan_id"], "--format", "json"], env=CLOCK
        )
        accepted = json.loads(ours.out)["result"]["accepted"]
        start = best([*SFACTL, "-w", folder, "campaign", "apply", planned["result"]["plan_id"]], 1, env=CLOCK)
    if accepted < recipients * 0.9:
        raise BenchFailed(f"{accepted} of {recipients} accepted")
    # Opening the workspace is not delivery: what an apply with nothing to do costs is taken off.
    rate = accepted / (ours.seconds - start.seconds)
    bare_rate = recipients / min(bare)
    yield Measured(
        name="dispatch",
        size=f"{accepted:,} messages",
        seconds=ours.seconds,
        bare_seconds=min(bare),
        rss_mb=ours.rss_mb,
        value=rate / bare_rate * 100,
        unit="%",
        bar=50,
        at_least=True,
        note=f"{rate:,.0f} messages a second / {bare_rate:,.0f} by smtplib, one connection each",
    )


def write(folder: Path, name: str, most: int, *, port: int) -> None:
    """The campaign, its template and its sender."""
    for part in ("campaigns", "templates", "senders"):
        (folder / part).mkdir(exist_ok=True)
    (folder / "campaigns" / f"{name}.toml").write_text(CAMPAIGN.format(most=most))
    (folder / "templates" / "bench.toml").write_text(TEMPLATE)
    (folder / "senders" / "bench.toml").write_text(
        f'schema = 1\nuse = "smtp"\nhost = "127.0.0.1"\nport = {port}\ntls = "none"\n'
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
