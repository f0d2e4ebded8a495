"""Send claimed messages in small batches and keep track of each recipient; what fails for one never holds another.

It decides when to go on, when to wait for a receiver that takes nothing, and when to give up for now. Whether a message
may be sent at all was decided before, and a key that the ledger does not hand out is never sent.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Collection, Iterator, Sequence
from dataclasses import dataclass, field
from datetime import timedelta
from typing import TYPE_CHECKING, Protocol

from sfactl.api.protocols import TouchpointSender
from sfactl.api.records import Message, Receipt
from sfactl.campaigns.crew import Batch, Crew
from sfactl.campaigns.lineup import Lineup, Pace, Unhurried, Wait

if TYPE_CHECKING:
    from datetime import datetime

BATCH = 20
"""Messages that one connection has in flight: as many can become unknown when the process dies."""

PATIENCE = 8
"""Rounds of which nothing was taken, after which the run gives up for now."""

LONGEST_WAIT_S = 30.0
"""How long a run waits for messages that were put off, and between rounds of which nothing was taken."""

LOOK_S = 1.0
"""How long a wait lasts before it is asked whether to go on."""

TRIES = 4
"""How often a run tries a message that its receiver puts off for the message's own sake."""

ASKS = 16
"""How often it does so at most, whatever the receiver's reasons."""


class Claims(Protocol):
    """The part of a ledger's lease that sending needs."""

    def claim(self, messages: Sequence[Message]) -> list[str]:
        """Make the messages durable as on their way; answers the keys that may be sent."""
        ...

    def settle(self, receipts: Sequence[Receipt], unheard: Collection[str]) -> Collection[str]:
        """Record what became of them; for the keys ``unheard`` the receiver never got as far as the message.

        Answers the keys of those that have been tried often enough: they are not sent again.
        """
        ...


@dataclass(slots=True)
class Tally:
    """What became of the messages of a run so far; it outlives a dispatcher, so that no run tries for ever."""

    outcomes: Counter[str] = field(default_factory=Counter)
    details: Counter[str] = field(default_factory=Counter)
    tries: Counter[str] = field(default_factory=Counter)
    asked: Counter[str] = field(default_factory=Counter)
    taken_nothing: int = 0
    gave_up: str = ""

    def may_try(self, key: str) -> bool:
        """Whether a message is still worth a try in this run."""
        return self.tries[key] < TRIES and self.asked[key] < ASKS

    def add(self, receipts: Sequence[Receipt]) -> None:
        """Count final receipts."""
        for receipt in receipts:
            if receipt.outcome != "retry_after":
                self.outcomes[receipt.outcome] += 1
            if receipt.task is not None:
                self.outcomes["handed"] += 1
            if receipt.outcome != "accepted":
                said = "put off" if receipt.outcome == "retry_after" else receipt.outcome
                self.details[f"{said}: {receipt.detail}"] += 1


@dataclass(slots=True, kw_only=True)
class Dispatcher:
    """Sends messages through the connections ``senders``, as fast as ``pace`` lets it.

    ``go_on`` is asked before each batch, ``keep_waiting`` while there is nothing to do; ``sleep`` waits for seconds.
    ``later`` counts messages whose turn is too far away.
    """

    senders: Sequence[TouchpointSender]
    claims: Claims
    now: Callable[[], datetime]
    sleep: Callable[[float], None]
    go_on: Callable[[], bool]
    keep_waiting: Callable[[], bool]
    on_sent: Callable[[int], None]
    tally: Tally = field(default_factory=Tally)
    pace: Pace = field(default_factory=Unhurried)
    later: Counter[str] = field(default_factory=Counter)

    def run(self, messages: Iterator[Message]) -> None:
        """Send all, as far as they are taken. Messages left over stay planned."""
        fresh = (m for m in messages if self.tally.may_try(m.key))
        lineup = Lineup(fresh, self.pace, self.now)
        with Crew(self.senders) as crew:
            try:
                self._work(crew, lineup)
            finally:  # what is on its way gets its receipt, whatever ended the work
                while crew.busy:
                    self._take_in(crew, lineup)
        self.later += lineup.later

    def _work(self, crew: Crew, lineup: Lineup) -> None:
        going = True
        while going or crew.busy:
            while going and crew.idle and (batch := lineup.next(BATCH)):
                going = self.go_on()
                if going:
                    self._hand_out(crew, batch)
                else:
                    self.pace.release(batch)
            if crew.busy:
                self._take_in(crew, lineup, self._spare_s(crew, lineup))
                going = going and not self.tally.gave_up
            elif not going or not self._await(lineup):
                break

    def _hand_out(self, crew: Crew, messages: Sequence[Message]) -> None:
        claimed = set(self.claims.claim(messages))
        ours = [m for m in messages if m.key in claimed]
        self.pace.release([m for m in messages if m.key not in claimed])
        if ours:
            crew.start(Batch(messages=ours, turn=self.tally.taken_nothing))

    def _take_in(self, crew: Crew, lineup: Lineup, timeout_s: float | None = None) -> None:
        batch = crew.next_done(timeout_s)
        if batch is None:
            return
        receipts = self._receipts(batch)
        later = [r for r in receipts if r.outcome == "retry_after"]
        none_taken = bool(receipts) and len(later) == len(receipts)
        # Where nothing at all is taken, or everybody is put off, it is not for this message's sake.
        outage = none_taken and (len(receipts) > 1 or batch.turn > 0)
        unheard = {r.key for r in later if outage or r.about != "message"}
        dead = set(self.claims.settle(receipts, unheard))
        self.tally.add(receipts)
        self.tally.outcomes["dead"] += len(dead)
        self.pace.spend(batch.messages, receipts)
        lineup.reopen(batch.messages)
        self._put_back(batch, [r for r in later if r.key not in dead], unheard, lineup)
        self._pause(batch, receipts, lineup, none_taken=none_taken)
        self.on_sent(len(receipts))

    def _receipts(self, batch: Batch) -> list[Receipt]:
        if batch.failed:
            self.tally.gave_up = batch.failed
        reason = batch.failed or "the sender gave no receipt"
        return [
            batch.receipts.get(m.key) or Receipt(key=m.key, outcome="unknown", detail=reason) for m in batch.messages
        ]

    def _put_back(self, batch: Batch, later: Sequence[Receipt], unheard: Collection[str], lineup: Lineup) -> None:
        """Queue what may be tried again."""
        now = self.now()
        messages = {m.key: m for m in batch.messages}
        for receipt in later:
            message = messages[receipt.key]
            due = now + timedelta(seconds=receipt.retry_after_s or 0)
            if receipt.about != "message":
                self.pace.hold(message, receipt.about, due, receipt.detail)
            self.tally.tries[receipt.key] += receipt.key not in unheard
            self.tally.asked[receipt.key] += 1
            if self.tally.may_try(receipt.key):
                lineup.put_off(message, due)

    def _pause(self, batch: Batch, receipts: Sequence[Receipt], lineup: Lineup, *, none_taken: bool) -> None:
        """Leave a receiver that takes nothing alone for longer and longer, in the end for good."""
        if not none_taken:
            self.tally.taken_nothing = 0
            return
        if any(r.about == "domain" for r in receipts) or batch.turn != self.tally.taken_nothing:
            return  # others may be taken; or a batch that left at the same time has counted for both
        self.tally.taken_nothing += 1
        detail = receipts[-1].detail or "the receiver takes nothing"
        if self.tally.taken_nothing >= PATIENCE:
            self.tally.gave_up = detail
            return
        seconds = min(0.25 * 2**self.tally.taken_nothing, LONGEST_WAIT_S)
        lineup.close(Wait(until=self.now() + timedelta(seconds=seconds), why=detail))

    def _spare_s(self, crew: Crew, lineup: Lineup) -> float | None:
        """How long to wait for those under way, where a connection is free for a message whose time is near."""
        waits = lineup.waits_until() if crew.idle else None
        return None if waits is None else min(max((waits[0] - self.now()).total_seconds(), 0.05), LOOK_S)

    def _await(self, lineup: Lineup) -> bool:
        """Wait a little for what is next; False where nothing is, or not for long."""
        waits = lineup.waits_until()
        if waits is None:
            return False
        until, for_pace = waits
        seconds = (until - self.now()).total_seconds()
        if seconds > (self.pace.patience_s if for_pace else LONGEST_WAIT_S):
            if lineup.closed is not None and lineup.closed.whole:
                self.tally.gave_up = f"{lineup.closed.why}; the next may leave at {lineup.closed.again}"
            lineup.drop()
            return False
        if not self.keep_waiting():
            return False
        self.sleep(min(max(seconds, 0.01), LOOK_S))
        return True
