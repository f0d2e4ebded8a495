"""Print the typed result of a command in the form asked for. The only place that writes data to stdout.

People get a table or the command's own lines; machines get JSON in one versioned envelope, JSON lines, CSV, Parquet or
Markdown, always in UTF-8 and with nothing else beside it.
"""

from __future__ import annotations

import csv
import dataclasses
import difflib
import io
import os
import sys
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import click

from sfactl.api.errors import UserError
from sfactl.cli import tables
from sfactl.cli.values import cell, is_table, neutral, plain, to_json

FORMATS = ("table", "json", "jsonl", "csv", "parquet", "md")
ENVELOPE = 1
"""Version of the JSON envelope; changes only when a key is renamed or removed."""

_STATUS: Mapping[int, str] = {0: "ok", 3: "partial", 4: "nothing"}


@dataclass(frozen=True, slots=True, kw_only=True)
class Output:
    """Where the answer goes and in which form."""

    format: str = "table"
    columns: tuple[str, ...] = ()
    file: Path | None = None
    command: str = ""

    def emit(self, result: object, *, human: Callable[[], Iterable[str]] | None = None, exit_code: int = 0) -> None:
        """Print ``result`` and leave with ``exit_code`` if it is not 0.

        ``result`` is a frozen dataclass, or a listing: an Arrow table or a tuple of dataclasses of one kind. ``human``
        gives the lines for people. JSON is the envelope with the result under ``result``, a list of rows if it is a
        listing. In the other forms a dataclass is one row. Raises `UserError` for a column that is not there.
        """
        if self.format == "table" and human is not None and not self.columns:
            self._write("".join(f"{line}\n" for line in human()).encode("utf-8", "replace"))
        elif self.format == "parquet":
            self._write(_parquet(result, self.columns))
        else:
            self._write(self._text(result, exit_code).encode("utf-8", "surrogateescape"))
        if exit_code:
            raise click.exceptions.Exit(exit_code)

    def _text(self, result: object, exit_code: int) -> str:
        if self.format == "json":
            return envelope(self.command, _STATUS.get(exit_code, "failed"), result=self._selected(result)) + "\n"
        names, rows = _rows(result, self.columns)
        if self.format == "jsonl":
            return "".join(to_json(dict(zip(names, row, strict=True))) + "\n" for row in rows)
        if self.format == "csv":
            return _csv(names, rows)
        if not _is_listing(result):
            names, rows = ["field", "value"], [list(pair) for pair in zip(names, rows[0], strict=True)]
        if self.format == "md":
            return "".join(f"{line}\n" for line in tables.markdown(names, rows))
        fit = None if self.file else tables.terminal_width()
        lines = tables.table(names, rows, fit=fit)
        last = lines[0].rpartition(" ")[2]
        if last not in names and sys.stderr.isatty():
            click.echo(f"{last[1:]} columns are not shown: choose with --columns, or take --format csv.", err=True)
        return "".join(f"{line}\n" for line in lines)

    def _selected(self, result: object) -> object:
        if not self.columns:
            return result
        names, rows = _rows(result, self.columns)
        selected = [dict(zip(names, row, strict=True)) for row in rows]
        return selected if _is_listing(result) else selected[0]

    def _write(self, data: bytes) -> None:
        if self.file is not None:
            write_file(self.file, data)
            return
        if self.format == "parquet" and sys.stdout.isatty():
            raise UserError("Parquet is not for a terminal", hint="Add --output FILE, or pipe it on.")
        sys.stdout.flush()
        if buffer := getattr(sys.stdout, "buffer", None):
            buffer.write(data)
            buffer.flush()
        else:
            sys.stdout.write(data.decode("utf-8"))


def output_of(ctx: click.Context, form: str | None, columns: str | None, file: str | None) -> Output:
    """The `Output` for the options given; without ``--format`` the ending of ``--output`` decides."""
    path = Path(file) if file else None
    if form is None and path is not None:
        ending = path.suffix.lstrip(".").lower()
        form = ending if ending in FORMATS else None
    return Output(
        format=form or "table",
        columns=tuple(c.strip() for c in (columns or "").split(",") if c.strip()),
        file=path,
        command=ctx.command_path.partition(" ")[2],
    )


def envelope(command: str, status: str, **parts: object) -> str:
    """The JSON envelope: version, command, status, and the result or the error."""
    return to_json({"schema": ENVELOPE, "command": command, "status": status, **parts}, indent=2)


def write_file(path: Path, data: bytes) -> None:
    """Write ``data`` to ``path`` whole or not at all."""
    folder = path.parent
    if not folder.is_dir():
        raise UserError(f"--output {path}: there is no folder {folder}")
    import tempfile

    handle, temporary = tempfile.mkstemp(dir=folder, prefix=f".{path.name}.")
    try:
        with os.fdopen(handle, "wb") as file:
            file.write(data)
            file.flush()
            os.fsync(file.fileno())
        Path(temporary).chmod(path.stat().st_mode & 0o777 if path.exists() else 0o666 & ~_umask())
        Path(temporary).replace(path)
    except BaseException:
        Path(temporary).unlink(missing_ok=True)
        raise


def _umask() -> int:
    mask = os.umask(0)
    os.umask(mask)
    return mask


def _rows(result: object, columns: Sequence[str]) -> tuple[list[str], list[list[Any]]]:
    """Names and rows of ``result``, with only ``columns`` if any are named."""
    if is_table(result):
        names = list(result.column_names)
        _check_columns(columns, names)
        chosen = list(columns) or names
        values = [result.column(name).to_pylist() for name in chosen]
        return chosen, [list(row) for row in zip(*values, strict=True)] if values else []
    records = result if isinstance(result, tuple) else (result,)
    if not records:
        return list(columns), []
    if not dataclasses.is_dataclass(records[0]) or isinstance(records[0], type):
        raise TypeError(f"a command's result is a dataclass or an Arrow table, not {type(records[0]).__name__}")
    names = [f.name for f in dataclasses.fields(records[0])]
    _check_columns(columns, names)
    chosen = list(columns) or names
    return chosen, [[getattr(record, name) for name in chosen] for record in records]


def _is_listing(result: object) -> bool:
    return is_table(result) or isinstance(result, tuple)


def _check_columns(columns: Sequence[str], names: Sequence[str]) -> None:
    for column in columns:
        if column not in names:
            near = difflib.get_close_matches(column, names, 1)
            hint = f"Did you mean {near[0]!r}?" if near else f"Columns: {', '.join(names)}"
            raise UserError(f"--columns: there is no column {column!r}", hint=hint)


def _csv(names: Sequence[str], rows: Sequence[Sequence[Any]]) -> str:
    lines = _Lines()
    writer = csv.writer(lines, lineterminator="\r\n")
    writer.writerow([neutral(name) for name in names])
    for row in rows:
        writer.writerow([neutral(cell(v)) if not isinstance(v, (int, float)) else cell(v) for v in row])
    return "".join(lines)


class _Lines(list[str]):
    """Takes the writer's lines and ends them as Unix does; the writer itself must think of both line-break characters,
    or it would leave a lone one unquoted."""

    def write(self, line: str) -> None:
        self.append(line.removesuffix("\r\n") + "\n")


def _parquet(result: object, columns: Sequence[str]) -> bytes:
    import pyarrow as pa
    import pyarrow.parquet as pq

    if is_table(result):
        _check_columns(columns, result.column_names)
        chosen = result.select(list(columns)) if columns else result
    else:
        names, rows = _rows(result, columns)
        chosen = pa.Table.from_pylist([{n: plain(v) for n, v in zip(names, row, strict=True)} for row in rows])
    sink = io.BytesIO()
    pq.write_table(chosen, sink)
    return sink.getvalue()
