"""What a test of rules is: a trial (one case, ready to run), what was observed, and what a run of tests answers."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, Literal

Kind = Literal["segment", "condition", "score", "strategy", "assignment", "price"]
KINDS: tuple[Kind, ...] = ("segment", "condition", "score", "strategy", "assignment", "price")

Row = Mapping[str, Any]
Rows = Mapping[str, tuple[Row, ...]]
"""Rows by dataset."""

Actual = Mapping[str, Any]
"""What came out of one case, by the names under which it may be expected."""

UNKNOWN = "unknown"
"""What a test says of a condition that is neither true nor false, because a value is missing."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Moment:
    """What a test of a strategy expects at one moment."""

    at: datetime
    said: str
    expect: Mapping[str, Any]


@dataclass(frozen=True, slots=True, kw_only=True)
class Trial:
    """One case of one test, ready to run.

    ``number`` is its place in the run, from which its records take their numbers, so that no case sees another's.
    ``subject`` names the rule that is tested, ``text`` is a condition that stands in the test itself. ``asked`` is what
    a price is asked for. ``moments`` are the times at which a strategy is looked at.
    """

    number: int
    file: str
    test: str
    case: str
    kind: Kind
    subject: str
    clock: datetime
    text: str = ""
    rows: Rows = field(default_factory=dict)
    asked: Mapping[str, Any] = field(default_factory=dict)
    expect: Mapping[str, Any] = field(default_factory=dict)
    moments: tuple[Moment, ...] = ()

    @property
    def label(self) -> str:
        """The test and its case, as people know them."""
        return f"{self.test} · {self.case}" if self.case else self.test

    @property
    def rule(self) -> str:
        """The rule that is tested, in words."""
        if self.kind == "assignment":
            return "assignment"
        return self.kind if self.kind == "condition" else f"{self.kind} {self.subject}"


@dataclass(frozen=True, slots=True, kw_only=True)
class Difference:
    """One thing that was expected and is otherwise."""

    what: str
    expected: str
    actual: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Failure:
    """A trial that did not come out as expected, with the reasons behind what came out, and what to do about it."""

    file: str
    test: str
    case: str
    rule: str
    clock: datetime
    differences: tuple[Difference, ...]
    explanation: tuple[str, ...] = ()
    hint: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Invalid:
    """A test that cannot be run, and why."""

    file: str
    message: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Outcome:
    """One trial in the listing of a run."""

    file: str
    test: str
    case: str
    rule: str
    passed: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class Covered:
    """One thing that a rule can do, and how often a test saw it done. ``seen`` 0: never."""

    rule: str
    what: str
    way: str
    seen: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Coverage:
    """Everything that the tested rules can do, and what no test saw."""

    items: tuple[Covered, ...]
    untested: tuple[str, ...] = ()

    @property
    def seen(self) -> int:
        """How many of the items a test saw."""
        return sum(1 for item in self.items if item.seen)

    @property
    def percent(self) -> float:
        """The share of the items that a test saw; 100 where there is nothing to see."""
        return 100 * self.seen / len(self.items) if self.items else 100.0


@dataclass(frozen=True, slots=True, kw_only=True)
class MutantResult:
    """One planted mistake: where, what was changed, and the first trial that noticed it.

    ``missing`` says which case would notice, ``equivalent`` proves that none can.
    """

    rule: str
    file: str
    place: str
    change: str
    killed_by: str = ""
    missing: str = ""
    equivalent: str = ""

    @property
    def state(self) -> str:
        """killed, survived or equivalent."""
        if self.equivalent:
            return "equivalent"
        return "killed" if self.killed_by else "survived"


@dataclass(frozen=True, slots=True, kw_only=True)
class Mutation:
    """The planted mistakes of a run."""

    mutants: tuple[MutantResult, ...]
    left_out: tuple[str, ...] = ()

    def count(self, state: str) -> int:
        """How many mutants are in ``state``."""
        return sum(1 for mutant in self.mutants if mutant.state == state)

    @property
    def percent(self) -> float:
        """The share of the mutants that can be noticed and were."""
        told = len(self.mutants) - self.count("equivalent")
        return 100 * self.count("killed") / told if told else 100.0


@dataclass(frozen=True, slots=True, kw_only=True)
class Report:
    """What a run of tests answers."""

    files: int
    tests: int
    cases: int
    passed: int
    seconds: float
    outcomes: tuple[Outcome, ...]
    failures: tuple[Failure, ...]
    invalid: tuple[Invalid, ...]
    coverage: Coverage | None = None
    mutation: Mutation | None = None
