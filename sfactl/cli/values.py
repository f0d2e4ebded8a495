"""Turn result values into plain ones for JSON, CSV and people: exact money, UTC times with a Z, no bare objects."""

from __future__ import annotations

import dataclasses
import json
import math
import re
import sys
from collections.abc import Mapping
from collections.abc import Set as AbstractSet
from datetime import date, datetime, timedelta
from datetime import time as time_of_day
from decimal import Decimal
from enum import Enum
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeGuard

if TYPE_CHECKING:
    import pyarrow as pa

# A private-use character marks a decimal on its way through json.dumps, which would only write it as a rounded float.
_MARK = "\ue000"
_MARKED = re.compile(f'"{_MARK}([^"]*){_MARK}"')


def is_table(value: object) -> TypeGuard[pa.Table]:
    """Whether ``value`` is an Arrow table; never imports Arrow to find out."""
    arrow = sys.modules.get("pyarrow")
    return arrow is not None and isinstance(value, arrow.Table)


def plain(value: Any) -> Any:
    """``value`` made of dicts, lists, strings, numbers, Decimals, booleans and None."""
    if value is None or isinstance(value, (bool, int, str, Decimal)):
        return value.value if isinstance(value, Enum) else value
    if isinstance(value, float):
        return value if math.isfinite(value) else None
    if isinstance(value, Enum):
        return plain(value.value)
    if dataclasses.is_dataclass(value) and not isinstance(value, type):
        return {f.name: plain(getattr(value, f.name)) for f in dataclasses.fields(value)}
    if is_table(value):
        return [plain(row) for row in value.to_pylist()]
    if isinstance(value, Mapping):
        return {str(k): plain(v) for k, v in value.items()}
    if isinstance(value, AbstractSet):
        return sorted((plain(v) for v in value), key=str)
    if isinstance(value, (list, tuple)):
        return [plain(v) for v in value]
    return _scalar(value)


def _scalar(value: Any) -> Any:
    if isinstance(value, datetime):
        # Times inside sfactl are UTC without a zone; outside they say so.
        return value.isoformat() + ("" if value.tzinfo else "Z")
    if isinstance(value, (date, time_of_day)):
        return value.isoformat()
    if isinstance(value, timedelta):
        return value.total_seconds()
    if isinstance(value, bytes):
        return value.hex()
    if isinstance(value, Path):
        return str(value)
    return str(value)


def to_json(value: Any, *, indent: int | None = None) -> str:
    """JSON of ``value`` with decimals as exact numbers and characters as they are."""
    text = json.dumps(_marked(plain(value)), ensure_ascii=False, indent=indent)
    return _MARKED.sub(r"\1", text)


def _marked(value: Any) -> Any:
    if isinstance(value, Decimal):
        return f"{_MARK}{value:f}{_MARK}" if value.is_finite() else None
    if isinstance(value, dict):
        return {k: _marked(v) for k, v in value.items()}
    if isinstance(value, list):
        return [_marked(v) for v in value]
    return value


def cell(value: Any) -> str:
    """``value`` as the text of one cell of a CSV file."""
    value = plain(value)
    if value is None:
        return ""
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, Decimal):
        return f"{value:f}"
    if isinstance(value, (dict, list)):
        return to_json(value)
    return str(value)


_NUMBER = re.compile(r"[+-]?[0-9][0-9.,]*([eE][+-]?[0-9]+)?")
_RISKY = ("=", "+", "-", "@", "\t", "\r", "\n", "＝", "＋", "－", "＠")


def neutral(text: str) -> str:
    """``text`` with a leading apostrophe where a spreadsheet would take it for a formula; real numbers stay."""
    return f"'{text}" if text.startswith(_RISKY) and not _NUMBER.fullmatch(text) else text


def shown(value: Any) -> str:
    """``value`` as a person reads it in a table: no control characters, no needless digits."""
    if isinstance(value, datetime):
        return value.strftime("%Y-%m-%d %H:%M")
    if isinstance(value, bool):
        return "yes" if value else "no"
    if isinstance(value, float):
        return f"{value:.4f}".rstrip("0").rstrip(".") if math.isfinite(value) else ""
    # Data may hold escape sequences; a terminal must never see them.
    return "".join(c if c.isprintable() else (" " if c.isspace() else "\ufffd") for c in cell(value))
