"""What the collector takes in, and what it answers."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, Literal

from sfactl.api.records import Posting
from sfactl.config.surveys import Kind

Deed = Literal["open", "click", "look", "unsubscribe", "subscribe", "consent"]
"""What somebody did with a link. A ``look`` opened a page and did nothing there: it only helps to tell scanners."""
WORD: frozenset[Deed] = frozenset({"unsubscribe", "subscribe", "consent"})
"""What a person decided: it counts whoever's program sent it, for only a POST says it."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Act:
    """One thing done with a signed link. ``id`` is its event's id; ``ahead`` means fetched before anybody asked."""

    id: str
    at: datetime
    deed: Deed
    message_key: str
    lead_id: int
    campaign: str = ""
    step: str = ""
    target: str = ""
    topic: str = ""
    method: str = "GET"
    agent: str = ""
    ahead: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Post:
    """One form that somebody filled in. ``page`` is where the form stands, ``asked`` the topics ticked."""

    id: str
    at: datetime
    form: str
    fields: Mapping[str, str]
    page: str = ""
    asked: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Response:
    """What somebody answered to a survey of ``kind``: by question a number from ``low`` to ``high``, and a comment."""

    id: str
    at: datetime
    survey: str
    kind: Kind
    low: int
    high: int
    answers: Mapping[str, int]
    message_key: str
    lead_id: int
    step: str = ""
    comment: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Heard:
    """One thing that the service of a sender posted about a message: ``event`` has the fields of a `MessageEvent`."""

    id: str
    at: datetime
    use: str
    channel: str
    event: Mapping[str, Any]


@dataclass(frozen=True, slots=True, kw_only=True)
class Listener:
    """A sender whose service posts. ``hear`` answers what a posting tells.

    It raises `PolicyError` for one that is not genuine, `DataError` for one that cannot be read.
    """

    hear: Callable[[Posting], Sequence[Heard]]


@dataclass(frozen=True, slots=True, kw_only=True)
class Request:
    """What came in, as far as it matters. Header names are in lower case; ``body`` has been cut to no size yet."""

    method: str
    path: str
    query: str = ""
    headers: Mapping[str, str] = field(default_factory=dict)
    body: bytes = b""


@dataclass(frozen=True, slots=True, kw_only=True)
class Answer:
    """What goes back: status line, headers and body."""

    status: str
    headers: tuple[tuple[str, str], ...] = ()
    body: bytes = b""
