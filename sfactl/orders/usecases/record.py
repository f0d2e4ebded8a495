"""Write down what the ERP holds of ours: references, the orders' new status, and tasks for what a person must solve."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from sfactl.orders.history import task_id
from sfactl.orders.keys import order_number
from sfactl.orders.model import Known, Question
from sfactl.session import Session
from sfactl.workspace import Transaction

CANCELLED = "cancelled"
DUPLICATE = "duplicate"


def record(session: Session, erp: str, known: Sequence[Known], questions: Sequence[Question]) -> int | None:
    """Keep ``known`` and open tasks for ``questions`` in one commit, which also retires the effects from the ledger.

    Answers the commit's number, None where there was nothing to write.
    """
    asked = [*questions, *(duplicate_of(erp, k) for k in known if len(k.refs) > 1)]
    with session.write("erp_refs", "orders", "tasks") as tx:
        tasks = [q for q in asked if tx.query.get("tasks", q.task_id) is None]
        if not known and not tasks:
            return None
        _write_refs(session, tx, erp, known)
        _write_tasks(session, tx, tasks)
        tx.retire([k.effect_key for k in known])
        return tx.commit(erp=erp, references=len(known), tasks=len(tasks)).seq


def confirmed_tasks(session: Session) -> frozenset[str]:
    """The tasks of ERPs that a person has done."""
    with session.query() as query:
        rows = query.rows("select task_id from tasks where starts_with(task_id, 'erp:') and state = 'done'")
    return frozenset(row[0] for row in rows)


def duplicate_of(erp: str, known: Known) -> Question:
    """The question to a person about something that is at the ERP more than once."""
    ids = ", ".join(ref.number or ref.id for ref in known.refs)
    what = order_number(known.order_id) if known.order_id is not None else known.our_key
    return Question(
        task_id=task_id(f"{known.effect_key}:duplicate"),
        title=f"{what} is at the ERP {erp} {len(known.refs)} times ({ids}): keep one and cancel the others there",
        order_id=known.order_id,
    )


def _write_refs(session: Session, tx: Transaction, erp: str, known: Sequence[Known]) -> None:
    at = session.now()
    held = tx.query.table(
        "select * from erp_refs where erp = $erp and list_contains($keys, our_key)",
        {"erp": erp, "keys": [k.our_key for k in known]},
    ).to_pylist()
    before = {(row["kind"], row["our_key"]): row for row in held}
    rows: dict[tuple[str, str], dict[str, Any]] = {}
    placed: dict[int, dict[str, Any]] = {}
    for k in known:
        if not k.refs:
            continue
        first = k.refs[0]
        have = before.get((k.kind, k.our_key), {})
        state = DUPLICATE if len(k.refs) > 1 else first.state
        rows[k.kind, k.our_key] = have | {
            "erp": erp,
            "kind": k.kind,
            "our_key": k.our_key,
            "erp_id": first.id,
            "number": first.number or have.get("number"),
            "state": CANCELLED if k.verb == "cancel" else state,
            "payload_hash": k.payload_hash or have.get("payload_hash"),
            "at": at,
        }
        if k.verb == "order" and k.order_id is not None:
            placed[k.order_id] = {"order_id": k.order_id, "erp": erp, "erp_id": first.id, "number": first.number}
    if rows:
        tx.upsert("erp_refs", _table(session, "erp_refs", list(rows.values())))
    if placed:
        import pyarrow as pa

        text = ("erp", "erp_id", "number")
        schema = pa.schema([("order_id", pa.int64()), *((name, pa.string()) for name in text)])
        tx.query.register("refs_now", pa.Table.from_pylist(list(placed.values()), schema=schema))
        tx.upsert("orders", tx.query.statement("orders", "pushed_orders"), {"now": at})


def _write_tasks(session: Session, tx: Transaction, questions: Sequence[Question]) -> None:
    rows = []
    for q in questions:
        order = (tx.query.get("orders", q.order_id) if q.order_id is not None else None) or {}
        rows.append(
            {
                "task_id": q.task_id,
                "kind": "approve",
                "title": q.title,
                "lead_id": order.get("lead_id"),
                "opportunity_id": order.get("opportunity_id"),
                "owner": order.get("owner"),
                "due_at": session.now(),
                "state": "open",
                "created_at": session.now(),
            }
        )
    if rows:
        tx.upsert("tasks", _table(session, "tasks", rows))


def _table(session: Session, dataset: str, rows: list[dict[str, Any]]) -> Any:
    import pyarrow as pa

    return pa.Table.from_pylist(rows, schema=session.workspace.schemas[dataset].arrow())
