"""Sending in batches, whatever a receiver answers: every message ends in one place, and none is taken twice."""

from __future__ import annotations

import threading
from collections import Counter
from collections.abc import Collection, Iterator, Sequence
from datetime import datetime, timedelta

from hypothesis import given, settings
from hypothesis import strategies as st

from sfactl.api.records import CheckReport, Message, Receipt
from sfactl.campaigns.dispatch import BATCH, Dispatcher
from sfactl.session import FixedClock

ANSWERS = ["accepted", "accepted", "refused", "unknown", "retry_after", "late", "nothing", "raise", "stranger", "twice"]
ANSWERS += ["domain", "sender"]


class Ledger:
    """Hands out a key while it is planned, and remembers what became of it."""

    def __init__(self, clock: FixedClock) -> None:
        self.clock = clock
        self.state: dict[str, str] = {}
        self.not_before: dict[str, datetime] = {}
        self.most_in_flight = 0

    def claim(self, messages: Sequence[Message]) -> list[str]:
        now = self.clock.now()
        keys = [m.key for m in messages]
        free = [k for k in keys if self.state.get(k, "planned") == "planned" and self.not_before.get(k, now) <= now]
        self.state |= dict.fromkeys(free, "sending")
        self.most_in_flight = max(self.most_in_flight, sum(s == "sending" for s in self.state.values()))
        return free

    def settle(self, receipts: Sequence[Receipt], unheard: Collection[str]) -> list[str]:
        for r in receipts:
            assert self.state[r.key] == "sending"
            self.state[r.key] = "planned" if r.outcome == "retry_after" else r.outcome
            self.not_before[r.key] = self.clock.now() + timedelta(seconds=r.retry_after_s or 0)
        return []


class Receiver:
    """Answers each message as the list says, over and over."""

    def __init__(self, answers: Sequence[str]) -> None:
        self.answers = answers
        self.asked = 0
        self.tries: Counter[str] = Counter()
        self.may_have: Counter[str] = Counter()
        self.lock = threading.Lock()

    def check(self) -> CheckReport:
        return CheckReport()

    def close(self) -> None: ...

    def send(self, messages: Sequence[Message]) -> Iterator[Receipt]:
        for m in messages:
            with self.lock:
                said = self.answers[self.asked % len(self.answers)]
                self.asked += 1
                self.tries[m.key] += 1
            if said in ("domain", "sender"):
                yield Receipt(key=m.key, outcome="retry_after", retry_after_s=2, about=said)  # type: ignore[arg-type]
                continue
            if said in ("retry_after", "late"):
                yield Receipt(key=m.key, outcome="retry_after", retry_after_s=3 if said == "late" else 0)
                continue
            if said != "refused":
                with self.lock:
                    self.may_have[m.key] += 1
            if said == "raise":
                raise ConnectionError("lost")
            if said == "stranger":
                yield Receipt(key="never-asked", outcome="accepted")
            elif said == "twice":
                yield Receipt(key=m.key, outcome="accepted")
                yield Receipt(key=m.key, outcome="refused")
            elif said != "nothing":
                yield Receipt(key=m.key, outcome=said)  # type: ignore[arg-type]


@settings(max_examples=150, deadline=None)
@given(
    answers=st.lists(st.sampled_from(ANSWERS), min_size=1, max_size=30),
    count=st.integers(0, 130),
    stops=st.sets(st.integers(0, 12), max_size=3),
    connections=st.sampled_from([1, 1, 3]),
)
def test_every_message_ends_in_one_place(answers: list[str], count: int, stops: set[int], connections: int) -> None:
    clock = FixedClock(datetime(2026, 1, 1))
    ledger, receiver = Ledger(clock), Receiver(answers)
    messages = [
        Message(key=f"k{n}", channel="email", recipient="r", sender="s", subject="", text="") for n in range(count)
    ]
    asked = iter(range(10_000))
    dispatcher = Dispatcher(
        senders=[receiver] * connections,
        claims=ledger,
        now=clock.now,
        sleep=lambda s: clock.advance(timedelta(seconds=s)),
        go_on=lambda: next(asked) not in stops,
        keep_waiting=lambda: True,
        on_sent=lambda n: None,
    )
    dispatcher.run(iter(messages))

    assert "sending" not in ledger.state.values()
    assert ledger.most_in_flight <= BATCH * connections
    assert all(n == 1 for n in receiver.may_have.values())
    states = Counter(ledger.state.values())
    assert dispatcher.tally.outcomes["accepted"] == states["accepted"]
    assert dispatcher.tally.outcomes["refused"] == states["refused"]
    assert dispatcher.tally.outcomes["unknown"] == states["unknown"]
    taken = {k for k, s in ledger.state.items() if s in ("accepted", "unknown")}
    assert set(receiver.may_have) <= taken
    if not stops and not dispatcher.tally.gave_up:
        left = {m.key for m in messages if ledger.state.get(m.key, "planned") == "planned"}
        assert not any(dispatcher.tally.may_try(k) for k in left)
