"""Invoices and payments: sums that hold on every day, pulls that lose and repeat nothing."""

from __future__ import annotations

from collections.abc import Callable
from datetime import date, timedelta
from decimal import Decimal
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from sfactl.api.errors import DataError, NotFound, PluginError
from sfactl.api.records import ErpOpenItem, ErpRejection, InvoicePage, PaymentPage
from sfactl.orders import usecases
from sfactl.orders.ageing import parse_buckets
from sfactl.orders.keys import key
from sfactl.orders.usecases.derive import empty
from sfactl.session import FixedClock, Session

Opener = Callable[..., Session]
DAY = date(2026, 6, 15)


def pull(opener: Opener, erp: Any, invoices: Any = (), payments: Any = (), **options: Any) -> Any:
    erp.invoices = [InvoicePage(invoices=tuple(invoices), cursor={"n": len(invoices)})] if invoices else []
    erp.payments = [PaymentPage(payments=tuple(payments), cursor={"n": len(payments)})] if payments else []
    return usecases.pull(opener(erp=erp, **options))


def table(session: Session, sql: str) -> list[tuple[Any, ...]]:
    with session.query() as query:
        return query.rows(sql)


def opens(session: Session, on: date = DAY) -> dict[str, Decimal]:
    rows = usecases.list_receivables(session, on=on, every=True).to_pylist()
    return {r["invoice"]: r["open_amount"] for r in rows}


@pytest.fixture
def order_key(session: Session) -> str:
    return key(session.workspace.id, "order", 1)


def test_an_order_goes_from_open_to_paid_and_back(
    session: Session, open_again: Opener, memory_erp: Any, bill: Any, pay: Any, order_key: str
) -> None:
    seen = []
    for invoices, payments in (
        ([bill("1", "300", order=order_key)], []),
        ([], [pay("p1", "100", of="1")]),
        ([], [pay("p2", "200", of="1")]),
        ([], [pay("p2", "200", of="")]),
        ([bill("1", "300", order=order_key, state="cancelled")], []),
    ):
        pull(open_again, memory_erp, invoices, payments)
        status = table(session, "select status from orders where order_id = 1")[0][0]
        seen.append((status, table(session, "select state from receivables")[0][0]))
    assert seen == [
        ("invoiced", "open"),
        ("invoiced", "part"),
        ("paid", "settled"),
        ("invoiced", "part"),
        ("open", "cancelled"),
    ]


def test_pulling_again_changes_nothing(
    session: Session, open_again: Opener, memory_erp: Any, bill: Any, pay: Any
) -> None:
    rows = ([bill("1", "100"), bill("2", "50")], [pay("p1", "100", of="1")])
    first = pull(open_again, memory_erp, *rows)
    assert (first.invoices.new, first.payments.new, first.unmatched) == (2, 1, 0)
    again = pull(open_again, memory_erp, *rows)
    assert (again.invoices.unchanged, again.payments.unchanged) == (2, 1)
    assert again.invoices.new + again.invoices.updated + again.payments.new + again.payments.updated == 0
    assert memory_erp.cursors == [None, None, {"n": 2}, {"n": 1}]


def test_an_older_version_read_again_does_not_win(
    session: Session, open_again: Opener, memory_erp: Any, bill: Any, clock: FixedClock
) -> None:
    newer = bill("1", "120", changed_at=clock.now() + timedelta(seconds=5))
    pull(open_again, memory_erp, [newer])
    assert pull(open_again, memory_erp, [bill("1", "100")]).invoices.unchanged == 1
    both = pull(open_again, memory_erp, [bill("2", "10"), bill("2", "11", changed_at=newer.changed_at)])
    assert (both.invoices.rows, both.invoices.new) == (2, 1)
    assert opens(session) == {"R1": 120, "R2": 11}


def test_a_dry_run_pulls_without_keeping(session: Session, open_again: Opener, memory_erp: Any, bill: Any) -> None:
    done = pull(open_again, memory_erp, [bill("1", "100")], dry_run=True)
    assert (done.invoices.new, done.commit) == (1, None)
    assert opens(session) == {}
    assert session.workspace.cursor("erp:main:invoices") is None


def test_pages_before_a_fault_are_kept(session: Session, open_again: Opener, memory_erp: Any, bill: Any) -> None:
    def pages(cursor: Any) -> Any:
        yield InvoicePage(invoices=(bill("1", "100"),), cursor={"n": 1})
        raise OSError("connection reset")

    memory_erp.list_invoices = pages
    with pytest.raises(PluginError, match="the connector of main failed: OSError: connection reset"):
        usecases.pull(open_again(erp=memory_erp))
    assert opens(session) == {"R1": 100}
    assert session.workspace.cursor("erp:main:invoices") == {"n": 1}


def test_what_cannot_be_kept_is_listed(session: Session, open_again: Opener, memory_erp: Any, bill: Any) -> None:
    page = InvoicePage(
        invoices=(bill("1", "1.00001"), bill("2", "5", currency="")),
        cursor={},
        rejected=(ErpRejection(where="row 7", reason="no date"),),
    )
    memory_erp.invoices = [page]
    done = usecases.pull(open_again(erp=memory_erp))
    assert [(r.where, r.reason) for r in done.invoices.rejected] == [
        ("row 7", "no date"),
        ("id 1", "amount 1.00001 has more digits than we keep"),
        ("id 2", "has no currency"),
    ]
    assert (done.invoices.rows, done.invoices.new) == (3, 0)


def test_a_payment_waits_for_its_invoice(
    session: Session, open_again: Opener, memory_erp: Any, bill: Any, pay: Any
) -> None:
    assert pull(open_again, memory_erp, [], [pay("p1", "100", of="1")]).unmatched == 1
    assert usecases.unmatched(session).column("reason").to_pylist() == ["its invoice is not known"]
    assert pull(open_again, memory_erp, [bill("1", "100")]).unmatched == 0
    assert opens(session) == {"R1": 0}


@pytest.mark.parametrize(
    ("payments", "open_amount", "left", "reason"),
    [
        ([("150", "1")], 0, "50", "more than its invoice asks for"),
        ([("150", "1"), ("-50", "1")], 0, "50", "more than its invoice asks for"),
        ([("100", "1"), ("-40", "1")], 40, "0", ""),
        ([("30", "")], 100, "30", "names no invoice"),
        ([("30", "9")], 100, "30", "its invoice is not known"),
    ],
    ids=["too much", "too much, given back", "bounced in part", "no invoice", "unknown invoice"],
)
def test_nothing_is_allocated_beyond_what_is_asked_for(
    session: Session,
    open_again: Opener,
    memory_erp: Any,
    bill: Any,
    pay: Any,
    payments: list[tuple[str, str]],
    open_amount: int,
    left: str,
    reason: str,
) -> None:
    rows = [pay(f"p{i}", amount, of=of) for i, (amount, of) in enumerate(payments)]
    pull(open_again, memory_erp, [bill("1", "100")], rows)
    assert opens(session) == {"R1": open_amount}
    waiting = usecases.unmatched(session).to_pylist()
    assert sum((abs(w["unapplied"]) for w in waiting[:1]), Decimal(0)) == Decimal(left)
    assert [w["reason"] for w in waiting][:1] == ([reason] if reason else [])


def test_money_in_another_currency_is_not_allocated(
    session: Session, open_again: Opener, memory_erp: Any, bill: Any, pay: Any
) -> None:
    pull(open_again, memory_erp, [bill("1", "100")], [pay("p1", "100", of="1", currency="USD")])
    assert opens(session) == {"R1": 100}
    assert usecases.unmatched(session).column("reason").to_pylist() == ["its invoice is in EUR"]
    assert [(b.currency, b.outstanding, b.unapplied) for b in usecases.balances(session, on=DAY)] == [
        ("EUR", 100, 0),
        ("USD", 0, 100),
    ]


def test_ageing_looks_only_at_receipts_up_to_the_day(
    session: Session, open_again: Opener, memory_erp: Any, bill: Any, pay: Any
) -> None:
    late = bill("1", "100", due=date(2026, 6, 5), invoiced_on=date(2026, 5, 1))
    pull(open_again, memory_erp, [late], [pay("p1", "100", of="1", on=date(2026, 7, 1))])
    for on, outstanding, bucket in (
        (date(2026, 4, 30), 0, None),
        (date(2026, 5, 1), 100, "not due"),
        (date(2026, 6, 5), 100, "not due"),
        (date(2026, 6, 6), 100, "1-30"),
        (date(2026, 6, 30), 100, "1-30"),
        (date(2026, 7, 1), 0, None),
    ):
        rows = usecases.age(session, on=on).to_pylist()
        assert sum(r["outstanding"] for r in rows) == outstanding
        assert [r[bucket] for r in rows if bucket] == ([100] if bucket else [])


def test_a_cancelled_invoice_counts_until_its_day(
    session: Session, open_again: Opener, memory_erp: Any, bill: Any, pay: Any, clock: FixedClock
) -> None:
    pull(open_again, memory_erp, [bill("1", "100")], [pay("p1", "60", of="1")])
    clock.advance(timedelta(days=10))
    pull(open_again, memory_erp, [bill("1", "100", state="cancelled", changed_at=clock.now())])
    before, after = date(2026, 6, 24), date(2026, 6, 25)
    assert opens(session, before) == {"R1": 40}
    assert opens(session, after) == {}
    assert [(b.receivable, b.allocated, b.unapplied) for b in usecases.balances(session, on=before)] == [(100, 60, 0)]
    assert [(b.receivable, b.allocated, b.unapplied) for b in usecases.balances(session, on=after)] == [(0, 0, 60)]
    assert usecases.unmatched(session, on=after).column("reason").to_pylist() == ["its invoice is cancelled"]


def test_what_was_known_can_be_asked_apart_from_the_day(
    session: Session, open_again: Opener, memory_erp: Any, bill: Any, pay: Any
) -> None:
    commit = pull(open_again, memory_erp, [bill("1", "100")]).commit
    pull(open_again, memory_erp, [], [pay("p1", "100", of="1")])
    assert usecases.age(session, on=DAY).num_rows == 0
    assert usecases.age(session, on=DAY, known_at=str(commit)).column("outstanding").to_pylist() == [100]


@pytest.mark.parametrize(
    ("text", "labels"),
    [
        ("30,60,90,120", ["not due", "1-30", "31-60", "61-90", "91-120", "over 120"]),
        ("1", ["not due", "1-1", "over 1"]),
    ],
)
def test_every_day_falls_into_exactly_one_bucket(text: str, labels: list[str]) -> None:
    buckets = parse_buckets(text)
    assert [b.label for b in buckets] == labels
    for days in (-4000, -1, 0, 1, 29, 30, 31, 60, 61, 120, 121, 99999):
        assert sum(b.holds(days) for b in buckets) == 1


@pytest.mark.parametrize("text", ["", "0,30", "30,30", "60,30", "30,x", "30,"])
def test_buckets_must_rise(text: str) -> None:
    with pytest.raises(DataError, match="--buckets"):
        parse_buckets(text)


def test_matching_by_hand_by_reference_and_by_age(
    session: Session, open_again: Opener, memory_erp: Any, bill: Any, pay: Any
) -> None:
    invoices = [
        bill("1", "100", due=date(2026, 6, 20), number="INV-1"),
        bill("2", "50", due=date(2026, 6, 10), number="INV-2"),
        bill("3", "70", number="INV-3"),
    ]
    payments = [
        pay("p1", "30"),
        pay("p2", "70", reference="invoice INV-3, thanks"),
        pay("p3", "90", reference="INV-1 and INV-2"),
        pay("p4", "5", customer_key="C2"),
    ]
    pull(open_again, memory_erp, invoices, payments)
    done = usecases.match(session, receipt="main:p1", receivable="INV-1", amount=Decimal(20))
    assert (done.receipts, done.amount_by_currency) == (1, {"EUR": 20})
    assert usecases.match_references(session).receipts == 1
    assert opens(session) == {"INV-1": 80, "INV-2": 50, "INV-3": 0}
    assert usecases.match_fifo(session).amount_by_currency == {"EUR": 100}
    assert opens(session) == {"INV-1": 30, "INV-2": 0, "INV-3": 0}
    assert [w["receipt"] for w in usecases.unmatched(session).to_pylist()] == ["main:p4"]
    assert usecases.match_fifo(session).receipts == 0
    kinds = table(session, "select kind, sum(amount) from allocations group by 1 order by 1")
    assert kinds == [("fifo", 100), ("manual", 20), ("reference", 70)]


def test_a_match_beyond_either_side_is_refused(
    session: Session, open_again: Opener, memory_erp: Any, bill: Any, pay: Any
) -> None:
    pull(open_again, memory_erp, [bill("1", "100"), bill("2", "9", currency="USD")], [pay("p1", "130")])
    with pytest.raises(DataError, match=r"101 cannot be matched: main:p1 has 130\S* left, R1 has 100\S* open"):
        usecases.match(session, receipt="main:p1", receivable="R1", amount=Decimal(101))
    with pytest.raises(DataError, match="is in EUR, R2 in USD"):
        usecases.match(session, receipt="main:p1", receivable="R2")
    with pytest.raises(NotFound, match="no receipt 'p1'"):
        usecases.match(session, receipt="p1", receivable="R1")
    usecases.match(session, receipt="main:p1", receivable="R1")
    assert opens(session)["R1"] == 0


def test_a_match_gives_way_when_the_receipt_shrinks(
    session: Session, open_again: Opener, memory_erp: Any, bill: Any, pay: Any
) -> None:
    pull(open_again, memory_erp, [bill("1", "100"), bill("2", "100")], [pay("p1", "150")])
    usecases.match(session, receipt="main:p1", receivable="R1")
    usecases.match(session, receipt="main:p1", receivable="R2")
    pull(open_again, memory_erp, [], [pay("p1", "120")])
    assert opens(session) == {"R1": 0, "R2": 80}
    pull(open_again, memory_erp, [], [pay("p1", "120", of="1")])
    assert sum(opens(session).values()) == 80


def test_open_of_an_order(
    session: Session, open_again: Opener, memory_erp: Any, bill: Any, pay: Any, order_key: str
) -> None:
    pull(
        open_again,
        memory_erp,
        [bill("1", "200", order=order_key), bill("2", "100", order=order_key)],
        [pay("p", "50", of="2")],
    )
    view = usecases.open_of_order(session, "O-1", on=DAY)
    assert (view.ordered, view.invoiced, view.allocated, view.open_amount) == (300, 300, 50, 250)
    with pytest.raises(NotFound, match="no order O-77"):
        usecases.open_of_order(session, "O-77")


def test_an_invoiced_order_cannot_be_cancelled(
    session: Session, open_again: Opener, memory_erp: Any, bill: Any, order_key: str
) -> None:
    from sfactl.api.errors import PolicyError

    pull(open_again, memory_erp, [bill("1", "300", order=order_key)])
    with pytest.raises(PolicyError, match="O-1 is invoiced"):
        usecases.cancel(session, "O-1")


def test_reconciling_lists_every_difference_with_both_values(
    session: Session, open_again: Opener, memory_erp: Any, bill: Any, pay: Any, order_key: str
) -> None:
    pull(open_again, memory_erp, [bill(n, "100", order=order_key) for n in "1234"], [pay("p", "100", of="4")])

    def item(id_: str, amount: str, **more: Any) -> ErpOpenItem:
        defaults = {"number": f"R{id_}", "order_key": order_key, "due_on": date(2026, 6, 30), "currency": "EUR"}
        return ErpOpenItem(invoice_id=id_, open_amount=Decimal(amount), **(defaults | more))

    memory_erp.open_items = [item("1", "100"), item("2", "55", due_on=date(2026, 7, 1)), item("5", "7", order_key="")]
    found = usecases.reconcile(open_again(erp=memory_erp), on=DAY)
    assert [(d.invoice, d.what, d.ours, d.erp) for d in found.differences] == [
        ("R2", "due date", "2026-06-30", "2026-07-01"),
        ("R2", "open amount", "100.0000", "55.0000"),
        ("R3", "open amount", "100.0000", "nothing open"),
        ("R5", "open amount", "nothing open", "7.0000"),
    ]
    assert (found.open_here, found.open_there) == (3, 3)


def test_reconciling_finds_orders_that_are_gone_from_the_erp(
    session: Session, open_again: Opener, memory_erp: Any
) -> None:
    usecases.push(open_again(erp=memory_erp))
    memory_erp.orders[0] = ("other", *memory_erp.orders[0][1:])
    found = usecases.reconcile(open_again(erp=memory_erp), orders=True)
    assert [(d.invoice, d.ours, d.erp) for d in found.differences] == [("order O-1", "SO1 confirmed", "not found")]


cents = st.integers(-5000, 20000).map(lambda n: Decimal(n) / 100)
days = st.integers(0, 60).map(lambda n: date(2026, 5, 1) + timedelta(days=n))
bills = st.tuples(st.sampled_from("12345"), st.integers(0, 20000).map(lambda n: Decimal(n) / 100), days, st.booleans())
pays = st.tuples(st.sampled_from("abcdefg"), cents, st.sampled_from(["1", "2", "3", "9", ""]), days)


@pytest.mark.slow
@given(
    pages=st.lists(st.one_of(st.lists(bills, max_size=4), st.lists(pays, max_size=4)), max_size=5), by_age=st.booleans()
)
@settings(
    max_examples=8, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow]
)
def test_receivable_is_allocated_plus_open_on_every_day(
    session: Session,
    open_again: Opener,
    memory_erp: Any,
    bill: Any,
    pay: Any,
    pages: list[list[tuple[Any, ...]]],
    by_age: bool,
) -> None:
    with session.write("receivables", "receipts", "allocations") as tx:
        for name, key_column in (
            ("receivables", "receivable_id"),
            ("receipts", "receipt_id"),
            ("allocations", "allocation_id"),
        ):
            tx.delete(name, f"select {key_column} from {name}")
        tx.commit()
    for page in pages:
        invoices = [
            bill(
                r[0],
                str(r[1]),
                invoiced_on=r[2],
                due=r[2] + timedelta(days=20),
                state="cancelled" if r[3] else "posted",
            )
            for r in page
            if isinstance(r[3], bool)
        ]
        payments = [pay(r[0], str(r[1]), of=r[2], on=r[3]) for r in page if not isinstance(r[3], bool)]
        pull(open_again, memory_erp, invoices, payments)
    if by_age:
        usecases.match_fifo(session)
    for day in (date(2026, 4, 30), date(2026, 5, 20), date(2026, 6, 15), date(2026, 9, 1)):
        balances = usecases.balances(session, on=day)  # raises where open items do not add up
        aged = usecases.age(session, on=day).column("outstanding").to_pylist()
        assert sum(aged, Decimal(0)) == sum((b.outstanding for b in balances), Decimal(0))
        assert all(
            0 <= r["allocated"] <= r["amount"]
            for r in usecases.list_receivables(session, on=day, every=True).to_pylist()
        )
    over = "select count(*) from (select r.receipt_id from receipts r join allocations a using (receipt_id) group by r.receipt_id, r.amount having abs(sum(a.amount)) > abs(r.amount))"
    assert table(session, over) == [(0,)]


def test_what_derive_takes_fits_the_datasets(session: Session) -> None:
    for name, dataset in (("receivables_in", "receivables"), ("receipts_in", "receipts"), ("claims_in", "allocations")):
        known = set(session.workspace.schemas[dataset].types) | {"cancelled"}
        assert set(empty()[name].column_names) <= known
