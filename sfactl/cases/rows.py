"""Rows of a file as moments of cases: which columns there may be, and what a file's word for a status means. Pure.

A row is a case as it stood at a time. Rows with the same number are one case: a file with a row a case tells its begin
and its end, a log tells every move between them.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING

from sfactl.config.cases import CaseRules, Status
from sfactl.schemas.dataset import Column, Dataset

if TYPE_CHECKING:
    import pyarrow as pa

FIELDS: Mapping[str, str] = {
    "case_key": "varchar",
    "at": "timestamp",
    "status": "varchar",
    "resolved_at": "timestamp",
    "closed_at": "timestamp",
    "subject": "varchar",
    "text": "varchar",
    "category": "varchar",
    "priority": "varchar",
    "case_channel": "varchar",
    "owner": "varchar",
    "actor": "varchar",
    "reason": "varchar",
    "resolution": "varchar",
    "lead_id": "bigint",
    "external_id": "varchar",
    "email": "varchar",
}
"""What a column of such a file may be, and its type."""
ROWS = Dataset(
    name="cases",
    kind="state",
    version=1,
    key=("case_key",),
    row="A case as it stood at a time, in a file",
    columns=tuple(Column(name, kind) for name, kind in FIELDS.items()),
)
WORDS: Mapping[str, tuple[str, ...]] = {
    "new": (
        "new", "created", "opened", "registered", "unassigned", "新建", "新增", "待受理", "未處理", "未处理", "neu",
        "novo", "nuevo", "nouveau",
    ),
    "open": (
        "open", "in progress", "active", "assigned", "reopened", "working", "acknowledged", "處理中", "处理中",
        "受理", "進行中", "进行中", "offen", "in bearbeitung", "abierto", "aberto", "en cours", "対応中",
    ),
    "waiting": (
        "waiting", "pending", "on hold", "hold", "wait", "waiting for customer", "awaiting reply",
        "waiting on customer", "待回覆", "待回复", "等待", "掛起", "挂起", "wartend", "pendente", "pendiente",
        "en attente", "保留",
    ),
    "resolved": (
        "resolved", "solved", "done", "fixed", "completed", "complete", "answered", "已解決", "已解决", "已處理",
        "已处理", "完成", "已完成", "gelöst", "erledigt", "resolvido", "resuelto", "résolu", "解決済み",
    ),
    "closed": (
        "closed", "close", "archived", "confirmed", "cancelled", "canceled", "已關閉", "已关闭", "已結案", "已结案",
        "結案", "结案", "關閉", "关闭", "geschlossen", "fechado", "cerrado", "fermé", "完了",
    ),
}  # fmt: skip
"""What other systems call a status, and what it means; the status of that name goes before."""


def status_words(rules: CaseRules) -> pa.Table:
    """Which status a file's word means, in small letters; the names of ``cases.toml`` always mean themselves."""
    import pyarrow as pa

    found: dict[str, Status] = {}
    for meaning, words in WORDS.items():
        if status := _meant(rules, meaning):
            found |= dict.fromkeys(words, status)
    found |= {s.name.lower(): s for s in rules.statuses}
    return pa.table(
        {
            "word": pa.array(list(found), pa.string()),
            "status": pa.array([s.name for s in found.values()], pa.string()),
            "state": pa.array([s.state for s in found.values()], pa.string()),
        }
    )


def allowed_moves(rules: CaseRules) -> pa.Table:
    """The moves that ``cases.toml`` allows."""
    import pyarrow as pa

    pairs = [(s.name, after) for s in rules.statuses for after in s.next]
    return pa.table(
        {
            "before": pa.array([p[0] for p in pairs], pa.string()),
            "after": pa.array([p[1] for p in pairs], pa.string()),
        }
    )


def resolved_status(rules: CaseRules) -> str | None:
    """The status in which a case is that a file says was resolved, where it says no more."""
    return next((s.name for s in rules.statuses if s.state == "resolved"), None)


def rows_sql(source: str, fields: Mapping[str, str]) -> str:
    """SELECT of all rows with every field, and why a row is refused."""
    cells = {name: f'c."{name}"' if name in fields else f"cast(null as {kind})" for name, kind in FIELDS.items()}
    # Spreadsheets and scripts write whole numbers as 17850.0; such a number is the whole one.
    for name in ("case_key", "external_id", "status"):
        cells[name] = f"nullif(regexp_replace(trim({cells[name]}), '^([0-9]+)\\.0$', '\\1'), '')"
    made = ", ".join(f'{sql} as "{name}"' for name, sql in cells.items())
    return f"select _row, _line, {made}, _reason from {source} as c"


def _meant(rules: CaseRules, meaning: str) -> Status | None:
    named = [s for s in rules.statuses if s.name == meaning]
    if meaning == "new":
        return (named or [rules.start])[0]
    same = [s for s in rules.statuses if s.state == meaning]
    later = [s for s in same if s != rules.start]
    return next(iter((*named, *later, *same)), None)
