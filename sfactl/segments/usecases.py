"""List, check, build, size and explain segments. The only module of this slice that touches the workspace."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from sfactl.api.errors import NotFound, SfactlError
from sfactl.engine.conditions import compile_condition, compile_many
from sfactl.engine.conditions.change import smallest_change
from sfactl.engine.conditions.explain import ask
from sfactl.engine.conditions.model import CompiledMany, Question
from sfactl.segments import files
from sfactl.segments.model import BuildResult, Built, Checked, Explanation, Listed, Segment, Size, TermAnswer

if TYPE_CHECKING:
    import pyarrow as pa

    from sfactl.engine.duck import Query
    from sfactl.session import Session
    from sfactl.workspace.transaction import Transaction

MEMBERS = "segment_members"
SQL = "segments"


def list_segments(session: Session) -> tuple[Listed, ...]:
    """Every segment file with its stored members, by name."""
    segments = files.read_segments(session.folder)
    with session.query() as query:
        stored = {row[0]: row for row in query.rows(query.statement(SQL, "sizes"))}
    return tuple(
        Listed(
            name=name,
            members=stored[name][1] if name in stored else None,
            last_joined=stored[name][2] if name in stored else None,
            summary=segment.summary,
        )
        for name, segment in segments.items()
    )


def check(session: Session, paths: Sequence[Path] = ()) -> Checked:
    """Read and compile segment files (default: all of the workspace) without running them; collects the problems."""
    files.check_names(paths)
    chosen = list(paths) or sorted((session.folder / files.FOLDER).glob("*.toml"))
    segments: dict[str, Segment] = {}
    problems: list[str] = []
    for path in chosen:
        try:
            segments[path.stem] = files.read_segment(path)
        except SfactlError as err:
            problems.append(err.message)
    known = {p.stem for p in (session.folder / files.FOLDER).glob("*.toml")} | set(segments)
    for path in chosen:
        if path.stem in segments:
            problems += _problem(session, segments[path.stem], path, known)
    if not problems:
        problems += _circles(session, segments)
    return Checked(checked=len(chosen), problems=tuple(problems))


def build(session: Session, names: Sequence[str] = ()) -> BuildResult:
    """Decide anew who is a member of the segments ``names`` and of those they depend on (default: of all).

    One pass over the leads and one over each relation, whatever the number of segments; only changes are written. With
    all segments, members of a segment without a file leave too. Raises `ConditionError`, `NotFound`.
    """
    segments = files.read_segments(session.folder)
    chosen = files.with_used(segments, names) if names else list(segments.values())
    at = session.now()
    compiled = compile_many(
        files.as_conditions(chosen),
        schemas=session.workspace.schemas,
        now=at,
        members_only=True,
        as_segments=True,
        segments=segments,
        scores=_scores(session),
    )
    with session.write(MEMBERS) as tx:
        _flag(tx.query, compiled, only=None if not names else [s.name for s in chosen])
        built = _changes(tx.query, chosen, every=not names)
        result = BuildResult(at=at, commit=None, dry_run=session.dry_run, segments=built)
        if not result.changed:
            return result
        _write(tx, at)
        commit = tx.commit(segments={b.name: [b.members, b.joined, b.left] for b in built})
    return BuildResult(at=at, commit=commit.seq, dry_run=session.dry_run, segments=built)


def members(session: Session, name: str) -> pa.Table:
    """The stored members of a segment: lead_id, full_name, company, email, country, owner, since."""
    files.named(files.read_segments(session.folder), name)
    with session.query() as query:
        return query.table(query.statement(SQL, "members"), {"segment": name})


def size(session: Session, name: str) -> Size:
    """How many leads meet the condition at ``--as-of`` (default: now), without storing anything."""
    segments = files.read_segments(session.folder)
    chosen = files.with_used(segments, [name])
    at = session.as_of_time()
    compiled = compile_many(
        files.as_conditions(chosen),
        schemas=session.workspace.schemas,
        now=at,
        as_segments=True,
        segments=segments,
        scores=_scores(session),
    )
    count = f"select count(*) from ({compiled.sql}) as flags where {compiled.columns[name]}"
    with session.query() as query:
        counted = query.one(count, compiled.params) or (0,)
        stored = query.one(f"select count(*) from {MEMBERS} where segment = $segment", {"segment": name}) or (0,)
    return Size(name=name, at=at, members=counted[0], stored=stored[0])


def explain(session: Session, name: str, lead_id: int) -> Explanation:
    """Which terms of a segment's condition hold for one lead at ``--as-of``, with the actual values.

    A segment that the condition depends on is computed too. Raises `NotFound` for the lead or the segment.
    """
    segments = files.read_segments(session.folder)
    segment = files.named(segments, name)
    used = [s for s in files.with_used(segments, [name]) if s.name != name]
    at = session.as_of_time()
    question = ask(
        segment.where,
        schemas=session.workspace.schemas,
        now=at,
        where=f"{files.FOLDER}/{name}.toml: where",
        segments=segments,
        scores=_scores(session),
        using=files.as_conditions(used),
    )
    with session.query() as query:
        answers = _answers(query, question, lead_id)
        stored = query.get(MEMBERS, name, lead_id) is not None
        lead = query.get("leads", lead_id) or {}
    return Explanation(
        segment=name,
        lead_id=lead_id,
        lead=" · ".join(str(lead[key]) for key in ("full_name", "company") if lead.get(key)),
        at=at,
        member=bool(answers[question.holds]),
        stored=stored,
        terms=tuple(_term(question, number, answers) for number in range(len(question.terms))),
    )


def diff(session: Session, name: str, start: str, end: str | None) -> pa.Table:
    """Who joined and who left the stored segment between two moments: lead_id, change, full_name, company, since."""
    files.named(files.read_segments(session.folder), name)
    statement = "select lead_id, since from segment_members where segment = $segment"
    with session.query(start) as query:
        before = query.table(statement, {"segment": name})
    with session.query(end) as query:
        query.register("before_members", before)
        return query.table(query.statement(SQL, "diff"), {"segment": name})


def _problem(session: Session, segment: Segment, path: Path, known: set[str]) -> list[str]:
    try:
        compile_condition(
            segment.where,
            schemas=session.workspace.schemas,
            now=session.now(),
            where=f"{_relative(path, session.folder)}: where",
            segments=known,
            scores=_scores(session),
        )
    except SfactlError as err:
        return [err.message]
    return []


def _circles(session: Session, segments: dict[str, Segment]) -> list[str]:
    every = files.read_segments(session.folder) | segments
    try:
        compile_many(
            files.as_conditions(every.values()),
            schemas=session.workspace.schemas,
            now=session.now(),
            as_segments=True,
        )
    except SfactlError as err:
        return [err.message]
    return []


def _relative(path: Path, folder: Path) -> Path:
    resolved = path.resolve()
    return resolved.relative_to(folder.resolve()) if resolved.is_relative_to(folder.resolve()) else path


def _scores(session: Session) -> set[str]:
    return {path.stem for path in (session.folder / "scores").glob("*.toml")}


def _flag(query: Query, compiled: CompiledMany, only: Sequence[str] | None) -> None:
    """Make the temporary tables ``wanted`` (who should be a member) and ``known`` (who is)."""
    if compiled.columns:
        query.run(f"create temp table flags as {compiled.sql}", compiled.params)
    parts = [
        f"select {_literal(name)} as segment, lead_id from flags where {column}"
        for name, column in compiled.columns.items()
    ]
    empty = "select cast(null as varchar) as segment, cast(null as bigint) as lead_id where false"
    query.run(f"create temp table wanted as {' union all '.join(parts) or empty}")
    chosen = "" if only is None else f"where segment in ({', '.join(map(_literal, only))})"
    query.run(f"create temp table known as select segment, lead_id from {MEMBERS} {chosen}")
    query.run(f"create temp table joined as {query.statement(SQL, 'joined')}")
    query.run(f"create temp table departed as {query.statement(SQL, 'departed')}")


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


def _write(tx: Transaction, at: object) -> None:
    tx.upsert(MEMBERS, "select segment, lead_id, cast($at as timestamp) as since from joined", {"at": at})
    tx.delete(MEMBERS, "select segment, lead_id from departed")


def _answers(query: Query, question: Question, lead_id: int) -> dict[str, object]:
    table = query.table(question.sql, {**question.params, "key": lead_id})
    if table.num_rows == 0:
        raise NotFound(f"there is no lead {lead_id}", hint="See: sfactl lead list")
    row: dict[str, object] = table.to_pylist()[0]
    return row


def _term(question: Question, number: int, answers: dict[str, object]) -> TermAnswer:
    term = question.terms[number]
    holds = answers[term.column]
    actual = answers[term.value_column] if term.value_column else None
    changes: list[str] = []
    if holds is not True:
        # Alternatives of an OR are asked for different values; only a lone test knows its actual one.
        found = [smallest_change(need, actual if len(term.needs) == 1 else None) for need in term.needs]
        changes = [change.text for change in found if change is not None]
    return TermAnswer(
        text=term.text,
        holds=None if holds is None else bool(holds),
        actual=actual,
        has_value=term.value_column is not None,
        change=", or ".join(changes) or None,
    )
