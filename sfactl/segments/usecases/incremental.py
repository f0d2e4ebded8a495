"""Which leads a rebuild must look at: those whose data changed since the last build, and those whom passing time moved.

It reads the workspace's history and the cursors that builds leave behind.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import TYPE_CHECKING, Any

import sfactl
from sfactl.engine.conditions.model import CompiledMany
from sfactl.engine.conditions.passing import moved
from sfactl.engine.periods import PeriodError
from sfactl.segments.model import Segment
from sfactl.workspace.changes import changed_since

if TYPE_CHECKING:
    from sfactl.engine.duck import Query
    from sfactl.session import Session

LINK = "lead_id"


@dataclass(frozen=True, slots=True, kw_only=True)
class Earlier:
    """The oldest of the last builds of some segments: the time it was for, and the commit it read."""

    at: datetime
    data: int


def cursor(
    segment: Segment, chosen: Sequence[Segment], at: datetime, data: int, zone: str
) -> tuple[str, Mapping[str, Any]]:
    """The cursor that a build leaves behind: its name, and the time, the data and the definition it stands for."""
    definition = _definition(segment, chosen, zone)
    return f"segment:{segment.name}", {"at": at.isoformat(), "data": data, "definition": definition}


def earlier_build(session: Session, chosen: Sequence[Segment], at: datetime) -> Earlier | None:
    """The build to go on from, or None where a segment is new or differs from what was built."""
    found = []
    for segment in chosen:
        saved = session.workspace.cursor(f"segment:{segment.name}")
        if saved is None or saved.get("definition") != _definition(segment, chosen, session.workspace.schemas.zone):
            return None
        found.append(Earlier(at=datetime.fromisoformat(saved["at"]), data=saved["data"]))
    oldest = min(found, key=lambda build: (build.data, build.at), default=None)
    if oldest is None or any(build.at > at for build in found):
        return None
    return Earlier(at=min(build.at for build in found), data=oldest.data)


def candidates(session: Session, query: Query, compiled: CompiledMany, earlier: Earlier, at: datetime) -> bool:
    """Make the temporary table ``candidates`` of the leads to look at; False where all must be looked at."""
    if compiled.windows is None:
        return False
    parts: list[str] = []
    for dataset in compiled.relations:
        changed = changed_since(session.workspace, dataset, LINK, earlier.data, query.seq)
        if changed is None:
            return False
        parts.append(f"select {LINK} from ({changed})")
    params: dict[str, object] = {}
    try:
        for number, window in enumerate(compiled.windows if at > earlier.at else ()):
            passed = moved(window, str(number), earlier.at, at)
            parts.append(f"select {LINK} from {window.dataset} where {passed.sql}")
            params |= passed.bounds
    except PeriodError:
        return False
    sql = " union all ".join(parts)
    query.run(f"create temp table candidates as select distinct {LINK} from ({sql}) where {LINK} is not null", params)
    return True


def _definition(segment: Segment, chosen: Sequence[Segment], zone: str) -> str:
    """A hash of all that decides about members besides the data. Other chosen segments count: it may depend on them."""
    parts = [sfactl.__version__, zone, segment.name, segment.where, *_texts(chosen)]
    return hashlib.sha256("\x1f".join(parts).encode()).hexdigest()


def _texts(chosen: Sequence[Segment]) -> Iterator[str]:
    for segment in chosen:
        if "member_of" in segment.where.lower():
            yield from (f"{other.name}={other.where}" for other in chosen)
            return
