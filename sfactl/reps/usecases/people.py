"""Keep the reps: who they are, what they may take, and when they are away."""

from __future__ import annotations

import csv
import io
from collections.abc import Mapping, Sequence
from datetime import UTC, date, datetime, time, timedelta
from pathlib import Path
from typing import TYPE_CHECKING
from zoneinfo import ZoneInfo

from sfactl.api.errors import DataError, PolicyError, UserError
from sfactl.reps import roster
from sfactl.reps.model import AbsenceChanged, Rep, RepsChanged
from sfactl.reps.usecases.scene import find_rep, make_workloads, reps_of

if TYPE_CHECKING:
    import pyarrow as pa

    from sfactl.session import Session
    from sfactl.workspace import Transaction


def add(session: Session, rep_id: str, fields: Mapping[str, str | None]) -> RepsChanged:
    """Add one rep. Raises `UserError` if the short name is taken."""
    with session.write("reps") as tx:
        if tx.query.get("reps", rep_id) is not None:
            raise UserError(f"there is a rep {rep_id} already", hint=f"Change it with: sfactl rep set {rep_id}")
        return _save(session, tx, [roster.rep_from({"rep_id": rep_id, **fields}, where="rep add")])


def change(session: Session, rep_id: str, fields: Mapping[str, str | None]) -> RepsChanged:
    """Change fields of one rep. Raises `NotFound`."""
    with session.write("reps") as tx:
        known = find_rep(tx.query, rep_id)
        return _save(session, tx, [roster.rep_from({"rep_id": rep_id, **fields}, where=f"rep {rep_id}", known=known)])


def import_reps(session: Session, path: Path) -> RepsChanged:
    """Add or change the reps of a CSV file, whose columns are those of the dataset. Raises `DataError` with the row."""
    try:
        text = path.read_text(encoding="utf-8-sig")
    except (OSError, UnicodeDecodeError) as err:
        raise DataError(f"{path}: cannot be read as UTF-8 text ({err})") from None
    reader = csv.DictReader(io.StringIO(text), restkey="(too many cells)")
    with session.write("reps") as tx:
        known = {rep.rep_id: rep for rep in reps_of(tx.query)}
        reps: dict[str, Rep] = {}
        for row in reader:
            rep_id = (row.get("rep_id") or "").strip()
            where = f"{path}: row {reader.line_num}"
            if rep_id in reps:
                raise DataError(f"{where}: rep_id {rep_id!r} is there twice")
            reps[rep_id] = roster.rep_from(row, where=where, known=known.get(rep_id))
        return _save(session, tx, list(reps.values()))


def list_reps(session: Session) -> pa.Table:
    """Every rep with the open leads owned, the turns had in the present rotation, and until when away."""
    with session.query() as query:
        make_workloads(query)
        return query.table(query.statement("reps", "roster"), {"now": session.as_of_time()})


def away(session: Session, rep_id: str, *, begin: str, end: str, reason: str | None = None) -> AbsenceChanged:
    """Take a rep out of assignment for a time: days (both included) or times, in the rep's zone.

    Raises `PolicyError` where it overlaps an absence that is known, `UserError` where it ends before it begins.
    """
    with session.write("absences") as tx:
        rep = find_rep(tx.query, rep_id)
        zone = ZoneInfo(rep.time_zone) if rep.time_zone else session.zone
        starts_at, ends_at = _moment(begin, zone, end=False), _moment(end, zone, end=True)
        if ends_at <= starts_at:
            raise UserError(f"--to {end} is not after --from {begin}")
        other = tx.query.one(
            "select starts_at, ends_at, reason from absences where rep_id = $rep and starts_at < $ends_at"
            " and ends_at > $starts_at order by starts_at",
            {"rep": rep_id, "starts_at": starts_at, "ends_at": ends_at},
        )
        if other == (starts_at, ends_at, reason):
            return AbsenceChanged(rep_id=rep_id, starts_at=starts_at, ends_at=ends_at, dry_run=session.dry_run)
        if other is not None:
            said = f"rep {rep_id} is away from {other[0]:%Y-%m-%d %H:%M} to {other[1]:%Y-%m-%d %H:%M} UTC already"
            raise PolicyError(said, hint=f"Take that back first: sfactl rep back {rep_id}")
        row = {"rep_id": rep_id, "starts_at": starts_at, "ends_at": ends_at, "reason": reason}
        _write_absences(session, tx, [row])
        seq = tx.commit(rep=rep_id).seq
    return AbsenceChanged(rep_id=rep_id, starts_at=starts_at, ends_at=ends_at, dry_run=session.dry_run, commit=seq)


def back(session: Session, rep_id: str) -> AbsenceChanged:
    """End the present absence of a rep now, and forget those that are still to come. Raises `NotFound` for the rep."""
    import pyarrow as pa

    with session.write("absences") as tx:
        find_rep(tx.query, rep_id)
        now = session.now()
        rows = tx.query.rows(
            "select starts_at, ends_at, reason from absences where rep_id = $rep and ends_at > $now order by starts_at",
            {"rep": rep_id, "now": now},
        )
        if not rows:
            return AbsenceChanged(rep_id=rep_id, starts_at=None, ends_at=None, dry_run=session.dry_run)
        begun = [r for r in rows if r[0] < now]
        _write_absences(
            session, tx, [{"rep_id": rep_id, "starts_at": s, "ends_at": now, "reason": why} for s, _, why in begun]
        )
        if gone := [r[0] for r in rows if r[0] >= now]:
            keys = pa.table({"rep_id": [rep_id] * len(gone), "starts_at": pa.array(gone, pa.timestamp("us"))})
            tx.delete("absences", keys)
        seq = tx.commit(rep=rep_id).seq
    return AbsenceChanged(rep_id=rep_id, starts_at=rows[0][0], ends_at=now, dry_run=session.dry_run, commit=seq)


def absences(session: Session) -> pa.Table:
    """Every absence that is not over, by rep: from, until (UTC), reason."""
    with session.query() as query:
        return query.table(
            "select rep_id, starts_at, ends_at, reason from absences where ends_at > $now order by rep_id, starts_at",
            {"now": session.as_of_time()},
        )


def _moment(text: str, zone: ZoneInfo, *, end: bool) -> datetime:
    """The naive UTC time of a day (its end, if ``end``) or of a time in ``zone``."""
    try:
        if len(text) == 10:
            day = date.fromisoformat(text) + timedelta(days=int(end))
            at = datetime.combine(day, time(), zone)
        else:
            at = datetime.fromisoformat(text)
    except (ValueError, OverflowError):
        raise UserError(f"{text!r} is not a day or a time", hint="Write 2026-12-24 or 2026-12-24T13:00.") from None
    return (at if at.tzinfo else at.replace(tzinfo=zone)).astimezone(UTC).replace(tzinfo=None)


def _write_absences(session: Session, tx: Transaction, rows: Sequence[Mapping[str, object]]) -> None:
    import pyarrow as pa

    if rows:
        tx.upsert("absences", pa.Table.from_pylist(rows, schema=session.workspace.schemas["absences"].arrow()))


def _save(session: Session, tx: Transaction, reps: Sequence[Rep]) -> RepsChanged:
    """Write those reps that differ from what is known."""
    import pyarrow as pa

    known = {rep.rep_id: rep for rep in reps_of(tx.query)}
    dated = [roster.dated(rep, known.get(rep.rep_id), session.now()) for rep in reps]
    new = [rep for rep in dated if rep.rep_id not in known]
    updated = [rep for rep in dated if rep.rep_id in known and known[rep.rep_id] != rep]
    seq = None
    if new or updated:
        schema = session.workspace.schemas["reps"].arrow()
        tx.upsert("reps", pa.Table.from_pylist([roster.to_row(rep) for rep in (*new, *updated)], schema=schema))
        seq = tx.commit(new=len(new), updated=len(updated)).seq
    return RepsChanged(
        rows=len(reps),
        new=len(new),
        updated=len(updated),
        unchanged=len(reps) - len(new) - len(updated),
        dry_run=session.dry_run,
        commit=seq,
    )
