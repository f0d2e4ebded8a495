"""How the reasons for writing to a person, or not, read at the prompt."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from datetime import datetime
from typing import TYPE_CHECKING

from sfactl.cli.tables import cut, pad, terminal_width, width
from sfactl.cli.times import local
from sfactl.cli.values import shown

if TYPE_CHECKING:
    from sfactl.campaigns.usecases.asking import CampaignVerdict, Ground
    from sfactl.reach.model import Entry
    from sfactl.reach.usecases import WhyResult
    from sfactl.strategies.usecases.history import Ground as StrategyGround
    from sfactl.strategies.usecases.history import Why

MARKS = {True: "✓", False: "✗", None: "?"}


def why_lines(result: WhyResult, zone: str, *, everything: bool) -> Iterator[str]:
    """Who it is, whether they may be written to, what happened, and what each campaign and strategy would do now."""
    head = [result.lead or "no name", f"lead:{result.lead_id}"] if result.lead_id is not None else ["nobody's address"]
    yield " · ".join([*head, *result.addresses])
    yield from _permission(result, zone)
    yield from _history(result, zone)
    if result.lead_id is None:
        return
    inside = [c for c in result.campaigns if c.member]
    flows = [w for w in result.strategies if w.decisions or w.standing != "never in"]
    if inside or flows:
        yield "Now"
    for campaign in inside:
        yield from _campaign(campaign, zone)
    for flow in flows:
        yield from _strategy(flow, zone)
    yield from _outside(result, everything=everything)
    yield from (f"! {line}" for line in result.broken)


def _permission(result: WhyResult, zone: str) -> Iterator[str]:
    if result.standstill:
        yield f"All sending is {result.standstill}"
    for s in result.suppressions:
        where = "no mail of any kind" if s.scope == "all" else f"nothing of {s.scope}"
        said = f" · {shown(s.said)}" if s.said else ""
        yield _cut(f"✗ {s.address}: {where}, because of {s.reason} since {local(s.at, zone)}{said}")
    for one in result.standings:
        since = f" since {local(one.since, zone)} ({shown(one.by)})" if one.since else ""
        topic = one.topic or one.title
        yield _cut(f"{MARKS[one.may]} {topic}: {one.why}{since}, {one.basis.replace('_', ' ')}")
    if result.lead_id is None and not result.suppressions:
        yield "✓ the address is not on the list of those whom nobody writes to"


def _history(result: WhyResult, zone: str) -> Iterator[str]:
    if not result.history:
        yield "Nothing was sent, and nothing came back."
        return
    more = result.entries - len(result.history)
    yield f"History{f', {more:,} earlier: --limit 0' if more else ''}"
    rows = [_row(entry, zone) for entry in reversed(result.history)]
    room = [min(max(width(row[i]) for row in rows), 28) for i in range(3)]
    for row in rows:
        first = "  ".join(pad(cut(text, n), n) for text, n in zip(row[:3], room, strict=True))
        yield _cut(f"  {first}  {row[3]}".rstrip())


def _row(entry: Entry, zone: str) -> tuple[str, str, str, str]:
    place = f"{entry.campaign} {entry.step}".strip()
    times = f"{entry.times:,} plans: " if entry.what == "plan" and entry.times > 1 else ""
    outcome = {"message": "", "touch": ""}.get(entry.what, f"{entry.what}: ") + entry.outcome
    return local(entry.at, zone), shown(place), outcome, f"{times}{shown(entry.detail)}"


def _campaign(campaign: CampaignVerdict, zone: str) -> Iterator[str]:
    state = "" if campaign.state == "active" else f" ({campaign.state})"
    room = max(width(s.step) for s in campaign.steps)
    for number, step in enumerate(campaign.steps):
        name = f"{campaign.campaign}{state}" if number == 0 else ""
        yield _cut(
            f"  {pad(name, 24)} {pad(step.step, room)}  {pad(step.action, 5)} {_when(step.reason, step.due_at, zone)}"
        )


def _strategy(flow: Why, zone: str) -> Iterator[str]:
    since = f", since {local(flow.since, zone)}" if flow.since else ""
    yield _cut(f"  {pad(flow.strategy, 24)} {flow.standing}{since}")
    room = max((width(d.step) for d in flow.decisions), default=0)
    for d in flow.decisions:
        on = f" → {d.to_step}" if d.to_step else ""
        yield _cut(f"  {' ' * 24} {pad(d.step, room)}  {pad(d.action, 5)} {_when(d.reason, d.due_at, zone)}{on}")


def _outside(result: WhyResult, *, everything: bool) -> Iterator[str]:
    """Campaigns and strategies that the person is not in, each with the terms that keep them out."""
    campaigns = [(c.campaign, _missing(c.grounds)) for c in result.campaigns if not c.member]
    flows = [
        (w.strategy, _missing(w.grounds)) for w in result.strategies if not w.decisions and w.standing == "never in"
    ]
    if not campaigns and not flows:
        return
    if not everything:
        yield _cut(f"Not for them: {', '.join(name for name, _ in [*campaigns, *flows])}. Why: --all")
        return
    yield "Not for them"
    for name, terms in [*campaigns, *flows]:
        yield _cut(f"  {pad(name, 24)} {' · '.join(terms)}".rstrip())


def _missing(grounds: Iterable[Ground | StrategyGround]) -> list[str]:
    return [
        f"{MARKS[g.holds]} {shown(g.text)}{f' ({shown(g.actual)})' if g.actual else ''}" for g in grounds if not g.holds
    ]


def _when(reason: str, due_at: datetime | None, zone: str) -> str:
    return f"{reason}{f', until {local(due_at, zone)}' if due_at else ''}".removeprefix(", ")


def _cut(line: str) -> str:
    return cut(line, terminal_width() or 10_000).rstrip()
