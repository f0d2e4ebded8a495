"""What earlier imports were like: each is recorded, and a file whose columns changed since the last one is told."""

from __future__ import annotations

import difflib
import json
import re
from collections.abc import Mapping, Sequence

from sfactl.engine.duck import Query
from sfactl.session import Session
from sfactl.workspace import Transaction


def record(
    session: Session,
    tx: Transaction,
    *,
    name: str,
    kind: str,
    digest: str,
    counts: Mapping[str, int],
    rejects: str | None,
    columns: Sequence[str] = (),
) -> None:
    """Append what came of a file to ``imports``."""
    import pyarrow as pa

    row = {
        "import_id": f"{session.run_id}:{name}:{digest[:12]}",
        "at": session.now(),
        "source": name,
        "kind": kind,
        "content_hash": digest,
        **counts,
        "rejects_file": rejects,
        "columns": json.dumps(list(columns), ensure_ascii=False) if columns else None,
    }
    schema = session.workspace.schemas["imports"].arrow()
    tx.append("imports", pa.Table.from_pylist([row], schema=schema))


def since_last(query: Query, name: str, columns: Sequence[str]) -> tuple[str, ...]:
    """Columns that the last file of this name, whatever its numbers and dates, had and this one has not.

    A column that is gone is told with the new one whose name is nearest to it.
    """
    if not columns:
        return ()
    rows = query.rows(
        "select columns from imports where kind = 'file' and columns is not null and"
        " regexp_replace(lower(source), '[0-9]+', '', 'g') = $name order by imports.at desc limit 1",
        {"name": re.sub("[0-9]+", "", name.lower())},
    )
    before: list[str] = json.loads(rows[0][0]) if rows else []
    fresh = [c for c in columns if c not in before]
    gone = [c for c in before if c not in columns]
    if not gone or len(gone) == len(before):
        return ()
    said = []
    for column in gone:
        near = difflib.get_close_matches(column, fresh, 1)
        said.append(f"{column!r} is now {near[0]!r}?" if near else f"{column!r}")
    return (f"columns of the last such file that this one has not: {', '.join(said)}",)
