"""The statement of a build, kept from one build to the next: to read many conditions takes longer than many a rebuild.

A statement is kept only where time moves nothing in it but the bounds of windows, and where each bound is known by two
compilations at different times. What is kept is used only for the same files, schemas and compiler.
"""

from __future__ import annotations

import hashlib
import json
import os
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import suppress
from dataclasses import asdict
from datetime import date, datetime, timedelta
from decimal import Decimal
from itertools import combinations
from pathlib import Path
from typing import TYPE_CHECKING, Any

import sfactl
from sfactl.engine.conditions.model import CompiledMany, Window
from sfactl.engine.conditions.passing import start
from sfactl.engine.conditions.zones import day_of
from sfactl.engine.periods import DAY_S, Period, PeriodError

if TYPE_CHECKING:
    from sfactl.session import Session

PROBE = timedelta(days=431, hours=7, minutes=13, seconds=1)
"""How far apart the two times are: no two different periods or dates of use move by the same step."""
Compile = Callable[[datetime], CompiledMany]
Constant = str | int | float | bool | None


def statement(
    session: Session, conditions: Sequence[str], known: Mapping[str, object], compiled: Compile
) -> CompiledMany:
    """What ``compiled`` answers for the session's time, from an earlier build where nothing but time has passed.

    ``conditions`` and ``known`` (whatever else the compilation depends on) say what the statement is for.
    """
    at = session.now()
    key = _key(session, conditions, known)
    path = session.workspace.private / "cache" / f"segments-{hashlib.sha256(_joined(known)).hexdigest()[:24]}.json"
    with suppress(OSError, ValueError, KeyError, TypeError, PeriodError):
        kept = json.loads(path.read_text(encoding="utf-8"))
        if kept["key"] == key:
            return _bound(kept["statement"], at)
    fresh = compiled(at)
    if not session.dry_run and fresh.windows is not None:
        with suppress(OSError, OverflowError, PeriodError):
            _keep(path, key, fresh, compiled(at + PROBE), at)
    return fresh


def _key(session: Session, conditions: Sequence[str], known: Mapping[str, object]) -> str:
    """A hash of all that decides about the statement besides the time, the compiler's own files included."""
    root = Path(sfactl.__file__).parent
    places = (root / "engine" / "conditions", root / "schemas", root / "schemas" / "datasets")
    stats = [
        f"{entry.name}:{entry.stat().st_size}:{entry.stat().st_mtime_ns}"
        for place in places
        for entry in sorted(os.scandir(place), key=lambda entry: entry.name)
        if entry.is_file()
    ]
    fields = json.dumps(session.settings.fields, sort_keys=True, default=str)
    parts = [sfactl.__version__, session.workspace.schemas.zone, fields, *stats, *conditions]
    return hashlib.sha256("\x1f".join(parts).encode() + _joined(known)).hexdigest()


def _joined(known: Mapping[str, object]) -> bytes:
    return json.dumps(known, sort_keys=True).encode()


def _keep(path: Path, key: str, fresh: CompiledMany, later: CompiledMany, at: datetime) -> None:
    bounds = _bounds(fresh, later, at)
    if bounds is None:
        return
    said = {
        "sql": fresh.sql,
        "among_sql": fresh.among_sql,
        "columns": dict(fresh.columns),
        "relations": list(fresh.relations),
        "windows": [asdict(window) for window in fresh.windows or ()],
        "segments": list(fresh.segments),
        "scores": list(fresh.scores),
        "params": bounds,
    }
    path.parent.mkdir(mode=0o700, exist_ok=True)
    draft = path.with_name(f"{path.name}.{os.getpid()}")
    draft.write_text(json.dumps({"key": key, "statement": said}), encoding="utf-8")
    draft.chmod(0o600)
    draft.replace(path)


def _bounds(one: CompiledMany, two: CompiledMany, at: datetime) -> dict[str, list[Any]] | None:
    """How each parameter follows from the time; None where that is not certain."""
    shape = [(c.sql, c.among_sql, c.columns, c.windows, list(c.params)) for c in (one, two)]
    if shape[0] != shape[1] or not _ordered(one.windows or ()):
        return None
    found: dict[str, list[Any]] = {}
    for name, value in one.params.items():
        said = _constant(value) if _same(value, two.params[name]) else None
        if said is None:
            moving = [m for m in _movable(one.windows or ()) if _same(_moment(m, at), value)]
            moving = [m for m in moving if _same(_moment(m, at + PROBE), two.params[name])]
            if len(moving) != 1:
                return None
            said = moving[0]
        found[name] = said
    return found


def _bound(kept: Mapping[str, Any], at: datetime) -> CompiledMany:
    params = {name: _moment(said, at) if said[0] != "is" else _value(said) for name, said in kept["params"].items()}
    windows = [_window(w) for w in kept["windows"]]
    return CompiledMany(
        sql=kept["sql"],
        among_sql=kept["among_sql"],
        params=params,
        columns=kept["columns"],
        relations=tuple(kept["relations"]),
        windows=tuple(windows),
        segments=tuple(kept["segments"]),
        scores=tuple(kept["scores"]),
    )


def _movable(windows: Sequence[Window]) -> Iterator[list[Any]]:
    """Each moment that a parameter may stand for, once."""
    seen: list[list[Any]] = [["now"]]
    for w in windows:
        if w.is_date:
            seen.append(["day", w.zone])
        if w.period is not None:
            seen.append(["start", w.is_date, w.zone, w.period.months, w.period.seconds])
    yield from (m for n, m in enumerate(seen) if m not in seen[:n])


def _moment(said: Sequence[Any], at: datetime) -> date:
    if said[0] == "now":
        return at
    if said[0] == "day":
        return day_of(at, said[1])
    _, is_date, zone, months, seconds = said
    period = Period(months=months, seconds=seconds)
    return start(Window(dataset="", column="", is_date=is_date, zone=zone, period=period), at)


def _window(said: Mapping[str, Any]) -> Window:
    period, only = said["period"], said["only"]
    return Window(
        **{
            **said,
            "period": period and Period(**period),
            "only": None if only is None else (only[0], tuple(only[1])),
        }
    )


def _ordered(windows: Sequence[Window]) -> bool:
    """Whether the longest window of a dataset is so at any time: a month may be shorter than ``30 days``."""
    pairs = combinations({(w.dataset, w.period) for w in windows if w.period is not None}, 2)
    return all(p is None or q is None or _longer(p, q) or _longer(q, p) for (a, p), (b, q) in pairs if a == b)


def _longer(p: Period, q: Period) -> bool:
    least, most = (p.months * 28 * DAY_S + p.seconds - DAY_S, q.months * 31 * DAY_S + q.seconds + DAY_S)
    return least >= most or (p.months >= q.months and p.seconds >= q.seconds)


def _same(a: object, b: object) -> bool:
    return type(a) is type(b) and a == b


def _constant(value: object) -> list[Any] | None:
    if value is None or isinstance(value, str | bool | int | float):
        return ["is", "", value]
    if isinstance(value, datetime | date | Decimal):
        return ["is", type(value).__name__, str(value)]
    return None


def _value(said: Sequence[Any]) -> object:
    _, kind, text = said
    readers: Mapping[str, Callable[[str], object]] = {
        "datetime": datetime.fromisoformat,
        "date": date.fromisoformat,
        "Decimal": Decimal,
    }
    return readers[kind](text) if kind else text
