"""One torture from beginning to end: plan, kill, settle what is held as a person would, finish, and judge."""

from __future__ import annotations

import random
import time
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path

from sfactl.campaigns.dispatch import BATCH
from sfactl.testkit import Commands
from tests.torture import verdict, world
from tests.torture.fleet import Fleet, Starter, Told
from tests.torture.receiver import Kind, Receiver

IMPORTS = ("tests.torture.forked", "sfactl_sender_http.sender", "sfactl_sender_smtp.sender")
"""What the process that forks runners has to have loaded."""

PLAN = ("campaign", "plan")
FINISHES = 5
MOVED = 5
"""The exit code of an apply whose plan the data have left behind."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Size:
    """How much torture. ``fresh`` is the share of runners started from nothing, ``slow_s`` the receiver's mean wait.

    After ``minutes`` nobody is killed any more.
    """

    kills: int
    recipients: int
    runners: int
    campaigns: int
    connections: int
    kind: Kind
    fresh: float
    slow_s: float
    minutes: float = float("inf")


@dataclass(frozen=True, slots=True, kw_only=True)
class Counts:
    """What happened, and what is wrong (empty: nothing)."""

    size: Size
    told: Told
    delivered: int
    doubled: int
    lost: int
    held: int
    most_held: int
    held_delivered: int
    answered_again: int
    seconds: float
    found: tuple[str, ...]

    @property
    def too_few(self) -> str:
        """What to say where all was sent before enough runners had died."""
        killed = self.told.at_work.total()
        return (
            ""
            if killed >= self.size.kills
            else f"only {killed} runners died at work: it takes more recipients or minutes"
        )

    def rows(self) -> Iterator[tuple[str, str]]:
        """One line a count."""
        killed = self.told.at_work
        yield "receiver", self.size.kind
        yield "recipients", f"{self.size.recipients:,}"
        yield "runners at a time", f"{self.size.runners}"
        yield "connections of each", f"{self.size.connections}"
        yield "runners started", f"{self.told.lives:,}"
        yield "killed while they had the right to send", f"{killed.total():,}"
        yield from ((f"  {by}", f"{n:,}") for by, n in sorted(killed.items()))
        yield "killed while they waited or planned", f"{(self.told.deaths - killed).total():,}"
        yield from ((f"ended by itself: {how}", f"{n:,}") for how, n in self.told.ends.most_common())
        yield "delivered", f"{self.delivered:,}"
        yield "delivered twice", f"{self.doubled:,}"
        yield "lost", f"{self.lost:,}"
        yield "held as unknown, all listed", f"{self.held:,} (at most {self.most_held:,} in flight)"
        yield "  of these the receiver had", f"{self.held_delivered:,}"
        yield "repeats that the receiver knew by their key", f"{self.answered_again:,}"
        yield "minutes", f"{self.seconds / 60:.1f}"
        yield "wrong", f"{len(self.found):,}"


def torture(
    folder: Path, size: Size, chance: random.Random, commands: Commands, *, say: Callable[[str], None]
) -> Counts:
    """Torture a new workspace in ``folder``, with runners that ``commands`` starts."""
    begun = time.monotonic()
    place = folder / "acme"
    receiver = Receiver(kind=size.kind, journal=folder / "journal", slow_s=size.slow_s)
    with receiver:
        everybody = world.make(
            place,
            recipients=size.recipients,
            campaigns=size.campaigns,
            kind=size.kind,
            port=receiver.port,
            connections=size.connections,
        )
        starter = Starter(commands=commands, folder=place, chance=chance, fresh_share=size.fresh)
        campaigns = world.names(size.campaigns)
        fleet = Fleet(
            starter=starter,
            notes=folder,
            size=size.runners,
            kills=size.kills,
            end=time.monotonic() + 60 * size.minutes,
            count=lambda: receiver.count,
            due=size.recipients,
            campaigns=campaigns,
            plans={name: _planned(starter, name) for name in campaigns},
        )
        fleet.work(say)
        say(f"{fleet.killed} killed at work; now the rest is finished")
        _finish(fleet, campaigns)
        # What a dead runner sent may still be on its way to the receiver's mind.
        receiver.drain()
        told = verdict.listed(starter)
        held = [t for t in told if t.state == "unknown"]
        most = BATCH * size.connections * fleet.killed
        # Of a receiver that knows a key again sfactl may ask by itself, so that nobody is left for a person to settle.
        found = verdict.between(told, receiver.taken, 0 if size.kind == "idempotent" else most)
        receiver.start()
        say(f"{len(held)} messages are held; now each is settled by what the receiver has")
        there, retried = verdict.settle(starter, held, receiver.taken, folder / "held.csv") if held else (0, 0)
        if retried:
            _finish(fleet, campaigns)
        receiver.drain()
        found += verdict.at_the_end(starter, receiver.taken, everybody)
        found += fleet.told.failures
    delivered = receiver.taken
    return Counts(
        size=size,
        told=fleet.told,
        delivered=delivered.total(),
        doubled=sum(n > 1 for n in delivered.values()),
        lost=len(everybody - set(delivered)),
        held=len(held),
        most_held=most,
        held_delivered=there,
        answered_again=receiver.answered_again,
        seconds=time.monotonic() - begun,
        found=tuple(found),
    )


def _planned(starter: Starter, name: str) -> str:
    return str(verdict.ask(starter, *PLAN, name)["plan_id"])


def _finish(fleet: Fleet, names: Iterable[str]) -> None:
    """Let each campaign send what it may, undisturbed, until a new plan finds nobody to write to."""
    for name in names:
        for _ in range(FINISHES):
            applied = fleet.starter.run("campaign", "apply", fleet.plans[name], "--format", "json")
            if applied.code not in (0, 3, MOVED):
                raise verdict.TortureFailed(f"campaign {name}: exit {applied.code}: {applied.err}")
            planned = verdict.ask(fleet.starter, *PLAN, name)
            if not planned["sends"]:
                break
            fleet.plans[name] = planned["plan_id"]
        else:
            raise verdict.TortureFailed(f"campaign {name} does not come to an end")
