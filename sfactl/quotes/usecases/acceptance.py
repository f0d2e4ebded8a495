"""Turn an accepted quote into one order, in one commit with the quote's and the deal's new state."""

from __future__ import annotations

import dataclasses
from typing import Any

from sfactl.api.errors import PolicyError
from sfactl.approvals.standing import check_approved
from sfactl.config.stages import pipeline_of, read_pipelines
from sfactl.quotes.model import Acceptance, QuoteView
from sfactl.quotes.usecases.quoting import asked, quote_row, read_quote, table_of
from sfactl.session import Session
from sfactl.workspace import Transaction

CHANNEL = "direct"


def accept(session: Session, quote: str) -> Acceptance:
    """Make the order of a quote. Accepting again answers the same order and changes nothing.

    The order's lines are the quote's lines. The deal is won, at the quote's total, unless it is closed already. Raises
    `PolicyError` for a quote that is rejected, past its last day, or lacks an approval.
    """
    with session.write("quotes", "orders", "order_lines", "opportunities") as tx:
        view = read_quote(session, tx.query, quote)
        made = tx.query.one(
            "select order_id from orders where quote_id = $quote_id order by order_id",
            {"quote_id": view.quote.quote_id},
        )
        if made is not None:
            return _answer(session, view, made[0], won=False, repeated=True, commit=None)
        if view.quote.state not in {"draft", "sent"}:
            last = f" (last day {view.quote.valid_until})" if view.quote.state == "expired" else ""
            raise PolicyError(
                f"Q-{view.quote.quote_id} is {view.quote.state}{last} and cannot be accepted",
                hint=f"Price it anew with: sfactl quote revise Q-{view.quote.quote_id}",
            )
        check_approved(session, tx.query, asked(view))
        order_id = session.reserve("order")
        _write_order(session, tx, view, order_id)
        won = _win(session, tx, view)
        done = tx.commit(quote_id=view.quote.quote_id, order_id=order_id)
    return _answer(session, view, order_id, won=won, repeated=False, commit=done.seq)


def _write_order(session: Session, tx: Transaction, view: QuoteView, order_id: int) -> None:
    head, at = view.quote, session.now()
    biggest = max(view.lines, key=lambda line: (line.amount, -line.line_no))
    order = {
        "order_id": order_id,
        **{name: getattr(head, name) for name in _SAME},
        "at": at,
        "status": "open",
        "channel": CHANNEL,
        "product_name": biggest.description,
        "amount": head.total,
        "updated_at": at,
        "made_by": session.actor,
    }
    lines = [
        {
            "order_id": order_id,
            "line_no": line.line_no,
            "lead_id": head.lead_id,
            "at": at,
            "sku": line.sku,
            "product_name": line.description,
            "quantity": line.quantity,
            "unit_price": line.unit_price,
            "amount": line.amount,
        }
        for line in view.lines
    ]
    accepted = dataclasses.replace(head, state="accepted", accepted_at=at, updated_at=at)
    tx.upsert("quotes", quote_row(session, tx.query, accepted))
    tx.upsert("orders", table_of(session, "orders", [order]))
    tx.upsert("order_lines", table_of(session, "order_lines", lines))


_SAME = (
    "quote_id",
    "opportunity_id",
    "account_id",
    "contact_id",
    "lead_id",
    "owner",
    "currency",
    "payment_terms_days",
)


def _win(session: Session, tx: Transaction, view: QuoteView) -> bool:
    """Close the deal as won. A deal that is closed stays as it is; its row is history, not ours to rewrite."""
    head, at = view.quote, session.now()
    deal = tx.query.get("opportunities", head.opportunity_id) if head.opportunity_id is not None else None
    if deal is None or deal["category"] != "open":
        if deal is not None and deal["category"] == "lost":
            session.note(f"Opportunity {head.opportunity_id} is lost and stays so; take it up again if it is not.")
        return False
    stage = pipeline_of(read_pipelines(session.folder), deal["pipeline"]).of("won")[0].name
    event: dict[str, Any] = {
        "event_id": f"quote:{head.quote_id}:won",
        "at": at,
        "entity": "opportunity",
        "entity_id": head.opportunity_id,
        "from_stage": deal["stage"],
        "to_stage": stage,
        "actor": session.actor,
        "cause": session.command,
        "reason": f"quote Q-{head.quote_id} was accepted",
    }
    deal |= {
        "stage": stage,
        "category": "won",
        "probability": 1.0,
        "amount": head.total,
        "currency": head.currency,
        "close_date": session.today(),
        "closed_at": at,
        "updated_at": at,
    }
    tx.upsert("opportunities", table_of(session, "opportunities", [deal]))
    tx.append("stage_events", table_of(session, "stage_events", [event]))
    return True


def _answer(
    session: Session, view: QuoteView, order_id: int, *, won: bool, repeated: bool, commit: int | None
) -> Acceptance:
    return Acceptance(
        quote_id=view.quote.quote_id,
        order_id=order_id,
        amount=view.quote.total,
        currency=view.quote.currency,
        lines=len(view.lines),
        opportunity_id=view.quote.opportunity_id,
        won=won,
        repeated=repeated,
        dry_run=session.dry_run,
        commit=commit,
    )
