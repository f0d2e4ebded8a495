"""Read Singer messages, and refuse what the specification does not allow with the number of the line."""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from sfactl.api.errors import DataError

HINT = "The tap is at fault: see https://hub.meltano.com/singer/spec, or ask its maintainers."


@dataclass(frozen=True, slots=True, kw_only=True)
class Record:
    """One row of a stream."""

    stream: str
    row: Mapping[str, Any]


@dataclass(frozen=True, slots=True, kw_only=True)
class State:
    """Where the tap goes on from, once everything before it is safe."""

    value: Any


def messages(lines: Iterable[bytes], tap: str) -> Iterator[Record | State]:
    """The records and states in ``lines``. Raises `DataError` for the first line that is wrong."""
    keys: dict[str, tuple[str, ...]] = {}
    for number, line in enumerate(lines, start=1):
        if not line.strip():
            continue
        where = f"{tap}: line {number}"
        message = _object(line, where)
        match message.get("type"):
            case "SCHEMA":
                stream, key = _schema(message, where)
                keys[stream] = key
            case "RECORD":
                yield _record(message, keys, where)
            case "STATE":
                if "value" not in message:
                    raise DataError(f"{where}: a STATE without value", hint=HINT)
                yield State(value=message["value"])
            case "ACTIVATE_VERSION":
                # It asks a target to drop rows of older versions. Leads are never deleted because a tap starts over.
                continue
            case other:
                raise DataError(f"{where}: a message of type {other!r} cannot be read", hint=HINT)


def _object(line: bytes, where: str) -> Mapping[str, Any]:
    try:
        message = json.loads(line)
    except ValueError:
        shown = line.decode("utf-8", "replace").strip()[:60]
        raise DataError(f"{where}: not JSON: {shown!r}", hint=HINT) from None
    if not isinstance(message, dict):
        raise DataError(f"{where}: {json.dumps(message)[:60]} is not a message", hint=HINT)
    return message


def _schema(message: Mapping[str, Any], where: str) -> tuple[str, tuple[str, ...]]:
    stream, schema, key = message.get("stream"), message.get("schema"), message.get("key_properties") or []
    if not isinstance(stream, str) or not isinstance(schema, dict) or not isinstance(key, list):
        raise DataError(f"{where}: a SCHEMA needs stream, schema and key_properties", hint=HINT)
    return stream, tuple(str(name) for name in key)


def _record(message: Mapping[str, Any], keys: Mapping[str, tuple[str, ...]], where: str) -> Record:
    stream, row = message.get("stream"), message.get("record")
    if not isinstance(stream, str) or not isinstance(row, dict):
        raise DataError(f"{where}: a RECORD needs stream and record", hint=HINT)
    if stream not in keys:
        raise DataError(f"{where}: a record of stream {stream!r} before its schema", hint=HINT)
    missing = [name for name in keys[stream] if name not in row]
    if missing:
        raise DataError(f"{where}: a record of stream {stream!r} without its key {', '.join(missing)}", hint=HINT)
    return Record(stream=stream, row=row)
