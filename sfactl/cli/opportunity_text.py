"""How answers about deals read at a terminal: sums line up, currencies stand apart, wide characters take their room."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from decimal import Decimal
from typing import TYPE_CHECKING, Any

from sfactl.cli.tables import cut, pad, table, terminal_width, width
from sfactl.cli.values import shown as shown_value

if TYPE_CHECKING:
    import pyarrow as pa

    from sfactl.opportunities.model import (
        Board,
        BoardColumn,
        Deal,
        DealChanged,
        DealsMoved,
        Filtered,
        PipelineTotals,
        Rate,
        WinRate,
        WinRates,
    )

NARROWEST_COLUMN = 14
TOLD_ELSEWHERE = {
    *("opportunity_id", "name", "stage", "category", "probability", "account_id", "contact_id"),
    *("amount", "currency", "pipeline", "updated_at"),
}
"""Fields of a deal that are shown in a line of their own, or not at all."""


def money(amount: Decimal | None, currency: str | None) -> str:
    """An amount with thousands set off, in the currency's decimals; the currency stands elsewhere."""
    from sfactl.engine.money import round_money

    if amount is None:
        return ""
    return f"{round_money(amount, currency):,f}" if currency else f"{amount.normalize():,f}"


def column(amounts: Sequence[tuple[Decimal | None, str | None]]) -> list[str]:
    """Amounts of the same width, so that they line up to the right."""
    texts = [money(*amount) for amount in amounts]
    room = max([width(t) for t in texts], default=0)
    return [pad(t, room, right=True) for t in texts]


def dry(dry_run: bool) -> Iterator[str]:
    """Say so where nothing is written."""
    if dry_run:
        yield "Dry run: nothing is written."


def committed(commit: int | None) -> Iterator[str]:
    """The commit and the way back."""
    if commit is not None:
        yield f"Commit {commit}. Undo with: sfactl data undo {commit}"


def added(done: DealChanged) -> Iterator[str]:
    """A new deal."""
    yield from dry(done.dry_run)
    yield f"opp:{done.opportunity_id} {done.name} · {done.stage} · {done.probability:.0%}"
    yield from committed(done.commit)


def changed(done: DealChanged) -> Iterator[str]:
    """A deal whose fields were set."""
    yield from dry(done.dry_run)
    yield f"opp:{done.opportunity_id} {done.name} · {done.stage} · {done.probability:.0%}"
    yield from _changes(done)
    if not done.changes:
        yield "  nothing to change"
    yield from committed(done.commit)


def moved(done: DealsMoved) -> Iterator[str]:
    """Deals that were moved or closed."""
    yield from dry(done.dry_run)
    for deal in done.deals:
        yield f"opp:{deal.opportunity_id} {deal.name} · {deal.from_stage} → {deal.stage} · {deal.probability:.0%}"
        yield from _changes(deal)
    yield from committed(done.commit)


def _changes(deal: DealChanged) -> Iterator[str]:
    for change in deal.changes:
        yield f"  {change.field}: {change.old or 'nothing'} → {change.new or 'nothing'}"


def listed(found: pa.Table) -> Iterator[str]:
    """Deals as a table, with their sums by currency."""
    rows = found.to_pylist()
    amounts = column([(r["amount"], r["currency"]) for r in rows])
    weighted = column([(r["weighted"], r["currency"]) for r in rows])
    names = ["id", "name", "account", "owner", "stage", "chance", "amount", "weighted", "", "close"]
    texts = [
        [
            r["opportunity_id"],
            r["name"],
            r["account"],
            r["owner"],
            r["stage"] + (" (filtered)" if r["disqualified_reason"] else ""),
            f"{r['probability']:4.0%}" if r["probability"] is not None else None,
            amounts[i],
            weighted[i],
            r["currency"],
            r["close_date"],
        ]
        for i, r in enumerate(rows)
    ]
    yield from table(names, texts, fit=terminal_width())
    yield f"{len(rows):,} {'deal' if len(rows) == 1 else 'deals'}" + _sums(
        [(r["currency"] or "", r["amount"] or Decimal(0), r["weighted"] or Decimal(0)) for r in rows]
    )


def _sums(rows: Sequence[tuple[str, Decimal, Decimal]]) -> str:
    parts = []
    for currency in sorted({r[0] for r in rows}):
        amount = sum((r[1] for r in rows if r[0] == currency), Decimal(0))
        weighted = sum((r[2] for r in rows if r[0] == currency), Decimal(0))
        parts.append(f" · {money(amount, currency)} {currency}, weighted {money(weighted, currency)}")
    return "".join(parts)


def shown(found: Deal) -> Iterator[str]:
    """One deal in full."""
    row = found.fields
    yield f"{row['name']} · opp:{found.opportunity_id} · {row['stage']} ({row['category']}, {row['probability']:.0%})"
    facts = {
        "account": found.account and f"{found.account} (account:{row['account_id']})",
        "contact": found.contact and f"{found.contact} (contact:{row['contact_id']})",
        "amount": row["amount"] is not None and f"{money(row['amount'], row['currency'])} {row['currency']}",
    }
    facts |= {name: value for name, value in row.items() if name not in TOLD_ELSEWHERE}
    for name, value in facts.items():
        if value not in (None, False, ""):
            yield f"  {pad(name.replace('_', ' '), 20)} {shown_value(value)}"
    for stage in found.next_stages:
        needs = found.missing.get(stage)
        yield f"  {'→ ' + stage:<20} " + (f"needs {', '.join(needs)}" if needs else "may go there")
    yield "History"
    rows = [[h.at, h.field, h.old, h.new, h.actor, h.cause] for h in found.history]
    yield from (f"  {line}" for line in table(["when", "field", "old", "new", "who", "cause"], rows))


def totals(found: PipelineTotals) -> Iterator[str]:
    """The pipeline by stage, one block for each pipeline and currency."""
    blocks = dict.fromkeys((t.pipeline, t.currency) for t in found.stages)
    for name, currency in blocks:
        mine = [t for t in found.stages if (t.pipeline, t.currency) == (name, currency)]
        amount, weighted = (sum((getattr(t, f) for t in mine), Decimal(0)) for f in ("amount", "weighted"))
        amounts = column([*((t.amount, currency) for t in mine), (amount, currency)])
        weights = column([*((t.weighted, currency) for t in mine), (weighted, currency)])
        rows = []
        for i, t in enumerate(mine):
            chance = _share(t.weighted, t.amount) or f"{t.probability:4.0%}"
            rows.append([t.stage, t.deals, amounts[i], chance, weights[i]])
        rows.append(["total", sum(t.deals for t in mine), amounts[-1], _share(weighted, amount), weights[-1]])
        yield f"{name}{f' in {currency}' if currency else ''}"
        yield from (f"  {line}" for line in table(["stage", "deals", "amount", "chance", "weighted"], rows))
        if without := sum(t.without_amount for t in mine):
            yield f"  {without:,} of them without an amount"
    if found.disqualified:
        yield f"{found.disqualified:,} open {'deal' if found.disqualified == 1 else 'deals'} filtered out, not counted"


def _share(part: Decimal, whole: Decimal) -> str | None:
    return f"{part / whole:4.0%}" if whole else None


def board(found: Board) -> Iterator[str]:
    """The board: columns side by side where they have room, one under the other where not."""
    columns = [_column_lines(c) for c in found.columns]
    room = terminal_width() or 120
    each = (room - 3 * (len(columns) - 1)) // max(len(columns), 1)
    if each >= NARROWEST_COLUMN:
        for row in range(max((len(c) for c in columns), default=0)):
            cells = [c[row] if row < len(c) else "" for c in columns]
            yield " │ ".join(pad(cut(cell, each), each) for cell in cells).rstrip()
            if row == 0:
                yield "─┼─".join("─" * each for _ in columns)
    else:
        for lines in columns:
            yield lines[0]
            yield from (f"  {line}" for line in lines[1:])
    yield f"{found.deals:,} {'deal' if found.deals == 1 else 'deals'}{_by_currency(found.amount)}"


def _column_lines(column: BoardColumn) -> list[str]:
    lines = [f"{column.stage} {column.deals:,}"]
    lines += [f"{money(amount, currency)} {currency}".strip() for currency, amount in column.amount.items()]
    for card in column.cards:
        lines += [f"#{card.opportunity_id} {card.name}"]
        lines += [f"  {money(card.amount, card.currency) or 'no amount'}{f' {card.owner}' if card.owner else ''}"]
    if column.deals > len(column.cards) > 0:
        lines.append(f"… {column.deals - len(column.cards):,} more")
    return lines


def _by_currency(amounts: Mapping[str, Decimal]) -> str:
    return "".join(f" · {money(amount, currency)} {currency}".rstrip() for currency, amount in amounts.items())


def win_rates(found: WinRates) -> Iterator[str]:
    """Win rates as a table, the rate with the chosen denominator first."""
    closed_first = found.denominator == "closed"
    heads = ["won / closed", "95 % interval", "won / all", "95 % interval"]
    heads = heads if closed_first else [*heads[2:], *heads[:2]]
    scoped = any(r.scope == "qualified" for r in found.rows)
    rows: list[list[Any]] = []
    for rate in found.rows:
        first, second = (rate.of_closed, rate.of_all) if closed_first else (rate.of_all, rate.of_closed)
        group = [rate.group if rate.group is not None else "(none)"] if found.by else []
        scope = [rate.scope] if scoped else []
        rows.append([*group, *scope, rate.deals, rate.won, rate.lost, rate.open, *_rate(first), *_rate(second)])
    names = [*([found.by] if found.by else []), *(["deals"] if scoped else [])]
    yield from table([*names, "all" if scoped else "deals", "won", "lost", "open", *heads], rows)
    if scoped:
        yield "all: every deal · qualified: without those filtered out"


def _rate(rate: Rate) -> list[str]:
    if rate.value is None or rate.low is None or rate.high is None:
        return ["  n/a", ""]
    return [f"{rate.value:6.1%}", f"{rate.low:.1%} – {rate.high:.1%}"]


def filtered(done: Filtered) -> Iterator[str]:
    """What a filter took out, and what it does to the win rate."""
    yield from dry(done.dry_run)
    deals = "deal" if done.filtered == 1 else "deals"
    would = "would leave" if done.dry_run else "left"
    yield f"{done.filtered:,} open {deals} {would} the pipeline; they stay in the history"
    for rule, count in done.by_rule.items():
        yield f"  {pad(rule, 20)} {count:,}"
    rows = [["before", *_both(done.before)], ["after", *_both(done.after)]]
    names = ["", "deals", "closed", "won", "won / all", "95 % interval", "won / closed", "95 % interval"]
    yield from (f"  {line}" for line in table(names, rows))
    yield from committed(done.commit)


def _both(rate: WinRate) -> list[Any]:
    return [rate.deals, rate.won + rate.lost, rate.won, *_rate(rate.of_all), *_rate(rate.of_closed)]
