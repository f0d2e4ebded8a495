"""What a test may expect of each kind of rule, and how that is compared with what came out. Pure."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from decimal import Decimal, InvalidOperation
from typing import Any

from sfactl.api.errors import ConfigError
from sfactl.proofs.fixtures import nearest
from sfactl.proofs.model import UNKNOWN, Actual, Difference, Trial

NOBODY = "nobody"

ASKED: Mapping[str, tuple[str, ...]] = {
    "price": ("quantity", "discount", "book", "country", "tier"),
    "strategy": ("control", "arms", "refused"),
}
"""What is given beside rows."""

Check = Callable[[Any], str]
"""Answers what is wrong with an expected value; nothing where it is right."""


def _state(value: Any) -> str:
    return "" if isinstance(value, bool) or value == UNKNOWN else 'is not true, false or "unknown"'


def _number(value: Any) -> str:
    try:
        Decimal(str(value))
    except InvalidOperation:
        return "is not a number"
    return "is not a number" if isinstance(value, bool) else ""


def _text(value: Any) -> str:
    return "" if isinstance(value, str) else "is not text"


def _texts(value: Any) -> str:
    return "" if isinstance(value, list) and all(isinstance(v, str) for v in value) else "is not a list of texts"


def _numbers(value: Any) -> str:
    fine = isinstance(value, Mapping) and not any(map(_number, value.values()))
    return "" if fine else "is not a table of numbers"


def _text_table(value: Any) -> str:
    fine = isinstance(value, Mapping) and all(isinstance(v, str) for v in value.values())
    return "" if fine else "is not a table of texts"


def _word(value: Any) -> str:
    return "" if value in ("approved", "refused") else "is neither approved nor refused"


MOMENT: Mapping[str, Check] = {
    "sends": _texts,
    "tasks": _texts,
    "pushes": _texts,
    "skips": _text_table,
    "waits": _text_table,
    "moves": _texts,
    "step": _text,
    "state": _text,
    "reason": _text,
}

EXPECTED: Mapping[str, Mapping[str, Check]] = {
    "segment": {"member": _state},
    "condition": {"holds": _state},
    "score": {"points": _number, "grade": _text, "reasons": _numbers},
    "assignment": {"owner": _text, "rule": _text, "because": _text},
    "price": {
        "amount": _number,
        "unit_price": _number,
        "list_price": _number,
        "book": _text,
        "currency": _text,
        "steps": _numbers,
        "error": _text,
    },
    "strategy": MOMENT,
    "moment": {**MOMENT, "decide": _word},
}
"""What may be expected of each kind of rule. ``decide`` is no expectation: it is the word on an open approval."""


def checked_expectations(kind: str, raw: Mapping[str, Any], where: str, *, optional: bool = False) -> Mapping[str, Any]:
    """``raw`` if it is what may be expected of a rule of ``kind``. Raises `ConfigError`."""
    known = EXPECTED[kind]
    for key, value in raw.items():
        if key not in known:
            raise ConfigError(f"{where}.{key}: unknown key.{nearest(key, known)}")
        if said := known[key](value):
            raise ConfigError(f"{where}.{key}: {value!r} {said}")
    if not raw and not optional:
        raise ConfigError(f"{where}: nothing is expected. Write one of {', '.join(known)}")
    return raw


def differences(expect: Mapping[str, Any], actual: Mapping[str, Any]) -> Iterator[Difference]:
    """Where ``actual`` is not as expected; what is not expected is not compared."""
    for key, wanted in expect.items():
        if key == "decide":
            continue
        found = actual.get(key)
        if key in ("member", "holds"):
            if not _same_state(wanted, found):
                yield Difference(what=key, expected=_said(wanted), actual=_said(UNKNOWN if found is None else found))
        elif isinstance(wanted, Mapping):
            yield from _table_differences(key, wanted, found or {})
        elif not _same(key, wanted, found):
            yield Difference(what=key, expected=_said(wanted), actual=_said(found))


def wrong(trial: Trial, actual: Actual) -> Iterator[Difference]:
    """Where a trial came out otherwise than expected, at its clock and at each of its moments."""
    yield from differences(trial.expect, actual)
    for moment, found in zip(trial.moments, actual.get("moments", ()), strict=False):
        for one in differences(moment.expect, found):
            yield Difference(what=f"{moment.said}: {one.what}", expected=one.expected, actual=one.actual)


def _same_state(wanted: Any, found: Any) -> bool:
    if wanted == UNKNOWN:
        return found is None
    return bool(found) is wanted


def _table_differences(key: str, wanted: Mapping[str, Any], found: Mapping[str, Any]) -> Iterator[Difference]:
    for name, value in wanted.items():
        if isinstance(value, str) and _number(value):
            if found.get(name) != value:
                yield Difference(what=f"{key}.{name}", expected=_said(value), actual=_said(found.get(name)))
        elif Decimal(str(value)) != Decimal(str(found.get(name) or 0)):
            yield Difference(what=f"{key}.{name}", expected=_said(value), actual=_said(found.get(name) or 0))


def _same(key: str, wanted: Any, found: Any) -> bool:
    if key in ("because", "error"):
        return found is not None and str(wanted) in str(found)
    if isinstance(wanted, list):
        return sorted(wanted) == sorted(found or [])
    if isinstance(wanted, int | float | Decimal) or (isinstance(found, Decimal) and not _number(wanted)):
        return found is not None and not _number(found) and Decimal(str(wanted)) == Decimal(str(found))
    return bool(wanted == (found if found is not None else ""))


def _said(value: Any) -> str:
    if value is None:
        return "nothing"
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, list):
        return ", ".join(map(str, value)) or "nothing"
    if isinstance(value, float | Decimal):
        text = f"{Decimal(str(value)):f}"
        return text.rstrip("0").rstrip(".") if "." in text else text
    return str(value) or "nothing"
