"""Send claimed messages in small batches and keep track of each recipient; what fails for one never holds another.

It decides when to go on, when to wait for a receiver that takes nothing, and when to give up for now. Whether a message
may be sent at all was decided before, and a key that the ledger does not hand out is never sent.
"""

from __future__ import annotations

from collections import Counter, deque
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Protocol

from sfactl.api.protocols import TouchpointSender
from sfactl.api.records import Message, Receipt

BATCH = 20
"""Messages in flight: as many can become unknown when the process dies."""

PATIENCE = 8
"""Batches in a row of which nothing was taken, after which the run gives up for now."""

LONGEST_WAIT_S = 30.0
TRIES = 4


class Claims(Protocol):
    """The part of a ledger's lease that sending needs."""

    def claim(self, messages: Sequence[Message]) -> list[str]:
        """Make the messages durable as on their way; answers the keys that may be sent."""
        ...

    def settle(self, receipts: Sequence[Receipt]) -> None:
        """Record what became of them."""
        ...


@dataclass(slots=True)
class Tally:
    """What became of the messages of a run so far; it outlives a dispatcher, so that no run tries for ever."""

    outcomes: Counter[str] = field(default_factory=Counter)
    details: Counter[str] = field(default_factory=Counter)
    tries: Counter[str] = field(default_factory=Counter)
    taken_nothing: int = 0
    gave_up: str = ""

    def add(self, receipts: Sequence[Receipt]) -> None:
        """Count final receipts."""
        for receipt in receipts:
            if receipt.outcome != "retry_after":
                self.outcomes[receipt.outcome] += 1
            if receipt.outcome != "accepted":
                self.details[f"{receipt.outcome}: {receipt.detail}"] += 1


@dataclass(slots=True)
class _Waiting:
    message: Message
    due: datetime


@dataclass(slots=True, kw_only=True)
class Dispatcher:
    """Sends messages through one sender. ``go_on`` is asked before each batch; ``sleep`` waits for seconds."""

    sender: TouchpointSender
    claims: Claims
    now: Callable[[], datetime]
    sleep: Callable[[float], None]
    go_on: Callable[[], bool]
    on_sent: Callable[[int], None]
    tally: Tally = field(default_factory=Tally)

    def run(self, messages: Iterator[Message]) -> None:
        """Send all, as far as they are taken. Messages left over stay planned."""
        waiting: deque[_Waiting] = deque()
        stopped = False
        while not stopped:
            batch = self._next(messages, waiting)
            if not batch:
                if not waiting or not self._await(waiting):
                    break
                continue
            stopped = not self.go_on()
            if stopped:
                break
            receipts = self._send([w.message for w in batch])
            self.tally.add(receipts)
            stopped = not self._put_back(batch, receipts, waiting) or bool(self.tally.gave_up)

    def _next(self, messages: Iterator[Message], waiting: deque[_Waiting]) -> list[_Waiting]:
        """Those whose wait is over, then new ones."""
        now = self.now()
        due = [w for w in waiting if w.due <= now][:BATCH]
        for w in due:
            waiting.remove(w)
        while len(due) < BATCH and (message := next(messages, None)) is not None:
            if self.tally.tries[message.key] < TRIES:
                due.append(_Waiting(message, now))
        return due

    def _await(self, waiting: deque[_Waiting]) -> bool:
        seconds = (min(w.due for w in waiting) - self.now()).total_seconds()
        if seconds > LONGEST_WAIT_S or not self.go_on():
            return False
        self.sleep(max(seconds, 0.01))
        return True

    def _put_back(self, batch: Sequence[_Waiting], receipts: Sequence[Receipt], waiting: deque[_Waiting]) -> bool:
        """Queue what may be tried again. False when the receiver has taken nothing for too long."""
        later = {r.key: r for r in receipts if r.outcome == "retry_after"}
        none_taken = bool(receipts) and len(later) == len(receipts)
        now = self.now()
        for w in batch:
            if receipt := later.get(w.message.key):
                # Where nothing at all is taken, it is not for this message's sake.
                self.tally.tries[w.message.key] += not none_taken
                w.due = now + timedelta(seconds=receipt.retry_after_s or 0)
                if self.tally.tries[w.message.key] < TRIES:
                    waiting.append(w)
        self.tally.taken_nothing = self.tally.taken_nothing + 1 if none_taken else 0
        if self.tally.taken_nothing >= PATIENCE:
            self.tally.gave_up = receipts[-1].detail or "the receiver takes nothing"
            return False
        if none_taken:
            self.sleep(min(0.25 * 2**self.tally.taken_nothing, LONGEST_WAIT_S))
        return True

    def _send(self, messages: Sequence[Message]) -> list[Receipt]:
        claimed = set(self.claims.claim(messages))
        ours = [m for m in messages if m.key in claimed]
        if not ours:
            return []
        receipts: dict[str, Receipt] = {}
        reason = "the sender gave no receipt"
        try:
            for receipt in self.sender.send(ours):
                if receipt.key in claimed:
                    receipts.setdefault(receipt.key, receipt)
        except Exception as err:  # a plugin may raise anything; what has no receipt may have left
            reason = self.tally.gave_up = f"the sender failed: {type(err).__name__}: {err}"
        except BaseException:
            self.claims.settle(list(receipts.values()))
            raise
        for message in ours:
            if message.key not in receipts:
                receipts[message.key] = Receipt(key=message.key, outcome="unknown", detail=reason)
        self.claims.settle(list(receipts.values()))
        self.on_sent(len(receipts))
        return list(receipts.values())
