"""Make a world and write parts of it to files. Every row is a function of the seed; nothing is drawn in Python."""

from __future__ import annotations

import hashlib
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import datetime
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import duckdb
import pyarrow as pa

from sfactl.demo.world import words
from sfactl.demo.world.model import World

SQL = Path(__file__).parent / "sql"

LEAD_COLUMNS = "* exclude (row_no, person_no, known_at)"
EVENT_COLUMNS = "* exclude (person_no)"


class Tables:
    """The tables of one world; parts of them can be written or read."""

    def __init__(self, world: World, con: duckdb.DuckDBPyConnection) -> None:
        self.world = world
        self._con = con

    def write_leads(self, path: Path, *, since: datetime | None = None, before: datetime | None = None) -> int:
        """Write lead rows that became known in a period as CSV or Parquet, by the file's ending; answers the rows."""
        return self._copy(LEAD_COLUMNS, "lead_row", "known_at", "row_no", path, since, before)

    def write_events(
        self, path: Path, *, since: datetime | None = None, before: datetime | None = None, ordered: bool = True
    ) -> int:
        """Write the events of a period; ordered by time unless told otherwise (sorting many takes its time)."""
        return self._copy(EVENT_COLUMNS, "event", "at", '"at", event_id' if ordered else "", path, since, before)

    def write_truth(self, path: Path) -> int:
        """Write what will become of everybody."""
        return self._copy("*", "truth", "", "person_no", path, None, None)

    def write_query(self, sql: str, path: Path) -> int:
        """Write the answer to a SELECT over the world's tables as CSV or Parquet; answers the rows."""
        style = "format parquet, compression zstd" if path.suffix == ".parquet" else "format csv, header"
        row = self._con.execute(f"copy ({sql}) to '{_quoted(path)}' ({style})").fetchone()
        return int(row[0]) if row else 0

    def table(self, sql: str) -> pa.Table:
        """The answer to a SELECT over ``company``, ``person``, ``truth``, ``lead_row`` and ``event``."""
        return self._con.sql(sql).to_arrow_table()

    def _copy(
        self,
        columns: str,
        relation: str,
        time: str,
        order: str,
        path: Path,
        since: datetime | None,
        before: datetime | None,
    ) -> int:
        bounds = [(">=", since), ("<", before)]
        # Quoted, since "at" is a word of SQL.
        where = " and ".join(f"\"{time}\" {op} timestamp '{moment}'" for op, moment in bounds if moment is not None)
        select = f"select {columns} from {relation}"
        select += f" where {where}" if where else ""
        select += f" order by {order}" if order else ""
        return self.write_query(select, path)


@contextmanager
def made(world: World, *, memory_limit: str = "3GB", threads: int | None = None) -> Iterator[Tables]:
    """Make ``world``; its tables live as long as the context."""
    with TemporaryDirectory(prefix="sfactl-world-") as spill:
        con = duckdb.connect(config=_settings(spill, memory_limit, threads))
        try:
            _set_variables(con, world)
            for name, table in words.tables().items():
                con.register("incoming", table)
                con.execute(f"create temp table {name} as select * from incoming")
                con.unregister("incoming")
            for statement in ("macros", "company", "person", "truth", "lead_row", "event"):
                con.execute((SQL / f"{statement}.sql").read_text(encoding="utf-8"))
            yield Tables(world, con)
        finally:
            con.close()


def _settings(spill: str, memory_limit: str, threads: int | None) -> dict[str, Any]:
    settings: dict[str, Any] = {
        "temp_directory": spill,
        "memory_limit": memory_limit,
        "autoinstall_known_extensions": "false",
    }
    return settings if threads is None else {**settings, "threads": threads}


def _set_variables(con: duckdb.DuckDBPyConnection, world: World) -> None:
    seed = int.from_bytes(hashlib.sha256(f"sfactl world {world.seed}".encode()).digest()[:8], "big") >> 1
    values: dict[str, str] = {
        "seed": f"{seed}::ubigint",
        "rows": f"{world.leads}::bigint",
        "people": f"{world.people}::bigint",
        "companies": f"{world.companies}::bigint",
        "events": f"{world.events}::double",
        "days": f"{world.days}::double",
        "opens": f"timestamp '{world.opens_at}'",
        "closes": f"timestamp '{world.closes_at}'",
        **{name: f"{cards}::bigint[]" for name, cards in words.decks().items()},
    }
    for name, value in values.items():
        con.execute(f"set variable {name} = {value}")


def _quoted(path: Path) -> str:
    return str(path).replace("'", "''")
