"""Make, show and change quotes. A quote keeps its lines and every step of their prices."""

from __future__ import annotations

import dataclasses
from collections.abc import Sequence
from datetime import date, timedelta
from decimal import Decimal
from typing import TYPE_CHECKING, Any

from sfactl.api.errors import DataError, NotFound, PolicyError
from sfactl.approvals import standing
from sfactl.approvals.model import Approved, Asked
from sfactl.approvals.standing import check_approved, needs_of
from sfactl.engine.duck import Query
from sfactl.quotes.lines import parse_lines
from sfactl.quotes.model import LineRequest, PricedLine, Quote, QuoteView, Step
from sfactl.quotes.refs import opportunity_number, quote_number
from sfactl.quotes.usecases.prices import price, price_table
from sfactl.session import Session

if TYPE_CHECKING:
    import pyarrow as pa

    from sfactl.workspace import Transaction

DATASETS = ("quotes", "quote_lines", "quote_steps")
TERMS_DAYS = 30


def create(
    session: Session,
    *,
    opportunity: str,
    lines: Sequence[str],
    book: str | None = None,
    on: date | None = None,
    valid_days: int = 30,
    payment_terms_days: int = TERMS_DAYS,
) -> QuoteView:
    """Price ``lines`` (``SKU=QTY[@DISCOUNT%]``) for an opportunity and keep them as a draft.

    The price book is the most specific one for the account's country and tier unless ``book`` names it; prices are
    those of the day ``on`` (today). Errors as `parse_lines`, `choose` and `price_lines` raise them.
    """
    if not lines:
        raise DataError("a quote needs at least one line", hint="For instance: --line LX-300=4")
    requests = parse_lines(lines)
    with session.write(*DATASETS) as tx:
        deal = _opportunity(tx.query, opportunity_number(opportunity))
        head = Quote(
            quote_id=session.reserve("quote"),
            state="draft",
            opportunity_id=deal["opportunity_id"],
            account_id=deal["account_id"],
            contact_id=deal["contact_id"],
            lead_id=deal["lead_id"],
            owner=deal["owner"],
            price_book="",
            currency="",
            total=sum_of(()),
            priced_on=on or session.today(),
            valid_until=session.today() + timedelta(days=valid_days),
            payment_terms_days=payment_terms_days,
            revision=1,
            created_at=session.now(),
            updated_at=session.now(),
            priced_by=session.actor,
        )
        return _keep(session, tx, head, requests, book)


def revise(
    session: Session,
    quote: str,
    *,
    lines: Sequence[str] = (),
    book: str | None = None,
    on: date | None = None,
    valid_days: int = 30,
) -> QuoteView:
    """Price a quote anew, with other lines if given; it becomes a draft of the next revision.

    Nothing of the old prices is kept: a quantity discount goes with the quantity. Raises `PolicyError` for an accepted
    quote.
    """
    with session.write(*DATASETS) as tx:
        old = read_quote(session, tx.query, quote)
        if old.quote.state == "accepted":
            raise PolicyError(f"Q-{old.quote.quote_id} was accepted and stays as it is", hint="Make a new quote.")
        requests = parse_lines(lines) if lines else tuple(_request(line) for line in old.lines)
        head = dataclasses.replace(
            old.quote,
            state="draft",
            priced_on=on or session.today(),
            valid_until=session.today() + timedelta(days=valid_days),
            revision=old.quote.revision + 1,
            updated_at=session.now(),
            priced_by=session.actor,
        )
        gone = {"quote_id": head.quote_id, "lines": len(requests)}
        tx.delete(
            "quote_lines",
            "select quote_id, line_no from quote_lines where quote_id = $quote_id and line_no > $lines",
            gone,
        )
        return _keep(session, tx, head, requests, book or old.quote.price_book)


def send(session: Session, quote: str) -> QuoteView:
    """Note that a draft was handed to the customer. Raises `PolicyError` where it is no draft, or not approved."""
    return _move(session, quote, "sent", allowed=("draft",))


def reject(session: Session, quote: str, *, reason: str | None = None) -> QuoteView:
    """Note that the customer said no. Raises `PolicyError` for an accepted or rejected quote."""
    return _move(session, quote, "rejected", allowed=("draft", "sent", "expired"), reason=reason)


def show(session: Session, quote: str) -> QuoteView:
    """A quote with its lines and steps. Raises `NotFound`."""
    with session.query() as query:
        view = read_quote(session, query, quote)
        return dataclasses.replace(view, needs=needs_of(session, query, asked(view)))


def approve(session: Session, quote: str, *, reason: str = "") -> Approved:
    """Give this actor's word for the prices of a quote, as they are now. Given again it changes nothing.

    Raises `PolicyError` for who priced it, whom no rule asks, or a quote that is no longer offered.
    """
    with session.write("quotes", reason=f"approve quote {quote}") as tx:
        view = read_quote(session, tx.query, quote)
        head = view.quote
        if head.state not in ("draft", "sent"):
            raise PolicyError(f"Q-{head.quote_id} is {head.state}, there is nothing to approve")
        done = standing.approve(session, tx, asked(view), reason=reason)
        if done.given:
            commit = tx.commit(quote_id=head.quote_id, approved=list(done.given)).seq
            return dataclasses.replace(done, commit=commit)
    return done


def asked(view: QuoteView) -> Asked:
    """What an approval of a quote is for."""
    head = view.quote
    return Asked(
        what="quote",
        number=head.quote_id,
        called=f"Q-{head.quote_id}",
        revision=head.revision,
        amount=head.total,
        currency=head.currency,
        author=head.priced_by,
        discount=max((line.discount_percent for line in view.lines), default=Decimal(0)),
    )


def list_quotes(session: Session, *, state: str | None = None, opportunity: str | None = None) -> pa.Table:
    """One row a quote, newest first."""
    with session.query() as query:
        deal = opportunity_number(opportunity) if opportunity else None
        return query.table(
            query.statement("quotes", "quote_list"),
            {"state": state, "opportunity_id": deal, "today": session.today()},
        )


def read_quote(session: Session, query: Query, quote: str) -> QuoteView:
    """The quote as the snapshot of ``query`` has it."""
    number = quote_number(quote)
    row = query.get("quotes", number)
    if row is None:
        raise NotFound(f"there is no quote Q-{number}", hint="See: sfactl quote list")
    head = Quote(**{f.name: row[f.name] for f in dataclasses.fields(Quote)})
    if head.state in {"draft", "sent"} and head.valid_until < session.today():
        head = dataclasses.replace(head, state="expired")
    steps: dict[int, list[Step]] = {}
    params = {"quote_id": number}
    for row in query.table(query.statement("quotes", "quote_steps"), params).to_pylist():
        steps.setdefault(row.pop("line_no"), []).append(Step(**row))
    lines = query.table(query.statement("quotes", "quote_lines"), params).to_pylist()
    return QuoteView(
        quote=head, lines=tuple(PricedLine(**row, steps=tuple(steps.get(row["line_no"], ()))) for row in lines)
    )


def quote_row(session: Session, query: Query, head: Quote) -> pa.Table:
    """The whole row of ``quotes`` for a quote, with the custom fields it had."""
    row = query.get("quotes", head.quote_id) or {}
    return table_of(session, "quotes", [row | dataclasses.asdict(head)])


def table_of(session: Session, dataset: str, rows: list[dict[str, Any]]) -> pa.Table:
    """Rows as an Arrow table with the columns of a dataset."""
    import pyarrow as pa

    return pa.Table.from_pylist(rows, schema=session.workspace.schemas[dataset].arrow())


def sum_of(lines: Sequence[PricedLine]) -> Decimal:
    """The total of a quote: the sum of its rounded lines."""
    return sum((line.amount for line in lines), Decimal(0))


def _keep(
    session: Session, tx: Transaction, head: Quote, requests: Sequence[LineRequest], book: str | None
) -> QuoteView:
    account = tx.query.get("accounts", head.account_id) if head.account_id is not None else None
    table = price_table(
        session,
        tx.query,
        [r.sku for r in requests],
        on=head.priced_on,
        book=book,
        country=(account or {}).get("country") or "",
        tier=(account or {}).get("tier") or "",
    )
    lines = price(session, requests, table)
    head = dataclasses.replace(head, price_book=table.book.name, currency=table.book.currency, total=sum_of(lines))
    _write(session, tx, head, lines)
    made = QuoteView(quote=head, lines=lines, dry_run=session.dry_run)
    needs = needs_of(session, tx.query, asked(made))
    done = tx.commit(quote_id=head.quote_id, total=f"{head.total:f}", currency=head.currency)
    return dataclasses.replace(made, needs=needs, commit=done.seq)


def _write(session: Session, tx: Transaction, head: Quote, lines: Sequence[PricedLine]) -> None:
    key = {"quote_id": head.quote_id}
    line_rows, step_rows = [], []
    for line in lines:
        row = {f.name: getattr(line, f.name) for f in dataclasses.fields(line) if f.name != "steps"}
        line_rows.append(key | row)
        for number, step in enumerate(line.steps, 1):
            step_rows.append(key | {"line_no": line.line_no, "step_no": number} | dataclasses.asdict(step))
    tx.upsert("quotes", quote_row(session, tx.query, head))
    tx.upsert("quote_lines", table_of(session, "quote_lines", line_rows))
    tx.query.register("steps_now", table_of(session, "quote_steps", step_rows))
    tx.delete(
        "quote_steps",
        "select s.quote_id, s.line_no, s.step_no from quote_steps s left join steps_now n "
        "on n.line_no = s.line_no and n.step_no = s.step_no where s.quote_id = $quote_id and n.line_no is null",
        key,
    )
    tx.upsert("quote_steps", "select * from steps_now")


def _move(session: Session, quote: str, state: str, *, allowed: Sequence[str], reason: str | None = None) -> QuoteView:
    with session.write("quotes", reason=reason) as tx:
        view = read_quote(session, tx.query, quote)
        if view.quote.state not in allowed:
            raise PolicyError(
                f"Q-{view.quote.quote_id} is {view.quote.state}; only one {' or '.join(allowed)} can be {state}",
                hint="A new price is made by: sfactl quote revise" if view.quote.state != "accepted" else None,
            )
        if state == "sent":
            check_approved(session, tx.query, asked(view))
        head = dataclasses.replace(view.quote, state=state, updated_at=session.now())
        tx.upsert("quotes", quote_row(session, tx.query, head))
        done = tx.commit(quote_id=head.quote_id, state=state)
    return QuoteView(quote=head, lines=view.lines, dry_run=session.dry_run, commit=done.seq)


def _opportunity(query: Query, number: int) -> dict[str, Any]:
    found = query.get("opportunities", number)
    if found is None:
        raise NotFound(f"there is no opportunity {number}", hint="See: sfactl opp list")
    return found


def _request(line: PricedLine) -> LineRequest:
    return LineRequest(
        line_no=line.line_no, sku=line.sku, quantity=line.quantity, discount_percent=line.discount_percent
    )
