"""Stage the bodies of web forms as servers log them: one ``application/x-www-form-urlencoded`` text a line.

A field that a body repeats, such as a choice of several, is joined by "; ".
"""

from __future__ import annotations

from urllib.parse import parse_qsl

from sfactl.api.errors import DataError
from sfactl.leads.files.delimited import text_lines
from sfactl.leads.files.encoding import detect, stated
from sfactl.leads.files.options import Reading
from sfactl.leads.files.scan import scan
from sfactl.leads.files.staging import Staged, Stager

MOST_FIELDS = 1000


def stage_posts(reading: Reading) -> Staged:
    """Read the bodies of the file into ``reading.into``; a line that is none is a faulty row."""
    said = reading.options.encoding
    found = scan(reading.path)
    encoding = stated(said, where=f"{reading.where}: file.encoding") if said else detect(found, file=reading.file)
    columns: dict[str, int] = {}
    for line in text_lines(reading.path, encoding):
        for key, _ in _fields(line) or ():
            columns.setdefault(key, len(columns))
    if not columns:
        raise DataError(f"{reading.file} has no form fields")
    with Stager(reading.into, len(columns)) as stager:
        for number, line in enumerate(text_lines(reading.path, encoding), 1):
            if not line.strip():
                continue
            fields = _fields(line)
            row: list[str | None] = [None] * len(columns)
            for key, value in fields or ():
                if value.strip():
                    at = columns[key]
                    row[at] = value if row[at] is None else f"{row[at]}; {value}"
            if fields is None:
                row[0] = line[:2_000]
            stager.add(row, line=number, problem=None if fields is not None else "is not the body of a form")
    return Staged(path=reading.into, columns=tuple(columns), rows=stager.rows, facts=(encoding.label, "form bodies"))


def _fields(line: str) -> list[tuple[str, str]] | None:
    if "=" not in line:
        return None
    try:
        return parse_qsl(line.strip(), keep_blank_values=True, max_num_fields=MOST_FIELDS)
    except ValueError:
        return None
