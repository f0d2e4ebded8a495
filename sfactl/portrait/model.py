"""What the commands about tags answer."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class TagChange:
    """What was done by hand: ``changed`` rows were written or taken away, ``unchanged`` said the same already.

    ``new`` are tags that nobody bore before, each with a known tag of nearly the same name, if there is one.
    """

    tags: tuple[str, ...]
    bearers: int
    changed: int
    unchanged: int
    new: tuple[str, ...] = ()
    dry_run: bool = False
    commit: int | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class RuleResult:
    """What one rule of tags came to: ``bearers`` bear its tag now; ``kept`` of them only until it expires."""

    rule: str
    tag: str
    entity: str
    bearers: int
    added: int
    removed: int
    kept: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Derived:
    """What deriving tags did, or would do. ``changed`` tags came, went or say something else."""

    rules: tuple[RuleResult, ...]
    at: datetime
    changed: int = 0
    dry_run: bool = False
    commit: int | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Rejected:
    """A row of a file that was not imported, and why."""

    row: int
    reason: str


@dataclass(frozen=True, slots=True, kw_only=True)
class TagImport:
    """What an import of tags did, or would do."""

    file: str
    rows: int
    new: int
    updated: int
    unchanged: int
    rejected: tuple[Rejected, ...]
    conflicts: int = 0
    dry_run: bool = False
    commit: int | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Given:
    """One row of the tags of somebody: who said it, since when, until when."""

    tag: str
    value: str | None
    source: str
    author: str
    at: datetime
    expires_at: datetime | None
    rule: str | None
    confidence: float | None
    note: str | None
    counts: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class Fact:
    """A row that a term of a rule looked at: which dataset, when, and what it says."""

    relation: str
    at: datetime | None
    text: str


@dataclass(frozen=True, slots=True, kw_only=True)
class RuleTerm:
    """One term of a rule as it stands for one bearer, with the rows behind it."""

    text: str
    holds: bool | None
    value: str | None
    rows: tuple[Fact, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class RuleAnswer:
    """A rule for the tag as it stands now for one bearer."""

    rule: str
    where: str
    holds: bool
    terms: tuple[RuleTerm, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class TagExplanation:
    """Why somebody bears a tag or not: what was said, and what the rules say now."""

    entity: str
    entity_id: int
    name: str | None
    tag: str
    bears: bool
    given: tuple[Given, ...]
    rules: tuple[RuleAnswer, ...]
    utterances: tuple[Fact, ...] = ()
