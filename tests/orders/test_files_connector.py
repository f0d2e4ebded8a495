"""The ERP that is a folder: documents written once, lists read as an office writes them."""

from __future__ import annotations

import json
from collections.abc import Callable
from datetime import date
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest

from sfactl.api.errors import ConfigError, Refused, ServerFault
from sfactl.api.protocols import ErpConnector
from sfactl.api.records import ErpCustomer, ErpOrder, ErpOrderLine
from sfactl.orders import usecases
from sfactl.orders.connectors.outbox import Outbox
from sfactl.session import Session

Opener = Callable[..., Session]
LINE = ErpOrderLine(
    line_no=1,
    product_key="p",
    sku="A",
    description="雷射",
    quantity=Decimal(2),
    unit_price=Decimal("1.50"),
    amount=Decimal(3),
)
ORDER = ErpOrder(customer_key="c", number="O-1", ordered_on=date(2026, 6, 1), currency="EUR", lines=(LINE,))


@pytest.fixture
def books(session: Session) -> Path:
    folder = session.folder / "books"
    folder.mkdir()
    return folder


@pytest.fixture
def connector(session: Session) -> ErpConnector:
    return usecases.push.__globals__["connect"](session, "main").connector


def pull(session: Session, books: Path, *, invoices: str = "", payments: str = "") -> Any:
    if invoices:
        (books / "invoices.csv").write_text(invoices, encoding="utf-8")
    if payments:
        (books / "payments.csv").write_text(payments, encoding="utf-8")
    return usecases.pull(session)


def test_it_is_an_erp_connector(connector: ErpConnector) -> None:
    assert isinstance(connector, ErpConnector)
    assert connector.capabilities().unique_key


def test_an_order_is_written_once(connector: ErpConnector, session: Session) -> None:
    first = connector.push_order("sfactl:t:order:1", ORDER)
    assert connector.push_order("sfactl:t:order:1", ORDER) == first
    (path,) = (session.folder / "books/orders").iterdir()
    document = json.loads(path.read_text(encoding="utf-8"))
    assert path.name == "sfactl_t_order_1.json"
    assert (document["number"], document["state"], document["lines"][0]["amount"]) == ("O-1", "confirmed", "3")
    other = ErpOrder(customer_key="c", number="O-1", ordered_on=date(2026, 6, 2), currency="EUR", lines=(LINE,))
    with pytest.raises(Refused, match="with other content"):
        connector.push_order("sfactl:t:order:1", other)


def test_what_the_accountant_adds_to_an_order_stays(connector: ErpConnector, session: Session) -> None:
    connector.push_order("sfactl:t:order:1", ORDER)
    path = session.folder / "books/orders/sfactl_t_order_1.json"
    path.write_text(json.dumps(json.loads(path.read_text()) | {"our_file_no": "A7"}))
    connector.push_order("sfactl:t:order:1", ORDER)
    assert connector.cancel_order("sfactl:t:order:1").state == "cancelled"
    assert json.loads(path.read_text())["our_file_no"] == "A7"
    with pytest.raises(Refused, match="there is no order"):
        connector.cancel_order("sfactl:t:order:2")


def test_a_dry_run_writes_nothing(connector: ErpConnector, session: Session) -> None:
    connector.push_order("k", ORDER, dry_run=True)
    connector.upsert_customer("k", ErpCustomer(name="x"), dry_run=True)
    assert not (session.folder / "books").exists()
    assert connector.find("order", "k") == []


def test_names_of_files_never_meet(tmp_path: Path) -> None:
    outbox = Outbox(tmp_path)
    keys = ["a:b", "a_b", "a/b", "a%b", "../b", "Ä" * 90, "Ä" * 91, "a b", "."]
    for key in keys:
        outbox.write(key, {"key": key})
    assert all(p.parent == tmp_path for p in map(outbox.path, keys))
    assert [outbox.read(key) for key in keys] == [{"key": key} for key in keys]
    assert not list(tmp_path.glob("*.part")) + list(tmp_path.glob(".*.part"))


def test_a_damaged_document_is_named(tmp_path: Path) -> None:
    (tmp_path / "k.json").write_text("{")
    with pytest.raises(ServerFault, match=r"k\.json: cannot be read"):
        Outbox(tmp_path).read("k")


def test_notes_for_the_accountant(connector: ErpConnector, session: Session) -> None:
    connector.record_payment("pay1", "R1", Decimal("5.50"))
    connector.write_off("off1", "R1", Decimal("0.02"), "rounding")
    connector.credit("cr1", "R1")
    assert [
        connector.find(kind, key)[0].state
        for kind, key in (("payment", "pay1"), ("write_off", "off1"), ("credit_note", "cr1"))
    ] == ["requested"] * 3
    assert json.loads((session.folder / "books/write-offs/off1.json").read_text())["reason"] == "rounding"


GOOD = "id,number,order,customer,invoiced_on,due_on,currency,amount,open_amount,state\n"


def test_the_lists_become_receivables(session: Session, books: Path) -> None:
    usecases.push(session)
    invoices = GOOD + "1,R-1,O-1,C,2026-06-02,2026-06-16,EUR,300.00,,\n2,R-2,,C,2026-06-02,2026-06-16,EUR,7.00,,void\n"
    done = pull(
        session, books, invoices=invoices, payments="id,invoice,paid_on,currency,amount\np1,1,2026-06-09,EUR,300\n"
    )
    assert (done.invoices.new, done.payments.new) == (2, 1)
    view = usecases.open_of_order(session, "O-1")
    assert (view.status, view.invoiced, view.open_amount) == ("paid", 300, 0)
    assert (pull(session, books).invoices.rows, pull(session, books).payments.rows) == (0, 0)


def test_rows_appended_or_changed_are_taken_and_the_rest_is_unchanged(session: Session, books: Path) -> None:
    rows = GOOD + "1,R-1,,C,2026-06-02,2026-06-16,EUR,300,,\n"
    pull(session, books, invoices=rows)
    done = pull(session, books, invoices=rows.replace("300", "310") + "2,R-2,,C,2026-06-02,2026-06-16,EUR,5,,\n")
    assert (done.invoices.new, done.invoices.updated, done.invoices.unchanged) == (1, 1, 0)


def test_a_large_list_comes_in_pages_and_goes_on_where_it_stopped(
    open_again: Opener, erp_settings: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    erp_settings["main"]["rows_per_page"] = 3
    session = open_again()
    books = session.folder / "books"
    books.mkdir()
    text = GOOD + "".join(f"{n},R-{n},,C,2026-06-02,2026-06-16,EUR,{n},,\n" for n in range(1, 9))
    from importlib import import_module

    module = import_module("sfactl.orders.usecases.pull")
    keep, calls = module._keep, []

    def stop_at_the_second(*args: Any) -> Any:
        calls.append(1)
        if len(calls) == 2:
            raise KeyboardInterrupt
        return keep(*args)

    monkeypatch.setattr(module, "_keep", stop_at_the_second)
    with pytest.raises(KeyboardInterrupt):
        pull(session, books, invoices=text)
    done = pull(session, books)
    assert (done.invoices.rows, done.invoices.new) == (5, 5)
    with session.query() as query:
        assert query.rows("select count(*), sum(amount) from receivables") == [(8, 36)]


DIRTY = (
    "\ufeffBeleg;Re-Nr;Datum;Fällig;Betrag;Währung\r\n"
    "1;R-1;02.06.2026;16.06.2026;1.234,50;EUR\r\n"
    ";;;;;\r\n"
    "2;R-2;2.6.2026;16.06.2026;99;\r\n"
    "3;R-3;06/02/2026;16.06.2026;99,00;EUR\r\n"
    "4;R-4;02.06.2026;16.06.2026;12.50;EUR\r\n"
    "5;R-5;02.06.2026;;12,50;EUR\r\n"
    "6;R-6;02.06.2026;16.06.2026;12,50;EURO\r\n"
    "7;R-7;02.06.2026\r\n"
    "1;R-1;02.06.2026;16.06.2026;1.234,50;EUR\r\n"
    "1;R-1;02.06.2026;16.06.2026;1.234,60;EUR\r\n"
    "8;R-8;16.06.2026;02.06.2026;1,00;EUR\r\n"
    ";;02.06.2026;16.06.2026;1,00;EUR\r\n"
)


def test_a_dirty_list_is_read_as_stated_and_bad_rows_are_listed(open_again: Opener, erp_settings: Any) -> None:
    erp_settings["main"] |= {
        "decimal_comma": True,
        "currency": "EUR",
        "dates": ["%d.%m.%Y"],
        "invoice_columns": {
            "id": "Beleg",
            "number": "Re-Nr",
            "invoiced_on": "Datum",
            "due_on": "Fällig",
            "amount": "Betrag",
            "currency": "Währung",
        },
    }
    session = open_again()
    (session.folder / "books").mkdir()
    done = pull(session, session.folder / "books", invoices=DIRTY)
    assert (done.invoices.rows, done.invoices.new) == (10, 2)
    assert [(r.where.removeprefix("invoices.csv "), r.reason) for r in done.invoices.rejected] == [
        ("row 5", "invoiced_on: '06/02/2026' is not a date of the form %d.%m.%Y"),
        ("row 6", "amount: '12.50' is not a number with a decimal comma"),
        ("row 7", "due_on is empty"),
        ("row 8", "'EURO' is not a currency. Did you mean 'EUR'?"),
        ("row 9", "has 3 columns, the header has 6"),
        ("row 11", "id 1 stands in row 2 already, with other values"),
        ("row 12", "due_on 2026-06-02 is before invoiced_on 2026-06-16"),
        ("row 13", "has neither id nor number"),
    ]
    with session.query() as query:
        assert query.rows("select invoice_number, amount from receivables order by 1") == [
            ("R-1", Decimal("1234.5000")),
            ("R-2", 99),
        ]
    report = usecases.check(session)
    assert len(report.problems) == 8
    assert report.facts["invoices.csv"] == "10 rows"


@pytest.mark.parametrize(
    ("settings", "words"),
    [
        ({"invoice_columns": {"nummer": "x"}}, "invoice_columns: unknown column 'nummer'"),
        ({"folders": "x"}, "Did you mean 'folder'"),
        ({"rows_per_page": 0}, "less than 1"),
        ({"request_limit_s": "long"}, "request_limit_s: 'long' is not a number"),
    ],
)
def test_wrong_settings_are_named(open_again: Opener, erp_settings: Any, settings: Any, words: str) -> None:
    erp_settings["main"] |= settings
    with pytest.raises(ConfigError, match=words):
        usecases.check(open_again())


def test_reconciling_believes_the_balance_that_the_accountant_states(session: Session, books: Path) -> None:
    rows = GOOD + "1,R-1,,C,2026-06-02,2026-06-16,EUR,300,{},\n"
    pull(session, books, invoices=rows.format("300"))
    assert usecases.reconcile(session).differences == ()
    (books / "invoices.csv").write_text(rows.format("120"))
    (found,) = usecases.reconcile(session).differences
    assert (found.what, found.ours, found.erp) == ("open amount", "300.0000", "120.0000")
    (books / "invoices.csv").write_text(GOOD)
    (gone,) = usecases.reconcile(session).differences
    assert (gone.ours, gone.erp) == ("300.0000", "nothing open")


def test_the_list_of_erps(session: Session) -> None:
    usecases.push(session)
    assert usecases.list_connections(session).to_pylist() == [
        {
            "erp": "main",
            "use": "files",
            "customers": 1,
            "products": 1,
            "orders": 2,
            "invoices": 0,
            "refused": 0,
            "unknown": 0,
        }
    ]
