"""Read reps from rows of text and change single fields. Pure: it decides what a valid rep is and what changed.

The time since which a rep takes work moves when the rep starts to take work or gets another share of it, so that a
newcomer does not have to catch up with turns that others had before.
"""

from __future__ import annotations

import difflib
import re
from collections.abc import Mapping
from dataclasses import fields, replace
from datetime import datetime
from typing import Any
from zoneinfo import available_timezones

from sfactl.api.errors import DataError
from sfactl.reps.model import MAX_WEIGHT, Rep

COLUMNS = tuple(f.name for f in fields(Rep) if f.name != "since")
"""What a file of reps may have; ``rep_id`` it must have."""


def rep_from(row: Mapping[str, str | None], *, where: str, known: Rep | None = None) -> Rep:
    """The rep a row of text describes; columns that are not there keep what is ``known``.

    Raises `DataError` naming ``where``, the column and the value.
    """
    unknown = [name for name in row if name not in COLUMNS]
    if unknown:
        near = difflib.get_close_matches(unknown[0], COLUMNS, 1)
        hint = f"Did you mean {near[0]!r}?" if near else f"Columns: {', '.join(COLUMNS)}"
        raise DataError(f"{where}: unknown column {unknown[0]!r}", hint=hint)
    rep_id = (row.get("rep_id") or "").strip()
    if not re.fullmatch(r"[\w.@-]{1,64}", rep_id):
        raise DataError(f"{where}: rep_id {rep_id!r} is not a short name of letters, digits and . _ @ -")
    values = {name: _value(name, (text or "").strip(), where=where) for name, text in row.items() if name != "rep_id"}
    return replace(known or Rep(rep_id=rep_id), **values)


def _value(name: str, text: str, *, where: str) -> Any:
    if name == "active":
        return _flag(text, where)
    if name == "weight":
        return 1 if not text else _whole(name, text, MAX_WEIGHT, where)
    if name in ("capacity", "daily_limit"):
        return _whole(name, text, 10**9, where) if text else None
    if name in ("skills", "territories"):
        return _words(name, text, where)
    if name == "countries":
        return _countries(text, where)
    if name == "time_zone" and text and text not in available_timezones():
        raise DataError(f"{where}: time_zone {text!r} is not an IANA time zone, for instance Asia/Taipei")
    return text or None


def _flag(text: str, where: str) -> bool:
    known = {"": True, "true": True, "yes": True, "1": True, "false": False, "no": False, "0": False}
    if text.lower() not in known:
        raise DataError(f"{where}: active {text!r} is neither yes nor no")
    return known[text.lower()]


def _whole(name: str, text: str, most: int, where: str) -> int:
    if not (text.isascii() and text.isdigit()) or int(text) > most:
        raise DataError(f"{where}: {name} {text!r} is not a whole number from 0 to {most}")
    return int(text)


def _countries(text: str, where: str) -> tuple[str, ...]:
    codes = tuple(sorted({c.strip().upper() for c in re.split(r"[,;\s]+", text) if c.strip()}))
    for code in codes:
        if not re.fullmatch(r"[A-Z]{2}", code):
            raise DataError(f"{where}: country {code!r} is not an ISO 3166 code of two letters")
    return codes


def _words(name: str, text: str, where: str) -> tuple[str, ...]:
    words = tuple(sorted({w.strip() for w in re.split(r"[,;]", text) if w.strip()}))
    for word in words:
        if len(word) > 64 or any(c in word for c in "'\"\x1f\n"):
            raise DataError(f"{where}: {name}: {word!r} is not a short name")
    return words


def dated(rep: Rep, known: Rep | None, now: datetime) -> Rep:
    """``rep`` with the time since which it takes work: now where it starts to, or where its share changes."""
    starts = known is None or (rep.active and not known.active) or rep.weight != known.weight
    return replace(rep, since=now if starts or known is None else known.since)


def to_row(rep: Rep) -> dict[str, Any]:
    """The rep as a row of the dataset."""
    row = {f.name: getattr(rep, f.name) for f in fields(Rep)}
    return row | {name: ",".join(row[name]) or None for name in ("countries", "skills", "territories")}


def from_row(row: Mapping[str, Any]) -> Rep:
    """The rep of a row of the dataset; nulls are what they mean: active, weight 1, every country."""
    return Rep(
        rep_id=row["rep_id"],
        name=row["name"],
        email=row["email"],
        team=row["team"],
        active=row["active"] is not False,
        capacity=row["capacity"],
        weight=1 if row["weight"] is None else row["weight"],
        countries=_listed(row["countries"]),
        time_zone=row["time_zone"],
        since=row.get("since"),
        skills=_listed(row.get("skills")),
        territories=_listed(row.get("territories")),
        daily_limit=row.get("daily_limit"),
        calendar=row.get("calendar"),
    )


def _listed(text: str | None) -> tuple[str, ...]:
    return tuple(part.strip() for part in (text or "").split(",") if part.strip())
