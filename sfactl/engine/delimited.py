"""Read delimited text as other people's programs write it, strictly.

A row that does not fit is given back with its number and the reason; nothing is dropped, padded or guessed where two
readings are possible. A byte-order mark is believed; any other encoding, a decimal comma and the order of day and month
are stated by the caller.
"""

from __future__ import annotations

import codecs
import csv
import io
import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from decimal import Decimal
from pathlib import Path

from sfactl.api.errors import DataError

_MARKS = ((codecs.BOM_UTF8, "utf-8-sig"), (codecs.BOM_UTF16_LE, "utf-16"), (codecs.BOM_UTF16_BE, "utf-16"))
_TOP = 65_536
_DELIMITERS = ",;\t|"
_POINT = re.compile(r"\d{1,3}(,\d{3})+(\.\d+)?|\d+(\.\d+)?|\.\d+")
_COMMA = re.compile(r"\d{1,3}([. \u00a0\u202f]\d{3})+(,\d+)?|\d+(,\d+)?|,\d+")


@dataclass(frozen=True, slots=True, kw_only=True)
class Row:
    """One row by column name; ``number`` is the line of the file on which it begins."""

    number: int
    values: Mapping[str, str]


@dataclass(frozen=True, slots=True, kw_only=True)
class BadRow:
    """A row that does not fit the header."""

    number: int
    reason: str


def read_rows(path: Path, *, encoding: str = "utf-8", delimiter: str = "") -> Iterator[Row | BadRow]:
    """The rows of the file below its header line; blank lines are skipped. Values are trimmed.

    ``delimiter`` empty means: whichever of comma, semicolon, tab and bar the header uses, if only one does.
    Raises `DataError` for a file that cannot be decoded or whose header is missing, double or of two minds.
    """
    text = _decode(path, encoding)
    header_line = text.lstrip("\r\n").split("\n", 1)[0]
    reader = csv.reader(io.StringIO(text, newline=""), delimiter=delimiter or _delimiter(path, header_line))
    header: list[str] | None = None
    before = 0
    while True:
        try:
            cells = next(reader)
        except StopIteration:
            return
        except csv.Error as err:
            yield BadRow(number=before + 1, reason=str(err))
            before = reader.line_num
            continue
        number, before = before + 1, reader.line_num
        if not any(cell.strip() for cell in cells):
            continue
        if header is None:
            header = _header(path, cells)
        elif len(cells) != len(header):
            yield BadRow(number=number, reason=f"has {len(cells)} columns, the header has {len(header)}")
        else:
            yield Row(number=number, values={h: c.strip() for h, c in zip(header, cells)})


def read_header(path: Path, *, encoding: str = "utf-8", delimiter: str = "") -> tuple[tuple[str, ...], str]:
    """The column names and the delimiter of the file, of which only the top is read. Raises `DataError`."""
    try:
        with path.open("rb") as file:
            top = file.read(_TOP)
    except OSError as err:
        raise DataError(f"{path}: cannot be read ({err.strerror})") from None
    name = next((name for mark, name in _MARKS if top.startswith(mark)), encoding)
    try:
        text = codecs.getincrementaldecoder(name)(errors="replace").decode(top)
    except LookupError:
        raise DataError(f"{path}: unknown encoding {name!r}") from None
    lines = text.lstrip("\r\n").replace("\r\n", "\n").replace("\r", "\n").split("\n", 1)
    if not lines[0].strip():
        raise DataError(f"{path} is empty")
    used = delimiter or _delimiter(path, lines[0])
    return tuple(_header(path, next(csv.reader([lines[0]], delimiter=used)))), used


def parse_number(text: str, *, decimal_comma: bool = False) -> Decimal:
    """A number as people write it: thousands marked or not, a sign before or behind, or in brackets if negative.

    Raises ValueError, also for ``12,50`` where a decimal point was stated: guessing would be off by a hundred.
    """
    bare = text.strip()
    negative = bare.startswith("-") or bare.endswith("-") or (bare.startswith("(") and bare.endswith(")"))
    digits = bare.strip("()-+ ")
    if not (_COMMA if decimal_comma else _POINT).fullmatch(digits):
        mark = "comma" if decimal_comma else "point"
        raise ValueError(f"{text!r} is not a number with a decimal {mark}")
    plain = re.sub(r"[. \u00a0\u202f]", "", digits).replace(",", ".") if decimal_comma else digits.replace(",", "")
    return -Decimal(plain) if negative else Decimal(plain)


def parse_day(text: str, formats: Sequence[str]) -> date:
    """A date in the first of ``formats`` (strptime) that fits. Raises ValueError."""
    for form in formats:
        try:
            return datetime.strptime(text.strip(), form).date()
        except ValueError:
            continue
    raise ValueError(f"{text!r} is not a date of the form {' or '.join(formats)}")


def _decode(path: Path, encoding: str) -> str:
    try:
        raw = path.read_bytes()
    except OSError as err:
        raise DataError(f"{path}: cannot be read ({err.strerror})") from None
    name = next((name for mark, name in _MARKS if raw.startswith(mark)), encoding)
    try:
        return raw.decode(name)
    except LookupError:
        raise DataError(f"{path}: unknown encoding {name!r}") from None
    except UnicodeDecodeError as err:
        line = raw[: err.start].count(b"\n") + 1
        raise DataError(
            f"{path}: row {line}: byte {raw[err.start]:#04x} is not {name}",
            hint="State the file's encoding, for instance cp1252, big5 or gb18030.",
        ) from None


def _delimiter(path: Path, header: str) -> str:
    found = [d for d in _DELIMITERS if d in header]
    if len(found) > 1:
        raise DataError(f"{path}: the header has {' and '.join(map(repr, found))}", hint="State the delimiter.")
    return found[0] if found else ","


def _header(path: Path, cells: Sequence[str]) -> list[str]:
    names = [cell.strip() for cell in cells]
    double = sorted({n for n in names if names.count(n) > 1})
    if double:
        raise DataError(f"{path}: the header has {', '.join(map(repr, double))} more than once")
    return names
