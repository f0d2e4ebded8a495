"""Fifty score rules over leads and events, beside one bare aggregation pass over the same files."""

from __future__ import annotations

from collections.abc import Iterator

from tests.bench.model import Bench, Measured, Place, Size
from tests.bench.process import SFACTL, here, ran
from tests.bench.workspace import workspace

CLOCK = {"SFACTL_NOW": "2026-11-01T00:00:00"}
KINDS = ("visit", "email_open", "email_click", "form_submit", "call")
COUNTRIES = ("TW", "CN", "JP", "US", "DE")
INDUSTRIES = ("machinery", "electronics", "medical", "food", "education")


def run(size: Size, place: Place) -> Iterator[Measured]:
    folder = workspace(place, size) / "ws"
    (folder / "scores").mkdir(exist_ok=True)
    (folder / "scores" / "bench.toml").write_text(fifty_rules())
    bare = ran(here("bare", "aggregate", folder))
    ours = ran([*SFACTL, "-w", folder, "score", "run", "bench"], env=CLOCK)
    yield Measured(
        name="score",
        size=str(size),
        seconds=ours.seconds,
        bare_seconds=bare.seconds,
        rss_mb=ours.rss_mb,
        value=ours.seconds / bare.seconds,
        unit="×",
        bar=3,
        note="50 rules / one aggregation pass",
    )


def fifty_rules() -> str:
    """Fifteen rules on what a lead is, thirty-five on what it did, with caps, decay and limits."""
    rules = [(f"country-{c}", f"country = '{c}'", "") for c in COUNTRIES]
    rules += [(f"industry-{i}", f"industry = '{i}' and employees between 20 and 500", "") for i in INDUSTRIES]
    rules += [(f"size-{n}", f"employees >= {n}", "") for n in (10, 50, 100, 500, 1000)]
    for kind in KINDS:
        where = f"kind = '{kind}'"
        rules += [
            (f"{kind}-all", where, "cap = 20"),
            (f"{kind}-month", f"{where} and within('30 days')", "cap = 30"),
            (f"{kind}-fading", where, 'cap = 25\ndecay = { half_life = "12 days" }'),
            (f"{kind}-daily", f"{where} and within('90 days')", 'limit = "daily"'),
            (f"{kind}-first", where, 'limit = "first"'),
            (f"{kind}-latest", where, "limit = 3"),
            (f"{kind}-pricing", f"{where} and content = '/pricing'", "cap = 15"),
        ]
    text = ["schema = 1", 'summary = "Fifty rules"']
    for number, (name, where, more) in enumerate(rules):
        on = 'on = "touchpoints"' if number >= 15 else ""
        text += ["", "[[rules]]", f'name = "{name}"', f"points = {1 + number % 9}", f'where = "{where}"', on, more]
    return "\n".join(text) + "\n"


BENCH = Bench(name="score", summary="50 score rules", run=run)
