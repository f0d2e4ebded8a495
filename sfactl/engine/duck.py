"""One DuckDB connection on one snapshot of the datasets.

Dataset names in a statement become views when they are first used. Answers come as Arrow or as plain rows, and a result
can be written straight to a Parquet file. It decides nothing about storage: what a name stands for is told by `Views`.
"""

from __future__ import annotations

import os
import threading
from collections import OrderedDict
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from functools import cache
from importlib import import_module
from pathlib import Path
from types import ModuleType
from typing import TYPE_CHECKING, Any, Protocol

from sfactl.api.errors import DataError, StorageError, TryLater
from sfactl.engine import texts

if TYPE_CHECKING:
    import pyarrow as pa

PACKAGE_ROOT = Path(__file__).resolve().parents[1]
ROW_GROUP = 61_440
"""Rows in a row group of files that are only scanned on the way: half of DuckDB's default, for less memory."""

WORTHWHILE = {
    *("filter_pushdown", "filter_pullup", "expression_rewriter", "deliminator", "unnest_rewriter", "in_clause"),
    *("cte_inlining", "top_n", "limit_pushdown", "unused_columns", "column_lifetime"),
}
"""What of the engine's planning is kept where all tables are small: what keeps joins from multiplying rows."""

Params = Mapping[str, Any]


class Views(Protocol):
    """What the names in a statement stand for."""

    @property
    def seq(self) -> int:
        """Commit number of the snapshot."""
        ...

    def __contains__(self, name: object) -> bool: ...

    def select(self, name: str) -> str:
        """A SELECT with all rows of the dataset."""
        ...

    def lookup(self, name: str, key: Sequence[Any]) -> tuple[str, Params] | None:
        """A SELECT with the one row of ``key``, and its parameters; None where no file can hold it."""
        ...


@dataclass(frozen=True, slots=True, kw_only=True)
class Limits:
    """How much of the machine one process may take.

    ``memory`` is DuckDB's notation ("4GB"); None means 40 % of the RAM. ``threads`` None means all cores. ``small``
    says that all tables are: statements run nearly as written, because to plan them would cost more than to run them.
    """

    memory: str | None = None
    threads: int | None = None
    spill: Path | None = None
    small: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Written:
    """What a COPY wrote: rows, bytes, and least and greatest value by column (as text)."""

    rows: int
    bytes: int
    columns: tuple[str, ...]
    bounds: Mapping[str, tuple[str | None, str | None]]


class Query:
    """A connection on a snapshot. Use it as a context manager, in one thread."""

    def __init__(self, views: Views, limits: Limits) -> None:
        self._views = views
        self._limits = limits
        self._connection: Any = None
        self._known: set[str] = set()
        self._own: set[str] = set()
        self._registered: dict[str, object] = {}

    @property
    def seq(self) -> int:
        """Commit number of the snapshot that is read."""
        return self._views.seq

    def table(self, sql: str, params: Params | None = None) -> pa.Table:
        """The result as an Arrow table."""
        _with_arrow()
        self._prepare(sql)
        with translated():
            return self._con.sql(sql, params=_used(sql, params)).to_arrow_table()

    def batches(self, sql: str, params: Params | None = None, size: int = 50_000) -> pa.RecordBatchReader:
        """The result as a stream of Arrow batches; use it up before the next statement."""
        _with_arrow()
        self._prepare(sql)
        with translated():
            return self._con.sql(sql, params=_used(sql, params)).to_arrow_reader(size)

    def rows(self, sql: str, params: Params | None = None) -> list[tuple[Any, ...]]:
        """The result as tuples; for small answers."""
        self._prepare(sql)
        with translated():
            answer: list[tuple[Any, ...]] = self._execute(sql, params).fetchall()
        return answer

    def one(self, sql: str, params: Params | None = None) -> tuple[Any, ...] | None:
        """The first row of a small answer, or None."""
        # Everything is fetched: a result that is left unfinished blocks the connection.
        return next(iter(self.rows(sql, params)), None)

    def run(self, sql: str, params: Params | None = None) -> int:
        """Run a statement for its effect: a temporary table, a setting. Answers how many rows it made or changed."""
        self._prepare(sql)
        for name in texts.made(sql):
            self._own.add(name)
            self._registered.pop(name, None)
        with translated():
            counted = self._execute(sql, params).fetchall()
        return int(counted[0][0]) if counted and isinstance(counted[0][0], int) else 0

    @contextmanager
    def in_written_order(self) -> Iterator[None]:
        """Statements join in the order they are written, for where the engine's guesses are worse or cost too much."""
        if self._limits.small:  # as it is with all of its statements
            yield
            return
        (before,) = self.one("select current_setting('disabled_optimizers')") or ("",)
        self.run("set disabled_optimizers = 'join_order'")
        try:
            yield
        finally:
            self.run(f"set disabled_optimizers = '{before}'")

    def describe(self, sql: str, params: Params | None = None) -> dict[str, str]:
        """Column names and SQL types of a SELECT, without running it."""
        return {str(r[0]): str(r[1]) for r in self.rows(f"describe {sql}", params)}

    def register(self, name: str, table: pa.Table | pa.RecordBatchReader) -> None:
        """Make an Arrow table usable by ``name``; the one that stands under the name already stays."""
        if self._registered.get(name) is table:
            return
        _with_arrow()
        self._own.add(name)
        self._registered[name] = table
        with translated():
            self._con.register(name, table)

    def turn_to(self, views: Views) -> None:
        """From now on names stand for what ``views`` says; temporary tables and what was registered stay."""
        self._views = views
        self._known.clear()

    def get(self, dataset: str, *key: Any) -> dict[str, Any] | None:
        """One row by its key, read only from the files and row groups that can hold it."""
        found = self._views.lookup(dataset, key)
        if found is None:
            return None
        sql, params = found
        with translated():
            cursor = self._con.execute(sql, dict(params))
            names = [d[0] for d in cursor.description]
            found_rows = cursor.fetchall()
        return dict(zip(names, found_rows[0], strict=True)) if found_rows else None

    def statement(self, package: str, name: str) -> str:
        """The text of ``sfactl/<package>/sql/<name>.sql``."""
        return statement(package, name)

    def write(
        self, sql: str, path: Path, params: Params | None = None, *, ordered: bool = True, row_group: int = ROW_GROUP
    ) -> Written:
        """Write the result of a SELECT as Parquet. ``ordered`` keeps the order of the SELECT."""
        self._prepare(sql)
        target = str(path).replace("'", "''")
        options = f"format parquet, compression zstd, row_group_size {row_group}, return_stats"
        with translated():
            if not ordered:
                self._con.execute("set preserve_insertion_order = false")
            try:
                self._con.execute(f"copy ({sql}) to '{target}' ({options})", _used(sql, params))
                (answer,) = self._con.fetchall()
            finally:
                if not ordered:
                    self._con.execute("set preserve_insertion_order = true")
        stats = {name.strip('"'): values for name, values in (answer[4] or {}).items()}
        bounds = {name: (values.get("min"), values.get("max")) for name, values in stats.items()}
        return Written(rows=answer[1], bytes=path.stat().st_size, columns=tuple(stats), bounds=bounds)

    def lock(self, folder: Path) -> None:
        """Shut the engine's own doors for good: no file outside ``folder``, no network, no change of settings."""
        self.close()
        self._known.clear()
        self._connection = connect(self._limits)  # an engine of its own: what is shut stays shut for all that use it
        quoted = str(folder).replace("'", "''")
        with translated():
            self._con.execute(f"set allowed_directories = ['{quoted}/']")
            self._con.execute("set enable_external_access = false")
            self._con.execute("set lock_configuration = true")

    def close(self) -> None:
        """Let go of the connection and its temporary tables."""
        if self._connection is not None:
            self._connection.close()
            self._connection = None
            self._registered.clear()

    def __enter__(self) -> Query:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    @property
    def _con(self) -> Any:
        if self._connection is None:
            self._connection = _connected(self._limits)
        return self._connection

    def _execute(self, sql: str, params: Params | None) -> Any:
        return self._con.execute(texts.parsed(self._con, sql), _used(sql, params))

    def _prepare(self, sql: str) -> None:
        for name in texts.words(sql) - self._known - self._own:
            if name in self._views:
                with translated():
                    self._con.execute(f'create or replace temp view "{name}" as {self._views.select(name)}')
            self._known.add(name)


def connect(limits: Limits) -> Any:
    """A connection to an empty in-memory database with sfactl's limits; nothing is installed or loaded from outside."""
    duckdb = duckdb_module()
    config = {
        "memory_limit": limits.memory or f"{int(_ram_bytes() * 0.4) // 2**20}MiB",
        "autoinstall_known_extensions": "false",
        "threads": str(limits.threads or os.cpu_count() or 1),
        "temp_directory": str(limits.spill) if limits.spill else "",
    }
    with translated():
        connection = duckdb.connect(":memory:", config=config)
        # Data files never change, and to read what is in one takes longer than to find a row in it.
        connection.execute("set global parquet_metadata_cache = true")
        if limits.small:
            names = [name for (name,) in connection.execute("from duckdb_optimizers()").fetchall()]
            unused = ",".join(name for name in names if name not in WORTHWHILE)
            connection.execute(f"set global disabled_optimizers = '{unused}'")
    return connection


KEPT = 4
_engines: OrderedDict[tuple[Limits, int], Any] = OrderedDict()
"""The engines last used, by limits and process: to start one costs more than a lookup."""
_starting = threading.Lock()


def _connected(limits: Limits) -> Any:
    """A connection with nothing of its own, on this process's engine; its temporary tables and views end with it."""
    place = limits, os.getpid()
    with _starting:
        if place not in _engines:
            _engines[place] = connect(limits)
            if len(_engines) > KEPT:
                _engines.popitem(last=False)  # ends with the last connection on it
        _engines.move_to_end(place)
        return _engines[place].cursor()


def duckdb_module() -> ModuleType:
    """The engine without its Python layer, which costs more to import than a lookup takes; else the whole package."""
    try:
        module = import_module("_duckdb")
        if hasattr(module, "connect"):
            return module
    except ImportError:
        pass
    return import_module("duckdb")


def _with_arrow() -> None:
    """Arrow needs the engine's Python layer; rows alone do not."""
    import_module("duckdb")


@cache
def statement(package: str, name: str) -> str:
    """The text of ``sfactl/<package>/sql/<name>.sql``."""
    return (PACKAGE_ROOT / package / "sql" / f"{name}.sql").read_text(encoding="utf-8").strip().rstrip(";")


@contextmanager
def translated() -> Iterator[None]:
    """Turn the engine's errors that a user can act on into ours; a wrong statement of our own stays what it is."""
    try:
        yield
    except Exception as err:
        text = str(err)
        kind = type(err).__name__
        if kind in {"FatalException", "InternalException"}:
            _engines.clear()  # the engine is of no more use to anybody
        if "No space left" in text or "Disk full" in text:
            raise StorageError("the disk is full", hint="Free some space; nothing was committed.") from err
        if "Could not write" in text or "Cannot open file" in text:
            raise StorageError(
                f"a file cannot be written: {_first_line(text)}", hint="Nothing was committed. See: sfactl doctor"
            ) from err
        if kind == "OutOfMemoryException":
            raise TryLater(
                f"the query needs more memory than it may take: {_first_line(text)}",
                hint="Raise engine.memory_limit in sfactl.toml.",
            ) from err
        if kind in {"IOException", "InvalidInputException", "InternalException", "SerializationException"} and (
            ".parquet" in text or "thrift" in text.lower()
        ):
            raise StorageError(
                f"a data file cannot be read: {_first_line(text)}", hint="Run: sfactl data verify"
            ) from err
        if kind == "ConversionException":
            raise DataError(f"a value does not fit its column: {_first_line(text)}") from err
        raise


def _first_line(text: str) -> str:
    return text.strip().splitlines()[0] if text.strip() else "no message"


def _used(sql: str, params: Params | None) -> dict[str, Any]:
    if not params:
        return {}
    named = texts.parameters(sql)
    return {k: v for k, v in params.items() if k in named}


def _ram_bytes() -> int:
    return os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES")
