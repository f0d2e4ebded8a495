"""Decide who is a member of which segment and store what changed."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import TYPE_CHECKING

from sfactl.config.tags import known_tags
from sfactl.engine.conditions.model import CompiledMany
from sfactl.segments import files
from sfactl.segments.layer_names import layer_names
from sfactl.segments.model import BuildResult, Built, Segment
from sfactl.segments.usecases import incremental, kept

if TYPE_CHECKING:
    from sfactl.engine.duck import Query
    from sfactl.session import Session
    from sfactl.workspace.transaction import Transaction

MEMBERS = "segment_members"
SQL = "segments"


def build(session: Session, names: Sequence[str] = (), *, full: bool = False) -> BuildResult:
    """Decide anew who is a member of the segments ``names`` and of those they depend on (default: of all).

    One pass over the leads and one over each relation, whatever the number of segments; only changes are written. Where
    an earlier build is known, only leads are looked at whose data changed since, or for whom a window opened or closed;
    ``full`` looks at all. With all segments, members of a segment without a file leave too. Raises `ConditionError`,
    `NotFound`.
    """
    segments = files.read_segments(session.folder)
    chosen = files.with_used(segments, names) if names else list(segments.values())
    at = session.now()
    compiled = _statement(session, chosen, segments)
    with session.write(MEMBERS) as tx:
        earlier = None if full else incremental.earlier_build(session, chosen, at)
        among = earlier is not None and incremental.candidates(session, tx.query, compiled, earlier, at)
        _flag(tx.query, compiled, only=None if not names else [s.name for s in chosen], among=among)
        built = _changes(tx.query, chosen, every=not names)
        result = BuildResult(at=at, commit=None, dry_run=session.dry_run, segments=built)
        if not result.changed:
            return result
        _write(tx, at)
        for segment in chosen:
            tx.set_cursor(*incremental.cursor(segment, chosen, at, tx.query.seq, session.workspace.schemas.zone))
        commit = tx.commit(segments={b.name: [b.members, b.joined, b.left] for b in built})
    return BuildResult(at=at, commit=commit.seq, dry_run=session.dry_run, segments=built)


def _statement(session: Session, chosen: Sequence[Segment], segments: Mapping[str, Segment]) -> CompiledMany:
    scores, layers = files.score_names(session.folder), layer_names(session.folder)
    tags = known_tags(session.folder)

    def compiled(now: datetime) -> CompiledMany:
        from sfactl.engine.conditions import compile_many  # late: a kept statement does not need the parser

        return compile_many(
            files.as_conditions(chosen),
            schemas=session.workspace.schemas,
            now=now,
            members_only=True,
            as_segments=True,
            segments=segments,
            scores=scores,
            tags=tags,
            layers=layers,
        )

    known = {
        "chosen": [segment.name for segment in chosen],
        "segments": sorted(segments),
        "scores": sorted(scores),
        "layers": sorted(layers),
        "tags": None if tags is None else sorted(tags),
    }
    return kept.statement(session, [segment.where for segment in chosen], known, compiled)


def _flag(query: Query, compiled: CompiledMany, only: Sequence[str] | None, *, among: bool) -> None:
    """Make the temporary tables ``wanted`` (who should be a member) and ``known`` (who is), and how they differ.

    With ``among`` both are about the leads in ``candidates`` only; the others stay as they are.
    """
    if compiled.columns:
        sql = compiled.among_sql if among else compiled.sql
        query.run(f"create temp table flags as {sql}", compiled.params)
    parts = [
        f"select {_literal(name)} as segment, lead_id from flags where {column}"
        for name, column in compiled.columns.items()
    ]
    empty = "select cast(null as varchar) as segment, cast(null as bigint) as lead_id where false"
    query.run(f"create temp table wanted as {' union all '.join(parts) or empty}")
    query.run(f"create temp table known as {_members(query, compiled, only, among=among)}")
    query.run(f"create temp table joined as {query.statement(SQL, 'joined')}")
    query.run(f"create temp table departed as {query.statement(SQL, 'departed')}")


def _members(query: Query, compiled: CompiledMany, only: Sequence[str] | None, *, among: bool) -> str:
    """SELECT of the stored members that are in question."""
    names = ", ".join(map(_literal, compiled.columns if only is None else only))
    query.run(f"create temp table chosen as select unnest(cast([{names}] as varchar[])) as segment")
    mine = " join chosen s on s.segment = m.segment" if among or only is not None else ""
    theirs = " join candidates c on c.lead_id = m.lead_id" if among else ""
    # A segment whose file is gone loses all its members, whoever they are.
    gone = f" union all select segment, lead_id from {MEMBERS} anti join chosen using (segment)"
    return f"select m.segment, m.lead_id from {MEMBERS} m{theirs}{mine}{gone if among and only is None else ''}"


def _literal(name: str) -> str:
    return "'" + name.replace("'", "''") + "'"


def _changes(query: Query, chosen: Sequence[Segment], *, every: bool) -> tuple[Built, ...]:
    counted = {row[0]: row[1:] for row in query.rows(query.statement(SQL, "changes"))}
    names = [segment.name for segment in chosen]
    gone = sorted(set(counted) - set(names)) if every else []
    empty = (0, 0, 0)
    return tuple(
        Built(name=name, members=counts[0], joined=counts[1], left=counts[2])
        for name in [*names, *gone]
        for counts in [counted.get(name, empty)]
    )


def _write(tx: Transaction, at: datetime) -> None:
    tx.upsert(MEMBERS, "select segment, lead_id, cast($at as timestamp) as since from joined", {"at": at})
    tx.delete(MEMBERS, "select segment, lead_id from departed")
