"""Real invoices through the files connector: ageing equals a computation of its own, on many days."""

from __future__ import annotations

import csv
from collections import defaultdict
from collections.abc import Callable, Iterator
from datetime import date, datetime
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest

from sfactl.orders import usecases
from sfactl.orders.ageing import parse_buckets
from sfactl.session import Session

DAYS = [date(2012, 1, 15), date(2012, 6, 30), date(2012, 12, 31), date(2013, 3, 31), date(2013, 9, 1), date(2015, 1, 1)]


@pytest.fixture
def source(shared_data: Path) -> Path:
    return shared_data / "ibm_accounts_receivable"


@pytest.fixture
def imported(source: Path, open_again: Callable[..., Session], erp_settings: dict[str, Any]) -> Session:
    (path,) = source.glob("*.csv")
    erp_settings["main"] = {
        "use": "files",
        "folder": str(source),
        "invoices": path.name,
        "payments": path.name,
        "dates": ["%m/%d/%Y"],
        "currency": "USD",
        "invoice_columns": {
            "id": "invoiceNumber",
            "customer": "customerID",
            "invoiced_on": "InvoiceDate",
            "due_on": "DueDate",
            "amount": "InvoiceAmount",
        },
        "payment_columns": {
            "id": "invoiceNumber",
            "invoice": "invoiceNumber",
            "customer": "customerID",
            "paid_on": "SettledDate",
            "amount": "InvoiceAmount",
        },
    }
    session = open_again()
    done = usecases.pull(session)
    assert done.invoices.new == done.payments.new == done.invoices.rows == sum(1 for _ in rows(source))
    assert done.invoices.rejected == done.payments.rejected == ()
    return session


def rows(source: Path) -> Iterator[dict[str, str]]:
    (path,) = source.glob("*.csv")
    with path.open(encoding="utf-8", newline="") as file:
        yield from csv.DictReader(file)


def expected(source: Path, on: date) -> dict[str, dict[str, Decimal]]:
    """Open amounts by customer and bucket, straight from the file."""
    found: dict[str, dict[str, Decimal]] = defaultdict(lambda: defaultdict(Decimal))
    for row in rows(source):
        invoiced, due, settled = (
            datetime.strptime(row[name], "%m/%d/%Y").date() for name in ("InvoiceDate", "DueDate", "SettledDate")
        )
        if invoiced <= on < settled:
            late = (on - due).days
            label = "not due" if late <= 0 else "1-30" if late <= 30 else "31-60" if late <= 60 else "over 60"
            found[row["customerID"]][label] += Decimal(row["InvoiceAmount"])
    return found


def test_ageing_equals_the_file_on_every_day(imported: Session, source: Path) -> None:
    labels = [b.label for b in parse_buckets("30,60")]
    busy = 0
    for on in DAYS:
        aged = usecases.age(imported, on=on, buckets="30,60").to_pylist()
        ours = {r["customer"]: {x: r[x] for x in labels if r[x]} for r in aged}
        assert ours == expected(source, on)
        for row in aged:
            assert sum(row[x] for x in labels) == row["outstanding"]
        (balance,) = usecases.balances(imported, on=on) or (None,)
        if balance is not None:
            assert balance.receivable == balance.allocated + balance.outstanding
            assert balance.outstanding == sum((r["outstanding"] for r in aged), Decimal(0))
        busy += bool(aged)
    assert busy >= 4
    assert usecases.unmatched(imported).num_rows == 0


def test_pulling_it_again_adds_nothing_and_it_reconciles(imported: Session) -> None:
    again = usecases.pull(imported)
    assert (again.invoices.rows, again.payments.rows) == (0, 0)
    for on in DAYS:
        assert usecases.reconcile(imported, on=on).differences == ()
