"""Which changes of single values could make a condition true: the tests in it, what each is about, and near values.

Nothing here is tried; `trial` applies the changes to a copy and asks again.
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from decimal import Decimal

from sfactl.engine.conditions.change import difference, shown, step
from sfactl.engine.conditions.kinds import DATE, DOUBLE, TEXT, TIME, YES_NO, Kind
from sfactl.engine.conditions.model import Need

MOST_SETS = 24
"""More ways of combining changes are not looked at."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Candidate:
    """A value to try, and how to say it where the value itself would say too much."""

    value: object
    words: str | None = None

    def said(self, subject: str, actual: object) -> str:
        """The change in words."""
        words = self.words or f"{{}} {shown(self.value)}{difference(actual, self.value)}"
        return words.replace("{}", subject)


@dataclass(frozen=True, slots=True, kw_only=True)
class Leaf:
    """One simple test: the columns of its truth and of its actual value, what it asks, and the name of its subject.

    ``subject`` is None where nothing is known that could be changed.
    """

    truth: str
    value: str | None = None
    need: Need | None = None
    subject: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Branch:
    """Tests joined by and or or, or the opposite of one."""

    word: str
    parts: tuple[Branch | Leaf, ...]


Tree = Branch | Leaf
Answers = dict[str, object]


def leaves(tree: Tree) -> list[Leaf]:
    """All simple tests."""
    return [tree] if isinstance(tree, Leaf) else [leaf for part in tree.parts for leaf in leaves(part)]


def truth(tree: Tree, answers: Answers) -> bool | None:
    """What a part of the condition came to, in three-valued logic."""
    if isinstance(tree, Leaf):
        found = answers[tree.truth]
        return None if found is None else bool(found)
    parts = [truth(part, answers) for part in tree.parts]
    if tree.word == "not":
        return None if parts[0] is None else not parts[0]
    decisive = tree.word == "or"
    return decisive if decisive in parts else None if None in parts else not decisive


def ways(tree: Tree, answers: Answers, wanted: bool = True) -> list[frozenset[str]]:
    """Sets of subjects whose change could make ``tree`` come to ``wanted``, the smallest first."""
    if truth(tree, answers) is wanted:
        return [frozenset()]
    if isinstance(tree, Leaf):
        return [frozenset({tree.subject})] if tree.subject is not None else []
    if tree.word == "not":
        return ways(tree.parts[0], answers, not wanted)
    found = [ways(part, answers, wanted) for part in tree.parts]
    if (tree.word == "and") is wanted:
        sets: Iterable[frozenset[str]] = [frozenset()]
        for options in found:
            sets = _fewest(one | other for one in sets for other in options)
        return list(sets)
    return _fewest(option for options in found for option in options)


def _fewest(sets: Iterable[frozenset[str]]) -> list[frozenset[str]]:
    return sorted(set(sets), key=lambda s: (len(s), sorted(s)))[:MOST_SETS]


def possible(tree: Tree, answers: Answers, chosen: Mapping[str, object], doubted: frozenset[str], wanted: bool) -> bool:
    """Whether ``tree`` may come to ``wanted`` once the subjects in ``chosen`` have their new values.

    Tests about the ``doubted`` subjects may come to anything. It never says no where the answer is yes.
    """
    if isinstance(tree, Branch):
        if tree.word == "not":
            return possible(tree.parts[0], answers, chosen, doubted, not wanted)
        every = all if (tree.word == "and") is wanted else any
        return every(possible(part, answers, chosen, doubted, wanted) for part in tree.parts)
    if tree.subject in doubted:
        return True
    if tree.subject is None or tree.subject not in chosen or tree.need is None:
        return answers[tree.truth] is wanted
    value, plain = chosen[tree.subject], tree.need.operator not in ("is null", "is not null")
    if tree.need.operator in ("contains", "not contains") or (value is None and plain):
        return value is not None
    return meets(tree.need, value) is wanted


def meets(need: Need, value: object) -> bool:
    """Whether ``value`` passes a plain test; an empty one passes none but ``is null``."""
    low = need.values[0] if need.values else None
    if need.operator in ("is null", "is not null"):
        return (value is None) is (need.operator == "is null")
    if value is None:
        return False
    if need.operator in ("in", "not in"):
        return (value in need.values) is (need.operator == "in")
    if need.operator in ("contains", "not contains"):
        return (value == low) is (need.operator == "contains")
    if need.operator in ("member", "tagged", "not member", "not tagged"):
        return bool(value) is (need.operator in ("member", "tagged"))
    if need.operator in ("between", "not between"):
        return bool(low <= value <= need.values[1]) is (need.operator == "between")  # type: ignore[operator]
    tests = {
        "=": value == low,
        "<>": value != low,
        "<": need.operator[0] == "<" and value < low,  # type: ignore[operator]
        "<=": need.operator[0] == "<" and value <= low,  # type: ignore[operator]
        ">": need.operator[0] == ">" and value > low,  # type: ignore[operator]
        ">=": need.operator[0] == ">" and value >= low,  # type: ignore[operator]
    }
    return tests.get(need.operator, False)


def candidates(needs: Sequence[Need], actual: object) -> list[Candidate]:
    """Values at which one of ``needs`` about one subject turns, the nearest to ``actual`` first."""
    found: dict[str, Candidate] = {}
    for need in needs:
        for candidate in _turning(need):
            found.setdefault(repr(candidate.value), candidate)
    return sorted(found.values(), key=lambda c: _distance(c.value, actual))


def _turning(need: Need) -> list[Candidate]:
    kind, values = need.kind, need.values
    if need.operator in ("member", "not member"):
        return [Candidate(value=True, words="membership of {}"), Candidate(value=False, words="no membership of {}")]
    if need.operator in ("tagged", "not tagged"):
        return [Candidate(value=True, words="the tag {}"), Candidate(value=False, words="no tag {}")]
    if need.operator in ("is null", "is not null"):
        return [Candidate(value=None, words="{} empty"), Candidate(value=_some(kind), words="{} filled in")]
    if need.operator in ("contains", "not contains"):
        said = shown(values[0])
        return [
            Candidate(value=values[0], words=f"{{}} containing {said}"),
            Candidate(value="", words=f"{{}} not containing {said}"),
        ]
    around = [Candidate(value=value) for value in values]
    if kind == TEXT:
        said = ", ".join(map(shown, values))
        other = "~".join(str(value) for value in values) + "~"
        return [*around, Candidate(value=other, words=f"{{}} anything but {said}")]
    for value in values:
        around += _beside(value, kind)
    return around


def _beside(value: object, kind: Kind) -> list[Candidate]:
    if kind == YES_NO:
        return [Candidate(value=not value)]
    if isinstance(value, datetime):
        micro = timedelta(microseconds=1)
        return [
            Candidate(value=value - micro, words=f"{{}} before {shown(value)}"),
            Candidate(value=value + micro, words=f"{{}} after {shown(value)}"),
        ]
    if isinstance(value, date):
        return [Candidate(value=value - timedelta(days=1)), Candidate(value=value + timedelta(days=1))]
    if kind == DOUBLE and isinstance(value, int | float | Decimal):
        return [
            Candidate(value=math.nextafter(float(value), -math.inf), words=f"{{}} less than {shown(value)}"),
            Candidate(value=math.nextafter(float(value), math.inf), words=f"{{}} more than {shown(value)}"),
        ]
    least = step(kind)
    if not isinstance(value, int | float | Decimal) or not isinstance(least, int | Decimal):
        return []
    steps = Decimal(str(value)) / least
    whole = steps.to_integral_value(rounding="ROUND_FLOOR")
    near = (whole - 1, whole, whole + 1, whole + 2)
    return [Candidate(value=int(n) if isinstance(least, int) else n * least) for n in near]


def _some(kind: Kind) -> object:
    if kind == DATE:
        return date(2000, 1, 1)
    if kind == TIME:
        return datetime(2000, 1, 1)
    return True if kind == YES_NO else 1 if kind.name == "number" else "~"


def _distance(value: object, actual: object) -> tuple[int, float]:
    """How far a value is from the actual one; what cannot be compared keeps its place, empty and other things last."""
    numbers = (int, float, Decimal)
    if value is None:
        return 2, 0.0
    if isinstance(value, numbers) and isinstance(actual, numbers):
        return 0, abs(float(value) - float(actual))
    if isinstance(value, date) and isinstance(actual, date):
        return 0, abs((_moment(value) - _moment(actual)).total_seconds())
    return (1 if str(value).endswith("~") else 0), 0.0


def _moment(value: date) -> datetime:
    return value if isinstance(value, datetime) else datetime(value.year, value.month, value.day)
