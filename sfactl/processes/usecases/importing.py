"""Import an event log: cases, activities and times become rows of ``process_events``, each once.

A file whose dates can be read in two ways is refused with the evidence, not guessed.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from itertools import count, islice
from pathlib import Path
from typing import TYPE_CHECKING

from sfactl.api.errors import UserError
from sfactl.engine.delimited import BadRow, read_header, read_rows
from sfactl.processes.dates import ORDERS, SWAPPED, WORDS, Dates, Reading, order_of
from sfactl.processes.log import Imported, Rejected, columns_of
from sfactl.processes.usecases.replay import SQL

if TYPE_CHECKING:
    from sfactl.engine.duck import Query
    from sfactl.session import Session
    from sfactl.workspace import Transaction

DATASET = "process_events"
BATCH = 50_000


@dataclass(frozen=True, slots=True, kw_only=True)
class Form:
    """How the file is written: encoding, delimiter, order of dates, and the zone of times that state none."""

    encoding: str = ""
    delimiter: str = ""
    dates: str = ""
    zone: str = ""


def import_log(
    session: Session,
    path: Path,
    *,
    process: str,
    columns: Mapping[str, str] | None = None,
    form: Form | None = None,
    distinct: bool = False,
) -> Imported:
    """Import the event log in ``path`` for ``process``, in one commit; the same file twice adds nothing.

    ``columns`` says which column is the case, activity, time, actor, lead or account. Rows that say the same as another
    are kept, or with ``distinct`` taken for one. Raises `DataError` where the dates can be read in two ways.
    """
    form = form or Form()
    _check(form, process)
    header, delimiter = read_header(path, encoding=form.encoding or "utf-8", delimiter=form.delimiter)
    roles = columns_of(header, columns or {}, where=path.name)
    with session.write(DATASET, reason=f"log {path.name}") as tx:
        bad = _stage(tx.query, path, header, roles, form, delimiter)
        order = form.dates or _order(tx.query, f"{path.name}: {roles['time']}")
        params = {**_places(order), "zone": form.zone or str(session.zone), "process": process}
        tx.query.run(f"create temp table log_event as {tx.query.statement(SQL, 'log_events')}", params)
        return _write(session, tx, process, path, order, roles, bad, distinct=distinct)


def _check(form: Form, process: str) -> None:
    if not process.strip():
        raise UserError("the process needs a name", hint="Say --process NAME")
    if form.dates and form.dates not in WORDS:
        raise UserError(f"--dates: there is no order {form.dates!r}. Choose from {', '.join(WORDS)}")
    if form.zone:
        from zoneinfo import ZoneInfo

        try:
            ZoneInfo(form.zone)
        except (KeyError, ValueError, OSError):
            raise UserError(f"--tz: there is no zone {form.zone!r}", hint="Write it as Asia/Taipei or UTC.") from None


def _stage(
    query: Query, path: Path, header: tuple[str, ...], roles: Mapping[str, str], form: Form, delimiter: str
) -> list[BadRow]:
    """Make ``log_row`` of the file and ``log_part`` of it; answers the rows that do not fit the header."""
    bad: list[BadRow] = []
    if not _fast(query, path, header, roles, form, delimiter):
        bad = _slow(query, path, roles, form, delimiter)
    query.run(f"create temp table log_part as {query.statement(SQL, 'log_parts')}")
    return bad


def _fast(
    query: Query, path: Path, header: tuple[str, ...], roles: Mapping[str, str], form: Form, delimiter: str
) -> bool:
    """Read a clean UTF-8 file with the engine's parallel reader; False where it objects to anything."""
    if form.encoding.lower().replace("-", "") not in ("", "utf8"):
        return False
    names = {role: f"c{header.index(name)}" for role, name in roles.items()}
    listed = ", ".join(f"'c{i}': 'varchar'" for i in range(len(header)))
    chosen = _chosen({role: f"{names[role]}" for role in names})
    source = (
        f"read_csv($path, auto_detect = false, header = false, skip = 1, columns = {{{listed}}}, delim = $delimiter,"
        " quote = '\"', escape = '\"', strict_mode = true, null_padding = false)"
    )
    sql = f'create temp table log_row as select row_number() over () + 1 as "row", {chosen} from {source}'
    try:
        query.run(sql, {"path": str(path), "delimiter": delimiter})
    except Exception as err:
        # Whatever the strict reader objects to, the line reader tells row by row.
        if type(err).__name__ not in {"InvalidInputException", "StorageError", "DataError"}:
            raise
        return False
    return True


def _slow(query: Query, path: Path, roles: Mapping[str, str], form: Form, delimiter: str) -> list[BadRow]:
    import pyarrow as pa

    bad: list[BadRow] = []
    chosen = _chosen({role: f'"{role}"' for role in roles})
    query.run(f'create temp table log_row as select 0::bigint as "row", {_chosen({})} where false')
    rows = read_rows(path, encoding=form.encoding or "utf-8", delimiter=delimiter)
    for number in count():
        batch = list(islice(rows, BATCH))
        if not batch:
            break
        bad += [row for row in batch if isinstance(row, BadRow)]
        good = [row for row in batch if not isinstance(row, BadRow)]
        cells = {role: pa.array([r.values[name] for r in good], pa.string()) for role, name in roles.items()}
        table = pa.table({"row": pa.array([r.number for r in good], pa.int64()), **cells})
        query.register(f"log_batch_{number}", table)
        query.run(f'insert into log_row select "row", {chosen} from log_batch_{number}')
    return bad


def _chosen(names: Mapping[str, str]) -> str:
    """The columns of ``log_row`` from the columns that the log has for them."""
    text = ", ".join(
        f"cast({names.get(role, 'null')} as varchar) as {column}"
        for role, column in (("case", "case_id"), ("activity", "activity"), ("time", '"time"'), ("actor", "actor"))
    )
    numbers = ", ".join(f"try_cast({names.get(role, 'null')} as bigint) as {role}_id" for role in ("lead", "account"))
    return f"{text}, {numbers}"


def _order(query: Query, where: str) -> str:
    """The order of year, month and day in which the dates are written. Raises `DataError`."""
    import pyarrow as pa

    places = {**ORDERS, SWAPPED: ORDERS["ymd"]}
    table = {
        "name": pa.array(list(places)),
        "year_at": pa.array([p[0] for p in places.values()]),
        "month_at": pa.array([p[1] for p in places.values()]),
        "day_at": pa.array([p[2] for p in places.values()]),
        "swapped": pa.array([name == SWAPPED for name in places]),
    }
    query.register("date_order", pa.table(table))
    readings = [
        Reading(order=name, unread=unread, backwards=backwards, span_days=span)
        for name, unread, backwards, span in query.rows(query.statement(SQL, "log_readings"))
    ]
    first, last, different, beyond, sample = query.rows(query.statement(SQL, "log_dates"))[0]
    if not readings:
        raise UserError(
            f"{where}: {sample!r} is not a date with a year of four digits",
            hint="Write dates as 2026-01-31 or 31/01/2026, or name the column of the time with --time.",
        )
    if first and last:
        raise UserError(
            f"{where}: {first:,} dates have the year first and {last:,} have it last",
            hint="Say --dates ymd, ydm, dmy or mdy; the others are rejected then.",
        )
    return order_of(Dates(readings=readings, different=different, beyond_twelve=beyond, sample=sample), where=where)


def _places(order: str) -> dict[str, object]:
    year, month, day = ORDERS["ymd" if order == SWAPPED else order]
    return {"year_at": year, "month_at": month, "day_at": day, "swapped": order == SWAPPED}


def _write(
    session: Session,
    tx: Transaction,
    process: str,
    path: Path,
    order: str,
    roles: Mapping[str, str],
    bad: list[BadRow],
    *,
    distinct: bool,
) -> Imported:
    query = tx.query
    query.run(
        "create temp table log_new as select e.* from log_event e left join process_events p"
        " on p.event_id = e.event_id where e.reason is null and p.event_id is null"
        + (" and e.nth = 1" if distinct else "")
    )
    rows, good, doubles, cases, activities, first, last = query.rows(query.statement(SQL, "log_count"))[0]
    new = (query.one("select count(*) from log_new") or (0,))[0]
    if new:
        tx.append(
            DATASET,
            'select event_id, moment as "at", $process as process, case_id, activity, actor, lead_id, account_id'
            " from log_new",
            {"process": process},
        )
        tx.commit(rows=rows, new=new)
    reasons = tuple(_reasons(query, bad))
    return Imported(
        file=path.name,
        process=process,
        dates=WORDS[order],
        columns=roles,
        rows=rows + len(bad),
        new=new,
        known=good - new - (doubles if distinct else 0),
        doubles=doubles,
        rejected=sum(r.rows for r in reasons),
        reasons=reasons,
        cases=cases,
        activities=activities,
        first_at=str(first or ""),
        last_at=str(last or ""),
        commit=tx.committed.seq if tx.committed else None,
        dry_run=session.dry_run,
    )


def _reasons(query: Query, bad: list[BadRow]) -> Iterator[Rejected]:
    for reason, rows, first, value in query.rows(query.statement(SQL, "log_rejects")):
        yield Rejected(reason=reason, rows=rows, first_row=first, value=value or "")
    if bad:
        yield Rejected(
            reason="cells that do not fit the header", rows=len(bad), first_row=bad[0].number, value=bad[0].reason
        )
