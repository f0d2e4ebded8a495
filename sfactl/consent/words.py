"""People's words about mail as rows to record: what a file or somebody at the prompt says, made exact."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta
from pathlib import Path
from typing import Literal
from zoneinfo import ZoneInfo

from sfactl.api.errors import DataError, UserError
from sfactl.consent.addresses import address_of
from sfactl.engine.delimited import BadRow, read_rows
from sfactl.engine.references import number_of

Kind = Literal["consent", "subscribe", "unsubscribe"]
_SAID: Mapping[Kind, str] = {
    "consent": "granted grant in opt-in yes true 1 consent confirmed",
    "subscribe": "asked subscribe subscribed unconfirmed pending",
    "unsubscribe": "withdrawn withdraw out opt-out no false 0 unsubscribe unsubscribed",
}
STATES: Mapping[str, Kind] = {said: kind for kind, words in _SAID.items() for said in words.split()}
"""What files call the word that somebody gave."""
HEADERS: Mapping[str, tuple[str, ...]] = {
    "who": ("who", "ref", "address"),
    "lead": ("lead", "lead_id", "id", "客戶編號", "客户编号"),
    "email": ("email", "e-mail", "mail", "電郵", "邮箱"),
    "phone": ("phone", "mobile", "手機", "手机"),
    "state": ("state", "status", "consent", "word"),
    "topic": ("topic", "purpose", "list"),
    "at": ("at", "date", "when", "since", "日期"),
    "evidence": ("evidence", "source", "note", "proof", "text", "備註", "备注"),
    "channel": ("channel",),
}
WHO = ("lead", "email", "phone", "who")
"""Those of them that name somebody."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Person:
    """Who is meant: a lead's number, or an address."""

    lead_id: int | None = None
    kind: Literal["email", "phone"] | None = None
    value: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Word:
    """One word of one person: about ``topic`` (empty: about all mail), ``at`` (naive UTC), and how we know."""

    row: int
    who: Person
    kind: Kind
    topic: str
    at: datetime
    evidence: str
    channel: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Rejected:
    """A row of a file that was not taken, and why."""

    row: int
    reason: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Reading:
    """What a file is read with: what its rows do not say themselves."""

    topics: Collection[str]
    now: datetime
    zone: ZoneInfo
    country: str
    topic: str = ""
    state: str = ""
    evidence: str = ""
    channel: str = ""


def person_of(text: str, country: str) -> Person:
    """``lead:8841``, ``8841``, an e-mail address, or a telephone number with a + or 0 before it. Raises `UserError`."""
    said = text.strip()
    bare = said.removeprefix("lead:").removeprefix("L-")
    if bare != said or (bare.isascii() and bare.isdigit() and not bare.startswith("0")):
        return Person(lead_id=number_of("lead", bare))
    kind, value = address_of(said, country)
    return Person(kind=kind, value=value)


def moment_of(text: str, kind: Kind, zone: ZoneInfo, now: datetime) -> datetime:
    """When a word was said. A day without a time is one of ``zone``: a yes holds from its begin, a no from its end.

    Raises `UserError` for what is no time, or one to come.
    """
    try:
        if len(text) == 10:
            day = date.fromisoformat(text)
            at = datetime.combine(day + timedelta(days=kind == "unsubscribe"), time(), zone)
            found = at.astimezone(UTC).replace(tzinfo=None)
            found = min(found, now) if day <= now.replace(tzinfo=UTC).astimezone(zone).date() else found
        else:
            at = datetime.fromisoformat(text)
            found = (at if at.tzinfo else at.replace(tzinfo=zone)).astimezone(UTC).replace(tzinfo=None)
    except (ValueError, OverflowError):
        raise UserError(f"{text!r} is no date or time", hint="Write 2026-11-21 or 2026-11-21T09:00.") from None
    if found > now:
        raise UserError(f"{text!r} is still to come")
    return found


def read_words(path: Path, reading: Reading, encoding: str = "utf-8") -> tuple[list[Word], list[Rejected], int]:
    """The words in a delimited file, the rows that cannot be used, and how many rows there were. Raises `DataError`."""
    words: list[Word] = []
    rejected: list[Rejected] = []
    columns: dict[str, str] | None = None
    rows = 0
    for row in read_rows(path, encoding=encoding):
        rows += 1
        if isinstance(row, BadRow):
            rejected.append(Rejected(row=row.number, reason=row.reason))
            continue
        columns = columns or _columns(path, row.values, reading)
        cells = {name: row.values.get(header, "") for name, header in columns.items()}
        try:
            words.append(_word(row.number, cells, reading))
        except UserError as err:
            rejected.append(Rejected(row=row.number, reason=err.message))
    return words, rejected, rows


def _columns(path: Path, header: Mapping[str, str], reading: Reading) -> dict[str, str]:
    by_name = {name.strip().lower(): name for name in header}
    columns = {
        name: next(by_name[word] for word in words if word in by_name)
        for name, words in HEADERS.items()
        if any(word in by_name for word in words)
    }
    if not any(name in columns for name in WHO):
        raise DataError(f"{path}: no column says who: lead, email or phone", hint=f"It has: {', '.join(header)}")
    if "state" not in columns and not reading.state:
        raise DataError(
            f"{path}: no column says what they said", hint="Add a column state (granted or withdrawn), or use --state."
        )
    return columns


def _who(cells: Mapping[str, str], country: str) -> Person:
    """The first of a row's names for somebody that is not empty."""
    name = next((name for name in WHO if cells.get(name)), None)
    if name is None:
        raise UserError("says nobody")
    if name == "lead":
        return person_of(f"lead:{cells[name].removeprefix('lead:')}", country)
    if name == "who":
        return person_of(cells[name], country)
    kind, value = address_of(cells[name], country)
    return Person(kind=kind, value=value)


def _word(number: int, cells: Mapping[str, str], reading: Reading) -> Word:
    said = cells.get("state") or reading.state
    kind = STATES.get(said.lower())
    if kind is None:
        raise UserError(f"state {said!r} is none of granted, asked, withdrawn")
    topic = cells.get("topic") or reading.topic
    if topic and topic not in reading.topics:
        raise UserError(f"there is no topic {topic!r}")
    when = cells.get("at", "")
    return Word(
        row=number,
        who=_who(cells, reading.country),
        kind=kind,
        topic=topic,
        at=moment_of(when, kind, reading.zone, reading.now) if when else reading.now,
        evidence=cells.get("evidence") or reading.evidence,
        channel=cells.get("channel") or reading.channel,
    )
