"""Segments at other times: who met the condition then, and why somebody joined or left between two moments.

Conditions are those of the files as they are now; the data is what was known at the time.
"""

from __future__ import annotations

from datetime import datetime
from typing import TYPE_CHECKING

from sfactl.config.tags import known_tags
from sfactl.engine.conditions import Condition, compile_many
from sfactl.engine.conditions.explain import term_texts
from sfactl.engine.conditions.model import CompiledMany
from sfactl.engine.conditions.source import Source
from sfactl.segments import files
from sfactl.segments.layer_names import layer_names
from sfactl.segments.model import Segment
from sfactl.segments.usecases.build import MEMBERS, SQL

if TYPE_CHECKING:
    import pyarrow as pa

    from sfactl.engine.duck import Query
    from sfactl.session import Session

TERM = "\x1fterm "
"""Begins the names of terms, which no file can have."""
NO_TERM = "no term changed: it was built at another time, or the file was other then"


def computed_members(session: Session, name: str) -> pa.Table:
    """Who meets the condition of a segment at ``--as-of`` (default: now): the columns of stored members."""
    segments = files.read_segments(session.folder)
    at = session.as_of_time()
    compiled = _compiled(session, files.as_conditions(files.with_used(segments, [name])), at)
    with session.query() as query:
        query.run(
            f"create temp table then_members as select {_quoted(name)} as segment, lead_id, cast(null as timestamp) as"
            f' since from ({compiled.sql}) as flags where "{compiled.columns[name]}"',
            compiled.params,
        )
        return query.table(query.statement(SQL, "members").replace(MEMBERS, "then_members"), {"segment": name})


def diff(session: Session, name: str, start: str, end: str | None) -> pa.Table:
    """Who joined and who left the stored segment between two moments, and which terms of its condition turned.

    Columns: lead_id, change, full_name, company, since, why. Raises `NotFound`, `UserError`.
    """
    segments = files.read_segments(session.folder)
    segment = files.named(segments, name)
    terms, compiled = _terms(session, segment, segments, _time(session, start))
    stored = f"select lead_id, since from {MEMBERS} where segment = $segment"
    with session.query(start) as query:
        before = query.table(stored, {"segment": name})
    with session.query(end) as query:
        query.register("before_members", before)
        query.run(f"create temp table changed as {query.statement(SQL, 'diff')}", {"segment": name})
        moved = query.table("select distinct lead_id from changed")
        now = _flags(query, moved, _terms(session, segment, segments, _time(session, end))[1], terms)
        with session.query(start) as earlier:
            then = _flags(earlier, moved, compiled, terms)
        query.register("now_flags", now)
        query.register("then_flags", then)
        return query.table(_why_sql(terms), {f"w{n}": text for n, text in enumerate(terms)} | {"none": NO_TERM})


def _terms(
    session: Session, segment: Segment, segments: dict[str, Segment], at: datetime
) -> tuple[list[str], CompiledMany]:
    """The terms of a condition as people wrote them, and a statement with one column for each."""
    where = f"{files.FOLDER}/{segment.name}.toml: where"
    source = Source(text=segment.where, where=where)
    terms = [text for _, text in term_texts(source, source.parse())]
    used = [s for s in files.with_used(segments, [segment.name]) if s.name != segment.name]
    conditions = files.as_conditions(used)
    conditions += [Condition(name=f"{TERM}{n}", text=text, where=where) for n, text in enumerate(terms)]
    return terms, _compiled(session, conditions, at)


def _compiled(session: Session, conditions: list[Condition], at: datetime) -> CompiledMany:
    return compile_many(
        conditions,
        schemas=session.workspace.schemas,
        now=at,
        as_segments=True,
        segments=files.read_segments(session.folder),
        scores=files.score_names(session.folder),
        tags=known_tags(session.folder),
        layers=layer_names(session.folder),
    )


def _flags(query: Query, leads: pa.Table, compiled: CompiledMany, terms: list[str]) -> pa.Table:
    """Which terms held for ``leads``: lead_id and one column for each term."""
    query.register("candidates", leads)
    columns = "".join(f', "{compiled.columns[f"{TERM}{n}"]}" as t{n}' for n in range(len(terms)))
    return query.table(f"select lead_id{columns} from ({compiled.among_sql}) as flags", compiled.params)


def _why_sql(terms: list[str]) -> str:
    turned = ", ".join(
        f"case when c.change = 'joined' and n.t{i} and not coalesce(t.t{i}, false) then 'now ' || $w{i}"
        f" when c.change = 'left' and coalesce(t.t{i}, false) and not n.t{i} then 'no longer ' || $w{i} end"
        for i in range(len(terms))
    )
    return (
        "select c.*, case when n.lead_id is null then 'the lead is gone'"
        f" else coalesce(nullif(concat_ws('; ', {turned}), ''), $none) end as why"
        " from changed c left join now_flags n using (lead_id) left join then_flags t using (lead_id)"
        " order by c.change, c.lead_id"
    )


def _time(session: Session, said: str | None) -> datetime:
    """The moment that ``said`` (a commit number, a date, a time) means; now where nothing is said."""
    if said is None:
        return session.now()
    if said.isdigit() and len(said) < 8:
        return session.workspace.commit_time(int(said)) or session.now()
    return min(session.moment(said), session.now())


def _quoted(text: str) -> str:
    return "'" + text.replace("'", "''") + "'"
