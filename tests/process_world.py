"""A made-up process: its activities as TOML, and its events as rows."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime

import pyarrow as pa

from sfactl.session import Session

NOW = datetime(2026, 6, 1)


def told(session: Session, events: Sequence[tuple[str, str, datetime]], process: str = "p") -> None:
    """Write (case, activity, time) as events of a process."""
    table = pa.table(
        {
            "event_id": [f"{process}:{i}" for i in range(len(events))],
            "process": [process] * len(events),
            "case_id": [e[0] for e in events],
            "activity": [e[1] for e in events],
            "at": pa.array([e[2] for e in events], pa.timestamp("us")),
        }
    )
    with session.write("process_events") as tx:
        tx.append("process_events", table)
        tx.commit()


def activity(name: str, **more: object) -> str:
    """An activity of the log, as TOML."""
    keys = "".join(f"{key} = {_toml(value)}\n" for key, value in more.items())
    return (
        f'[[activities]]\nname = "{name}"\nfrom = "process_events"\ncase = "case_id"\ntime = "at"\n'
        f"where = \"process = 'p' and activity = '{name}'\"\n{keys}"
    )


def _toml(value: object) -> str:
    if isinstance(value, bool):
        return str(value).lower()
    if isinstance(value, list):
        return "[" + ", ".join(f'"{v}"' for v in value) + "]"
    return f'"{value}"' if isinstance(value, str) else str(value)
