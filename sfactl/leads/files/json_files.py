"""Stage JSON Lines and JSON arrays of objects. Nested values get dotted names; lists are joined by "; ".

The first reading finds the columns, the second the rows: memory does not grow with the file.
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from sfactl.api.errors import DataError
from sfactl.leads.files.delimited import text_lines
from sfactl.leads.files.encoding import Encoding, detect, stated
from sfactl.leads.files.options import Reading
from sfactl.leads.files.scan import scan
from sfactl.leads.files.staging import Staged, Stager

PIECE = 1 << 16


@dataclass(frozen=True, slots=True)
class _Item:
    """One value of the file with the line it begins on; ``problem`` says why it is not a row."""

    line: int
    value: Any
    problem: str | None = None
    raw: str | None = None


def stage_json(reading: Reading) -> Staged:
    """Read the objects of the file into ``reading.into``."""
    found = scan(reading.path)
    if found.size == 0:
        raise DataError(f"{reading.file} is empty")
    said = reading.options.encoding
    encoding = stated(said, where=f"{reading.where}: file.encoding") if said else detect(found, file=reading.file)
    columns: dict[str, int] = {}
    for item in _items(reading, encoding):
        if item.problem is None:
            for name in flat(item.value):
                columns.setdefault(name, len(columns))
    if not columns:
        raise DataError(f"{reading.file} has no JSON objects")
    with Stager(reading.into, len(columns)) as stager:
        for item in _items(reading, encoding):
            row: list[str | None] = [None] * len(columns)
            if item.problem is None:
                for name, text in flat(item.value).items():
                    row[columns[name]] = text
            else:
                row[0] = item.raw
            stager.add(row, line=item.line, problem=item.problem)
    return Staged(
        path=reading.into, columns=tuple(columns), rows=stager.rows, facts=(encoding.label, "JSON"), plain=False
    )


def flat(value: dict[str, Any], prefix: str = "") -> dict[str, str]:
    """Dotted names and texts of an object. What a name has several of is joined by ``"; "``."""
    found: dict[str, list[str]] = {}
    _flatten(value, prefix, found)
    return {name: "; ".join(dict.fromkeys(texts)) for name, texts in found.items()}


_NAMES = ("column_id", "name", "key", "field", "question")
_VALUES = ("string_value", "value", "values", "answer")


def _pair(item: Any) -> tuple[str, Any] | None:
    """(name, value) of an item such as {"name": "email", "values": ["a@example.tw"]}, as forms' webhooks send them."""
    if not isinstance(item, dict) or len(item) > 3:
        return None
    name = next((item[k] for k in _NAMES if isinstance(item.get(k), str)), None)
    value = next((item[k] for k in _VALUES if k in item), None)
    return None if name is None or value is None else (name, value)


def _flatten(value: Any, name: str, found: dict[str, list[str]]) -> None:
    if isinstance(value, dict):
        for key, inner in value.items():
            _flatten(inner, f"{name}.{key}" if name else str(key), found)
    elif isinstance(value, list):
        for inner in value:
            pair = _pair(inner)
            _flatten(inner if pair is None else pair[1], name if pair is None else f"{name}.{pair[0]}", found)
    elif value is not None:
        found.setdefault(name, []).append(str(value).lower() if isinstance(value, bool) else str(value))
    else:
        found.setdefault(name, [])


def _items(reading: Reading, encoding: Encoding) -> Iterator[_Item]:
    lines = text_lines(reading.path, encoding)
    first = next((line for line in text_lines(reading.path, encoding) if line.strip()), "")
    if first.lstrip().startswith("["):
        yield from _array(lines)
        return
    if first.strip() == "{":
        yield from _array(iter(["[", *lines, "]"]))  # one object, printed over several lines
        return
    for number, line in enumerate(lines, 1):
        if line.strip():
            yield _parsed(line, number)


def _parsed(line: str, number: int) -> _Item:
    try:
        value = json.loads(line, parse_float=str, parse_int=str)
    except ValueError as err:
        return _Item(number, None, f"not JSON: {err}", line)
    return _object(value, number, line)


def _object(value: Any, number: int, raw: str) -> _Item:
    if not isinstance(value, dict):
        return _Item(number, None, "not a JSON object", raw[:10_000])
    return _Item(number, value)


def _array(lines: Iterator[str]) -> Iterator[_Item]:
    """Elements of a JSON array, one after the other, without holding the text of all."""
    decoder = json.JSONDecoder(parse_float=str, parse_int=str)
    buffer, number, done = "", 1, False
    begun = False
    while True:
        while not done and len(buffer) < PIECE:
            line = next(lines, None)
            done = line is None
            buffer += "" if line is None else line + "\n"
        text = buffer.lstrip(" \t\r\n," if begun else " \t\r\n")
        number += buffer[: len(buffer) - len(text)].count("\n")
        if not begun:
            text, begun = text[1:], True
            buffer = text
            continue
        if not text or text[0] == "]":
            return
        try:
            value, end = decoder.raw_decode(text)
        except ValueError as err:
            if not done:
                buffer = text
                more = [line for _, line in zip(range(2_000), lines)]
                done = not more
                buffer += "".join(m + "\n" for m in more)
                continue
            yield _Item(number, None, f"not JSON: {err}", text[:10_000])
            return
        yield _object(value, number, text[:end])
        number += text[:end].count("\n")
        buffer = text[end:]
