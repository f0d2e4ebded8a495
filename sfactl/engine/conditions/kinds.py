"""The kinds of value a condition knows, and when exact numbers stay exact.

A number is exact while 38 digits hold every possible result; beyond that both sides become doubles. The choice depends
on the types alone, never on the data, so that a condition cannot fail on one strange row.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Literal

MAX_DIGITS = 38

KindName = Literal["text", "number", "yes/no", "date", "time", "null"]


@dataclass(frozen=True, slots=True)
class Kind:
    """What a value is. ``precision`` and ``scale`` are the digits of an exact number; a double has no precision."""

    name: KindName
    precision: int | None = None
    scale: int = 0

    @property
    def exact(self) -> bool:
        """Whether this is a number without rounding."""
        return self.precision is not None

    @property
    def phrase(self) -> str:
        """The kind in words, for messages."""
        return {"yes/no": "a yes/no value", "null": "null", "text": "text"}.get(self.name, f"a {self.name}")


TEXT = Kind("text")
DOUBLE = Kind("number")
YES_NO = Kind("yes/no")
DATE = Kind("date")
TIME = Kind("time")
NULL = Kind("null")
BIGINT = Kind("number", 19)
INTEGER = Kind("number", 10)

_PLAIN = {
    "varchar": TEXT,
    "bigint": BIGINT,
    "integer": INTEGER,
    "double": DOUBLE,
    "boolean": YES_NO,
    "date": DATE,
    "timestamp": TIME,
}


def kind_of(sql_type: str) -> Kind | None:
    """The kind of a column's SQL type, or None where conditions cannot use it (lists, structs …)."""
    if match := re.fullmatch(r"decimal\((\d+),\s*(\d+)\)", sql_type):
        return Kind("number", int(match[1]), int(match[2]))
    return _PLAIN.get(sql_type)


def exact(precision: int, scale: int) -> Kind:
    """An exact number of that size, or a double where it would need more than 38 digits."""
    return Kind("number", precision, scale) if precision <= MAX_DIGITS else DOUBLE


def sum_kind(kind: Kind) -> Kind:
    """The sum of up to ten milliard rows."""
    return Kind("number", min(MAX_DIGITS, kind.precision + 10), kind.scale) if kind.precision else DOUBLE


def common_kind(one: Kind, other: Kind) -> Kind:
    """The smallest number kind that holds both."""
    if one.precision is None or other.precision is None:
        return DOUBLE
    scale = max(one.scale, other.scale)
    whole = max(one.precision - one.scale, other.precision - other.scale)
    return exact(whole + scale, scale)


def added_kind(one: Kind, other: Kind) -> Kind:
    """The kind of a sum or difference."""
    common = common_kind(one, other)
    return exact(common.precision + 1, common.scale) if common.precision else DOUBLE


def multiplied_kind(one: Kind, other: Kind) -> Kind:
    """The kind of a product."""
    if one.precision is None or other.precision is None:
        return DOUBLE
    return exact(one.precision + other.precision, one.scale + other.scale)


def sql_type(kind: Kind) -> str:
    """The SQL type that holds a value of ``kind``."""
    if kind.name == "number":
        return f"decimal({kind.precision}, {kind.scale})" if kind.precision else "double"
    return {"text": "varchar", "yes/no": "boolean", "date": "date", "time": "timestamp", "null": "varchar"}[kind.name]
