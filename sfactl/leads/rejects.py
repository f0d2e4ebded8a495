"""Write refused rows where people can correct them: a CSV that spreadsheets open, with the file's own columns.

Cells that a spreadsheet would run as a formula are made text.
"""

from __future__ import annotations

import csv
import re
from collections.abc import Mapping, Sequence
from pathlib import Path

from sfactl.engine.duck import Query
from sfactl.leads.cleaning.expression import literal
from sfactl.leads.files.staging import Staged
from sfactl.leads.model import Reason

_FORMULA = re.compile(r"[=@\t\r]|[+-](?![\d\s().+-]*$)")


def collect(query: Query, cleaned: str, no_key: str, has_key: str = "with_key") -> tuple[Reason, ...]:
    """Make ``rejects`` (row, reason) and answer the reasons, the most frequent first."""
    query.run(
        "create or replace temp table rejects as select _row, _line, _reason from"
        f" (select _row, _line, coalesce(_reason, {literal(no_key)}) as _reason from {cleaned}"
        f"  where _reason is not null or _row not in (select _row from {has_key}))"
    )
    return reasons(query)


def reasons(query: Query) -> tuple[Reason, ...]:
    """The reasons in ``rejects``, the most frequent first."""
    rows = query.rows("select _reason, count(*), min(_row) from rejects group by 1 order by 2 desc, 3")
    return tuple(Reason(reason=str(r), rows=int(n), example_row=int(first)) for r, n, first in rows)


def with_places(query: Query, found: Sequence[Reason], staged: Staged) -> Mapping[int, str]:
    """How to name the example rows: by the file's line (sheet row) where it is known, else by the record."""
    rows = [r.example_row for r in found if r.rows <= 3]
    if not rows:
        return {}
    if staged.lines is not None:
        return {n: f"row {line}" for n, line in staged.lines(set(rows)).items()}
    listed = ", ".join(map(str, rows))
    places = query.rows(f"select _row, coalesce(_line, _row) from rejects where _row in ({listed})")
    return {int(r): f"row {line}" for r, line in places}


def write_rejects(query: Query, staged: Staged, into: Path) -> None:
    """Write the rows of ``rejects`` with the file's columns to ``into``."""
    cells = ", ".join(f"s.c{i}" for i in range(len(staged.columns)))
    lines: Mapping[int, int] = {}
    if staged.lines is not None:
        lines = staged.lines({int(r[0]) for r in query.rows("select _row from rejects")})
    into.parent.mkdir(parents=True, exist_ok=True)
    half = into.with_suffix(".csv.part")
    with half.open("w", encoding="utf-8-sig", newline="") as file:
        out = csv.writer(file)
        out.writerow([*staged.columns, *_own_columns(staged.columns)])
        reader = query.batches(
            f"select s._row, r._line, r._reason, s._rest, {cells} from {staged.source} s join rejects r using (_row)"
            " order by s._row"
        )
        for batch in reader:
            for row, line, reason, rest, *values in zip(*(c.to_pylist() for c in batch.columns)):
                said = reason if not rest else f"{reason}; beyond the last column: {rest}"
                out.writerow([*map(neutral, values), row, lines.get(row, line), neutral(said)])
    half.replace(into)


def _own_columns(columns: Sequence[str]) -> list[str]:
    return [n if n not in columns else f"sfactl {n}" for n in ("row", "line", "reason")]


def neutral(value: str | None) -> str:
    """A cell that no spreadsheet takes for a formula; plain signed numbers and phones stay as they are."""
    if not value:
        return ""
    return "'" + value if _FORMULA.match(value) else value
