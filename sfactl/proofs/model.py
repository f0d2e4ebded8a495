"""What a test of rules is: a trial (one case, ready to run), what was observed, and what a run of tests answers."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
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
    """Everything that the tested rules can do, how much of it a test saw, and the rules that no test is about."""

    percent: float
    seen: int
    items: tuple[Covered, ...]
    untested: tuple[str, ...] = ()

    @classmethod
    def of(cls, items: Sequence[Covered], untested: Sequence[str]) -> Coverage:
        """The coverage that ``items`` make; 100 % where there is nothing to see."""
        seen = sum(1 for item in items if item.seen)
        percent = 100 * seen / len(items) if items else 100.0
        return cls(percent=round(percent, 2), seen=seen, items=tuple(items), untested=tuple(untested))


@dataclass(frozen=True, slots=True, kw_only=True)
class MutantResult:
    """One planted mistake: where, what was changed, and what became of it (killed, survived, equivalent).

    ``killed_by`` is the first trial that noticed it, ``missing`` says which case would, ``proof`` why none can.
    """

    rule: str
    file: str
    place: str
    change: str
    state: str
    killed_by: str = ""
    missing: str = ""
    proof: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Mutation:
    """The planted mistakes of a run. ``percent`` is the share of those that can be noticed and were."""

    percent: float
    killed: int
    survived: int
    equivalent: int
    mutants: tuple[MutantResult, ...]
    left_out: tuple[str, ...] = ()

    @classmethod
    def of(cls, mutants: Sequence[MutantResult], left_out: Sequence[str]) -> Mutation:
        """The score of ``mutants``; 100 % where there is none that can be noticed."""
        states = [mutant.state for mutant in mutants]
        killed, survived = states.count("killed"), states.count("survived")
        told = killed + survived
        return cls(
            percent=round(100 * killed / told, 2) if told else 100.0,
            killed=killed,
            survived=survived,
            equivalent=states.count("equivalent"),
            mutants=tuple(mutants),
            left_out=tuple(left_out),
        )


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
