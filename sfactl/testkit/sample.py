"""A few rows of every dataset that a score may read, with behaviour on both sides of every usual boundary."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime, timedelta
from decimal import Decimal
from typing import TYPE_CHECKING, Any

from sfactl.schemas.dataset import arrow_type, core_schemas

if TYPE_CHECKING:
    import pyarrow as pa

Rows = Sequence[Mapping[str, Any]]


def sample_rows(now: datetime) -> dict[str, Rows]:
    """Rows by dataset, as of ``now``: five leads, from one who never did anything to one who buys often."""
    days = [now - timedelta(days=n) for n in (0, 1, 7, 29, 30, 31, 90, 400)]
    countries = ("TW", "JP", "DE", "US", None)
    leads = [
        {
            "lead_id": n,
            "status": "new",
            "email": f"lead{n}@example.com",
            "country": countries[n - 1],
            "company": f"Company {n}",
            "account_id": n * 10,
            "source": "web",
            "created_at": days[-1],
            "updated_at": days[1],
        }
        for n in range(1, 6)
    ]
    kinds = ("visit", "form_submit", "email_click") * 3
    touchpoints = [
        {"event_id": f"t{lead}-{n}", "at": at, "kind": kind, "lead_id": lead, "account_id": lead * 10, "channel": "web"}
        for lead in (1, 2, 3)
        for n, (at, kind) in enumerate(zip(days[lead - 1 :: lead], kinds, strict=False))
    ]
    orders = [
        {
            "order_id": lead * 100 + n,
            "account_id": lead * 10,
            "lead_id": lead,
            "at": at,
            "status": "paid",
            "currency": "USD",
            "amount": Decimal(250 * lead),
            "updated_at": at,
        }
        for lead in (1, 2)
        for n, at in enumerate(days[2::lead])
    ]
    return {"leads": leads, "touchpoints": touchpoints, "orders": orders}


def tables(rows: Mapping[str, Rows]) -> dict[str, pa.Table]:
    """Every dataset as an Arrow table: with ``rows`` where given (unknown columns are dropped), else empty."""
    import pyarrow as pa

    found = {}
    for name in core_schemas():
        types = core_schemas()[name].types
        schema = pa.schema([(column, arrow_type(kind)) for column, kind in types.items()])
        given = [{key: row.get(key) for key in types} for row in rows.get(name, ())]
        found[name] = pa.Table.from_pylist(given, schema=schema)
    return found
