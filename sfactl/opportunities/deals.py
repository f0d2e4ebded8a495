"""What may be said about a deal and how it reads: references, values from text, and the changes between two states.

Pure. It refuses to set what follows from something else: the stage has a command of its own, and its category and
times come with it.
"""

from __future__ import annotations

import difflib
from collections.abc import Callable, Mapping
from datetime import date, datetime
from decimal import ROUND_HALF_UP, Decimal, InvalidOperation
from typing import Any

from sfactl.api.errors import NotFound, UserError
from sfactl.opportunities.model import FieldChange

DERIVED = (
    "opportunity_id",
    "pipeline",
    "stage",
    "category",
    "created_at",
    "updated_at",
    "closed_at",
    "cycle_no",
    "parent_id",
)
"""Fields that no one sets by hand."""


def number(ref: str, *prefixes: str) -> int:
    """``12``, or ``opp:12`` for the prefix ``opp``, as a number. Raises `NotFound`."""
    text = ref.strip()
    for prefix in prefixes:
        text = text.removeprefix(f"{prefix}:")
    if not (text.isascii() and text.isdigit()):
        raise NotFound(f"{ref!r} is not the number of {prefixes[0]}", hint=f"Write 12 or {prefixes[0]}:12.")
    return int(text)


def value_of(field: str, text: str, types: Mapping[str, str]) -> Any:
    """The value that ``text`` means for ``field``; empty text means none. Raises `UserError` naming both."""
    if field not in types:
        near = difflib.get_close_matches(field, types, 1)
        raise UserError(
            f"an opportunity has no field {field!r}.{f' Did you mean {near[0]!r}?' if near else ''}",
            hint=f"Fields: {', '.join(t for t in types if t not in DERIVED)}",
        )
    if field in DERIVED:
        raise UserError(f"{field} is not set by hand", hint="The stage is changed by: sfactl opp move REF --to STAGE")
    if not text.strip():
        return None
    try:
        value = _parsed(text.strip(), types[field])
    except (ValueError, InvalidOperation):
        raise UserError(f"{field}: {text!r} is not {_kind(types[field])}") from None
    if field == "probability" and not 0 <= value <= 1:
        raise UserError(f"probability: {text} is not between 0 and 1")
    if field == "effort_h" and not (0 < value < 100_000):
        raise UserError(f"effort_h: {text} is not a number of hours above 0")
    return value


def _parsed(text: str, sql_type: str) -> Any:
    if sql_type.startswith("decimal"):
        value = Decimal(text.replace(",", ""))
        if not value.is_finite() or abs(value) >= Decimal(10) ** 14:
            raise ValueError
        return value.quantize(Decimal("0.0001"), ROUND_HALF_UP)
    if sql_type == "boolean":
        return {"yes": True, "true": True, "no": False, "false": False}[text.lower()] if text else None
    read: dict[str, Callable[[str], Any]] = {
        "bigint": int,
        "integer": int,
        "double": float,
        "date": date.fromisoformat,
        "timestamp": datetime.fromisoformat,
    }
    return read.get(sql_type, str)(text)


def _kind(sql_type: str) -> str:
    kinds = {
        "bigint": "a whole number",
        "double": "a number",
        "date": "a date such as 2026-12-31",
        "boolean": "yes or no",
    }
    return kinds.get(sql_type, "an amount of money" if sql_type.startswith("decimal") else "a time")


def changes(old: Mapping[str, Any], new: Mapping[str, Any]) -> tuple[FieldChange, ...]:
    """The fields that differ, by name, except those that follow from others."""
    return tuple(
        FieldChange(field=name, old=as_text(old.get(name)), new=as_text(new.get(name)))
        for name in sorted({*old, *new})
        if name not in DERIVED and old.get(name) != new.get(name)
    )


def as_text(value: Any) -> str | None:
    """A value as it stands in the history: plain digits, ISO dates."""
    if value is None:
        return None
    if isinstance(value, Decimal):
        return f"{value.normalize():f}"
    return value.isoformat() if isinstance(value, date | datetime) else str(value)
