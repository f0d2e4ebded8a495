"""Keep the reps, and give leads to them."""

from __future__ import annotations

import csv
import hashlib
import io
from collections.abc import Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

from sfactl.api.errors import Conflict, DataError, NotFound, PolicyError, UserError
from sfactl.reps import roster
from sfactl.reps.model import (
    Assignment,
    OwnerExplained,
    Rep,
    RepsChanged,
    Round,
    Share,
    Standing,
    Waiting,
)
from sfactl.reps.rotation import assign, chances
from sfactl.workspace.aliases import living

if TYPE_CHECKING:
    import pyarrow as pa

    from sfactl.engine.duck import Query
    from sfactl.session import Session
    from sfactl.workspace import Transaction

ROUND_ROBIN, BALANCED, MANUAL = "round-robin", "balanced", "manual"
"""By turns had, by open leads owned, and by hand."""

STAGES = ("sql",)
"""Stages whose leads are given out unless others are named."""

OPEN = ("new", "mql", "sql")
CHANGED = ("leads", "assignments")


def add(session: Session, rep_id: str, fields: Mapping[str, str | None]) -> RepsChanged:
    """Add one rep. Raises `UserError` if the short name is taken."""
    with session.write("reps") as tx:
        if tx.query.get("reps", rep_id) is not None:
            raise UserError(f"there is a rep {rep_id} already", hint=f"Change it with: sfactl rep set {rep_id}")
        return _save(session, tx, [roster.rep_from({"rep_id": rep_id, **fields}, where="rep add")])


def change(session: Session, rep_id: str, fields: Mapping[str, str | None]) -> RepsChanged:
    """Change fields of one rep. Raises `NotFound`."""
    with session.write("reps") as tx:
        row = tx.query.get("reps", rep_id)
        if row is None:
            raise NotFound(f"there is no rep {rep_id!r}", hint="See: sfactl rep list")
        known = roster.from_row(row)
        return _save(session, tx, [roster.rep_from({"rep_id": rep_id, **fields}, where=f"rep {rep_id}", known=known)])


def import_reps(session: Session, path: Path) -> RepsChanged:
    """Add or change the reps of a CSV file, whose columns are those of the dataset. Raises `DataError` with the row."""
    try:
        text = path.read_text(encoding="utf-8-sig")
    except (OSError, UnicodeDecodeError) as err:
        raise DataError(f"{path}: cannot be read as UTF-8 text ({err})") from None
    reader = csv.DictReader(io.StringIO(text), restkey="(too many cells)")
    with session.write("reps") as tx:
        known = {rep.rep_id: rep for rep in _reps(tx.query)}
        reps: dict[str, Rep] = {}
        for row in reader:
            rep_id = (row.get("rep_id") or "").strip()
            where = f"{path}: row {reader.line_num}"
            if rep_id in reps:
                raise DataError(f"{where}: rep_id {rep_id!r} is there twice")
            reps[rep_id] = roster.rep_from(row, where=where, known=known.get(rep_id))
        return _save(session, tx, list(reps.values()))


def list_reps(session: Session) -> pa.Table:
    """Every rep with the open leads owned and the turns had in the present rotation."""
    with session.query() as query:
        return query.table(
            "select rep_id, name, team, active, weight, capacity, open, turns, countries, email, time_zone from ("
            f"{query.statement('reps', 'standings')}) as standings",
            {"strategy": ROUND_ROBIN},
        )


def plan(session: Session, *, stages: Sequence[str] = STAGES, strategy: str = ROUND_ROBIN) -> Assignment:
    """What `run` would do now. The same data gives the same plan, whoever asks and however often."""
    with session.query() as query:
        return _round(query, stages, strategy)[0]


def run(
    session: Session, *, stages: Sequence[str] = STAGES, strategy: str = ROUND_ROBIN, plan_id: str | None = None
) -> Assignment:
    """Give the leads in the queue to the reps: the owners and the reasons in one commit.

    With ``plan_id`` exactly that plan is done; raises `Conflict` when the data would give another now.
    """
    with session.write(*CHANGED) as tx:
        planned, done = _round(tx.query, stages, strategy)
        if plan_id is not None and not planned.plan_id.startswith(plan_id):
            raise Conflict(
                f"the data moved since plan {plan_id}: now it would be {planned.plan_id}",
                hint="Look at the new one: sfactl assign plan",
            )
        if not planned.given:
            return replace(planned, dry_run=session.dry_run)
        _write_owners(session, tx, done.given, strategy=strategy)
        seq = tx.commit(plan=planned.plan_id, given=planned.given, waiting=planned.waiting).seq
        return replace(planned, dry_run=session.dry_run, commit=seq)


def planned_owners(session: Session, *, stages: Sequence[str] = STAGES, strategy: str = ROUND_ROBIN) -> pa.Table:
    """The plan lead by lead: who would own it and why."""
    with session.query() as query:
        query.register("given", _round(query, stages, strategy)[1].given)
        return query.table(query.statement("reps", "planned_owners"))


def queue(session: Session, *, stages: Sequence[str] = STAGES) -> pa.Table:
    """The leads that a run would leave without an owner, with age and reason; the oldest first."""
    with session.query() as query:
        query.register("waiting", _round(query, stages, ROUND_ROBIN)[1].waiting)
        return query.table(query.statement("reps", "waiting"), {"now": session.now()})


def give(session: Session, leads: Sequence[int], *, to: str | None, reason: str | None = None) -> Assignment:
    """Give leads to one rep by hand, or (None) back to the queue.

    Raises `PolicyError` for a rep who is not active or would be over capacity, or a lead that is no longer open.
    """
    with session.write(*CHANGED) as tx:
        rows = [_lead(tx.query, n) for n in dict.fromkeys(leads)]
        for row in rows:
            if (row["status"] or "new") not in OPEN:
                raise PolicyError(f"lead:{row['lead_id']} is {row['status']}; only an open lead has an owner to change")
        moving = [row["lead_id"] for row in rows if row["owner"] != to]
        if to is not None:
            _check_room(tx.query, to, len(moving))
        told = reason or ("back to the queue" if to is None else f"given by {session.actor}")
        tx.query.run(
            "create temp table given as select lead_id, $to as rep_id, $told as reason from ("
            "select unnest($leads) as lead_id) as named",
            {"to": to, "told": told, "leads": moving},
        )
        empty = Assignment(
            plan_id="",
            strategy=MANUAL,
            queue=len(rows),
            given=0,
            waiting=0,
            reps=(),
            reasons=(),
            dry_run=session.dry_run,
        )
        if not moving:
            return empty
        _write_owners(session, tx, None, strategy=MANUAL)
        return replace(empty, given=len(moving), commit=tx.commit(given=len(moving), to=to).seq)


def explain(session: Session, lead_id: int) -> OwnerExplained:
    """Why the lead has its owner; for one without, who would get it and why not the others."""
    with session.query() as query:
        row = _lead(query, lead_id)
        last = query.one(query.statement("reps", "last_assignment"), {"lead_id": lead_id})
        at, strategy, reason = (last[0], last[1], last[2]) if last else (None, None, None)
        stands: tuple[Standing, ...] = ()
        if row["owner"] is None:
            stands = tuple(_standings(query))
            done = assign(query.table(query.statement("reps", "queue"), {"stages": list(STAGES)}), stands)
            reason = _prospect(done, lead_id, row["status"] or "new")
        elif reason is None or last is None or last[3] != row["owner"]:
            at, strategy, reason = None, None, "the owner came with the lead, not by an assignment"
        return OwnerExplained(
            lead_id=lead_id,
            name=row["full_name"] or row["company"] or row["email"],
            status=row["status"] or "new",
            owner=row["owner"],
            assigned_at=at,
            strategy=strategy,
            reason=reason,
            chances=chances(row["country"], stands),
        )


def _prospect(done: Round, lead_id: int, status: str) -> str:
    """What a run would do with a lead that has no owner."""
    for table, words in ((done.given, "rep_id"), (done.waiting, "reason")):
        found = dict(zip(table["lead_id"].to_pylist(), table[words].to_pylist(), strict=True))
        if lead_id in found:
            return f"a run now would give it to {found[lead_id]}" if words == "rep_id" else str(found[lead_id])
    return f"it is {status}; only {', '.join(STAGES)} leads are given out"


def _round(query: Query, stages: Sequence[str], strategy: str) -> tuple[Assignment, Round]:
    unknown = [s for s in stages if s not in OPEN]
    if unknown:
        raise UserError(f"--stage {unknown[0]}: only {', '.join(OPEN)} leads can be given out")
    stands = _standings(query)
    if strategy == BALANCED:
        # The open leads take the place of the turns: the same arithmetic then levels the loads.
        stands = [replace(s, turns=s.open) for s in stands]
    waiting = query.table(query.statement("reps", "queue"), {"stages": list(stages)})
    done = assign(waiting, stands)
    done = replace(done, given=_with_reasons(query, done.given, stands, strategy))
    return _summary(done, stands, waiting.num_rows, strategy), done


def _with_reasons(query: Query, given: pa.Table, stands: Sequence[Standing], strategy: str) -> pa.Table:
    """``given`` with a reason that can be checked later: the turn, and how full the rep was."""
    import pyarrow as pa

    facts = [(s.rep.rep_id, s.turns, s.open, s.rep.weight, s.rep.capacity) for s in stands]
    names = ["rep_id", "turns", "open", "weight", "capacity"]
    types = [pa.string(), pa.int64(), pa.int64(), pa.int64(), pa.int64()]
    query.register("seats", given)
    query.register(
        "stands",
        pa.table([pa.array([f[i] for f in facts], t) for i, t in enumerate(types)], names=names),
    )
    return query.table(query.statement("reps", "reasons"), {"balanced": strategy == BALANCED})


def _summary(done: Round, stands: Sequence[Standing], in_queue: int, strategy: str) -> Assignment:
    import pyarrow.compute as pc

    got = {r["values"]: r["counts"] for r in pc.value_counts(done.given["rep_id"]).to_pylist()}
    why = {r["values"]: r["counts"] for r in pc.value_counts(done.waiting["reason"]).to_pylist()}
    shares = [
        Share(
            rep_id=s.rep.rep_id,
            name=s.rep.name,
            weight=s.rep.weight,
            open_before=s.open,
            given=got.get(s.rep.rep_id, 0),
            open_after=s.open + got.get(s.rep.rep_id, 0),
            capacity=s.rep.capacity,
        )
        for s in stands
        if s.rep.active
    ]
    return Assignment(
        plan_id=_digest(done),
        strategy=strategy,
        queue=in_queue,
        given=done.given.num_rows,
        waiting=done.waiting.num_rows,
        reps=tuple(shares),
        reasons=tuple(Waiting(reason=r, leads=n) for r, n in sorted(why.items(), key=lambda w: (-w[1], w[0]))),
    )


def _digest(done: Round) -> str:
    """A short hash of each lead with its owner-to-be, and of those who wait."""
    digest = hashlib.sha256()
    for table, column in ((done.given, "rep_id"), (done.waiting, "reason")):
        digest.update(table["lead_id"].to_numpy().tobytes())
        digest.update("\x1f".join(table[column].to_pylist()).encode())
    return digest.hexdigest()[:12]


def _write_owners(session: Session, tx: Transaction, given: pa.Table | None, *, strategy: str) -> None:
    """Write leads and assignments of ``given``; None where it is a temporary table already."""
    if given is not None:
        tx.query.register("given", given)
    params = {"now": session.now(), "seq": tx.query.seq, "strategy": strategy}
    tx.upsert("leads", tx.query.statement("reps", "owned_leads"), params)
    tx.append("assignments", tx.query.statement("reps", "assignment_events"), params)


def _standings(query: Query) -> list[Standing]:
    rows = query.table(query.statement("reps", "standings"), {"strategy": ROUND_ROBIN}).to_pylist()
    return [Standing(rep=roster.from_row(r), open=r["open"], turns=r["turns"]) for r in rows]


def _check_room(query: Query, rep_id: str, more: int) -> None:
    standing = next((s for s in _standings(query) if s.rep.rep_id == rep_id), None)
    if standing is None:
        raise NotFound(f"there is no rep {rep_id!r}", hint="See: sfactl rep list")
    if not standing.rep.active:
        raise PolicyError(f"rep {rep_id} is not active", hint=f"Make it so with: sfactl rep set {rep_id} --active")
    if standing.free is not None and more > standing.free:
        raise PolicyError(
            f"rep {rep_id} has {standing.open} of {standing.rep.capacity} open leads and cannot take {more} more",
            hint="Free some leads, raise the capacity, or choose another rep.",
        )


def _lead(query: Query, lead_id: int) -> dict[str, Any]:
    row = query.get("leads", living(query, "lead", lead_id))
    if row is None:
        raise NotFound(f"there is no lead {lead_id}", hint="See: sfactl lead list")
    return row


def _reps(query: Query) -> list[Rep]:
    return [roster.from_row(row) for row in query.table("select * from reps order by rep_id").to_pylist()]


def _save(session: Session, tx: Transaction, reps: Sequence[Rep]) -> RepsChanged:
    """Write those reps that differ from what is known."""
    import pyarrow as pa

    known = {rep.rep_id: rep for rep in _reps(tx.query)}
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
