"""The order in which messages leave: those whose wait is over, those that were passed by, then new ones.

A message that must wait, for its own sake or for the pace of its domain, never holds those behind it.
"""

from __future__ import annotations

import heapq
from collections import Counter, deque
from collections.abc import Callable, Iterator, Sequence
from contextlib import AbstractContextManager, contextmanager
from dataclasses import dataclass
from datetime import datetime
from typing import Protocol

from sfactl.api.records import Message, Receipt

LOOK_AHEAD = 1000
"""Messages that may be passed by, and are kept in memory, while those of other domains go first."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Wait:
    """When it is worth asking again, and what for. ``whole``: nothing of the sender may leave before.

    ``again`` is the time as people read it.
    """

    until: datetime
    why: str
    whole: bool = False
    again: str = ""


Take = Callable[[Message], "Wait | None"]


class Pace(Protocol):
    """How fast messages may leave."""

    def dealing(self) -> AbstractContextManager[Take]:
        """Within it each call takes a place for one message, or answers how long it must wait."""
        ...

    def release(self, messages: Sequence[Message]) -> None:
        """These were not sent after all; their places are free."""
        ...

    def spend(self, messages: Sequence[Message], receipts: Sequence[Receipt]) -> None:
        """These were sent, or tried, just now at the latest."""
        ...

    def hold(self, message: Message, reach: str, until: datetime, why: str) -> None:
        """The receiver asks to be left alone until then by all of ``reach`` (``domain`` or ``sender``)."""
        ...

    @property
    def patience_s(self) -> float:
        """How long it is worth waiting for a place."""
        ...


class Unhurried:
    """No limit at all."""

    patience_s = 0.0

    @contextmanager
    def dealing(self) -> Iterator[Take]:
        """Every message may leave."""
        yield lambda _message: None

    def release(self, messages: Sequence[Message]) -> None:
        """Nothing is counted."""

    def spend(self, messages: Sequence[Message], receipts: Sequence[Receipt]) -> None:
        """Nothing is counted."""

    def hold(self, message: Message, reach: str, until: datetime, why: str) -> None:
        """Nobody asks."""


def domain_of(recipient: str) -> str:
    """The domain of an address in lower case; empty for a phone number."""
    _, at, domain = recipient.rpartition("@")
    return domain.strip(" >.").lower() if at else ""


class Lineup:
    """Deals out messages. ``later`` counts those that were let go because their turn is too far away, by reason."""

    def __init__(self, messages: Iterator[Message], pace: Pace, now: Callable[[], datetime]) -> None:
        self.later: Counter[str] = Counter()
        self.closed: Wait | None = None
        self._messages = messages
        self._pace = pace
        self._now = now
        self._put_off: list[tuple[datetime, int, Message]] = []
        self._number = 0
        self._front: deque[Message] = deque()
        self._lanes: dict[str, deque[Message]] = {}
        self._passed_by = 0
        self._shut: dict[str, Wait] = {}

    def put_off(self, message: Message, until: datetime) -> None:
        """Let ``message`` come again at ``until``."""
        self._number += 1
        heapq.heappush(self._put_off, (until, self._number, message))

    def close(self, wait: Wait) -> None:
        """Deal out nothing before ``wait`` is over."""
        if self.closed is None or wait.until > self.closed.until:
            self.closed = wait

    def reopen(self, messages: Sequence[Message]) -> None:
        """These came back, so that places may have become free."""
        for message in messages:
            self._shut.pop(domain_of(message.recipient), None)
        if self.closed is not None and self.closed.whole:
            self.closed = None

    def next(self, most: int) -> list[Message]:
        """Up to ``most`` messages that may leave now."""
        now = self._now()
        if self.closed is not None and self.closed.until > now:
            return []
        self.closed = None
        batch: list[Message] = []
        with self._pace.dealing() as take:
            for message in self._in_order(now):
                wait = take(message)
                if wait is None:
                    batch.append(message)
                    if len(batch) == most:
                        break
                elif wait.whole:
                    self._front.appendleft(message)
                    self.closed = wait
                    break
                else:
                    self._pass_by(message, wait, now)
        return batch

    def waits_until(self) -> tuple[datetime, bool] | None:
        """When the next message may leave; and whether it waits for the pace, not for its own sake."""
        times = [(wait.until, True) for lane, wait in self._shut.items() if self._lanes.get(lane)]
        if self.closed is not None:
            return self.closed.until, self.closed.whole
        if self._put_off:
            times.append((self._put_off[0][0], False))
        return min(times, default=None)

    def drop(self) -> None:
        """Count all that still wait for the pace as left for later."""
        for lane, wait in self._shut.items():
            self.later[wait.why] += len(self._lanes.pop(lane, ()))

    def _in_order(self, now: datetime) -> Iterator[Message]:
        while self._front:
            yield self._front.popleft()
        while self._put_off and self._put_off[0][0] <= now:
            yield heapq.heappop(self._put_off)[2]
        for lane in list(self._lanes):
            while self._open(lane, now) and (queue := self._lanes.get(lane)):
                message = queue.popleft()
                self._passed_by -= 1
                if not queue:
                    del self._lanes[lane]
                yield message
        while self._passed_by < LOOK_AHEAD and (new := next(self._messages, None)) is not None:
            if (wait := self._shut.get(domain_of(new.recipient))) and wait.until > now:
                self._pass_by(new, wait, now)
            else:
                yield new

    def _open(self, lane: str, now: datetime) -> bool:
        wait = self._shut.get(lane)
        return wait is None or wait.until <= now

    def _pass_by(self, message: Message, wait: Wait, now: datetime) -> None:
        lane = domain_of(message.recipient)
        self._shut[lane] = wait
        if (wait.until - now).total_seconds() > self._pace.patience_s:
            self.later[wait.why] += 1
            return
        self._lanes.setdefault(lane, deque()).append(message)
        self._passed_by += 1
