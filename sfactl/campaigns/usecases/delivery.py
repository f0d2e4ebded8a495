"""Deliver the messages of a plan: gate, render, claim, send and fold, one chunk of recipients after the other."""

from __future__ import annotations

import math
import time
from collections import Counter
from collections.abc import Callable, Collection, Iterator, Sequence
from contextlib import ExitStack, closing
from datetime import timedelta
from typing import TYPE_CHECKING

from sfactl.api.errors import DataError
from sfactl.api.protocols import KeyMemory, ReceiptLookup, TouchpointSender
from sfactl.api.records import Message, Receipt
from sfactl.campaigns.candidates import load_candidates
from sfactl.campaigns.dispatch import BATCH, Dispatcher, Tally
from sfactl.campaigns.files import CampaignFiles
from sfactl.campaigns.lineup import Pace
from sfactl.campaigns.mail import payload_hash, write_message
from sfactl.campaigns.planning import judge, load_refusals
from sfactl.campaigns.usecases.allowances import allowed_today, paced
from sfactl.campaigns.usecases.checking import by_hand, new_sender, pace_of, sender_offer
from sfactl.campaigns.usecases.folding import fold
from sfactl.campaigns.usecases.guarding import returned
from sfactl.campaigns.usecases.scene import effects_of, letterhead_of, load_frozen, place_of, scope_of
from sfactl.campaigns.usecases.watching import Watch
from sfactl.engine.duck import Query
from sfactl.session import Session
from sfactl.workspace.ledger import MESSAGE, Effect, Lease

if TYPE_CHECKING:
    import pyarrow as pa

CHUNK = 5000
"""Recipients that pass the gate together and are folded into the data together."""


MEMORY_MARGIN_S = 600.0
"""A receiver's clock may be off, and a repeat takes its time: so much earlier its memory is no longer relied on."""


class Delivery:
    """The messages of one plan on their way. ``blocked`` may not be sent any more, ``later`` not yet, by reason.

    Only messages of steps that ``files`` has are looked at, so that a plan with several senders is several deliveries.
    ``scope`` is the ledger's, by default the campaign's; ``version`` limits it to leads who follow that of a strategy;
    ``blacklist`` makes the table of that name afresh where it is more than the stored members of a segment;
    ``particulars`` adds the columns of what each message is about to those that passed the gate.
    """

    def __init__(
        self,
        session: Session,
        plan_id: str,
        files: CampaignFiles,
        *,
        scope: str | None = None,
        version: str = "",
        blacklist: Callable[[Query], None] | None = None,
        particulars: Callable[[Query, pa.Table], pa.Table] | None = None,
    ) -> None:
        self.tally = Tally()
        self.blocked: Counter[str] = Counter()
        self.later: Counter[str] = Counter()
        self.stopped = ""
        self._session = session
        self._plan_id = plan_id
        self._files = files
        self._version = version
        self._blacklist = blacklist
        self._particulars = particulars
        self._place = place_of(session)
        self._letterhead = letterhead_of(session)
        self._scope = scope or scope_of(files.campaign.name)
        self._pace = pace_of(session, files)

    def settle_unknown(self, sender: TouchpointSender) -> None:
        """Ask a sender that can tell about messages of a run that died; let one that cannot double them try again."""
        campaign = self._files.campaign
        rows = self._session.ledger.rows(self._scope, "unknown")
        rows = [r for r in rows if r.meta.get("sender") == campaign.sender]
        if not rows:
            return
        offer = sender_offer(self._session, self._files)
        for row in [r for r in rows if r.meta.get("channel") in by_hand(self._files, offer)]:
            rows.remove(row)
            self._session.ledger.resolve(row.key, "retry_after", "tried again: its task was not made")
        keys, capabilities = [r.key for r in rows], offer.capabilities
        if "lookup" in capabilities and isinstance(sender, ReceiptLookup):
            for receipt in sender.lookup(keys):
                if receipt.outcome != "unknown":
                    self._session.ledger.resolve(receipt.key, receipt.outcome, receipt.detail or "found by look-up")
            return
        knows_s = math.inf if "idempotent" in capabilities else memory_of(sender)
        for row in rows:
            if (self._session.now() - row.planned_at).total_seconds() + MEMORY_MARGIN_S < knows_s:
                self._session.ledger.resolve(row.key, "retry_after", "tried again: the receiver knows the key")

    def send(self, sender: TouchpointSender, lease: Lease) -> None:
        """Send what is left of the plan, as far as it goes, through as many connections as the sender may have."""
        count = self.left()
        with ExitStack() as opened, self._session.progress("Sending", count) as progress:
            senders = [sender, *self._more_connections(opened, count)]
            pace = opened.enter_context(paced(self._session, self._files, self._scope))
            for chunk in self._chunks():
                rest: pa.Table | None = chunk
                while rest is not None and rest.num_rows and not self.stopped:
                    rest = self._send_chunk(senders, pace, lease, rest, progress.advance)
                fold(self._session, self._scope)
                if self.stopped:
                    break

    def rehearse(self) -> int:
        """Gate and render what is left, send nothing; answers how many messages there would be."""
        ready = 0
        for chunk in self._chunks():
            with self._session.query() as query:
                ready += sum(1 for _ in self._written(self._passed(query, chunk)))
        sender, warm_up = self._files.campaign.sender, self._pace.warm_up
        day = allowed_today(self._session, sender, warm_up) if warm_up else None
        if day is not None and (beyond := ready - max(day.most - day.sent, 0)) > 0:
            self.later[f"beyond the {day.most:,} messages of today, warming up {sender}"] += beyond
        return ready

    def left(self) -> int:
        """How many messages of the plan no receipt has settled and nobody holds."""
        return int(self._remaining("select count(*) as messages from ({})").column("messages")[0].as_py())

    def _chunks(self) -> Iterator[pa.Table]:
        """Those messages, as many at a time as one gate and one commit can take, however many there are in all."""
        after: tuple[int, str] = (-1, "")
        while (chunk := self._remaining(f"select * from ({{}}) limit {CHUNK}", after)).num_rows:
            yield chunk
            after = chunk.column("lead_id")[-1].as_py(), chunk.column("step")[-1].as_py()

    def _remaining(self, select: str, after: tuple[int, str] = (-1, "")) -> pa.Table:
        import pyarrow as pa

        with self._session.query() as query:
            query.register("known", pa.table({"message_key": pa.array(self._known(), pa.string())}))
            return query.table(
                select.format(query.statement("campaigns", "remaining")),
                {
                    "plan": self._plan_id,
                    "rotation": self._files.campaign.rotation,
                    "steps": self._steps(),
                    "version": self._version,
                    "after_lead": after[0],
                    "after_step": after[1],
                },
            )

    def _more_connections(self, opened: ExitStack, messages: int) -> Iterator[TouchpointSender]:
        for _ in range(min(self._pace.connections, -(-messages // BATCH)) - 1):
            yield opened.enter_context(closing(new_sender(self._session, self._files)))

    def others(self) -> int:
        """Messages that may be sent again and are not in this plan: a run of an earlier one died with them."""
        rows = self._session.ledger.rows(self._scope, "planned")
        ours = set(self._remaining("select message_key from ({})").column("message_key").to_pylist()) if rows else set()
        return sum(r.kind == MESSAGE and r.key not in ours for r in rows)

    def _send_chunk(
        self,
        senders: Sequence[TouchpointSender],
        pace: Pace,
        lease: Lease,
        chunk: pa.Table,
        on_sent: Callable[[int], None],
    ) -> pa.Table | None:
        """Send one chunk; answers what is left of it when others changed what the gate depends on."""
        before = self.blocked.copy(), self.later.copy()
        with self._session.query() as query:
            watch = Watch(self._session, self._files.campaign, query.seq, self._guard())
            dispatcher = Dispatcher(
                senders=senders,
                claims=_Claims(lease, self._plan_id, self._files.campaign.sender, self._pace.attempts),
                now=self._session.now,
                sleep=self._sleep,
                go_on=watch.go_on,
                keep_waiting=watch.keep_waiting,
                on_sent=on_sent,
                tally=self.tally,
                pace=pace,
                later=self.later,
            )
            dispatcher.run(self._written(self._passed(query, chunk)))
        self.stopped = watch.stop or self.tally.gave_up
        if not watch.moved:
            return None
        # What is left passes the gate again, and is counted again.
        self.blocked, self.later = before
        return without(chunk, self._known())

    def _guard(self) -> Callable[[], str]:
        """Says which limit of what may come back is overstepped; receivers' answers of this run count at once."""
        campaign, rule = self._files.campaign, self._pace.stop
        if not campaign.marketing:
            return str
        before = returned(self._session, campaign.name, campaign.sender, self._scope, rule)
        known = self.tally.outcomes.copy()

        def overstepped() -> str:
            now = self.tally.outcomes
            made = {name: now[name] - known[name] for name in ("accepted", "refused")}
            said = before.plus(**made).overstepped(rule)
            return f"{said}; to go on all the same: --override REASON" if said else ""

        return overstepped

    def _passed(self, query: Query, chunk: pa.Table) -> pa.Table:
        """Those of ``chunk`` who pass the gate now, with the values of their message."""
        import pyarrow.compute as pc

        load_frozen(self._session, query, self._files, chunk.select(["lead_id", "step", "rotation"]))
        if self._blacklist is not None:
            self._blacklist(query)
        load_candidates(query, self._files, self._place)
        load_refusals(query, self._files.campaign, self._place.house)
        effects = effects_of(r for r in self._session.ledger.rows())
        judge(query, self._files, self._place, at=self._session.now(), effects=effects)
        query.register("frozen", chunk)
        judged = query.table(query.statement("campaigns", "gate"))
        for reason in judged.column("blocked").drop_null().to_pylist():
            kind, _, text = reason.partition(":")
            (self.later if kind == "later" else self.blocked)[text] += 1
        passed = judged.filter(pc.is_null(judged.column("blocked")))
        return passed if self._particulars is None else self._particulars(query, passed)

    def _written(self, passed: pa.Table) -> Iterator[Message]:
        """Render one by one, when the message is about to leave."""
        for batch in passed.to_batches(100):
            for row in batch.to_pylist():
                try:
                    yield write_message(row, self._files, self._letterhead)
                except DataError as err:
                    self.blocked["cannot be written"] += 1
                    self._session.note(f"lead {row['lead_id']}: {err.message}")

    def _steps(self) -> list[str]:
        return [s.name for s in self._files.campaign.steps if s.action == "send"]

    def _known(self) -> list[str]:
        return [r.key for r in self._session.ledger.rows(self._scope) if r.state != "planned"]

    def _sleep(self, seconds: float) -> None:
        advance = getattr(self._session.clock, "advance", None)
        if advance is not None:
            advance(timedelta(seconds=seconds))
        else:
            time.sleep(seconds)


class _Claims:
    """Turns messages into effects of the ledger."""

    def __init__(self, lease: Lease, plan_id: str, sender: str, attempts: int) -> None:
        self._attempts = attempts
        self._lease = lease
        self._plan_id = plan_id
        self._sender = sender

    def claim(self, messages: Sequence[Message]) -> list[str]:
        return self._lease.claim([self._effect(m) for m in messages])

    def settle(self, receipts: Sequence[Receipt], unheard: Collection[str]) -> list[str]:
        return self._lease.settle(receipts, unheard, self._attempts)

    def _effect(self, m: Message) -> Effect:
        meta = {
            "plan_id": self._plan_id,
            "campaign": m.campaign,
            "step": m.step,
            "lead_id": m.lead_id,
            "channel": m.channel,
            "recipient": m.recipient,
            "sender": self._sender,
        }
        return Effect(key=m.key, kind="message", payload_hash=payload_hash(m), meta=meta)


def memory_of(sender: TouchpointSender) -> float:
    """Seconds for which the receiver takes a message with the same key once; 0 where the sender promises nothing."""
    return sender.remembers_s if isinstance(sender, KeyMemory) else 0.0


def without(items: pa.Table, keys: Sequence[str]) -> pa.Table:
    """The items whose key is not among ``keys``."""
    import pyarrow as pa
    import pyarrow.compute as pc

    known = pc.is_in(items.column("message_key"), value_set=pa.array(list(keys), pa.string()))
    return items.filter(pc.invert(known))
