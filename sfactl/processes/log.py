"""What an event log calls its columns, and what an import of one answers."""

from __future__ import annotations

import difflib
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from sfactl.api.errors import UserError

USUAL: Mapping[str, tuple[str, ...]] = {
    "case": (
        "caseid", "case", "caseconceptname", "ticketid", "ticket", "issueid", "issue", "trace", "案件", "工單", "工单",
    ),
    "activity": (
        "activityid", "activity", "conceptname", "activityname", "event", "eventname", "action", "step", "活動", "活动",
    ),
    "time": (
        "completetimestamp", "timestamp", "timetimestamp", "endtimestamp", "endtime", "time", "at", "datetime", "date",
        "eventtime", "時間", "时间",
    ),
    "actor": ("resource", "orgresource", "actor", "user", "agent", "handler", "owner", "人員", "人员"),
    "lead": ("leadid",),
    "account": ("accountid",),
}  # fmt: skip
"""Names that logs usually have, folded: small letters, nothing but letters and digits."""

NEEDED = ("case", "activity", "time")


@dataclass(frozen=True, slots=True, kw_only=True)
class Rejected:
    """Rows that are no events, for one reason, with the first of them."""

    reason: str
    rows: int
    first_row: int
    value: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Imported:
    """What an import of a log did. ``commit`` is None in a dry run and where nothing was new."""

    file: str
    process: str
    dates: str
    columns: Mapping[str, str]
    rows: int
    new: int
    known: int
    doubles: int
    rejected: int
    reasons: tuple[Rejected, ...]
    cases: int
    activities: int
    first_at: str
    last_at: str
    commit: int | None
    dry_run: bool


def columns_of(header: Sequence[str], stated: Mapping[str, str], *, where: str) -> dict[str, str]:
    """Which column says what: as stated, else by its usual name. Raises `UserError` for one that is needed."""
    found: dict[str, str] = {}
    folded = {re.sub(r"[\W_]+", "", name.lower()): name for name in reversed(header)}
    for role, usual in USUAL.items():
        if name := stated.get(role, ""):
            if name not in header:
                near = difflib.get_close_matches(name, header, 1)
                hint = f" Did you mean {near[0]!r}?" if near else f" Columns: {', '.join(header)}"
                raise UserError(f"--{role}: {where} has no column {name!r}.{hint}")
            found[role] = name
        elif named := next((folded[name] for name in usual if name in folded), None):
            found[role] = named
        elif role in NEEDED:
            raise UserError(
                f"{where}: which column is the {role}? The columns are {', '.join(header)}",
                hint=f"Say --{role} COLUMN",
            )
    return found
