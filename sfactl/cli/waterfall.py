"""Lay out the steps of a price for people: what changed it, by which rule, by how much, and until when that holds."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from decimal import Decimal
from typing import TYPE_CHECKING

from sfactl.cli.tables import pad, table, terminal_width, width

if TYPE_CHECKING:
    import pyarrow as pa

    from sfactl.quotes.model import PricedLine

TITLES = {
    "list": "list price",
    "book": "price book",
    "volume": "quantity",
    "promotion": "promotion",
    "manual": "discount by hand",
    "rounding": "rounding",
}
TITLE_WIDTH = 18
RULE_WIDTH = 28
AMOUNT_WIDTH = 16


def waterfall(line: PricedLine, currency: str) -> Iterator[str]:
    """The head, the steps and the net amount of one line; the amounts shown add up."""
    digits = _digits(line, currency)
    name = line.description if line.sku in line.description else f"{line.sku} {line.description}"
    head = f"Line {line.line_no}  {name} × {plain(line.quantity)}"
    yield pad(head, TITLE_WIDTH + RULE_WIDTH + AMOUNT_WIDTH + 2 - width(currency)) + currency
    for step in line.steps:
        title = TITLES.get(step.layer, step.layer)
        yield _row(title, _minus(step.rule), step.amount, digits) + (f"   {step.detail}" if step.detail else "")
    yield _row("net", "", line.amount, digits) + _margin(line)


def money(amount: Decimal, currency: str) -> str:
    """An amount with thousands and the currency's digits, without the currency."""
    from sfactl.engine.money import minor_digits

    return signed(amount, minor_digits(currency))


def signed(amount: Decimal, digits: int) -> str:
    """An amount with a real minus sign."""
    return f"{amount:,.{digits}f}".replace("-", "−")


def money_table(
    names: Sequence[str], rows: Sequence[Sequence[object]], *, first: int, fit: int | None = None
) -> list[str]:
    """A table whose columns from the one numbered ``first`` on are amounts as text, set to the right."""
    texts = [[str(cell) for cell in row[first:]] for row in rows]
    heads = list(names[first:])
    widths = [max(width(c) for c in column) for column in zip(heads, *texts, strict=True)]
    aligned = [[pad(c, w, right=True) for c, w in zip(row, widths, strict=True)] for row in [heads, *texts]]
    return table(
        [*names[:first], *aligned[0]],
        [[*row[:first], *amounts] for row, amounts in zip(rows, aligned[1:], strict=True)],
        fit=fit,
    )


def listing(result: pa.Table) -> list[str]:
    """The table for people: amounts with the digits of the row's currency, in ``currency`` beside them."""
    names, rows = result.column_names, result.to_pylist()
    texts = [
        [money(v, row["currency"]) if isinstance(v, Decimal) and row["currency"] else v for v in row.values()]
        for row in rows
    ]
    for i, name in enumerate(names):
        if any(isinstance(row[name], Decimal) for row in rows):
            widest = max(len(name), *(len(row[i] or "") for row in texts))
            names[i] = name.rjust(widest)
            for row in texts:
                row[i] = (row[i] or "").rjust(widest)
    return table(names, texts, fit=terminal_width())


def plain(number: Decimal) -> str:
    """A number without needless zeros."""
    text = f"{number:,f}"
    return text.rstrip("0").rstrip(".") if "." in text else text


def total(lines: Sequence[PricedLine], amount: Decimal, currency: str) -> str:
    """The line under several lines."""
    what = f"total of {len(lines)} lines" if len(lines) != 1 else "total"
    return _row(what, "", amount, _digits_of(currency), indent="")


def _row(title: str, rule: str, amount: Decimal, digits: int, indent: str = "  ") -> str:
    left = f"{indent}{pad(title, TITLE_WIDTH + 2 - len(indent))}{pad(rule, RULE_WIDTH)}"
    return left + pad(signed(amount, digits), AMOUNT_WIDTH, right=True)


def _minus(rule: str) -> str:
    """The percentage at the end of a rule with a real minus sign; names keep their hyphens."""
    name, space, percent = rule.rpartition(" ")
    return f"{name}{space}{percent.replace('-', '−', 1)}" if space and percent.startswith("-") else rule


def _digits(line: PricedLine, currency: str) -> int:
    """Four digits where a step needs them, so that the column adds up as printed."""
    least = _digits_of(currency)
    unit = Decimal(1).scaleb(-least)
    return least if all(s.amount == s.amount.quantize(unit) for s in line.steps) else 4


def _digits_of(currency: str) -> int:
    from sfactl.engine.money import minor_digits

    return minor_digits(currency)


def _margin(line: PricedLine) -> str:
    if line.cost is None or not line.amount:
        return ""
    return f"   margin {100 * (line.amount - line.cost) / line.amount:.1f} %"
