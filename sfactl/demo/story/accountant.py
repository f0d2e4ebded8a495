"""The accountant of the story: bills the orders that lie in the ERP's folder, and notes what customers pay."""

from __future__ import annotations

import csv
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import date, timedelta
from decimal import ROUND_HALF_UP, Decimal
from pathlib import Path

TERMS_DAYS = 30
CENT = Decimal("0.01")


@dataclass(frozen=True, slots=True, kw_only=True)
class Bill:
    """An order as the accountant sees it, and how its customer pays."""

    number: str
    ordered_on: date
    currency: str
    amount: Decimal
    pays: str
    pay_days_after_due: int | None

    @property
    def due_on(self) -> date:
        """Payment is due so many days after the bill, which is written on the day of the order."""
        return self.ordered_on + timedelta(days=TERMS_DAYS)

    @property
    def payment(self) -> tuple[date, Decimal] | None:
        """When and how much the customer pays; None who never does."""
        if self.pay_days_after_due is None:
            return None
        share = Decimal("0.4") if self.pays == "part" else Decimal(1)
        amount = (self.amount * share).quantize(CENT, rounding=ROUND_HALF_UP)
        return self.due_on + timedelta(days=self.pay_days_after_due), amount


def keep_books(folder: Path, bills: Iterable[Bill], on: date) -> tuple[int, int]:
    """Write ``invoices.csv`` and ``payments.csv`` as they stand on a day; answers how many of each."""
    folder.mkdir(parents=True, exist_ok=True)
    written = [bill for bill in bills if bill.ordered_on <= on]
    invoices = [_invoice(bill) for bill in written]
    payments = [row for bill in written if (row := _payment(bill, on)) is not None]
    _write(folder / "invoices.csv", invoices, ("id", "number", "order", "invoiced_on", "due_on", "currency", "amount"))
    _write(folder / "payments.csv", payments, ("id", "invoice", "paid_on", "currency", "amount", "reference"))
    return len(invoices), len(payments)


def _invoice(bill: Bill) -> Mapping[str, object]:
    return {
        "id": f"I-{bill.number}",
        "number": f"I-{bill.number}",
        "order": bill.number,
        "invoiced_on": bill.ordered_on,
        "due_on": bill.due_on,
        "currency": bill.currency,
        "amount": bill.amount,
    }


def _payment(bill: Bill, on: date) -> Mapping[str, object] | None:
    if bill.payment is None or bill.payment[0] > on:
        return None
    paid_on, amount = bill.payment
    return {
        "id": f"P-{bill.number}",
        "invoice": f"I-{bill.number}",
        "paid_on": paid_on,
        "currency": bill.currency,
        "amount": amount,
        "reference": f"I-{bill.number}",
    }


def _write(path: Path, rows: Iterable[Mapping[str, object]], columns: tuple[str, ...]) -> None:
    with path.open("w", encoding="utf-8", newline="") as file:
        writer = csv.DictWriter(file, columns, lineterminator="\n")
        writer.writeheader()
        writer.writerows(rows)
