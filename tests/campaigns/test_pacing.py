"""Rates hold in every stretch of time, whatever the receiver's speed; nobody is held by another domain's pace."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Iterator, Sequence
from datetime import datetime, timedelta
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from sfactl.api.records import CheckReport, Message, Receipt
from sfactl.campaigns.dispatch import Dispatcher
from sfactl.campaigns.pacing import Day, Pacing, allowance
from sfactl.config.objects import build
from sfactl.config.senders import SenderPace, WarmUp, parse_rates
from sfactl.session import FixedClock
from sfactl.workspace.throttle import Throttle

BEGIN = datetime(2026, 3, 2)


class Slow:
    """Takes its time for every message, and remembers when it saw which domain."""

    def __init__(self, clock: FixedClock, spans: Sequence[float]) -> None:
        self.clock = clock
        self.spans = spans
        self.seen: list[tuple[datetime, str]] = []

    def check(self) -> CheckReport:
        return CheckReport()

    def send(self, messages: Sequence[Message]) -> Iterator[Receipt]:
        for message in messages:
            self.clock.advance(timedelta(seconds=self.spans[len(self.seen) % len(self.spans)]))
            self.seen.append((self.clock.now(), message.recipient.partition("@")[2]))
            yield Receipt(key=message.key, outcome="accepted")

    def close(self) -> None: ...


class Everything:
    """A ledger that hands out all."""

    def claim(self, messages: Sequence[Message]) -> list[str]:
        return [m.key for m in messages]

    def settle(self, receipts: Sequence[Receipt], unheard: object) -> list[str]:
        return []


def mail(n: int, domain: str = "a.example") -> Message:
    return Message(key=f"k{n}", channel="email", recipient=f"u{n}@{domain}", sender="s", subject="", text="")


def pacing(
    path: Path, clock: FixedClock, *, scope: str = "campaign/a", day: Day | None = None, **keys: object
) -> Pacing:
    return Pacing(
        "post",
        build(SenderPace, keys, where="senders/post.toml"),
        Throttle(path),
        scope=scope,
        now=clock.now,
        day=lambda: day,
        local=str,
    )


def dispatcher(clock: FixedClock, receiver: object, pace: Pacing) -> Dispatcher:
    return Dispatcher(
        senders=[receiver],  # type: ignore[list-item]
        claims=Everything(),
        now=clock.now,
        sleep=lambda s: clock.advance(timedelta(seconds=s)),
        go_on=lambda: True,
        keep_waiting=lambda: True,
        on_sent=lambda n: None,
        pace=pace,
    )


def most_within(times: Sequence[datetime], seconds: float) -> int:
    """The most that any half-open stretch of that length saw."""
    window = timedelta(seconds=seconds)
    return max((sum(start <= t < start + window for t in times) for start in times), default=0)


@settings(max_examples=40, deadline=None)
@given(
    whole=st.tuples(st.integers(1, 30), st.sampled_from([1, 7, 60])),
    each=st.tuples(st.integers(1, 8), st.sampled_from([1, 10])),
    spans=st.lists(st.sampled_from([0.0, 0.001, 0.05, 0.4, 3.0]), min_size=1, max_size=5),
    domains=st.lists(st.sampled_from(["a.example", "b.example", "c.example"]), min_size=1, max_size=60),
)
def test_no_stretch_of_time_sees_more_than_the_rate(
    tmp_path_factory: pytest.TempPathFactory,
    whole: tuple[int, int],
    each: tuple[int, int],
    spans: list[float],
    domains: list[str],
) -> None:
    clock = FixedClock(BEGIN)
    receiver = Slow(clock, spans)
    path = tmp_path_factory.mktemp("pace") / "pace.db"
    keys = {"rate": f"{whole[0]}/{whole[1]} seconds", "per_domain": f"{each[0]}/{each[1]} seconds"}
    messages = [mail(n, domain) for n, domain in enumerate(domains)]
    half = len(messages) // 2
    # Two runs one after the other share what they may do.
    for part, scope in ((messages[:half], "campaign/a"), (messages[half:], "campaign/b")):
        dispatcher(clock, receiver, pacing(path, clock, scope=scope, **keys)).run(iter(part))

    assert len(receiver.seen) == len(messages)
    assert most_within([t for t, _ in receiver.seen], whole[1]) <= whole[0]
    by_domain = defaultdict(list)
    for at, domain in receiver.seen:
        by_domain[domain].append(at)
    assert all(most_within(times, each[1]) <= each[0] for times in by_domain.values())


def test_a_slow_domain_lets_the_others_pass(tmp_path: Path) -> None:
    clock = FixedClock(BEGIN)
    receiver = Slow(clock, [0.01])
    messages = [mail(n, "slow.example" if n < 50 else f"d{n}.example") for n in range(150)]
    slow = {"domains": [{"names": ["slow.example", "also-slow.example"], "rate": "5/minute"}]}
    run = dispatcher(clock, receiver, pacing(tmp_path / "p", clock, **slow))
    run.run(iter(messages))
    order = [domain for _, domain in receiver.seen]
    assert len(order) == 150
    assert order[5:105].count("slow.example") == 0
    assert clock.now() - BEGIN >= timedelta(minutes=9)
    assert not run.tally.gave_up


def test_what_would_wait_too_long_is_left_for_later_and_said(tmp_path: Path) -> None:
    clock = FixedClock(BEGIN)
    receiver = Slow(clock, [0.01])
    messages = [mail(n, "slow.example" if n % 2 else "fast.example") for n in range(100)]
    run = dispatcher(
        clock, receiver, pacing(tmp_path / "p", clock, domains=[{"names": ["slow.example"], "rate": "5/hour"}])
    )
    run.run(iter(messages))
    assert Counter(domain for _, domain in receiver.seen) == {"fast.example": 50, "slow.example": 5}
    assert run.later == {"over 5/hour to slow.example": 45}
    again = dispatcher(clock, receiver, pacing(tmp_path / "p", clock, rate="30/hour"))
    again.run(mail(n) for n in range(200, 300))
    assert len(receiver.seen) == 55 + 30
    assert again.tally.gave_up == "over 30/hour through post; the next may leave at 2026-03-02 01:00:36"


@pytest.mark.parametrize(
    ("about", "passed"),
    [("domain", {"fine.example": 29}), ("sender", {}), ("message", {"fine.example": 29, "busy.example": 30})],
)
def test_the_receivers_word_binds_whom_it_is_about(tmp_path: Path, about: str, passed: dict[str, int]) -> None:
    clock = FixedClock(BEGIN)

    class Busy(Slow):
        """Puts off its very first message for an hour."""

        def send(self, messages: Sequence[Message]) -> Iterator[Receipt]:
            for message, receipt in zip(messages, super().send(messages), strict=True):
                if message.key == "k0":
                    yield Receipt(key="k0", outcome="retry_after", retry_after_s=3600, about=about, detail="451 slow")  # type: ignore[arg-type]
                else:
                    yield receipt

    receiver = Busy(clock, [0.01])
    pace = pacing(tmp_path / "p", clock)
    dispatcher(clock, receiver, pace).run(iter([mail(0, "busy.example")]))
    receiver.seen.clear()
    # A later run heeds it as well.
    later = dispatcher(clock, receiver, pacing(tmp_path / "p", clock))
    later.run(mail(n, "busy.example" if n % 2 else "fine.example") for n in range(1, 60))
    assert Counter(domain for _, domain in receiver.seen) == passed
    throttle = Throttle(tmp_path / "p")
    assert len(throttle.holds(clock.now())) == (about != "message")
    with throttle.writing():
        assert throttle.release("pos") == 0
        assert throttle.release("post") == (about != "message")
    assert not throttle.holds(clock.now())
    if about == "sender":
        assert later.tally.gave_up == "post asked to wait (451 slow); the next may leave at 2026-03-02 01:00:00.010000"
    if about == "domain":
        assert later.later == {"busy.example asked to wait (451 slow)": 30}


def test_places_of_a_dead_run_are_not_held_for_long(tmp_path: Path) -> None:
    clock = FixedClock(BEGIN)
    dead = pacing(tmp_path / "p", clock, rate="3/second")
    with dead.dealing() as take:
        assert [take(mail(n)) for n in range(3)] == [None] * 3
        assert take(mail(9)) is not None
    clock.advance(timedelta(seconds=2))
    other = pacing(tmp_path / "p", clock, rate="3/second", scope="campaign/b")
    with other.dealing() as take:
        assert take(mail(4)) is not None  # the first may still be at work
    again = pacing(tmp_path / "p", clock, rate="3/second")
    clock.advance(timedelta(seconds=1, milliseconds=10))
    with again.dealing() as take:
        assert take(mail(5)) is None


@pytest.mark.parametrize(
    ("sent", "days", "expected"),
    [
        pytest.param([], "1 day", 50, id="the-first-day"),
        pytest.param([50], "1 day", 100, id="doubled"),
        pytest.param([30], "1 day", 60, id="double-of-what-was-sent"),
        pytest.param([10], "1 day", 50, id="never-below-the-start"),
        pytest.param([100, 50], "1 day", 200, id="the-third-day"),
        pytest.param([0, 0, 0, 100, 50], "1 day", 200, id="a-pause-keeps-the-level"),
        pytest.param([0] * 30 + [5000], "1 day", 50, id="forgotten-after-a-month"),
        pytest.param([100, 50], "2 days", 100, id="doubles-every-other-day"),
        pytest.param([400], "1 day", None, id="warm"),
        pytest.param([900, 10], "1 day", None, id="warm-long-since"),
    ],
)
def test_a_sender_is_warmed_up_by_doubling(sent: list[int], days: str, expected: int | None) -> None:
    assert allowance(WarmUp(start=50, double_every=days, until=800), sent) == expected


def test_a_days_allowance_counts_what_may_have_been_taken(tmp_path: Path) -> None:
    clock = FixedClock(BEGIN)
    day = Day(bucket="post|today", most=10, sent=4, until=BEGIN + timedelta(days=1))
    warm = {"warm_up": {"start": 10}}
    receiver = Slow(clock, [0.0])
    run = dispatcher(clock, receiver, pacing(tmp_path / "p", clock, day=day, **warm))
    run.run(mail(n) for n in range(20))
    assert len(receiver.seen) == 6
    assert run.tally.gave_up == "warming up post: 10 messages today; the next may leave at 2026-03-03 00:00:00"


@pytest.mark.parametrize(
    ("keys", "said"),
    [
        ({"rate": "fast"}, "rate: 'fast' is not a rate"),
        ({"rate": "0/second"}, "is not a rate"),
        ({"rate": "5/month"}, "is not a rate"),
        ({"per_domain": "5/parsec"}, "unknown unit 'parsec'"),
        ({"connections": 0}, "connections: 0 is not a number from 1 to 64"),
        ({"domains": [{"names": [], "rate": "1/second"}]}, "are not domains"),
        ({"domains": [{"names": ["a.b", "A.B"], "rate": "1/second"}]}, "a.b named twice"),
        ({"warm_up": {"start": 0}}, "start: 0 is not a number"),
        ({"warm_up": {"double_every": "1 hour"}}, "not a number of whole days"),
        ({"stop": {"bounces": 0}}, "bounces: 0 is not a percentage"),
        ({"longest_wait": "1 month"}, "has no fixed length"),
        ({"attempts": 0}, "attempts: 0 is less than 1"),
    ],
)
def test_paces_that_cannot_be_kept_are_refused(keys: dict[str, object], said: str) -> None:
    from sfactl.api.errors import ConfigError

    with pytest.raises(ConfigError) as caught:
        build(SenderPace, keys, where="senders/post.toml")
    assert said in caught.value.message


def test_rates_are_read_as_written() -> None:
    assert [(r.most, r.seconds) for r in parse_rates("20/second, 1_000/hour,5/10 seconds")] == [
        (20, 1),
        (1000, 3600),
        (5, 10),
    ]
