"""Stage a Parquet file: every column as text."""

from __future__ import annotations

from sfactl.api.errors import DataError
from sfactl.leads.files.options import Reading
from sfactl.leads.files.staging import Staged


def stage_parquet(reading: Reading) -> Staged:
    """Copy the file's columns as text into ``reading.into``."""
    source = "'" + str(reading.path).replace("'", "''") + "'"
    into = "'" + str(reading.into).replace("'", "''") + "'"
    try:
        columns = tuple(reading.query.describe(f"select * from read_parquet({source})"))
    except Exception as err:
        raise DataError(f"{reading.file} cannot be read as Parquet: {err}") from err
    cells = ", ".join(f"cast({_name(c)} as varchar) as c{i}" for i, c in enumerate(columns))
    reading.query.run(
        "copy (select row_number() over () as _row, cast(null as bigint) as _line, cast(null as varchar) as _problem,"
        f" cast(null as varchar) as _rest, {cells} from read_parquet({source})) to {into} (format parquet)"
    )
    answer = reading.query.one(f"select count(*) from read_parquet({into})")
    if not answer or not answer[0]:
        raise DataError(f"{reading.file} has no rows")
    return Staged(path=reading.into, columns=columns, rows=int(answer[0]), facts=("Parquet",))


def _name(column: str) -> str:
    return '"' + column.replace('"', '""') + '"'
