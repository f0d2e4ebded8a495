"""What a strategy is, as written in ``strategies/NAME.toml``, and where each of its steps leads.

Steps only lead forward, so that every way ends; what could be read in two ways, or never be reached, is refused.
"""

from __future__ import annotations

import difflib
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Literal

from sfactl.campaigns.model import Caps, Ending, Misfire, Track, Window, check_max_age, check_name

State = Literal["draft", "active", "archived"]
Action = Literal["touch", "wait", "branch", "split", "task", "approval", "push", "stop"]
END = "end"
ENTRY = "entry"
NEVER = "never"

KEYS: Mapping[Action, tuple[str, ...]] = {
    "touch": ("template", "channel", "sender", "window", "next"),
    "wait": ("for", "until", "otherwise", "next"),
    "branch": ("where", "then", "otherwise"),
    "split": ("arms",),
    "task": ("task", "next"),
    "approval": ("task", "otherwise", "next"),
    "push": ("feed", "what", "within", "next"),
    "stop": (),
}
"""The keys that a step may have beside its name, by its action."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Entry:
    """Who may enter how often. ``again`` is ``never`` or how long after leaving; ``limit`` 0 lets in any number."""

    again: str = NEVER
    limit: int = 0

    def __post_init__(self) -> None:
        if self.limit < 0:
            raise ValueError(f"limit: {self.limit} is below 0; leave it out to let in any number")


@dataclass(frozen=True, slots=True, kw_only=True)
class Holdout:
    """The share of those who enter that gets nothing, to measure what the others' treatment brings."""

    percent: float = 0.0

    def __post_init__(self) -> None:
        if not 0 <= self.percent <= 50:
            raise ValueError(f"percent: {self.percent} is not from 0 to 50")


@dataclass(frozen=True, slots=True, kw_only=True)
class Goal:
    """What a customer is brought to; whoever meets it leaves, and whoever meets it already does not enter."""

    where: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Exit:
    """Who leaves: who meets ``where``, has been in for longer than ``after``, or since entering did one of ``on``."""

    where: str = ""
    after: str = ""
    on: tuple[Ending, ...] = ()

    def __post_init__(self) -> None:
        if not self.where and not self.after and not self.on:
            raise ValueError("say who leaves: where, after, on or several of them")


@dataclass(frozen=True, slots=True, kw_only=True)
class Touch:
    """What all messages of the strategy have in common; a step may name another sender or window."""

    sender: str = ""
    sent_as: str = field(default="", metadata={"key": "from"})
    reply_to: str = ""
    unsubscribe: str = ""
    topic: str = ""
    track: tuple[Track, ...] = ()
    message_class: Literal["marketing", "transactional"] = field(default="marketing", metadata={"key": "class"})
    window: Window | None = None
    caps: Caps | None = None

    def __post_init__(self) -> None:
        if self.message_class == "transactional" and self.caps:
            raise ValueError("caps: transactional messages are exempt from caps")
        if self.message_class == "transactional" and self.topic:
            raise ValueError("topic: nobody can leave transactional messages, so they are about no topic")


@dataclass(frozen=True, slots=True, kw_only=True)
class TaskSpec:
    """The work that a step makes. Without ``owner`` it is for the lead's rep, else for the owner of the strategy."""

    title: str
    kind: str = "call"
    type: str = ""
    content: str = ""
    owner: str = ""
    due: str = "1 day"


@dataclass(frozen=True, slots=True, kw_only=True)
class Arm:
    """One way of a split: ``share`` is its weight among the arms."""

    name: str
    share: int
    next: str

    def __post_init__(self) -> None:
        check_name("name", self.name)
        if self.share < 1:
            raise ValueError(f"share: {self.share} is below 1; leave out an arm that nobody takes")


@dataclass(frozen=True, slots=True, kw_only=True)
class Step:
    """One step. Which keys it may have follows from its action (`KEYS`)."""

    name: str
    action: Action
    template: str = ""
    channel: str = ""
    sender: str = ""
    window: Window | None = None
    lasts: str = field(default="", metadata={"key": "for"})
    until: str = ""
    where: str = ""
    then: str = ""
    otherwise: str = ""
    arms: tuple[Arm, ...] = ()
    task: TaskSpec | None = None
    feed: str = ""
    what: str = field(default="", metadata={"values": ("orders",)})
    within: str = ""
    next: str = ""

    def __post_init__(self) -> None:
        check_name("name", self.name)
        if self.name in (END, ENTRY):
            raise ValueError(f"step {self.name!r}: the name means {'leaving' if self.name == END else 'entering'}")
        allowed = KEYS[self.action]
        for key in self.given:
            if key not in allowed:
                known = ", ".join(allowed) or "nothing more"
                raise ValueError(f"step {self.name!r}: {key}: a {self.action} has no such key, only {known}")
        self._check_needs()

    @property
    def given(self) -> tuple[str, ...]:
        """The keys that are set, beside name and action, as they are written."""
        keys = {key: "lasts" if key == "for" else key for keys in KEYS.values() for key in keys}
        return tuple(key for key, name in sorted(keys.items()) if getattr(self, name))

    def ways(self, following: str) -> tuple[tuple[str, str], ...]:
        """Where it leads: reason and step; ``following`` is the next step in the file."""
        on = self.next or following
        if self.action == "stop":
            return ()
        if self.action == "branch":
            return (("then", self.then), ("otherwise", self.otherwise))
        if self.action == "split":
            return tuple((arm.name, arm.next) for arm in self.arms)
        if self.action == "approval":
            return (("approved", on), ("refused", self.otherwise or END))
        if self.action == "wait" and self.until and self.lasts:
            return (("until", on), ("time ran out", self.otherwise or on))
        return (("", on),)

    def _check_needs(self) -> None:
        missing = {
            "touch": not self.template and "a template",
            "wait": not (self.lasts or self.until) and "for, until or both",
            "branch": not (self.where and self.then and self.otherwise) and "where, then and otherwise",
            "split": len(self.arms) < 2 and "two arms or more",
            "task": self.task is None and "a task with a title",
            "approval": self.task is None and "a task with a title",
            "push": not (self.feed and self.what) and 'feed and what = "orders"',
        }.get(self.action, False)
        if missing:
            raise ValueError(f"step {self.name!r}: a {self.action} needs {missing}")
        if self.action == "wait" and self.otherwise and not (self.until and self.lasts):
            raise ValueError(f"step {self.name!r}: otherwise is for a wait whose time can run out: for and until")
        if self.action == "approval" and self.task and self.task.kind not in ("call", "approval"):
            raise ValueError(f"step {self.name!r}: task.kind: the task of an approval is of kind approval")
        if self.action == "push":
            if self.what != "orders":
                raise ValueError(f"step {self.name!r}: what: {self.what!r} is not orders")
            check_name("feed", self.feed)
        names = [arm.name for arm in self.arms]
        if len(set(names)) < len(names):
            raise ValueError(f"step {self.name!r}: arms: a name is there twice")


@dataclass(frozen=True, slots=True, kw_only=True)
class Strategy:
    """A strategy file. The header (state, owner, priority …) counts at once; the rest is a version."""

    name: str
    summary: str
    steps: tuple[Step, ...]
    state: State = "active"
    owner: str = ""
    priority: int = 50
    exclusive: str = ""
    schedule: str = ""
    segment: str = ""
    where: str = ""
    blacklist: str = ""
    approve_above: int = 5000
    max_effects: int | None = None
    expires_at: datetime | None = None
    max_age: str = "7 days"
    misfire: Misfire = "ask"
    min_samples: int = 0
    fallback: str = ""
    minutes_saved: float = 0.0
    entry: Entry = field(default_factory=Entry)
    holdout: Holdout = field(default_factory=Holdout)
    goal: Goal | None = None
    exit: Exit | None = None
    touch: Touch = field(default_factory=Touch)

    def __post_init__(self) -> None:
        check_name("name", self.name)
        check_max_age(self.max_age)
        if bool(self.segment) == bool(self.where):
            raise ValueError("say who it is for: either segment or where, not both")
        if not 0 <= self.priority <= 100:
            raise ValueError(f"priority: {self.priority} is not from 0 to 100")
        if self.approve_above < 0 or self.min_samples < 0 or self.minutes_saved < 0:
            raise ValueError("approve_above, min_samples and minutes_saved must be 0 or more")
        if self.max_effects is not None and self.max_effects < 1:
            raise ValueError("max_effects: must be 1 or more; to stop the strategy: sfactl strategy pause")
        if self.fallback and not self.min_samples:
            raise ValueError("fallback: it takes the place of where below min_samples, so say min_samples too")
        self._check_steps()
        for step in self.steps:
            self._check_owner(step)

    @property
    def ways(self) -> Mapping[str, tuple[tuple[str, str], ...]]:
        """Where each step leads: reason and step by the step's name."""
        following = [*(s.name for s in self.steps[1:]), END]
        return {s.name: s.ways(after) for s, after in zip(self.steps, following, strict=True)}

    @property
    def first(self) -> str:
        """The step at which everybody begins."""
        return self.steps[0].name

    def step(self, name: str) -> Step:
        """The step called ``name``."""
        return next(s for s in self.steps if s.name == name)

    def number(self, name: str) -> int:
        """The place of a step, from 1; the end comes after all."""
        return len(self.steps) + 1 if name == END else 1 + [s.name for s in self.steps].index(name)

    def of(self, action: Action) -> tuple[Step, ...]:
        """Its steps of one action."""
        return tuple(s for s in self.steps if s.action == action)

    def sender_of(self, step: Step) -> str:
        """The sender that a touch goes through."""
        return step.sender or self.touch.sender

    def _check_steps(self) -> None:
        if not self.steps:
            raise ValueError("steps: a strategy needs at least one")
        names = [s.name for s in self.steps]
        doubled = next((n for n in names if names.count(n) > 1), None)
        if doubled:
            raise ValueError(f"steps: {doubled!r} is there twice")
        reached = {names[0]}
        for place, step in enumerate(self.steps):
            if step.name not in reached:
                raise ValueError(f"step {step.name!r}: no other step leads here")
            for reason, target in self.ways[step.name]:
                _check_jump(step, reason, target, names, place)
                reached.add(target)

    def _check_owner(self, step: Step) -> None:
        if step.action == "touch" and not self.sender_of(step):
            raise ValueError(f"step {step.name!r}: no sender: name a file of senders/ here or in [touch]")
        if step.task and not step.task.owner and not self.owner:
            raise ValueError(
                f"step {step.name!r}: task.owner: a lead without a rep would leave it to nobody; name one here or as"
                " the owner of the strategy"
            )


def _check_jump(step: Step, reason: str, target: str, names: list[str], place: int) -> None:
    key = {"approved": "next", "refused": "otherwise", "until": "next", "time ran out": "otherwise", "": "next"}
    said = key.get(reason, reason if step.action == "branch" else f"arms.{reason}.next")
    if target != END and target not in names:
        raise ValueError(f"step {step.name!r}: {said}: there is no step {target!r}.{near(target, [*names, END])}")
    if target != END and names.index(target) <= place:
        raise ValueError(f"step {step.name!r}: {said}: {target!r} does not come later; steps lead forward only")


def near(name: str, known: Iterable[str]) -> str:
    """`` Did you mean …?`` for the nearest known name, or what there is."""
    known = sorted(known)
    found = difflib.get_close_matches(name, known, 1)
    return f" Did you mean {found[0]!r}?" if found else f" There are: {', '.join(known) or 'none'}"


def conditions_of(strategy: Strategy) -> Iterator[tuple[str, str]]:
    """Every condition that is written in it: key and text."""
    if strategy.where:
        yield "where", strategy.where
    if strategy.fallback:
        yield "fallback", strategy.fallback
    yield from flow_conditions(strategy)


def flow_conditions(strategy: Strategy) -> Iterator[tuple[str, str]]:
    """The conditions that are asked about those inside: key and text."""
    if strategy.goal:
        yield "goal.where", strategy.goal.where
    if strategy.exit and strategy.exit.where:
        yield "exit.where", strategy.exit.where
    for step in strategy.steps:
        if step.until:
            yield f"steps.{step.name}.until", step.until
        if step.where:
            yield f"steps.{step.name}.where", step.where


def periods_of(strategy: Strategy) -> Iterator[tuple[str, str]]:
    """Every period that is written in it: key and text."""
    if strategy.entry.again != NEVER:
        yield "entry.again", strategy.entry.again
    if strategy.exit and strategy.exit.after:
        yield "exit.after", strategy.exit.after
    if strategy.touch.caps:
        yield "touch.caps.within", strategy.touch.caps.within
    for step in strategy.steps:
        if step.lasts:
            yield f"steps.{step.name}.for", step.lasts
        if step.within:
            yield f"steps.{step.name}.within", step.within
        if step.task:
            yield f"steps.{step.name}.task.due", step.task.due
