"""Keeps several runners at work on the same workspace, and kills them; starts another for each that has ended."""

from __future__ import annotations

import json
import os
import random
import signal
import subprocess
import sys
import time
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Protocol

from sfactl.testkit import Answered, Commands
from tests.torture.deaths import Death, draw, holders

POLL_S = 0.01
RIVALS = 0.15
"""Share of runners that are started on a campaign that another is at work on."""


class Process(Protocol):
    """A runner's process."""

    @property
    def pid(self) -> int:
        """Its number."""
        ...

    @property
    def at_work(self) -> bool:
        """True until it has ended."""
        ...

    def kill(self) -> Answered:
        """End it at once."""
        ...

    def wait(self) -> Answered:
        """Wait for its end."""
        ...


@dataclass(slots=True)
class Fresh:
    """A runner started as a user starts it, from nothing."""

    process: subprocess.Popen[str]

    @property
    def pid(self) -> int:
        """Its number."""
        return self.process.pid

    @property
    def at_work(self) -> bool:
        """True until it has ended."""
        return self.process.poll() is None

    def kill(self) -> Answered:
        """End it at once."""
        self.process.kill()
        return self.wait()

    def wait(self) -> Answered:
        """Wait for its end."""
        out, err = self.process.communicate()
        return Answered(code=self.process.returncode, out=out, err=err)


@dataclass(slots=True, kw_only=True)
class Starter:
    """Starts ``sfactl`` commands on one workspace, some as forks of a process that has all imported, some afresh."""

    commands: Commands
    folder: Path
    chance: random.Random
    fresh_share: float

    def start(self, *words: str, death: Death | None = None, note: Path | None = None) -> Process:
        """Start ``sfactl WORDS``, doomed to ``death``."""
        told = death.environment(note) if death is not None and note is not None else {}
        line = ("-q", "-w", str(self.folder), *words)
        if self.chance.random() < self.fresh_share:
            command = [sys.executable, "-m", "tests.torture.deaths", *line]
            pipes = {"stdin": subprocess.DEVNULL, "stdout": subprocess.PIPE, "stderr": subprocess.PIPE}
            return Fresh(subprocess.Popen(command, text=True, env={**os.environ, **told}, **pipes))  # type: ignore[call-overload]
        return self.commands.start(*line, environment=told)

    def run(self, *words: str) -> Answered:
        """Run a command to its end, unharmed."""
        return self.start(*words).wait()


@dataclass(slots=True, kw_only=True)
class Life:
    """One runner: what it was started for, how it is to die, and at which count of the receiver at the latest."""

    process: Process
    campaign: str
    words: tuple[str, ...]
    death: Death
    until: int
    born: float
    note: Path

    def is_due(self, count: int) -> bool:
        """Whether it is to be killed from outside now."""
        if self.death.by in ("moment", "interrupt") and time.monotonic() - self.born >= self.death.after_s:
            return True
        return count >= self.until


@dataclass(slots=True, kw_only=True)
class Told:
    """What the fleet went through: deaths by kind, those at work among them, and how the others ended."""

    deaths: Counter[str] = field(default_factory=Counter)
    at_work: Counter[str] = field(default_factory=Counter)
    ends: Counter[str] = field(default_factory=Counter)
    failures: list[str] = field(default_factory=list)
    lives: int = 0


@dataclass(slots=True, kw_only=True)
class Fleet:
    """``size`` runners at a time. ``kills`` counts those only that died while they had the right to send."""

    starter: Starter
    notes: Path
    size: int
    kills: int
    end: float
    count: Callable[[], int]
    due: int
    campaigns: tuple[str, ...]
    plans: dict[str, str]
    told: Told = field(default_factory=Told)
    done: set[str] = field(default_factory=set)
    _lives: list[Life] = field(default_factory=list)

    @property
    def killed(self) -> int:
        """How many died at work."""
        return self.told.at_work.total()

    def work(self, say: Callable[[str], None]) -> None:
        """Let the runners work and die until every campaign is done, enough have died, or time is up."""
        next_word = 0
        while self.killed < self.kills and len(self.done) < len(self.campaigns) and time.monotonic() < self.end:
            count = self.count()
            self._lives = [life for life in self._lives if self._goes_on(life, count)]
            while len(self._lives) < self.size and len(self.done) < len(self.campaigns):
                self._lives.append(self._born(count))
            if self.killed >= next_word:
                say(f"{self.killed} of {self.kills} killed at work, {count} of {self.due} delivered")
                next_word += max(self.kills // 20, 1)
            time.sleep(POLL_S)
        for life in self._lives:
            self._kill(life)
        self._lives = []

    def _born(self, count: int) -> Life:
        chance = self.starter.chance
        free = [c for c in self.campaigns if c not in self.done and c not in {life.campaign for life in self._lives}]
        held = [life.campaign for life in self._lives if life.campaign not in self.done]
        # Most runners meet in the workspace; some meet on one campaign too, where all but one must give way.
        campaign = chance.choice(held) if held and (not free or chance.random() < RIVALS) else free[0]
        plan = self.plans[campaign]
        jobs = {("apply", plan): 10, ("resume", plan): 5, ("plan", campaign): 1, ("pause", campaign): 1}
        job = chance.choices(list(jobs), list(jobs.values()))[0]
        death = draw(chance)
        # Of what is left to send each kill gets its share, and who is to die at a point has time to come there.
        budget = (2 if death.at_a_point else 1) * max(self.due - count, 0) / max(self.kills - self.killed, 1)
        self.told.lives += 1
        note = self.notes / f"{self.told.lives}.json"
        words = ("campaign", *job, "--format", "json")
        return Life(
            process=self.starter.start(*words, death=death, note=note),
            campaign=campaign,
            words=words,
            death=death,
            until=count + chance.randint(1, max(int(budget), 1)),
            born=time.monotonic(),
            note=note,
        )

    def _goes_on(self, life: Life, count: int) -> bool:
        if not life.process.at_work:
            self._ended(life, life.process.wait())
            return False
        # A runner that waits for its turn is not worth a kill at the receiver's count.
        if life.is_due(count) and (life.death.by in ("moment", "interrupt") or self._holds(holders(life.process.pid))):
            self._kill(life)
            return False
        return True

    def _kill(self, life: Life) -> None:
        if life.death.by == "interrupt" and life.process.at_work:
            os.kill(life.process.pid, signal.SIGINT)
            self._ended(life, life.process.wait())
            return
        held = holders(life.process.pid) if life.process.at_work else []
        answered = life.process.kill()
        if answered.code == -signal.SIGKILL and not life.note.exists():
            by = "moment" if life.death.by == "moment" else "count"
            self._died(life, by, at_work=self._holds(held))
        else:
            self._ended(life, answered)

    def _ended(self, life: Life, answered: Answered) -> None:
        if answered.code == -signal.SIGKILL:
            held = json.loads(life.note.read_text(encoding="ascii") or '{"locks": []}')["locks"]
            life.note.unlink()
            by = f"{'after' if life.death.after else 'before'} {life.death.by}"
            self._died(life, by, at_work=self._holds(held))
            return
        verb = life.words[1]
        result = json.loads(answered.out)["result"] if answered.code in (0, 3) else {}
        if verb == "plan" and answered.code == 0 and result["sends"]:
            self.plans[life.campaign] = result["plan_id"]
        if verb in ("apply", "resume") and result and result["state"] == "applied":
            self.done.add(life.campaign)
        if verb == "pause":
            self._unpause(life.campaign)
        reason = _reason(answered)
        self.told.ends[reason] += 1
        if life.death.by != "interrupt" and not _known(answered):
            self.told.failures.append(f"{' '.join(life.words)}: exit {answered.code}: {answered.err.strip()[-2000:]}")

    def _died(self, life: Life, by: str, *, at_work: bool) -> None:
        self.told.deaths[by] += 1
        if at_work:
            self.told.at_work[by] += 1
        if life.words[1] == "pause":
            self._unpause(life.campaign)

    def _unpause(self, campaign: str) -> None:
        self.starter.run("campaign", "unpause", campaign)

    def _holds(self, inodes: list[int]) -> bool:
        """Whether one of the locked files gives the right to send."""
        locks = (self.starter.folder / ".sfactl" / "locks").glob("effects-*.lock")
        return bool(inodes) and any(path.stat().st_ino in inodes for path in locks)


EXPECTED = (
    "another run is at work",
    "is paused by",
    "was never begun",
    "was replaced by a newer one",
    "the data moved since this plan",
    "is being changed by another process",
    "Interrupted",
)
"""What a runner may say that others stand in the way of; each is an error for the user to read."""


def _known(answered: Answered) -> bool:
    return answered.code in (0, 3) or any(text in answered.err + answered.out for text in EXPECTED)


def _reason(answered: Answered) -> str:
    said = answered.err + answered.out
    return next((text for text in EXPECTED if text in said and answered.code not in (0, 3)), f"exit {answered.code}")
