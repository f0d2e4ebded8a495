"""List, check, size, explain and compare segments; nothing here writes."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from sfactl.api.errors import NotFound, SfactlError
from sfactl.config.tags import known_tags
from sfactl.engine.conditions import compile_condition, compile_many
from sfactl.engine.conditions.change import smallest_change
from sfactl.engine.conditions.explain import ask
from sfactl.engine.conditions.model import Question
from sfactl.segments import files
from sfactl.segments.layer_names import layer_names
from sfactl.segments.model import Checked, Explanation, Listed, Segment, Size, TermAnswer
from sfactl.segments.usecases.build import MEMBERS, SQL
from sfactl.workspace.aliases import living

if TYPE_CHECKING:
    import pyarrow as pa

    from sfactl.engine.duck import Query
    from sfactl.session import Session


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
        scores=files.score_names(session.folder),
        tags=known_tags(session.folder),
        layers=layer_names(session.folder),
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
        scores=files.score_names(session.folder),
        tags=known_tags(session.folder),
        layers=layer_names(session.folder),
        using=files.as_conditions(used),
    )
    with session.query() as query:
        lead_id = living(query, "lead", lead_id)
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


def _problem(session: Session, segment: Segment, path: Path, known: set[str]) -> list[str]:
    try:
        compile_condition(
            segment.where,
            schemas=session.workspace.schemas,
            now=session.now(),
            where=f"{_relative(path, session.folder)}: where",
            segments=known,
            scores=files.score_names(session.folder),
            tags=known_tags(session.folder),
            layers=layer_names(session.folder),
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
            tags=known_tags(session.folder),
            layers=layer_names(session.folder),
        )
    except SfactlError as err:
        return [err.message]
    return []


def _relative(path: Path, folder: Path) -> Path:
    resolved = path.resolve()
    return resolved.relative_to(folder.resolve()) if resolved.is_relative_to(folder.resolve()) else path


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
