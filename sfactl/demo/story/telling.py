"""Tell a year in about eleven lines: what was done, with which command, and what came of it."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from decimal import Decimal
from pathlib import Path

from sfactl.demo.story.verdict import Verdict, verdict
from sfactl.demo.story.year import STRATEGIES, Year, ends_of_rounds, first_tuesday, folder_of
from sfactl.demo.world import World, made
from sfactl.insight import usecases as insight
from sfactl.insight.model import AGES, Age, Overview, Turnover
from sfactl.insight.page import short_money
from sfactl.session import FixedClock, Session

ROUNDS = 2
"""How often in the year the office catches up."""

CAMPAIGN_AFTER = 1
"""The round after which the campaign goes out."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Told:
    """What a story came to. The same world gives the same counts and lines."""

    workspace: str
    report: str
    seed: int
    counts: Mapping[str, int]
    lines: tuple[str, ...]


def tell(session: Session, clock: FixedClock, world: World) -> Told:
    """Live through ``world`` in the empty workspace of ``session``, made from the preset b2b."""
    with made(world) as tables, session.progress("Living through a year, round", ROUNDS) as progress:
        tables.write_truth(session.folder / "truth.parquet")
        year = Year(session, clock, tables)
        year.begin()
        for number, (since, until) in enumerate(ends_of_rounds(world.opens_at, world.closes_at, ROUNDS), start=1):
            year.catch_up(since, until)
            year.books(until)
            if number == CAMPAIGN_AFTER:
                year.strategies(first_tuesday(until))
                year.campaign(first_tuesday(until))
            progress.advance()
        clock.at = world.closes_at
        judged = verdict(session, tables)
    overview = insight.read_overview(session)
    written = insight.write_page(session, overview)
    return Told(
        workspace=folder_of(session.folder),
        report=folder_of(Path(written.file)),
        seed=world.seed,
        counts=dict(sorted(year.counts.items())),
        lines=tuple(f"  {command:16} {text}" for command, text in lines(year, overview, judged)),
    )


def lines(year: Year, overview: Overview, judged: Verdict) -> Iterator[tuple[str, str]]:
    """The story for people: a command and what came of it."""
    c = year.counts
    money = overview.turnover[0] if overview.turnover else Turnover(currency=overview.currency)
    owed = [a for a in overview.ageing.ages if a.currency == money.currency]
    open_, overdue = sum_of(owed), sum_of(a for a in owed if a.age != AGES[0])
    reasons = ", ".join(f"{reason} {n}" for reason, n in year.reasons.most_common(3))
    scores = ", ".join(f"{name} {right:.0%}" for name, right in judged.right_order.items())
    yield (
        "lead import",
        f"{c['rows']:,} rows in {c['files']} files: {c['new']:,} new, {c['updated'] + c['unchanged']:,} known already, "
        f"{c['rejected']:,} rejected with the reason",
    )
    yield "touch import", f"{c['touches']:,} visits, clicks, forms and calls"
    yield "score, segment", f"{c['scored']:,} leads by what they are and what they do; {c['hot']:,} in hot-b2b"
    yield (
        "strategy apply",
        f"{c['entered']:,} people entered {len(STRATEGIES)} strategies: {c['strategy_mails']:,} mails, "
        f"{c['tasks']:,} calls for reps",
    )
    yield "campaign apply", f"{c['mails']:,} mails in {c['waves']} waves into outbox/; {c['held']:,} people held back"
    yield "lead qualify", f"{c['mql']:,} marketing-qualified; {c['sql']:,} sales-qualified after a call"
    yield "assign, convert", f"{c['assigned']:,} leads to {c['reps']} reps; {c['converted']:,} became deals"
    yield "quote, opp", f"{c['quotes']:,} quotes, {c['orders']:,} accepted; {c['lost']:,} deals lost ({reasons})"
    yield "erp push", f"{c['pushed']:,} orders worth {short_money(money.ordered, money.currency)} into erp-files/"
    yield (
        "erp pull",
        f"{c['invoices']:,} invoices, {c['payments']:,} payments; {short_money(open_, money.currency)} open, "
        f"{short_money(overdue, money.currency)} overdue",
    )
    yield (
        "hidden truth",
        f"buyers scored above others in {scores} of pairs; {judged.missed:,} of {judged.buyers:,} buyers never called",
    )


def sum_of(ages: Iterable[Age]) -> Decimal:
    """What is owed together."""
    return sum((a.amount for a in ages), Decimal(0))
