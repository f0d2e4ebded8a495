"""Sets of values that one expression may have: intervals of an order, and whether null is among them.

Bounds are exact: fractions for numbers, whole numbers for days, microseconds and yes/no, or texts. Sets of whole
numbers know that there is nothing between 5 and 6; sets of texts do not know what lies between two texts: they keep it.
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Any, Literal

Line = Literal["whole", "real", "text"]
"""Which values there are: whole numbers, all numbers, texts."""


@dataclass(frozen=True, slots=True)
class Span:
    """The values from ``low`` to ``high``; None is no bound, ``open_*`` leaves the bound itself out."""

    low: Any = None
    open_low: bool = False
    high: Any = None
    open_high: bool = False

    @property
    def empty(self) -> bool:
        """Whether it holds nothing."""
        if self.low is None or self.high is None or self.low < self.high:
            return False
        return bool(self.low > self.high or self.open_low or self.open_high)

    def meet(self, other: Span) -> Span:
        """What is in both."""
        # Of equal bounds the open one is the tighter.
        low, open_low = max(((s.low, s.open_low) for s in (self, other) if s.low is not None), default=(None, False))
        high, open_high = min(
            ((s.high, not s.open_high) for s in (self, other) if s.high is not None), default=(None, True)
        )
        return Span(low, open_low, high, not open_high if high is not None else False)


@dataclass(frozen=True, slots=True)
class Domain:
    """A set of values on a line, as spans in order that do not touch, and whether null is in it."""

    line: Line
    spans: tuple[Span, ...]
    null: bool = False

    @property
    def empty(self) -> bool:
        """Whether nothing is in it."""
        return not self.spans and not self.null

    @property
    def least(self) -> Any:
        """The greatest lower bound of the values; None where there is none, or where there are no values."""
        return self.spans[0].low if self.spans else None

    @property
    def most(self) -> Any:
        """The least upper bound of the values; None where there is none, or where there are no values."""
        return self.spans[-1].high if self.spans else None

    def meet(self, other: Domain) -> Domain:
        """What is in both."""
        met = (one.meet(two) for one in self.spans for two in other.spans)
        return domain(self.line, met, null=self.null and other.null)

    def values(self) -> Domain:
        """The set without null."""
        return Domain(self.line, self.spans)

    def rest(self) -> Domain:
        """All other values, without null."""
        found = []
        low: Any = None
        open_low = False
        for span in self.spans:
            if span.low is not None:
                found.append(Span(low, open_low, span.low, not span.open_low))
            if span.high is None:
                return domain(self.line, found)
            low, open_low = span.high, not span.open_high
        return domain(self.line, [*found, Span(low, open_low)])

    def complement(self) -> Domain:
        """Everything that is not in it, null included where it is not."""
        return Domain(self.line, self.rest().spans, not self.null)

    def with_null(self, null: bool) -> Domain:
        """The same values, and null or not."""
        return Domain(self.line, self.spans, null)


def domain(line: Line, spans: Iterable[Span], *, null: bool = False) -> Domain:
    """The set of all values in ``spans``, which may overlap."""
    tight = [span for span in (_whole(s) if line == "whole" else s for s in spans) if not span.empty]
    tight.sort(key=_order)
    merged: list[Span] = []
    for span in tight:
        if merged and _touch(merged[-1], span, line):
            merged[-1] = _joined(merged[-1], span)
        else:
            merged.append(span)
    return Domain(line, tuple(merged), null)


def points(line: Line, values: Sequence[Any], *, null: bool = False) -> Domain:
    """The set of these values."""
    return domain(line, [Span(v, False, v, False) for v in values], null=null)


def whole_line(line: Line, *, null: bool = True) -> Domain:
    """All values."""
    return domain(line, [Span()], null=null)


def nothing(line: Line) -> Domain:
    """No value at all."""
    return Domain(line, ())


def _order(span: Span) -> tuple[bool, Any, bool]:
    return (False, 0, False) if span.low is None else (True, span.low, span.open_low)


def _whole(span: Span) -> Span:
    """The same whole numbers between closed bounds."""
    low, high = span.low, span.high
    if low is not None:
        up = math.ceil(low)
        low = up + 1 if span.open_low and up == low else up
    if high is not None:
        down = math.floor(high)
        high = down - 1 if span.open_high and down == high else down
    return Span(low, False, high, False)


def _touch(one: Span, two: Span, line: Line) -> bool:
    """Whether the union of two spans, the first beginning no later, is one span."""
    if one.high is None or two.low is None:
        return True
    if line == "whole":
        return bool(two.low <= one.high + 1)
    return bool(two.low < one.high or (two.low == one.high and not (one.open_high and two.open_low)))


def _joined(one: Span, two: Span) -> Span:
    if one.high is None or two.high is None:
        return Span(one.low, one.open_low)
    if one.high == two.high:
        return Span(one.low, one.open_low, one.high, one.open_high and two.open_high)
    last = one if one.high > two.high else two
    return Span(one.low, one.open_low, last.high, last.open_high)
