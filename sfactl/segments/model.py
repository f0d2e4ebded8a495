"""Segments as files and as answers: what a segment is, what a build changed, and why a lead is a member or not."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class Segment:
    """A file ``segments/NAME.toml``: the leads that meet the condition ``where``."""

    name: str
    where: str
    summary: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Listed:
    """One segment in the listing: its stored members and when the last of them joined; None before its first build."""

    name: str
    members: int | None
    last_joined: datetime | None
    summary: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Checked:
    """What a check found: the files that are right, and one message for each that is not."""

    checked: int
    problems: tuple[str, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Built:
    """What one segment's build changed."""

    name: str
    members: int
    joined: int
    left: int


@dataclass(frozen=True, slots=True, kw_only=True)
class BuildResult:
    """What a build changed. ``commit`` is None where nothing changed, or in a dry run."""

    at: datetime
    commit: int | None
    dry_run: bool
    segments: tuple[Built, ...]

    @property
    def changed(self) -> bool:
        """Whether any lead joined or left."""
        return any(built.joined or built.left for built in self.segments)


@dataclass(frozen=True, slots=True, kw_only=True)
class Size:
    """How many leads meet a segment's condition at ``at``, and how many are stored as its members."""

    name: str
    at: datetime
    members: int
    stored: int


@dataclass(frozen=True, slots=True, kw_only=True)
class TermAnswer:
    """One term of a condition for one lead: whether it ``holds`` (None: unknown, because a value is missing)."""

    text: str
    holds: bool | None
    actual: object
    has_value: bool
    change: str | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Admission:
    """A change that was tried: in words, of which kind (field, rows, score, tag, membership), and the new value."""

    text: str
    subject: str
    kind: str
    value: object


@dataclass(frozen=True, slots=True, kw_only=True)
class Explanation:
    """Why a lead is a member of a segment or not. ``stored`` is what the last build decided.

    ``admission`` are the smallest changes that were found to make it a member, all of them together; None where it is
    one, where nobody asked, or where none were found. ``by_itself`` is from when time alone makes it one.
    """

    segment: str
    lead_id: int
    lead: str
    at: datetime
    member: bool
    stored: bool
    terms: tuple[TermAnswer, ...]
    admission: tuple[Admission, ...] | None = None
    by_itself: datetime | None = None

    @property
    def held(self) -> int:
        """How many terms hold."""
        return sum(1 for term in self.terms if term.holds)
