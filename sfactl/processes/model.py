"""What a process file may say: activities, the rows they are told by, the order allowed, and times to keep."""

from __future__ import annotations

import difflib
from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import Literal

from sfactl.engine.periods import Period, parse_period

Way = str | tuple[str, ...]
"""A column, or a way to one: a column of the activity's dataset, then DATASET.COLUMN of the row that it names."""

BEGIN, END = 0, -1
"""What stands for the edge of a case where a step is told by the numbers of two activities."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Activity:
    """One kind of event of a case: the rows of ``dataset`` (key ``from``) that meet ``where``.

    ``case`` says which case a row belongs to, ``time`` when it happened, ``actor`` who did it. ``take`` keeps only the
    first or last such row of a case. ``next`` names what may follow directly. A case may begin with a ``start`` and be
    over with an ``end``; what may happen ``anytime`` takes no part in the order. ``at_most`` bounds how often.
    """

    name: str
    dataset: str = field(metadata={"key": "from"})
    case: Way
    time: Way
    where: str = ""
    title: str = ""
    actor: str = ""
    take: Literal["each", "first", "last"] = "each"
    next: tuple[str, ...] = ()
    start: bool = False
    end: bool = False
    anytime: bool = False
    at_most: int | None = None

    def __post_init__(self) -> None:
        if self.anytime and (self.next or self.start or self.end):
            raise ValueError(f"activity {self.name!r} may happen at any time, so it has no next, start or end")
        if self.at_most is not None and self.at_most < 1:
            raise ValueError(f"activity {self.name!r}: at_most {self.at_most} is less than 1")
        for key, way in (("case", self.case), ("time", self.time)):
            if isinstance(way, tuple) and (not way or any("." not in hop for hop in way[1:])):
                raise ValueError(
                    f"activity {self.name!r}: {key}: write a column, or a list: a column, then DATASET.COLUMN for"
                    " each hop"
                )


@dataclass(frozen=True, slots=True, kw_only=True)
class Deadline:
    """After each ``start`` (key ``from``) there must be an ``end`` (key ``to``) ``within`` a period.

    It no longer counts once one of ``unless`` happened in the meantime.
    """

    start: str = field(metadata={"key": "from"})
    end: str = field(metadata={"key": "to"})
    within: str
    unless: tuple[str, ...] = ()

    def __post_init__(self) -> None:
        parse_period(self.within)
        if self.start == self.end:
            raise ValueError(f"a deadline from {self.start!r} to itself says nothing")

    @property
    def period(self) -> Period:
        """The time there is."""
        return parse_period(self.within)


@dataclass(frozen=True, slots=True, kw_only=True)
class Reopening:
    """A step from one of ``closed`` (key ``from``) straight to one of ``again`` (key ``to``): a case taken up again."""

    closed: tuple[str, ...] = field(metadata={"key": "from"})
    again: tuple[str, ...] = field(metadata={"key": "to"})


@dataclass(frozen=True, slots=True, kw_only=True)
class Process:
    """A file ``processes/NAME.toml``.

    ``case`` is what one case is called. With ``only``, cases are those that came to one of these activities. A case in
    which nothing happened for ``quiet`` is over, wherever it stands.
    """

    name: str
    activities: tuple[Activity, ...]
    case: str = "case"
    summary: str = ""
    only: tuple[str, ...] = ()
    quiet: str = ""
    deadlines: tuple[Deadline, ...] = ()
    reopen: Reopening | None = None

    def __post_init__(self) -> None:
        names = [a.name for a in self.activities]
        if not names:
            raise ValueError("no activities")
        for name in names:
            if names.count(name) > 1:
                raise ValueError(f"activity {name!r} is there twice")
        for activity in self.activities:
            ordered = [a.name for a in self.activities if not a.anytime]
            _known(f"activity {activity.name!r}: next", activity.next, ordered)
        for deadline in self.deadlines:
            _known("deadlines", (deadline.start, deadline.end, *deadline.unless), names)
        _known("only", self.only, names)
        if self.reopen:
            _known("reopen", (*self.reopen.closed, *self.reopen.again), names)
        if self.quiet:
            parse_period(self.quiet)
        if not any(a.start for a in self.activities):
            raise ValueError("no activity has start = true: with what may a case begin?")

    def number(self, name: str) -> int:
        """The place of the activity ``name``, from 1."""
        return next(n for n, a in enumerate(self.activities, start=1) if a.name == name)

    def label(self, number: int | None) -> str:
        """The name of the activity with that place; ``begin`` and ``end`` for the edges of a case."""
        if number is None or number <= 0:
            return "end" if number == END else "begin"
        return self.activities[number - 1].name

    def allowed(self) -> list[tuple[int, int]]:
        """Every step that the process allows, as pairs of places, the edges included."""
        pairs = [(BEGIN, n) for n, a in enumerate(self.activities, start=1) if a.start]
        pairs += [(n, END) for n, a in enumerate(self.activities, start=1) if a.end]
        pairs += [(n, self.number(other)) for n, a in enumerate(self.activities, start=1) for other in a.next]
        return sorted(set(pairs))


def _known(what: str, used: Iterable[str], names: list[str]) -> None:
    for name in used:
        if name not in names:
            near = difflib.get_close_matches(name, names, 1)
            hint = f" Did you mean {near[0]!r}?" if near else f" Activities: {', '.join(names)}"
            raise ValueError(f"{what}: there is no activity {name!r} with a place in the order.{hint}")
