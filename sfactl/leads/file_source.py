"""The lead source ``file``: new and changed files of a folder, in the order of their names.

The cursor remembers size, time and hash of every file that was read. A file that only moved in time is not read again.
"""

from __future__ import annotations

import hashlib
import tempfile
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime
from functools import partial
from pathlib import Path
from typing import Any

from sfactl.api.context import PluginContext
from sfactl.api.errors import DataError
from sfactl.api.records import CheckReport, Cursor, Page
from sfactl.engine.duck import Limits, Query
from sfactl.leads.files.kinds import SUFFIXES, stage
from sfactl.leads.files.options import DayMonth, FileOptions, Reading
from sfactl.leads.headers import count_known


@dataclass(frozen=True, slots=True, kw_only=True)
class FileSettings:
    """Settings of the source ``file``.

    ``path`` is a file, a folder or a pattern such as ``inbox/*.csv``, relative to the workspace. ``page_rows`` is how
    many rows go into one commit. The rest says what cannot be seen from the files; see the mapping's ``[file]``.
    """

    path: str
    page_rows: int = 50_000
    encoding: str | None = None
    delimiter: str | None = None
    header: bool | None = None
    header_row: int | None = None
    names: tuple[str, ...] = ()
    sheet: str | None = None
    skip: int = 0
    day_month_order: DayMonth | None = None

    def options(self) -> FileOptions:
        """As the reader takes them."""
        return FileOptions(
            encoding=self.encoding, delimiter=self.delimiter, header=self.header, header_row=self.header_row,
            names=self.names, sheet=self.sheet, skip=self.skip, day_month_order=self.day_month_order,
        )  # fmt: skip


class FileSource:
    """Reads files of leads."""

    def __init__(self, settings: FileSettings, context: PluginContext) -> None:
        self._settings = settings
        self._context = context

    def check(self) -> CheckReport:
        """Which files there are."""
        files = self._files()
        if not files:
            return CheckReport(problems=(f"{self._settings.path}: no files of a known kind there",))
        return CheckReport(facts={"files": str(len(files)), "newest": max(files, key=_changed).name})

    def pull(self, cursor: Cursor | None) -> Iterator[Page]:
        """Pages of the files that are new or changed since ``cursor``."""
        known: dict[str, Any] = dict((cursor or {}).get("files", {}))
        partly: dict[str, Any] = dict((cursor or {}).get("partly", {}))
        for path in self._files():
            label, state = self._label(path), _state(path)
            before = known.get(label)
            if before and before["size"] == state["size"] and before["mtime"] == state["mtime"]:
                continue
            state["hash"] = _hash(path)
            if before and before.get("hash") == state["hash"]:
                known[label] = state
                continue
            # A file that was cut off in its middle goes on behind its last page, unless it changed meanwhile.
            done = partly.get("rows", 0) if partly.get("file") == label and partly.get("hash") == state["hash"] else 0
            for table, upto, last in self._tables(path, int(done)):
                if last:
                    known[label] = state
                    yield Page(table=table, cursor={"files": dict(known)})
                else:
                    more = {"file": label, "hash": state["hash"], "rows": upto}
                    yield Page(table=table, cursor={"files": dict(known), "partly": more})

    def cursor_at(self, at: datetime, cursor: Cursor | None) -> Cursor:  # noqa: ARG002
        """As if all files that are older than ``at`` had been read."""
        begin = at.replace(tzinfo=UTC).timestamp()
        older = [p for p in self._files() if p.stat().st_mtime < begin]
        return {"files": {self._label(p): {**_state(p), "hash": _hash(p)} for p in older}}

    def _files(self) -> list[Path]:
        root = self._context.workspace
        said = self._settings.path
        path = root / said
        if path.is_dir():
            found = [p for p in path.iterdir() if p.is_file()]
        elif path.is_file():
            return [path]
        elif Path(said).is_absolute():
            found = list(Path(path.anchor).glob(str(Path(said).relative_to(path.anchor))))
        else:
            found = list(root.glob(said))
        kinds = [p for p in found if any(s in SUFFIXES for s in p.suffixes) and not p.name.startswith((".", "~$"))]
        return sorted(kinds)

    def _label(self, path: Path) -> str:
        try:
            return path.relative_to(self._context.workspace).as_posix()
        except ValueError:
            return path.as_posix()

    def _tables(self, path: Path, done: int) -> Iterator[tuple[Any, int, bool]]:
        """(rows, how many that makes, was it the last page) of one file behind its first ``done`` rows."""
        import pyarrow as pa
        import pyarrow.parquet as pq

        with tempfile.TemporaryDirectory(prefix="sfactl-pull-") as folder, Query(NoDatasets(), Limits()) as query:
            scratch = Path(folder)
            staged = stage(
                Reading(
                    path=path,
                    into=scratch / "staged.parquet",
                    options=self._settings.options(),
                    query=query,
                    known=partial(count_known, "leads"),
                    where="the source's settings",
                    scratch=scratch,
                )
            )
            seen = 0
            rows: list[pa.RecordBatch] = []
            for batch in pq.ParquetFile(staged.path).iter_batches(batch_size=self._settings.page_rows):
                seen += batch.num_rows
                if seen <= done:
                    continue
                rows.append(batch)
                yield _table(staged.columns, batch), seen, seen >= staged.rows
            if not rows:
                raise DataError(f"{path.name} has no rows that were not pulled before")


class NoDatasets:
    """A reader of files needs no dataset."""

    seq = 0

    def __contains__(self, name: object) -> bool:
        return False

    def select(self, name: str) -> str:
        raise KeyError(name)

    def lookup(self, name: str, key: object) -> None:  # noqa: ARG002
        return None


def _table(columns: tuple[str, ...], batch: Any) -> Any:
    import pyarrow as pa

    cells = [batch.column(f"c{i}") for i in range(len(columns))]
    whole = "_problem" not in batch.schema.names
    problem = pa.nulls(batch.num_rows, pa.string()) if whole else batch.column("_problem")
    data = [pa.chunked_array([c]) for c in (*cells, problem)]
    return pa.Table.from_arrays(data, names=[*columns, "_problem"])


def _state(path: Path) -> dict[str, Any]:
    found = path.stat()
    return {"size": found.st_size, "mtime": found.st_mtime_ns}


def _changed(path: Path) -> int:
    return path.stat().st_mtime_ns


def _hash(path: Path) -> str:
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()
