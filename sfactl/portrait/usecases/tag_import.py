"""Import the tags that reps noted in a file, with their names."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from sfactl.config.tags import known_tags
from sfactl.portrait import tags
from sfactl.portrait.model import Rejected, TagImport
from sfactl.portrait.tag_files import Rows, read_tags
from sfactl.portrait.usecases.tagging import conflicts, write_wanted

if TYPE_CHECKING:
    import pyarrow as pa

    from sfactl.engine.duck import Query
    from sfactl.session import Session


def import_tags(
    session: Session, file: Path, *, source: str = "rep", author: str | None = None, encoding: str = "utf-8"
) -> TagImport:
    """Import the tags in ``file`` in one commit; rows that cannot be used are listed with the reason.

    A row names a lead, contact or account and one or more tags. The same file again changes nothing. Raises `DataError`
    for a file that cannot be read.
    """
    origin, now = tags.source_of(source), session.now()
    rows = read_tags(file, author=author or session.actor, now=now, known=known_tags(session.folder), encoding=encoding)
    with session.write("tags", reason=f"tags of {file.name}") as tx:
        tx.query.register("given", _table(rows))
        tx.query.run(f"create temp table met as {tx.query.statement('portrait', 'tag_file_rows')}", {"source": origin})
        tx.query.run(
            "create temp table wanted as select * exclude (row, reason) from met where reason is null"
            " qualify row_number() over (partition by entity, entity_id, tag, author order by row desc) = 1"
        )
        changed, every = write_wanted(session, tx)
        (new,) = tx.query.one("select count(*) from changes where not known") or (0,)
        rejected = [*rows.rejected, *_strangers(tx.query)]
        commit = None
        if changed:
            commit = tx.commit(rows=rows.read, new=new, updated=changed - new, rejected=len(rejected)).seq
    return TagImport(
        file=file.name,
        rows=rows.read,
        new=new,
        updated=changed - new,
        unchanged=every - changed,
        rejected=tuple(sorted(rejected, key=lambda r: (r.row, r.reason))),
        conflicts=0 if session.dry_run else conflicts(session).num_rows,
        dry_run=session.dry_run,
        commit=commit,
    )


def _table(rows: Rows) -> pa.Table:
    import pyarrow as pa

    time = pa.timestamp("us")
    types = {"row": pa.int64(), "number": pa.int64(), "at": time, "expires_at": time}
    names = ("row", "kind", "number", "email", "tag", "value", "author", "at", "expires_at", "note")
    return pa.table({name: pa.array(getattr(rows, name), types.get(name, pa.string())) for name in names})


def _strangers(query: Query) -> list[Rejected]:
    found = query.rows("select distinct row, reason from met where reason is not null order by row")
    return [Rejected(row=row, reason=reason) for row, reason in found]
