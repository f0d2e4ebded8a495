"""Run a year of a made-up seller through the use cases of every slice, and count what came of it.

The story decides only what the people of the world decide: whom a rep could talk to, who wants a quote, who says yes,
who pays. What follows from it is sfactl's own doing.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable
from datetime import date, datetime, timedelta
from decimal import Decimal
from itertools import pairwise
from pathlib import Path

from sfactl.campaigns import usecases as campaigns
from sfactl.demo.story import accountant, desk
from sfactl.demo.story.fates import Fate, fates
from sfactl.demo.world import Tables
from sfactl.leads import conversion_usecases as conversion
from sfactl.leads import qualification_usecases as qualification
from sfactl.leads import usecases as leads
from sfactl.leads.conversion import Deal as DealTerms
from sfactl.opportunities.usecases import deals as opportunities
from sfactl.orders import usecases as orders
from sfactl.quotes import usecases as quotes
from sfactl.reps import usecases as reps
from sfactl.scoring import usecases as scoring
from sfactl.segments import usecases as segments
from sfactl.session import FixedClock, Session
from sfactl.strategies import usecases as strategies

CAMPAIGN = "spring-webinar"
STRATEGIES = ("hot-and-reachable", "wake-up")
QUOTE_DAYS = 180
"""Quotes of the story hold for so long: its customers take their time."""

KNOWN = """
select l.lead_id, l.external_id, l.status, l.opportunity_id, l.converted_at
from leads l
where l.external_id is not null and l.status in ({statuses})
order by l.lead_id
"""
BILLS = """
select o.order_id, o.opportunity_id, l.external_id, cast(o."at" as date), o.currency, o.amount
from orders o
join leads l on l.lead_id = o.lead_id
order by o."at", o.order_id
"""


class Year:
    """The seller's office. It works in one session whose clock the story moves."""

    def __init__(self, session: Session, clock: FixedClock, tables: Tables) -> None:
        self.counts: Counter[str] = Counter()
        self.reasons: Counter[str] = Counter()
        self._session = session
        self._clock = clock
        self._tables = tables
        self._fates = fates(tables)
        self._incoming = session.folder / "incoming"
        self._incoming.mkdir(exist_ok=True)
        self._quotes: dict[int, int] = {}

    def begin(self) -> None:
        """The seller's articles and reps, from the files of the preset."""
        self._clock.at = self._tables.world.opens_at
        quotes.import_products(self._session, self._session.folder / "products.csv")
        reps.import_reps(self._session, self._session.folder / "reps.csv")
        for rep_id in reps.list_reps(self._session)["rep_id"].to_pylist():
            # The preset's limits are for a small office; this one must serve whatever the world brings.
            reps.change(self._session, rep_id, {"capacity": None})
            self.counts["reps"] += 1

    def catch_up(self, since: datetime, until: datetime) -> None:
        """What the office does at the end of a period for all that came in during it."""
        self._work_deals(since, until)
        self._clock.at = until
        self._take_in(since, until)
        scored = scoring.run(self._session)
        self.counts["scored"] = max(run.leads for run in scored.scores)
        built = segments.build(self._session)
        self.counts["hot"] = sum(s.members for s in built.segments if s.name == "hot-b2b")
        self.counts["mql"] += qualification.qualify(self._session, to="mql").steps[0].qualified
        self._call(until)
        self.counts["assigned"] += reps.run(self._session).given
        self._convert()

    def campaign(self, day: date) -> None:
        """Send the preset's campaign in two waves, so that it is working time in every zone."""
        for hour in (2, 15):
            self._clock.at = datetime.combine(day, datetime.min.time()) + timedelta(hours=hour)
            plan = campaigns.plan(self._session, CAMPAIGN)
            campaigns.approve(self._session, plan.plan_id)
            done = campaigns.apply(self._session, plan.plan_id)
            self.counts["mails"] += done.accepted
            self.counts["held"] = sum(c.items for c in plan.counts if c.action == "hold")
            self.counts["waves"] += 1
        self._clock.at += timedelta(days=5)
        answers = self._incoming / f"{CAMPAIGN}-answers.csv"
        if desk.write_answers(answers, self._addressed(), CAMPAIGN, self._clock.at - timedelta(days=4)):
            self.counts["touches"] += leads.import_touches(self._session, [answers]).new

    def strategies(self, day: date) -> None:
        """Plan and apply the preset's strategies on a day on which their windows are open."""
        self._clock.at = datetime.combine(day, datetime.min.time()) + timedelta(hours=2)
        for name in STRATEGIES:
            plan = strategies.plan(self._session, name)
            if plan.needs_approval:
                strategies.approve(self._session, plan.plan_id)
            done = strategies.apply(self._session, plan.plan_id)
            self.counts["entered"] += done.enters
            self.counts["strategy_mails"] += done.accepted
            self.counts["tasks"] += done.tasks

    def books(self, until: datetime) -> None:
        """Push orders, let the accountant bill and bank, and pull what came of it."""
        self._clock.at = until
        pushed = orders.push(self._session, pause=lambda _: None)
        self.counts["pushed"] += pushed.orders
        accountant.keep_books(self._session.folder / "erp-files", self._bills(), until.date())
        pulled = orders.pull(self._session)
        self.counts["invoices"] += pulled.invoices.new
        self.counts["payments"] += pulled.payments.new

    def _take_in(self, since: datetime, until: datetime) -> None:
        month = (until - timedelta(days=1)).strftime("%Y-%m")
        file, events = self._incoming / f"leads-{month}.csv", self._incoming / f"events-{month}.csv"
        self._tables.write_leads(file, since=since, before=until)
        self._tables.write_events(events, since=since, before=until)
        taken = leads.import_files(self._session, [file])
        touched = leads.import_touches(self._session, [events])
        for name in ("rows", "new", "updated", "unchanged", "rejected"):
            self.counts[name] += getattr(taken, name)
        self.counts["files"] += 1
        self.counts["touches"] += touched.new

    def _call(self, until: datetime) -> None:
        """Reps call the new MQLs; whoever talks to them is noted, and the notes are imported."""
        reached = [fate for _, fate, _ in self._known("mql") if fate.accepts]
        notes = self._incoming / f"calls-{until:%Y-%m}.csv"
        if desk.write_notes(notes, reached):
            leads.import_files(self._session, [notes])
            self.counts["sql"] += qualification.qualify(self._session, to="sql").steps[0].qualified

    def _convert(self) -> None:
        ready = [str(lead_id) for lead_id, fate, _ in self._known("sql") if fate.converts]
        if not ready:
            return
        close = self._session.today() + timedelta(days=60)
        done = conversion.convert(self._session, ready, deal=DealTerms(close_date=close))
        self.counts["converted"] += done.converted
        self.counts["accounts"] += done.accounts_new

    def _work_deals(self, since: datetime, until: datetime) -> None:
        lost: dict[str, list[str]] = {}
        proposed: dict[int, None] = {}
        for doing in desk.doings(self._deals(), since, until):
            self._clock.at = doing.at
            number = doing.deal.opportunity_id
            if doing.act == "quote":
                self._quote(doing.deal)
                proposed[number] = None
            elif doing.act == "accept":
                quotes.accept(self._session, f"Q-{self._quotes[number]}")
                self.counts["orders"] += 1
                proposed.pop(number, None)
            else:
                lost.setdefault(doing.deal.fate.lost_reason or "no decision", []).append(str(number))
                proposed.pop(number, None)
        if proposed:
            opportunities.move(self._session, [str(n) for n in proposed], "proposal")
        for reason, refs in sorted(lost.items()):
            opportunities.close(self._session, refs, won=False, reason=reason)
            self.reasons[reason] += len(refs)
            self.counts["lost"] += len(refs)

    def _quote(self, deal: desk.Deal) -> None:
        made = quotes.create(
            self._session,
            opportunity=str(deal.opportunity_id),
            lines=[f"{deal.fate.sku}={deal.fate.units}"],
            valid_days=QUOTE_DAYS,
        )
        quotes.send(self._session, f"Q-{made.quote.quote_id}")
        self._quotes[deal.opportunity_id] = made.quote.quote_id
        self.counts["quotes"] += 1

    def _deals(self) -> Iterable[desk.Deal]:
        with self._session.query() as query:
            rows = query.rows(
                "select o.opportunity_id, l.external_id, l.converted_at from opportunities o"
                " join leads l on l.lead_id = o.lead_id where o.category = 'open' order by o.opportunity_id"
            )
        return [desk.Deal(opportunity_id=n, fate=self._fates[who], converted_at=at) for n, who, at in rows]

    def _known(self, *statuses: str) -> list[tuple[int, Fate, str]]:
        """Leads in these states whose fate is known: lead number, fate, state."""
        with self._session.query() as query:
            rows = query.rows(KNOWN.format(statuses=", ".join(f"'{s}'" for s in statuses)))
        return [(lead_id, self._fates[who], status) for lead_id, who, status, *_ in rows if who in self._fates]

    def _addressed(self) -> list[Fate]:
        """Whom the campaign reached."""
        with self._session.query() as query:
            rows = query.rows(
                "select distinct l.external_id from messages m join leads l on l.lead_id = m.lead_id"
                " where m.campaign = $campaign and m.state = 'accepted' and l.external_id is not null order by 1",
                {"campaign": CAMPAIGN},
            )
        return [self._fates[who] for (who,) in rows if who in self._fates]

    def _bills(self) -> list[accountant.Bill]:
        with self._session.query() as query:
            rows = query.rows(BILLS)
        return [
            accountant.Bill(
                number=f"O-{order_id}",
                ordered_on=ordered_on,
                currency=currency,
                amount=Decimal(amount).quantize(accountant.CENT),
                pays=self._fates[who].pays,
                pay_days_after_due=self._fates[who].pay_days_after_due,
            )
            for order_id, _, who, ordered_on, currency, amount in rows
        ]


def ends_of_rounds(opens: datetime, closes: datetime, rounds: int) -> list[tuple[datetime, datetime]]:
    """The periods after which the office catches up, of about the same length; together the whole year."""
    days = (closes - opens).days
    ends = [opens + timedelta(days=round(days * k / rounds)) for k in range(rounds + 1)]
    return list(pairwise(ends))


def first_tuesday(after: datetime) -> date:
    """The next Tuesday: the campaign's window is open on it."""
    return (after + timedelta(days=1 + (0 - after.weekday()) % 7)).date()


def folder_of(path: Path) -> str:
    """A path as people would type it from here."""
    try:
        return str(path.relative_to(Path.cwd()))
    except ValueError:
        return str(path)
