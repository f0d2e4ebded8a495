"""Bring in what access logs say was done with signed links, without a collector or beside it. Each act counts once."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from sfactl.api.errors import DataError, UserError
from sfactl.collect.logs import LINK, Line, Logged, LogReader
from sfactl.collect.usecases.importing import SETTLED, KindCount, Tally, add_acts
from sfactl.leads import weblogs
from sfactl.leads.files.scan import open_bytes

if TYPE_CHECKING:
    import pyarrow as pa

    from sfactl.engine.duck import Query
    from sfactl.session import Session

BATCH = 50_000
"""Lines with links that land in one commit."""


@dataclass(frozen=True, slots=True, kw_only=True)
class LogsImported:
    """What was brought in from ``lines``, of which ``links`` hold a link.

    ``forged`` links nobody of ours has signed, ``refused`` were not answered well, ``preferences`` were posted and are
    in no log; ``unread`` lines are not in the form that was said. ``strangers`` are of leads that are there no more.
    """

    lines: int
    links: int
    new: int
    forged: int
    refused: int
    preferences: int
    unread: int
    strangers: int
    kinds: tuple[KindCount, ...]
    dry_run: bool = False
    commit: int | None = None


def import_link_logs(session: Session, files: Sequence[Path], *, form: weblogs.Format) -> LogsImported:
    """Bring in the clicks, opens, unsubscribes and confirmations that ``files`` (plain or gzip) in ``form`` tell of.

    Raises `UserError` for files that are not there, `DataError` where no line with a link is in that form.
    """
    for path in files:
        if not path.is_file():
            raise UserError(f"{path}: {'is a folder' if path.is_dir() else 'no such file'}")
    tally, reader, counts = Tally(), LogReader(signer=session.links), Counter[str]()
    for batch in _batches(files, counts):
        counts["links"] += len(batch)
        with session.write("touchpoints", reason="access logs") as tx:
            lines = _parsed(tx.query, batch, form)
            counts["unread"] += len(batch) - len(lines)
            acts = _fresh(tx.query, list(reader.acts(lines)))
            if acts:
                add_acts(session, tx, [one.act for one in acts], session.now() - SETTLED, tally)
                if tx.touched():
                    tally.commit = tx.commit(logged=len(acts)).seq
    if counts["links"] and counts["unread"] == counts["links"]:
        raise DataError(
            f"{files[0].name}: no line is in the form {form!r}", hint="Say its form: --log combined, common or json"
        )
    return LogsImported(
        lines=counts["lines"],
        links=counts["links"],
        new=sum(tally.kinds.values()),
        forged=reader.counts["forged"],
        refused=reader.counts["refused"],
        preferences=reader.counts["preferences"],
        unread=counts["unread"],
        strangers=len(tally.strangers),
        kinds=tuple(KindCount(kind=k, reason=r, events=n) for (k, r), n in sorted(tally.kinds.items())),
        dry_run=session.dry_run,
        commit=tally.commit,
    )


def _batches(files: Sequence[Path], counts: Counter[str]) -> Iterator[list[str]]:
    """The lines that may hold a link, in pieces; all are counted."""
    found: list[str] = []
    for path in files:
        with open_bytes(path) as raw:
            for line in raw:
                counts["lines"] += 1
                if LINK.search(line):
                    found.append(line.decode("utf-8", "replace").rstrip("\r\n"))
                if len(found) >= BATCH:
                    yield found
                    found = []
    if found:
        yield found


def _parsed(query: Query, lines: Sequence[str], form: weblogs.Format) -> list[Line]:
    import pyarrow as pa

    rows = pa.table({"_row": pa.array(range(len(lines)), pa.int64()), "c0": pa.array(lines, pa.string())})
    query.register("log_lines", rows)
    sql = weblogs.parsed("(select * from log_lines)", form)
    # The common form has no names, which says nothing of who asked; one that is missing where names are told does.
    name = "'not told'" if form == "common" else "coalesce(agent, '')"
    found = query.rows(
        f'select "at", method, target, status, {name} from ({sql}) where not coalesce('
        f"{weblogs.is_broken()}, true) order by _row"
    )
    return [Line(at=at, method=m, target=t, status=status, agent=agent) for at, m, t, status, agent in found]


def _fresh(query: Query, acts: Sequence[Logged]) -> list[Logged]:
    """Without those that the collector knows to be a program's, by headers that no log holds."""
    query.register("log_acts", _ids(acts))
    known = query.rows("select distinct a.id from log_acts a join touchpoints t on t.event_id = a.ahead_id")
    left_out = {row[0] for row in known}
    return [one for one in acts if one.act.id not in left_out]


def _ids(acts: Sequence[Logged]) -> pa.Table:
    import pyarrow as pa

    ids = [one.act.id for one in acts if one.ahead_id]
    others = [one.ahead_id for one in acts if one.ahead_id]
    return pa.table({"id": pa.array(ids, pa.string()), "ahead_id": pa.array(others, pa.string())})
