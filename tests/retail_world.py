"""Real shops in a workspace: public orders written straight into the datasets, and the same rows as pandas sees them."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from datetime import datetime
from pathlib import Path
from typing import Any

import duckdb
import pyarrow as pa

from sfactl.config.settings import Settings
from sfactl.session import FixedClock, Session, open_session
from sfactl.workspace import Workspace

RETAIL_NOW = datetime(2011, 2, 1)
CDNOW_END = datetime(1997, 9, 30, 23, 59, 59)


@contextmanager
def workspace(folder: Path, now: datetime, **options: Any) -> Iterator[Session]:
    """An empty workspace at a time that stands still."""
    if not (folder / ".sfactl").exists():
        Workspace.create(folder).close()
    with open_session(
        folder, settings=Settings(), command="test", actor="tester", clock=FixedClock(now), quiet=True, **options
    ) as session:
        yield session


def retail_lines(shared_data: Path) -> pa.Table:
    """Lines of invoices that were not cancelled, of customers who are known: InvoiceNo, CustomerID, at, sku, amounts."""
    files = str(shared_data / "uci_online_retail" / "by-day" / "*.csv")
    with duckdb.connect() as connection:
        return connection.sql(
            "select InvoiceNo, cast(CustomerID as double)::bigint as customer, cast(InvoiceDate as timestamp) as seen_at,"
            " upper(trim(StockCode)) as sku, trim(Description) as description, cast(Quantity as decimal(18,4)) as quantity,"
            " cast(UnitPrice as decimal(18,4)) as price"
            f" from read_csv('{files}', all_varchar = true) where CustomerID is not null and InvoiceNo not like 'C%'"
            " and InvoiceNo not like 'A%'"
        ).to_arrow_table()


def load_retail(session: Session, lines: pa.Table) -> None:
    """Customers as leads, invoices as orders, stock codes as products; a product's family is the last word of its name."""
    with session.write("leads", "orders", "order_lines", "products") as tx:
        tx.query.register("given", lines)
        tx.query.run(
            "create temp table numbered as select *, cast(InvoiceNo as bigint) as order_id,"
            " row_number() over (partition by InvoiceNo order by sku, quantity, price, description) as line_no from given"
        )
        tx.upsert("leads", "select distinct customer as lead_id, 'new' as status from numbered")
        tx.upsert(
            "orders",
            "select order_id, min(customer) as lead_id, min(seen_at) as \"at\", 'GBP' as currency, 'paid' as status,"
            " cast(sum(quantity * price) as decimal(18, 4)) as amount from numbered group by order_id",
        )
        tx.upsert(
            "order_lines",
            'select order_id, line_no, customer as lead_id, seen_at as "at", sku, description as product_name, quantity,'
            " price as unit_price, cast(quantity * price as decimal(18, 4)) as amount from numbered",
        )
        tx.upsert(
            "products",
            "select sku, min(description) as name, lower(regexp_extract(min(description), '([A-Za-z]+)[^A-Za-z]*$', 1))"
            " as family from numbered group by sku",
        )
        tx.commit()


def load_cdnow(session: Session, shared_data: Path) -> list[tuple[int, datetime, float]]:
    """The CDNOW sample of Fader and Hardie as orders of leads; answers the rows."""
    text = (shared_data / "cdnow" / "CDNOW_sample.txt").read_text()
    rows = [line.split() for line in text.split("\n") if line.strip()]
    orders = [(int(row[1]), datetime.strptime(row[2], "%Y%m%d"), float(row[4])) for row in rows]
    table = pa.table(
        {
            "order_id": list(range(1, len(orders) + 1)),
            "lead_id": [one[0] for one in orders],
            "at": pa.array([one[1] for one in orders], pa.timestamp("us")),
            "amount": [one[2] for one in orders],
            "currency": ["USD"] * len(orders),
            "status": ["paid"] * len(orders),
        }
    )
    with session.write("leads", "orders") as tx:
        tx.query.register("given", table)
        tx.upsert("leads", "select distinct lead_id, 'new' as status from given")
        tx.upsert("orders", "select * replace (cast(amount as decimal(18, 4)) as amount) from given")
        tx.commit()
    return orders
