"""What an answer is on its way into the data, and what is said about those brought in."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime

from sfactl.config.surveys import Kind


@dataclass(frozen=True, slots=True, kw_only=True)
class Given:
    """One person's answers to one survey at one time. ``given_id`` tells them from all others.

    ``answers`` has the score by question; ``first`` is the question that counts, ``low`` and ``high`` are the ends of
    the scale.
    """

    given_id: str
    at: datetime
    survey: str
    kind: Kind
    low: int
    high: int
    answers: Mapping[str, int]
    first: str
    lead_id: int
    comment: str = ""
    message_key: str = ""
    step: str = ""
    channel: str = "web"
    source: str = "link"


@dataclass(frozen=True, slots=True, kw_only=True)
class SurveyCount:
    """How many people's answers to a survey were brought in; ``known`` were there, ``strangers`` are no leads."""

    survey: str
    new: int
    known: int = 0
    strangers: int = 0


FILE_COLUMNS = ("survey", "lead", "at", "score", "question", "comment", "channel", "message", "key")
"""What a file of answers may have; score and at it must have, and lead or message."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Line:
    """A row of a file of answers: the answer, and the lead as the file names it."""

    row: int
    lead: str
    given: Given


@dataclass(frozen=True, slots=True, kw_only=True)
class Rejected:
    """A row of a file that could not be taken."""

    row: int
    reason: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Unanswered:
    """A row of a file that holds no answer: somebody was asked and said nothing."""

    row: int


@dataclass(frozen=True, slots=True, kw_only=True)
class AnswersImported:
    """What came of a file: ``known`` answers were there already, ``open`` rows have no answer."""

    rows: int
    new: int
    known: int
    open: int = 0
    surveys: tuple[SurveyCount, ...] = ()
    rejected: tuple[Rejected, ...] = ()
    dry_run: bool = False
    commit: int | None = None
