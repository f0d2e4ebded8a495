"""Lay a report out for people: numbers to the right, rates in percent with their interval, n/a where there is none."""

from __future__ import annotations

from collections.abc import Iterator
from decimal import Decimal
from typing import TYPE_CHECKING, Any

import click

from sfactl.cli import tables
from sfactl.cli.app import Output
from sfactl.cli.values import shown

if TYPE_CHECKING:
    from sfactl.insight.sheet import Sheet

RATES = ("rate", "share", "of_previous", "of_leads")
INTERVAL = "95 % interval"


def emit_sheet(output: Output, sheet: Sheet, *, drill: str = "") -> None:
    """Print ``sheet``: laid out for people; for machines its table, with the warnings on stderr."""
    if output.format != "table":
        for warning in sheet.warnings:
            click.echo(f"note: {warning}", err=True)
    output.emit(sheet.table, human=lambda: sheet_lines(sheet, drill=drill))


def sheet_lines(sheet: Sheet, *, drill: str = "") -> Iterator[str]:
    """Title, table, warnings, notes, and how to get at the rows behind a number."""
    yield f"{sheet.title}, commit {sheet.seq}"
    total = [dict(sheet.total)] if sheet.total and sheet.table.num_rows else []
    yield from grid([*sheet.table.to_pylist(), *total], [n for n in sheet.table.column_names if n != "commit"])
    yield from footer(sheet, drill)


def footer(sheet: Sheet, drill: str) -> Iterator[str]:
    """What stands below a report."""
    for warning in sheet.warnings:
        yield f"Note: {warning}."
    for note in sheet.notes:
        yield f"{note[:1].upper()}{note[1:]}."
    if drill and sheet.table.num_rows:
        yield f"Who is behind a number: {drill}"


def grid(rows: list[dict[str, Any]], names: list[str]) -> Iterator[str]:
    """The rows, indented; each low and high become one column."""
    if not rows:
        yield "  Nothing to show."
        return
    shown_names = [n for n in names if not n.endswith("high")]
    heads = [n.removesuffix("low").replace("_", " ").strip() if n.endswith("low") else n for n in shown_names]
    heads = [f"{h} {INTERVAL}".strip() if n.endswith("low") else h for n, h in zip(shown_names, heads, strict=True)]
    cells = [[_interval(n, row) if n.endswith("low") else _cell(n, row[n], row) for n in shown_names] for row in rows]
    right = [
        h.replace("_", " ")
        for n, h in zip(shown_names, heads, strict=True)
        if not n.endswith("low") and any(_is_number(row[n]) for row in rows)
    ]
    fit = tables.terminal_width()
    fit = fit - 2 if fit else None
    for line in tables.table([h.replace("_", " ") for h in heads], cells, fit=fit, right=right):
        yield f"  {line}"


def _is_number(value: Any) -> bool:
    return isinstance(value, (int, float, Decimal)) and not isinstance(value, bool)


def _interval(name: str, row: dict[str, Any]) -> str:
    """The column ``name`` and its upper bound."""
    low, high = row[name], row[name.removesuffix("low") + "high"]
    if low is None:
        return "n/a"
    return f"{percent(low)} – {percent(high)}" if name == "low" else f"{low:,.2f} – {high:,.2f}"


def _cell(name: str, value: Any, row: dict[str, Any]) -> str:
    if value is None:
        return "" if _names_something(name, row) else "n/a"
    if name in RATES or name.endswith("_rate"):
        return percent(value)
    if name.endswith("_days") and isinstance(value, float):
        from sfactl.insight.sheet import duration

        return duration(value)
    if isinstance(value, bool):
        return "yes" if value else "no"
    if isinstance(value, int):
        return f"{value:,}"
    if isinstance(value, Decimal):
        return f"{value:,.2f}"
    if name in ("p", "q"):
        return f"{value:.4f}" if value >= 0.0001 else "<0.0001"
    if name.endswith("_a_day") or name.startswith("lift"):
        return f"{value:,.2f}"
    return f"{value:,.1f}" if isinstance(value, float) else shown(value)


def _names_something(name: str, row: dict[str, Any]) -> bool:
    return name in ("currency", "note", "unit") and name in row


def percent(rate: float | None) -> str:
    """A rate for people."""
    return "n/a" if rate is None else f"{rate * 100:.1f} %"
