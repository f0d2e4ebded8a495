"""What ``cases.toml`` may say: the statuses of a case, which move is allowed, and of which the customer is told.

It decides whether a move is allowed, and refuses a status that is not written down. A workspace without the file has
the usual five statuses, and tells customers nothing.
"""

from __future__ import annotations

import difflib
import re
from collections.abc import Iterable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Literal

from sfactl.api.errors import UserError
from sfactl.config.objects import read_object
from sfactl.engine.periods import PeriodError, parse_period

FILE = "cases.toml"
NOTICES = "case-notices"
"""The name under which notices stand in the ledger; no campaign or strategy may have it."""

FIELDS = (
    *("id", "subject", "status", "status_before", "channel", "category", "priority", "owner"),
    *("opened_on", "reopened", "resolution", "reason"),
)
"""What the template of a notice may print as ``case.NAME``; ``owner`` is the rep's name, ``reason`` the move's."""

State = Literal["open", "waiting", "resolved", "closed"]
"""What a status means: somebody works on it, it waits for somebody else, it is settled, and that is confirmed."""
SETTLED: tuple[State, ...] = ("resolved", "closed")

_NAME = re.compile(r"[^\W_][\w-]*")


@dataclass(frozen=True, slots=True, kw_only=True)
class Status:
    """One status. ``next`` names those that may follow; ``on_reply`` is where a customer's mail moves the case.

    ``notice`` is the template of the message that tells the customer it has come to this; empty tells nothing.
    """

    name: str
    state: State = "open"
    next: tuple[str, ...] = ()
    on_reply: str = ""
    notice: str = ""
    summary: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Notices:
    """How customers are told. At most ``per_day`` messages go to one address within 24 hours.

    What happened longer ago than ``max_age`` is no news any more, and not told.
    """

    sender: str
    sent_as: str = field(metadata={"key": "from"})
    reply_to: str = ""
    per_day: int = 5
    max_age: str = "3 days"

    def __post_init__(self) -> None:
        if self.per_day < 1:
            raise ValueError(f"per_day: {self.per_day} is no number of messages; to tell nothing leave [notices] out")
        try:
            period = parse_period(self.max_age)
        except PeriodError as err:
            raise ValueError(f"max_age: {err.message}") from None
        if period.months or not period.seconds:
            raise ValueError(f"max_age: {self.max_age!r} is not a length of time such as 3 days")

    @property
    def max_age_s(self) -> int:
        """The same in seconds."""
        return parse_period(self.max_age).seconds


@dataclass(frozen=True, slots=True, kw_only=True)
class CaseMail:
    """Mail that opens cases. ``mailbox`` is read by ``run --due``; ``own`` are addresses that are ours.

    Mail to many opens no case, unless its List-Id is one of ``lists``: groups through which customers reach us. Whoever
    writes and is not known becomes a lead, or with ``strangers = "case"`` only has a case.
    """

    mailbox: str = ""
    own: tuple[str, ...] = ()
    lists: tuple[str, ...] = ()
    strangers: Literal["lead", "case"] = "lead"


@dataclass(frozen=True, slots=True, kw_only=True)
class CaseForm:
    """A form whose postings open cases, with what each of them is; ``subject`` is by default what was written."""

    form: str
    category: str = ""
    priority: str = ""
    subject: str = ""


USUAL = (
    Status(name="new", next=("open", "waiting", "resolved", "closed")),
    Status(name="open", next=("waiting", "resolved", "closed")),
    Status(name="waiting", state="waiting", next=("open", "resolved", "closed"), on_reply="open"),
    Status(name="resolved", state="resolved", next=("open", "closed"), on_reply="open"),
    Status(name="closed", state="closed", next=("open",), on_reply="open"),
)


@dataclass(frozen=True, slots=True, kw_only=True)
class CaseRules:
    """``cases.toml``. A case begins in the first of ``statuses``; an empty list of words allows any."""

    statuses: tuple[Status, ...] = USUAL
    priorities: tuple[str, ...] = ("urgent", "high", "normal", "low")
    categories: tuple[str, ...] = ()
    channels: tuple[str, ...] = ()
    forms: tuple[CaseForm, ...] = ()
    notices: Notices | None = None
    mail: CaseMail = field(default_factory=CaseMail)

    def __post_init__(self) -> None:
        names = [s.name for s in self.statuses]
        if not names:
            raise ValueError("statuses: a case needs at least one")
        for number, status in enumerate(self.statuses):
            at = f"statuses[{number}]"
            if not _NAME.fullmatch(status.name):
                raise ValueError(f"{at}.name: {status.name!r}: use letters, digits, - and _")
            if names.count(status.name) > 1:
                raise ValueError(f"{at}.name: {status.name!r} is there twice")
            for name in status.next:
                _named(f"{at}.next", name, names)
                if name == status.name:
                    raise ValueError(f"{at}.next: {name!r} cannot follow itself")
            if status.on_reply and status.on_reply not in status.next:
                raise ValueError(f"{at}.on_reply: {status.on_reply!r} is not among what may follow {status.name!r}")
        for number, form in enumerate(self.forms):
            for key, word, known in (
                ("category", form.category, self.categories),
                ("priority", form.priority, self.priorities),
            ):
                if word and known and word not in known:
                    raise ValueError(
                        f"forms[{number}].{key}: {word!r} is none of {', '.join(known)}.{_near(word, known)}"
                    )
        if self.statuses[0].state in SETTLED:
            raise ValueError(f"statuses[0].state: a case begins open or waiting, not {self.statuses[0].state}")
        if not any(s.state in SETTLED for s in self.statuses):
            raise ValueError('statuses: none has state = "resolved" or "closed", so that no case would ever end')

    @property
    def start(self) -> Status:
        """Where a case begins."""
        return self.statuses[0]

    @property
    def told(self) -> tuple[Status, ...]:
        """The statuses of which the customer is told."""
        return tuple(s for s in self.statuses if s.notice)

    def status(self, name: str) -> Status:
        """The status called ``name``. Raises `UserError` naming the nearest."""
        for status in self.statuses:
            if status.name == name:
                return status
        names = [s.name for s in self.statuses]
        raise UserError(f"there is no status {name!r}.{_near(name, names)}", hint=f"They stand in {FILE}.")

    def check_move(self, case_id: int, before: str, after: str) -> tuple[Status, Status]:
        """The statuses of a move. Raises `UserError` naming the rule that forbids it."""
        there = self.status(after)
        if before not in [s.name for s in self.statuses]:  # the file has changed since: any way out is right
            return Status(name=before), there
        here = self.status(before)
        if after not in here.next:
            number = self.statuses.index(here)
            may = ", ".join(here.next) or "nothing"
            raise UserError(
                f"case {case_id} is {before}, and from there it cannot become {after}: only {may}",
                hint=f"{FILE}: statuses[{number}].next",
            )
        return here, there

    def check_word(self, key: Literal["priority", "category", "channel"], word: str) -> None:
        """Refuse a word that the file does not know. Raises `UserError` naming the nearest."""
        plural = {"priority": "priorities", "category": "categories", "channel": "channels"}[key]
        known: tuple[str, ...] = getattr(self, plural)
        if word and known and word not in known:
            raise UserError(
                f"{key}: {word!r} is none of {', '.join(known)}.{_near(word, known)}", hint=f"{FILE}: {plural}"
            )


def read_cases(workspace: Path) -> CaseRules:
    """The rules of cases; the usual ones where the workspace has no file. Raises `ConfigError` naming file and key."""
    path = workspace / FILE
    return read_object(CaseRules, path) if path.exists() else CaseRules()


def _named(key: str, name: str, names: list[str]) -> None:
    if name not in names:
        raise ValueError(f"{key}: there is no status {name!r}.{_near(name, names)}")


def _near(name: str, known: Iterable[str]) -> str:
    near = difflib.get_close_matches(name, list(known), 1)
    return f" Did you mean {near[0]!r}?" if near else ""
