"""How fast the messages of a sender leave: rates in every stretch of time, a day's allowance, the receiver's word.

A place is taken before a message leaves and freed one window after its answer came, so that no stretch of the window's
length ever sees more messages at the receiver than the rate allows, however long each was on its way.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import datetime, timedelta

from sfactl.api.records import Message, Receipt
from sfactl.campaigns.lineup import Take, Wait, domain_of
from sfactl.config.senders import Rate, SenderPace, WarmUp, parse_rates
from sfactl.engine.periods import parse_period
from sfactl.workspace.throttle import Hold, Place, Throttle

MEMORY_DAYS = 30
"""Mailbox providers judge a sender by about so many days; what it sent before counts for nothing."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Limit:
    """A rate for all that share ``bucket``. ``whole``: it binds all of the sender."""

    bucket: str
    rate: Rate
    why: str
    whole: bool

    @property
    def window(self) -> timedelta:
        """The stretch of time that the rate speaks of."""
        return timedelta(seconds=self.rate.seconds)


@dataclass(frozen=True, slots=True, kw_only=True)
class Day:
    """What a sender that is warmed up may send on one day, which ends at ``until``; ``sent`` it has sent already."""

    bucket: str
    most: int
    sent: int
    until: datetime


def allowance(warm_up: WarmUp, sent: Sequence[int]) -> int | None:
    """Messages allowed today, where ``sent[0]`` were sent yesterday, ``sent[1]`` the day before, and so on.

    At least ``start``, never more than double the best day that is long enough ago; None once the sender is warm.
    """
    remembered = sent[:MEMORY_DAYS]
    best = max(remembered, default=0)
    doubled = 2 * max(remembered[warm_up.days - 1 :], default=0)
    allowed = max(warm_up.start, best, doubled)
    return None if allowed >= warm_up.until else allowed


class Pacing:
    """Implements `sfactl.campaigns.lineup.Pace` for the sender ``name`` in one run of ``scope``.

    ``day`` answers the day's allowance, None where there is none; ``local`` writes a time as people there read it.
    """

    def __init__(
        self,
        name: str,
        pace: SenderPace,
        throttle: Throttle,
        *,
        scope: str,
        now: Callable[[], datetime],
        day: Callable[[], Day | None],
        local: Callable[[datetime], str],
    ) -> None:
        self.patience_s = float(parse_period(pace.longest_wait).seconds)
        self._name = name
        self._pace = pace
        self._throttle = throttle
        self._scope = scope
        self._now = now
        self._day = day
        self._local = local
        self._rates = [(rate, f"over {rate.text} through {name}") for rate in parse_rates(pace.rate)]
        self._each = parse_rates(pace.per_domain)
        self._groups = {name.lower(): (n, parse_rates(d.rate)) for n, d in enumerate(pace.domains) for name in d.names}
        self._in_use: dict[str, list[Place]] = {}
        self._counted: dict[str, Day] = {}
        self._holds = throttle.holds(now())
        if pace.limited:
            with throttle.writing():
                throttle.bury(scope, now())

    @contextmanager
    def dealing(self) -> Iterator[Take]:
        """Take places under one lock, so that runs side by side share the rates."""
        if not self._pace.limited:
            yield self._held
            return
        with self._throttle.writing():
            day = self._begun_day()
            yield lambda message: self._held(message) or self._take(message, day)

    def release(self, messages: Sequence[Message]) -> None:
        """These were not sent after all."""
        if not self._pace.limited or not messages:
            return
        with self._throttle.writing():
            for message in messages:
                for place in self._in_use.pop(message.key, ()):
                    self._throttle.give(self._scope, place)
                self._uncount(message.key)

    def spend(self, messages: Sequence[Message], receipts: Sequence[Receipt]) -> None:
        """These were sent or tried, just now at the latest. A day's allowance is for what may have been taken."""
        if not self._pace.limited or not messages:
            return
        taken = {r.key for r in receipts if r.outcome in ("accepted", "unknown")}
        now = self._now()
        with self._throttle.writing():
            for message in messages:
                for place in self._in_use.pop(message.key, ()):
                    self._throttle.settle(self._scope, place, now)
                if message.key in taken:
                    self._counted.pop(message.key, None)
                else:
                    self._uncount(message.key)

    def hold(self, message: Message, reach: str, until: datetime, why: str) -> None:
        """Heed what the receiver asks for, in this run and in those to come."""
        bucket = self._name if reach == "sender" else self._lane(domain_of(message.recipient))
        known = self._holds.get(bucket)
        if until > self._now() and (known is None or until > known.until):
            self._holds[bucket] = Hold(until=until, why=why)
            with self._throttle.writing():
                self._throttle.hold(bucket, until, why)

    def _held(self, message: Message) -> Wait | None:
        """What the receiver asked for, where that time is not over."""
        if not self._holds:
            return None
        lane = self._lane(domain_of(message.recipient))
        for bucket, who in ((self._name, self._name), (lane, domain_of(message.recipient))):
            hold = self._holds.get(bucket)
            if hold is not None and hold.until > self._now():
                said = f"{who} asked to wait{f' ({hold.why})' if hold.why else ''}"
                return self._wait(hold.until, said, whole=bucket == self._name)
        return None

    def _take(self, message: Message, day: Day | None) -> Wait | None:
        now = self._now()
        if day is not None and self._throttle.spent(day.bucket) >= day.most:
            return self._wait(day.until, f"warming up {self._name}: {day.most:,} messages today", whole=True)
        limits = list(self._limits(domain_of(message.recipient)))
        for limit in limits:
            if until := self._throttle.free_at(limit.bucket, limit.rate.most, now):
                return self._wait(until, limit.why, whole=limit.whole)
        self._in_use[message.key] = [self._throttle.take(self._scope, x.bucket, x.window, now) for x in limits]
        if day is not None:
            self._throttle.spend(day.bucket, day.until, 1)
            self._counted[message.key] = day
        return None

    def _wait(self, until: datetime, why: str, *, whole: bool) -> Wait:
        return Wait(until=until, why=why, whole=whole, again=self._local(until))

    def _limits(self, domain: str) -> Iterator[Limit]:
        for rate, why in self._rates:
            yield Limit(bucket=f"{self._name}|{rate.text}", rate=rate, why=why, whole=True)
        if not domain:
            return
        _, rates = self._groups.get(domain, (0, self._each))
        for rate in rates:
            why = f"over {rate.text} to {domain}"
            yield Limit(bucket=f"{self._lane(domain)}|{rate.text}", rate=rate, why=why, whole=False)

    def _lane(self, domain: str) -> str:
        """What a domain shares its rates with: the others that are named beside it."""
        group = self._groups.get(domain)
        return f"{self._name}|@{domain}" if group is None else f"{self._name}|@{self._pace.domains[group[0]].names[0]}"

    def _begun_day(self) -> Day | None:
        day = self._day()
        if day is not None and (missing := day.sent - self._throttle.spent(day.bucket)) > 0:
            self._throttle.spend(day.bucket, day.until, missing)
        return day

    def _uncount(self, key: str) -> None:
        if (day := self._counted.pop(key, None)) is not None:
            self._throttle.spend(day.bucket, day.until, -1)
