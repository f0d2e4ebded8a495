"""Read tags from a file of a rep: which column means what, and which rows cannot be used. Pure but for the file."""

from __future__ import annotations

import re
from collections.abc import Collection, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from pathlib import Path

from sfactl.api.errors import DataError, UserError
from sfactl.engine.delimited import BadRow, read_rows
from sfactl.portrait import tags
from sfactl.portrait.model import Rejected
from sfactl.portrait.refs import ref_of

HEADERS: Mapping[str, tuple[str, ...]] = {
    "ref": ("ref", "lead", "lead_id", "id", "客戶編號", "客户编号"),
    "email": ("email", "e-mail", "mail", "電郵", "邮箱"),
    "contact": ("contact", "contact_id"),
    "account": ("account", "account_id"),
    "tag": ("tag", "tags", "label", "標籤", "标签"),
    "value": ("value", "值"),
    "author": ("author", "rep", "by", "業務", "销售"),
    "at": ("at", "date", "日期"),
    "expires": ("expires", "expires_at", "until", "到期"),
    "note": ("note", "comment", "備註", "备注"),
}
WHO = ("ref", "email", "contact", "account")
SEVERAL = re.compile(r"[;；|、]")


@dataclass(slots=True, kw_only=True)
class Rows:
    """What the rows of a file say, column by column, and the rows refused."""

    row: list[int] = field(default_factory=list)
    kind: list[str] = field(default_factory=list)
    number: list[int | None] = field(default_factory=list)
    email: list[str | None] = field(default_factory=list)
    tag: list[str] = field(default_factory=list)
    value: list[str | None] = field(default_factory=list)
    author: list[str] = field(default_factory=list)
    at: list[datetime] = field(default_factory=list)
    expires_at: list[datetime | None] = field(default_factory=list)
    note: list[str | None] = field(default_factory=list)
    read: int = 0
    rejected: list[Rejected] = field(default_factory=list)


def read_tags(
    path: Path, *, author: str, now: datetime, known: Collection[str] | None, encoding: str = "utf-8"
) -> Rows:
    """The tags in the delimited file ``path``; ``author`` says them where the file has no such column.

    Raises `DataError` for a file that cannot be read or that has no column of tags or of bearers.
    """
    found = Rows()
    columns: dict[str, str] | None = None
    for row in read_rows(path, encoding=encoding):
        found.read += 1
        if isinstance(row, BadRow):
            found.rejected.append(Rejected(row=row.number, reason=row.reason))
            continue
        columns = columns or _columns(path, row.values)
        cells = {name: row.values.get(header, "") for name, header in columns.items()}
        try:
            _add(found, row.number, cells, author=author, now=now, known=known)
        except UserError as err:
            hint = f" {err.hint}" if err.hint and err.hint.startswith("Did you mean") else ""
            found.rejected.append(Rejected(row=row.number, reason=f"{err.message}.{hint}" if hint else err.message))
    return found


def _columns(path: Path, header: Mapping[str, str]) -> dict[str, str]:
    by_name = {name.strip().lower(): name for name in header}
    columns = {
        name: next(by_name[word] for word in words if word in by_name)
        for name, words in HEADERS.items()
        if any(word in by_name for word in words)
    }
    if "tag" not in columns:
        raise DataError(f"{path}: no column of tags", hint=f"Call one of them tag. There are: {', '.join(header)}")
    if not set(WHO) & set(columns):
        raise DataError(
            f"{path}: no column says whose tags these are", hint="Call one lead, email, contact or account."
        )
    return columns


def _add(
    found: Rows, number: int, cells: Mapping[str, str], *, author: str, now: datetime, known: Collection[str] | None
) -> None:
    who = next((name for name in WHO if cells.get(name)), None)
    if who is None:
        raise UserError("says nobody: lead, e-mail, contact or account is empty")
    ref = ref_of(f"{who}:{cells[who]}" if who in ("contact", "account") and ":" not in cells[who] else cells[who])
    said = [tags.tag_of(part) for part in SEVERAL.split(cells["tag"]) if part.strip()]
    if not said:
        raise UserError("has no tag")
    tags.check_known([tag for tag, _ in said], known)
    at = _time(cells.get("at", ""), now)
    ends = tags.expiry(cells.get("expires"), now)
    for tag, value in said:
        found.row.append(number)
        found.kind.append(ref.kind)
        found.number.append(ref.number)
        found.email.append(ref.email)
        found.tag.append(tag)
        found.value.append(value or cells.get("value") or None)
        found.author.append(cells.get("author") or author)
        found.at.append(at)
        found.expires_at.append(ends)
        found.note.append(cells.get("note") or None)


def _time(text: str, now: datetime) -> datetime:
    if not text:
        return now
    try:
        at = datetime.fromisoformat(text)
    except ValueError:
        raise UserError(f"{text!r} is not a date; write 2026-01-31") from None
    if at.tzinfo is not None:
        raise UserError(f"{text!r}: write the time in UTC, without a zone")
    if at > now:
        raise UserError(f"{text} lies in the future")
    return at
