"""Write the members of a segment as an audience for an advertising platform: hashed, and nobody who must be left alone.

Addresses leave only as SHA-256 (FIPS 180-4), in hexadecimal, of the trimmed address in lower case, as LinkedIn, Google
and Meta ask for: ``ming@example.com`` is 32013543…. Telephones are hashed in E.164; Meta leaves out the plus sign.
"""

from __future__ import annotations

import csv
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Literal

from sfactl.api.errors import NotFound
from sfactl.segments import files

if TYPE_CHECKING:
    from sfactl.session import Session

Platform = Literal["linkedin", "google", "meta"]
COLUMNS: Mapping[Platform, Mapping[str, str]] = {
    "linkedin": {"email": "email"},
    "google": {"Email": "email", "Phone": "phone"},
    "meta": {"email": "email", "phone": "digits"},
}
"""Platform → column of its file → what is hashed there."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Audience:
    """What was exported of a segment: members = exported + suppressed + unreachable (no address to match by)."""

    segment: str
    platform: str
    members: int
    exported: int
    suppressed: int
    unreachable: int
    file: str
    dry_run: bool


def export(session: Session, name: str, platform: Platform, into: Path) -> Audience:
    """Write the stored members of ``name`` to ``into`` for ``platform``. Raises `NotFound` for an unknown segment."""
    known = files.read_segments(session.folder)
    if name not in known:
        raise NotFound(f"there is no segment {name!r}", hint=f"segments/*.toml: {', '.join(known) or 'none yet'}")
    columns = COLUMNS[platform]
    hashed = {
        "email": "case when email is not null then sha256(lower(trim(email))) end",
        "phone": "case when phone like '+%' then sha256(phone) end",
        "digits": "case when phone like '+%' then sha256(substr(phone, 2)) end",
    }
    cells = {column: hashed[kind] for column, kind in columns.items()}
    some = " or ".join(f"({sql}) is not null" for sql in cells.values())
    with session.query() as query:
        query.run(
            "create or replace temp table audience as select l.email, l.phone, exists (select 1 from suppressions s"
            " where s.scope = 'all' and ((s.kind = 'email' and lower(s.value) = lower(l.email))"
            " or (s.kind = 'phone' and s.value = l.phone))) as suppressed"
            " from segment_members m join leads l on l.lead_id = m.lead_id where m.segment = $name",
            {"name": name},
        )
        members, suppressed, unreachable = query.one(
            "select count(*), count(*) filter (where suppressed),"
            f" count(*) filter (where not suppressed and not ({some})) from audience"
        ) or (0, 0, 0)
        picked = ", ".join(f"coalesce({sql}, '') as c{i}" for i, sql in enumerate(cells.values()))
        rows = query.rows(f"select distinct {picked} from audience where not suppressed and ({some}) order by all")
    if not session.dry_run:
        into.parent.mkdir(parents=True, exist_ok=True)
        half = into.with_suffix(into.suffix + ".part")
        with half.open("w", encoding="utf-8", newline="") as file:
            out = csv.writer(file)
            out.writerow(cells)
            out.writerows(rows)
        half.replace(into)
    return Audience(
        segment=name,
        platform=platform,
        members=members,
        exported=members - suppressed - unreachable,
        suppressed=suppressed,
        unreachable=unreachable,
        file=str(into),
        dry_run=session.dry_run,
    )
