"""The smallest change of one value that makes a simple test true. Pure: no data, no clock."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, datetime, timedelta
from decimal import Decimal

from sfactl.engine.conditions.kinds import DATE, DOUBLE, TIME, Kind
from sfactl.engine.conditions.model import Need


@dataclass(frozen=True, slots=True, kw_only=True)
class Change:
    """What to change, to which ``target`` (None: no single value suffices), and the same in words.

    ``column`` is the entity's field where setting it to ``target`` is the whole change.
    """

    subject: str
    target: object
    column: str | None
    text: str


def smallest_change(need: Need, actual: object) -> Change | None:
    """The change from ``actual`` that makes ``need`` true, or None where there is no smallest one."""
    target, words = _target(need, actual)
    if not words:
        return None
    return Change(subject=need.subject, target=target, column=need.column, text=words.replace("{}", need.subject))


def step(kind: Kind) -> object:
    """The smallest difference between two values of ``kind``, or None where there is none to speak of."""
    if kind == DATE:
        return timedelta(days=1)
    if kind == TIME:
        return timedelta(microseconds=1)
    if kind.precision is not None:
        return 1 if kind.scale == 0 else Decimal(1).scaleb(-kind.scale)
    return None


def _target(need: Need, actual: object) -> tuple[object, str]:
    values = need.values
    if need.operator in ("=", ">=", "<="):
        return values[0], f"{{}} {shown(values[0])}{difference(actual, values[0])}"
    if need.operator in (">", "<"):
        return _beyond(need, actual)
    if need.operator == "between":
        low, high = values
        bound = low if actual is None or not _less(high, actual) else high
        return bound, f"{{}} {shown(bound)}{difference(actual, bound)}"
    if need.operator == "in":
        nearest = min(values, key=lambda v: _distance(v, actual))
        words = shown(nearest) if len(values) == 1 else f"one of {', '.join(map(shown, values))}"
        return nearest, f"{{}} {words}"
    if need.operator == "contains":
        return values[0], f"{{}} containing {shown(values[0])}"
    if need.operator == "<>":
        return None, f"{{}} anything but {shown(values[0])}"
    if need.operator == "not in":
        return None, f"{{}} none of {', '.join(map(shown, values))}"
    return None, _STATES.get(need.operator, "")


_STATES = {
    "is null": "{} empty",
    "is not null": "{} filled in",
    "member": "membership of {}",
    "not member": "no membership of {}",
    "not contains": "{} without that text",
    "tagged": "the tag {}",
    "not tagged": "no tag {}",
}


def _beyond(need: Need, actual: object) -> tuple[object, str]:
    bound, up = need.values[0], need.operator == ">"
    least = step(need.kind)
    if least is None or need.kind == DOUBLE or need.kind == TIME:
        return None, f"{{}} {'more' if up else 'less'} than {shown(bound)}"
    target = _moved(bound, least, up=up)
    return target, f"{{}} {shown(target)}{difference(actual, target)}"


def _moved(bound: object, least: object, *, up: bool) -> object:
    if isinstance(bound, date) and isinstance(least, timedelta):
        return bound + least if up else bound - least
    if isinstance(bound, int | Decimal | float) and isinstance(least, int | Decimal):
        exact = Decimal(str(bound))
        # A bound between two possible values is passed at the next possible one.
        steps = exact / least
        whole = int(steps.to_integral_value(rounding="ROUND_FLOOR" if up else "ROUND_CEILING"))
        moved = (whole + 1 if up else whole - 1) * Decimal(least)
        return int(moved) if isinstance(least, int) else moved
    return None


def difference(actual: object, target: object) -> str:
    """`` (3 more)`` or `` (2 fewer)`` between two numbers, nothing otherwise."""
    numbers = (int, float, Decimal)
    if isinstance(actual, bool) or not isinstance(actual, numbers) or not isinstance(target, numbers):
        return ""
    gap = Decimal(str(target)) - Decimal(str(actual))
    return f" ({shown(abs(gap))} {'more' if gap > 0 else 'fewer'})" if gap else ""


def shown(value: object) -> str:
    """A value as it would be written in a condition."""
    if value is None:
        return "empty"
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, float | Decimal):
        text = f"{Decimal(str(value)):f}"
        return text.rstrip("0").rstrip(".") if "." in text else text
    if isinstance(value, datetime):
        return f"'{value:%Y-%m-%d %H:%M:%S}'" if value.microsecond == 0 else f"'{value}'"
    if isinstance(value, str | date):
        return f"'{value}'"
    return str(value)


def _less(one: object, other: object) -> bool:
    return bool(one < other)  # type: ignore[operator]


def _distance(value: object, actual: object) -> float:
    numbers = (int, float, Decimal)
    if isinstance(value, numbers) and isinstance(actual, numbers):
        return abs(float(value) - float(actual))
    return 0.0
