"""The list of addresses nobody may write to: show it, hand it on, and take in a list of others, also by hashes."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from sfactl.api.errors import DataError, UserError
from sfactl.consent.addresses import listed_of
from sfactl.consent.words import Rejected

if TYPE_CHECKING:
    import pyarrow as pa

    from sfactl.session import Session

LISTED = ("address", "email", "e-mail", "phone", "value", "hash", "md5", "sha1", "sha256")
"""Headers of the column that holds addresses; a file whose first line is an address has no header."""


@dataclass(frozen=True, slots=True, kw_only=True)
class ListImport:
    """What became of a list. ``leads`` is how many leads it means, by addresses and hashes together."""

    file: str
    scope: str
    reason: str
    rows: int
    addresses: int
    hashes: int
    new: int
    known: int
    leads: int
    rejected: tuple[Rejected, ...] = ()
    dry_run: bool = False
    commit: int | None = None


def suppressed(session: Session, *, scope: str = "", reason: str = "", limit: int = 0) -> pa.Table:
    """The list, by address; with ``scope`` or ``reason`` only those."""
    with session.query() as query:
        return query.table(
            'select kind, value, scope, reason, "at" from suppressions'
            " where ($scope = '' or scope = $scope) and ($reason = '' or reason = $reason)"
            f" order by kind, value, scope{f' limit {int(limit)}' if limit else ''}",
            {"scope": scope, "reason": reason},
        )


def import_list(session: Session, file: Path, *, scope: str = "all", reason: str = "imported") -> ListImport:
    """Put the addresses in ``file`` on the list: one a line, or a column of a delimited file.

    Hashes (MD5, SHA-1 or SHA-256 in hexadecimal, of the address in lower case) are kept as they are and compared with
    the hashes of addresses. Raises `DataError` for a file that cannot be read.
    """
    found: dict[tuple[str, str], int] = {}
    rejected: list[Rejected] = []
    rows = 0
    for number, text in _cells(file):
        rows += 1
        try:
            found.setdefault(listed_of(text, session.settings.workspace.country), number)
        except UserError as err:
            rejected.append(Rejected(row=number, reason=err.message))
    return _store(session, file, list(found), rejected, rows=rows, scope=scope, reason=reason)


def _store(
    session: Session,
    file: Path,
    found: list[tuple[str, str]],
    rejected: list[Rejected],
    *,
    rows: int,
    scope: str,
    reason: str,
) -> ListImport:
    import pyarrow as pa

    with session.write("suppressions", reason=f"list {file.name}") as tx:
        query = tx.query
        kinds, values = zip(*found, strict=True) if found else ((), ())
        query.register(
            "given", pa.table({"kind": pa.array(kinds, pa.string()), "value": pa.array(values, pa.string())})
        )
        params = {"scope": scope, "reason": reason, "now": session.now()}
        query.run(f"create temp table listed as {query.statement('consent', 'listed')}", params)
        (new,) = query.one("select count(*) from listed") or (0,)
        (leads,) = query.one(f"select count(*) from ({query.statement('consent', 'meant')})") or (0,)
        commit = None
        if new:
            tx.upsert("suppressions", "select * from listed")
            commit = tx.commit(suppressed=new).seq
    return ListImport(
        file=file.name,
        scope=scope,
        reason=reason,
        rows=rows,
        addresses=sum(kind != "hash" for kind, _ in found),
        hashes=sum(kind == "hash" for kind, _ in found),
        new=new,
        known=len(found) - new,
        leads=leads,
        rejected=tuple(rejected),
        dry_run=session.dry_run,
        commit=commit,
    )


def _cells(file: Path) -> list[tuple[int, str]]:
    """Line and text of every address in a file."""
    try:
        lines = file.read_text(encoding="utf-8-sig").splitlines()
    except (OSError, UnicodeDecodeError) as err:
        raise DataError(f"{file}: cannot be read as UTF-8 text ({err})") from None
    first = next((line for line in lines if line.strip()), "")
    header = [cell.strip().strip('"').lower() for cell in first.replace(";", ",").replace("\t", ",").split(",")]
    column = next((name for name in LISTED if name in header), None)
    if column is None and len(header) > 1:
        raise DataError(f"{file}: no column holds addresses", hint=f"Name one of them {LISTED[0]}.")
    if column is None:
        return [(n, line.strip().strip('"')) for n, line in enumerate(lines, 1) if line.strip()]
    from sfactl.engine.delimited import BadRow, read_rows

    if len(header) == 1:
        return [(n, line.strip().strip('"')) for n, line in enumerate(lines, 1) if line.strip()][1:]
    names: dict[str, str] = {}
    found = []
    for row in read_rows(file):
        if isinstance(row, BadRow):
            found.append((row.number, ""))
            continue
        names = names or {name.strip().lower(): name for name in row.values}
        found.append((row.number, row.values[names[column]]))
    return found
