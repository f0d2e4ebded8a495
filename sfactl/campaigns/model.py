"""What a campaign, a step and a template are, as written in TOML; and what one line of a plan is.

It refuses what could be read in two ways: a cap of 0, a step without a template, a wait for a step that comes later.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Literal

from sfactl.campaigns.occasions import Occasion
from sfactl.config.touch import DAYS, Cap, Day, minutes_of
from sfactl.engine.periods import parse_period

Track = Literal["clicks", "opens"]
Action = Literal["send", "task", "wait", "skip", "hold"]
Ending = Literal["reply", "meeting", "call", "form_submit"]
"""Touchpoints of a person after which a sequence has nothing more to say."""

CHANNELS = {
    "email": "email",
    "sms": "phone",
    "phone": "phone",
    "whatsapp": "phone",
    "line": "id",
    "dingtalk": "id, phone",
}
"""The field of a lead that holds the address for a channel; ``id`` is its id in the namespace of the channel's name.

For any other channel it is that id, else the e-mail, else the phone: its service may find a person by those.
"""

_NAME = re.compile(r"[^\W_][\w-]*")


Misfire = Literal["ask", "skip", "run"]
"""What becomes of a plan that is applied later than its ``max_age``: a person is asked, it is never sent, it is."""


def check_max_age(text: str) -> None:
    """Refuse an age that is no length of time."""
    period = parse_period(text)
    if period.months or not period.seconds:
        raise ValueError(
            f'max_age: {text!r} is not a length of time such as 2 days; to send however late: misfire = "run"'
        )


def lateness(planned_at: datetime, at: datetime, max_age: str, misfire: Misfire) -> str:
    """Why a plan may no longer be applied at ``at``; empty where it may."""
    if misfire == "run" or at - planned_at <= timedelta(seconds=parse_period(max_age).seconds):
        return ""
    hours = (at - planned_at).total_seconds() / 3600
    age = f"{hours / 24:.0f} days" if hours >= 48 else f"{hours:.0f} hours"
    said = f"the plan is {age} old, older than max_age = {max_age}"
    return (
        f"{said}; make a new one, or apply it all the same with --late"
        if misfire == "ask"
        else f"{said} (misfire = skip)"
    )


def check_name(what: str, name: str) -> None:
    """Refuse a name that could not be a part of a message key or a file name."""
    if not _NAME.fullmatch(name):
        raise ValueError(f"{what} {name!r}: use letters, digits, - and _")


@dataclass(frozen=True, slots=True, kw_only=True)
class After:
    """Wait for an earlier step: from the moment it was accepted (a message) or done (a task)."""

    step: str
    wait: str = "0 days"


@dataclass(frozen=True, slots=True, kw_only=True)
class Window:
    """When messages may leave. ``tz`` is ``contact``, ``workspace`` or an IANA zone; ``hours`` is ``09:00-18:00``."""

    days: tuple[Day, ...] = DAYS
    hours: str = "00:00-24:00"
    tz: str = "contact"

    def __post_init__(self) -> None:
        if not self.days:
            raise ValueError("days: name at least one day")
        start, end = self.minutes
        if start >= end:
            raise ValueError(f"hours: {self.hours!r} must begin before it ends, on one day")

    @property
    def minutes(self) -> tuple[int, int]:
        """Begin and end in minutes of the local day."""
        return minutes_of(self.hours)


@dataclass(frozen=True, slots=True, kw_only=True)
class Task:
    """The work a step makes for a rep. Without ``owner`` the lead's own rep gets it; ``due`` counts from the plan."""

    kind: str = "call"
    title: str
    owner: str = ""
    due: str = "1 day"


@dataclass(frozen=True, slots=True, kw_only=True)
class Caps:
    """At most this many marketing messages to one person within the time, over all campaigns and channels.

    What is ``over`` waits until there is room, or is skipped.
    """

    messages: int
    within: str
    over: Literal["wait", "skip"] = "wait"

    def __post_init__(self) -> None:
        if self.messages < 1:
            raise ValueError(
                f"messages: {self.messages} could mean no cap or no message. For no cap leave [caps] out; "
                "to stop the campaign: sfactl campaign pause"
            )

    def as_cap(self) -> Cap:
        """As one of the caps of the gate."""
        return Cap(messages=self.messages, within=self.within, over=self.over)


@dataclass(frozen=True, slots=True, kw_only=True)
class Step:
    """One thing a campaign does for each member: send a message or make a task."""

    name: str
    action: Literal["send", "task"] = "send"
    template: str = ""
    channel: str = ""
    after: After | None = None
    where: str = ""
    window: Window | None = None
    task: Task | None = None

    def __post_init__(self) -> None:
        check_name("name", self.name)
        if self.action == "send" and not self.template:
            raise ValueError(f"step {self.name!r} sends, so it needs a template")
        if self.action == "send" and self.task:
            raise ValueError(f'step {self.name!r} sends; a [steps.task] needs action = "task"')
        if self.action == "task" and not self.task:
            raise ValueError(f"step {self.name!r} makes a task, so it needs a [steps.task] with a title")
        if self.action == "task" and self.template:
            raise ValueError(f'step {self.name!r} makes a task; a template needs action = "send"')


@dataclass(frozen=True, slots=True, kw_only=True)
class Campaign:
    """A campaign file. ``holdout`` is a percentage; ``approve_above`` and ``max_recipients`` count its messages.

    ``topic`` is what it is about, so that people can leave that alone. ``confirm`` makes it the mail by which those who
    subscribed confirm it: it goes to them and nobody else. ``track`` says which deeds of readers are counted: by
    default none. ``exit_on`` are touchpoints that end it for a person whom it has written to; None: as its class does.
    With ``occasion`` each member goes through it again whenever it is time.
    """

    name: str
    summary: str
    steps: tuple[Step, ...]
    segment: str = ""
    where: str = ""
    sender: str = ""
    sent_as: str = field(default="", metadata={"key": "from"})
    reply_to: str = ""
    unsubscribe: str = ""
    topic: str = ""
    track: tuple[Track, ...] = ()
    message_class: Literal["marketing", "transactional"] = field(default="marketing", metadata={"key": "class"})
    window: Window | None = None
    holdout: float = 0.0
    caps: Caps | None = None
    confirm: bool = False
    occasion: Occasion | None = None
    exit_on: tuple[Ending, ...] | None = None
    blacklist: str = ""
    approve_above: int = 5000
    max_recipients: int | None = None
    rotation: int = 1
    expires_at: datetime | None = None
    max_age: str = "7 days"
    misfire: Misfire = "ask"

    def __post_init__(self) -> None:
        check_name("name", self.name)
        check_max_age(self.max_age)
        self._check_audience()
        if not 0 <= self.holdout <= 50:
            raise ValueError(f"holdout: {self.holdout} is not a percentage from 0 to 50")
        if self.rotation < 1 or self.approve_above < 0:
            raise ValueError("rotation must be 1 or more, approve_above 0 or more")
        if self.max_recipients is not None and self.max_recipients < 1:
            raise ValueError("max_recipients: must be 1 or more; to stop the campaign: sfactl campaign pause")
        if any(s.action == "send" for s in self.steps) and not self.sender:
            raise ValueError("sender: name the file in senders/ that its messages go through")
        if self.message_class == "transactional" and self.caps:
            raise ValueError("caps: transactional messages are exempt from caps")
        self._check_steps()

    def _check_audience(self) -> None:
        if self.confirm and self.occasion:
            raise ValueError("occasion: a confirmation is asked for whenever somebody subscribes, and then only")
        if self.occasion and self.rotation > 1:
            raise ValueError("rotation: with an occasion each person's rounds count themselves")
        if self.confirm:
            if self.segment or self.where or any(step.where for step in self.steps):
                raise ValueError("confirm: it goes to those who have subscribed and not confirmed; no segment or where")
            if self.marketing or self.holdout:
                raise ValueError('confirm: who asked for it must get it: class = "transactional" and no holdout')
        elif bool(self.segment) == bool(self.where):
            raise ValueError("say who it is for: either segment or where, not both")
        if self.topic and not self.marketing and not self.confirm:
            raise ValueError("topic: nobody can leave transactional messages, so they are about no topic")

    def _check_steps(self) -> None:
        if not self.steps:
            raise ValueError("steps: a campaign needs at least one")
        seen: set[str] = set()
        for step in self.steps:
            if step.name in seen:
                raise ValueError(f"steps: {step.name!r} is there twice")
            if step.after and step.after.step not in seen:
                raise ValueError(f"steps: {step.name!r} comes after {step.after.step!r}, which is no earlier step")
            seen.add(step.name)

    @property
    def marketing(self) -> bool:
        """Whether consent to marketing and caps bind it."""
        return self.message_class == "marketing"

    @property
    def in_rounds(self) -> bool:
        """Whether each person's round is their own, so that its number stands with each item of a plan."""
        return self.confirm or self.occasion is not None

    @property
    def endings(self) -> tuple[Ending, ...]:
        """What ends it for a person: where the file says nothing, their reply to marketing."""
        if self.exit_on is not None:
            return self.exit_on
        return ("reply",) if self.marketing else ()

    def step(self, name: str) -> Step:
        """The step called ``name``."""
        return next(s for s in self.steps if s.name == name)


@dataclass(frozen=True, slots=True, kw_only=True)
class Wording:
    """The texts of a template in one language; without ``attach`` it has the documents of the template."""

    subject: str
    text: str
    html: str = ""
    attach: tuple[str, ...] | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Template:
    """A template file: its own wording is in ``language``; ``languages`` has others, chosen by the lead's language.

    ``attach`` names documents in ``assets/`` that go along.
    """

    name: str
    subject: str
    text: str
    html: str = ""
    attach: tuple[str, ...] = ()
    summary: str = ""
    language: str = "en"
    languages: Mapping[str, Wording] = field(default_factory=dict)

    def __post_init__(self) -> None:
        check_name("name", self.name)

    @property
    def wordings(self) -> Mapping[str, Wording]:
        """Every wording by its language; the template's own comes first and is the fallback."""
        own = Wording(subject=self.subject, text=self.text, html=self.html)
        return {self.language: own} | dict(self.languages)


@dataclass(frozen=True, slots=True, kw_only=True)
class Count:
    """One line of a plan's summary. ``next_at`` is when the first of those who wait may be written to."""

    action: Action
    step: str
    reason: str
    items: int
    next_at: datetime | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Change:
    """How the recipients of one step differ from those of an earlier plan."""

    step: str
    action: str
    joined: int
    left: int
    why: str = ""
