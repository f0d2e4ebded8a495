"""Import access logs of web servers into ``visits``; what known leads did becomes touchpoints too, now or later.

A page that stands in two files, or in a file that is imported again, counts once. What is not known yet of a visitor
stays in ``visits`` until a form or a signed link says who it is.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import partial
from pathlib import Path

from sfactl.api.errors import DataError, UserError
from sfactl.engine import robots
from sfactl.engine.duck import ROW_GROUP, Query
from sfactl.leads import links, rejects, weblogs
from sfactl.leads.cleaning.expression import literal, look_up
from sfactl.leads.files.scan import is_gzip, open_bytes
from sfactl.leads.files.staging import Staged
from sfactl.leads.model import FileImport, ImportResult, Reason
from sfactl.leads.usecases.imports import bounded, digest, placed, work_folder
from sfactl.leads.visitors import resolve
from sfactl.session import Session
from sfactl.workspace import Transaction


def import_logs(
    session: Session, files: Sequence[Path], *, form: weblogs.Format, posts_to: Sequence[str] = ()
) -> ImportResult:
    """Import access logs in the form ``combined``, ``common`` or ``json``, one commit a file.

    A POST to one of the paths ``posts_to`` is a form that its visitor filled in. Raises `DataError` where no line of a
    file is in that form; then nothing of that file is written.
    """
    if not files:
        raise UserError("name at least one file", hint="sfactl touch import access.log --log combined")
    done = tuple(_import_one(session, path, form, posts_to) for path in files)
    total = {k: sum(getattr(f, k) for f in done) for k in ("rows", "new", "updated", "unchanged", "rejected")}
    return ImportResult(**total, dry_run=session.dry_run, files=done)


@dataclass(frozen=True, slots=True, kw_only=True)
class _Counts:
    """What the lines of one file are."""

    lines: int
    broken: int
    left: dict[str, int]
    pages: int


def _import_one(session: Session, path: Path, form: weblogs.Format, posts_to: Sequence[str]) -> FileImport:
    if path.is_dir() or not path.exists():
        raise DataError(f"{path}: {'is a folder' if path.is_dir() else 'no such file'}")
    with work_folder(session) as scratch, session.write("visits", "visitors", reason=f"log {path.name}") as tx:
        query = tx.query
        with bounded(query):
            with session.progress(f"Reading {path.name}"):
                staged = _stage(query, path, scratch)
            counts = _read(query, staged, form, scratch, session, posts_to)
            if counts.lines and counts.broken == counts.lines:
                raise DataError(
                    f"{path.name}: no line is in the form {form!r}; line 1: {_first(query, staged)!r}",
                    hint="Say its form: --log combined, common or json",
                )
            new = _add(session, tx)
            made = resolve(tx)
            reasons = _broken(query, staged, form)
            rejects_file = _write_rejects(session, query, staged, path) if counts.broken else None
            commit = tx.commit(
                rows=counts.lines, new=new, touchpoints=made, rejected=counts.broken, content_hash=digest(path)
            )
    return FileImport(
        file=path.name,
        rows=counts.pages + counts.broken,
        new=new,
        updated=0,
        unchanged=counts.pages - new,
        rejected=counts.broken,
        rejects_file=rejects_file,
        reasons=reasons,
        cleaned={**counts.left, **({"touchpoints": made} if made else {})},
        facts=(f"{counts.lines:,} lines", form),
        commit=commit.seq,
    )


def _stage(query: Query, path: Path, scratch: Path) -> Staged:
    into = scratch / "lines.parquet"
    source = path
    packed = "gzip" if is_gzip(path) else "none"
    try:
        query.run(_copy(source, into, packed))
    except Exception as err:
        if "nicode" not in str(err) and "UTF" not in str(err):
            raise
        # Somebody asked for bytes that are no text; they are kept as marks, and the line with them.
        source = scratch / "utf8.log"
        with open_bytes(path) as raw, source.open("wb") as out:
            while piece := raw.readlines(1 << 22):
                out.writelines(line.decode("utf-8", "replace").encode() for line in piece)
        query.run(_copy(source, into, "none"))
    (rows,) = query.one(f"select count(*) from read_parquet({literal(str(into))})") or (0,)
    return Staged(path=into, columns=("line",), rows=int(rows), cells_only=True, first=1)


def _copy(source: Path, into: Path, packed: str) -> str:
    return (
        f"copy (from read_csv({literal(str(source))}, auto_detect = false, header = false,"
        " columns = {'c0': 'varchar'},"
        f" delim = chr(31), quote = '', escape = '', strict_mode = false, compression = '{packed}', parallel = true,"
        f" max_line_size = 8388608)) to {literal(str(into))}"
        f" (format parquet, compression snappy, row_group_size {ROW_GROUP})"
    ).replace("chr(31)", "'\x1f'")


def _read(
    query: Query,
    staged: Staged,
    form: weblogs.Format,
    scratch: Path,
    session: Session,
    posts_to: Sequence[str],
) -> _Counts:
    """Make ``lines`` (a file of parsed lines) and the table ``pages``; answers what there is."""
    into = literal(str(scratch / "parsed.parquet"))
    rows = f"(select * from {staged.source} where c0 is not null and trim(c0) <> '')"
    parsed = weblogs.parsed(rows, form)
    query.run(
        "copy (select * exclude (line, told, kind_), case when broken then line end as line,"
        " case when broken then 'broken' else kind_ end as what from (select *, coalesce("
        f"{weblogs.is_broken()}, true) as broken, {weblogs.kind(posts_to)} as kind_ from ({parsed})))"
        f" to {into} (format parquet, compression snappy, row_group_size {ROW_GROUP})"
    )
    source = f"read_parquet({into})"
    query.run(f"create or replace temp view parsed as select * from {source}")
    look_up(
        query,
        f"select distinct agent from {source} where what in ('page', 'form') and agent is not null",
        "agents",
        robots.judged,
        ("robot",),
    )
    query.run("create or replace temp table robot_agents as select agent from agents where robot is not null")
    counts = dict(
        query.rows(
            "select case when what in ('page', 'form') and agent in (select agent from robot_agents) then 'robots'"
            f" else what end, count(*) from {source} group by 1"
        )
    )
    robot = "coalesce(agent in (select agent from robot_agents), false)"
    people = f"(select * from {source} where what in ('page', 'form') and not {robot})"
    query.run(f"create or replace temp table prints as {weblogs.pages(people, session.workspace.id)}")
    query.run(f"create or replace temp view pages as {weblogs.numbered('prints')}")
    left = {k: int(counts.get(k, 0)) for k in ("robots", "assets", "refused", "methods") if counts.get(k)}
    lines = sum(int(n) for n in counts.values())
    return _Counts(
        lines=lines,
        broken=int(counts.get("broken", 0)),
        left=left,
        pages=int(counts.get("page", 0)) + int(counts.get("form", 0)),
    )


def _add(session: Session, tx: Transaction) -> int:
    """Append the pages that are not known yet; remember the visitors whom a signed link names."""
    query = tx.query
    span = query.one('select min("at"), max("at") from pages')
    if span is None or span[0] is None:
        query.run("create or replace temp table fresh_visits as select * from visits limit 0")
        query.run("create or replace temp table fresh_visitors as select * from visitors limit 0")
        return 0
    first, last = 'select min("at") from pages', 'select max("at") from pages'
    near = f'visits."at" between ({first}) - interval 1 hour and ({last}) + interval 1 hour'
    query.run(
        'create or replace temp table before_pages as select event_id, visits."at", visitor_id, session_id from visits'
        f" where {near}"
    )
    known = "event_id in (select event_id from before_pages)"
    query.run(f"create or replace temp table fresh as select * from pages where not {known}")
    before = "(select * from before_pages where visitor_id in (select visitor_id from fresh))"
    query.run(f"create or replace temp table in_session as {weblogs.sessions('fresh', before)}")
    look_up(
        query,
        "select distinct token from fresh where token is not null",
        "tokens",
        partial(links.read_tokens, key=links.key_of(session.workspace.private, make=False)),
        ("lead",),
    )
    query.run(
        "create or replace temp table fresh_visitors as select f.visitor_id,"
        ' arg_min(coalesce(r.root_id, cast(t.lead as bigint)), f."at") as lead_id,'
        ' min(f."at") as since, arg_min(f.event_id, f."at") as cause from fresh f join tokens t using (token)'
        " left join record_aliases r on r.entity = 'lead' and r.id = cast(t.lead as bigint) where t.lead is not null"
        " and coalesce(r.root_id, cast(t.lead as bigint)) in (select lead_id from leads)"
        " and f.visitor_id not in (select visitor_id from visitors) group by 1"
    )
    query.run(
        'create or replace temp table fresh_visits as select f.event_id, f."at", f.visitor_id, s.session_id, f.page,'
        " f.content_id, s.dwell_s, f.referrer, f.source, f.medium, f.campaign,"
        " coalesce(v.lead_id, n.lead_id) as lead_id, f.form"
        " from fresh f join in_session s using (event_id) left join visitors v on v.visitor_id = f.visitor_id"
        " left join fresh_visitors n on n.visitor_id = f.visitor_id"
    )
    return tx.append("visits", "select * from fresh_visits")


def _broken(query: Query, staged: Staged, form: str) -> tuple[Reason, ...]:
    query.run(
        "create or replace temp table rejects as select _row, cast(_row as bigint) as _line,"
        f" 'not in the form {form}' as _reason from parsed where what = 'broken'"
    )
    return placed(query, rejects.reasons(query), staged)


def _write_rejects(session: Session, query: Query, staged: Staged, path: Path) -> str:
    into = session.folder / "rejects" / f"{path.stem}.csv"
    if not session.dry_run:
        rejects.write_rejects(query, staged, into)
    return f"rejects/{into.name}"


def _first(query: Query, staged: Staged) -> str:
    return str((query.one(f"select left(c0, 80) from {staged.source} where c0 is not null limit 1") or ("",))[0])
