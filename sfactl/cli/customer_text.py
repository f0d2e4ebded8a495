"""How an account or a contact reads at a terminal."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING

from sfactl.cli.opportunity_text import money
from sfactl.cli.tables import pad, table
from sfactl.cli.values import shown as shown_value

if TYPE_CHECKING:
    from sfactl.opportunities.model import Customer


def shown(found: Customer, kind: str, title: str) -> Iterator[str]:
    """The filled fields, then what hangs on the customer."""
    yield f"{found.fields[title] or 'Unnamed'} · {kind}:{found.fields[f'{kind}_id']}"
    for name, value in found.fields.items():
        if value is not None and name not in (title, f"{kind}_id"):
            yield f"  {pad(name.replace('_', ' '), 14)} {shown_value(value)}"
    for name, rows in found.related.items():
        if rows:
            yield name.capitalize()
            told = [
                {**row, "amount": money(row["amount"], row["currency"])} if "amount" in row else row for row in rows
            ]
            yield from (f"  {line}" for line in table(list(rows[0]), [list(row.values()) for row in told]))
