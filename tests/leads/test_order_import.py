"""Importing the history of orders: known again by number, customers found or made, refunds as such, nothing lost."""

from __future__ import annotations

from datetime import datetime
from decimal import Decimal
from typing import Any

import pytest

from sfactl.api.errors import ConfigError, SfactlError
from sfactl.leads import usecases

INVOICES = """InvoiceNo,StockCode,Description,Quantity,InvoiceDate,UnitPrice,CustomerID,Country
536365,85123A,WHITE HOLDER,6,2010-12-01 08:26:00,2.55,17850.0,United Kingdom
536365,71053,ＬＡＮＴＥＲＮ,2,2010-12-01 08:26:00,10.00,17850.0,United Kingdom
C536379,D,Discount,-1,2010-12-01 09:41:00,27.50,14527.0,United Kingdom
536544,22,,3,2010-12-01 14:32:00,1.00,,United Kingdom
,22,NO NUMBER,3,2010-12-01 14:32:00,1.00,1,United Kingdom
536545,22,NO TIME,3,,1.00,1,United Kingdom
536546,22,BAD PRICE,3,2010-12-01 14:32:00,one pound,1,United Kingdom
536547,22,FUTURE,3,2110-12-01 14:32:00,1.00,1,United Kingdom
"""


def load(desk: Any, content: str, *, dry_run: bool = False, name: str = "orders.csv", **options: Any) -> Any:
    path = desk.write(name, content)
    with desk.session(dry_run=dry_run) as session:
        return usecases.import_orders(session, [path], **options).files[0]


def test_lines_become_orders_of_customers(desk) -> None:
    done = load(desk, INVOICES, source="shop")
    assert (done.rows, done.new, done.updated, done.unchanged, done.rejected) == (8, 4, 0, 0, 4)
    reasons = {r.reason.split(" (")[0] for r in done.reasons}
    assert {"no order number", "no time of the order, and no such order is known", "ordered in the future"} < reasons
    assert done.cleaned["refunds"] == done.cleaned["orders_of_nobody"] == 1
    assert desk.rows(
        'select external_id, "at", status, amount, product_name, lead_id is null from orders order by external_id'
    ) == [
        ("536365", datetime(2010, 12, 1, 8, 26), "invoiced", Decimal("35.3"), "LANTERN", False),
        ("536544", datetime(2010, 12, 1, 14, 32), "invoiced", Decimal(3), None, True),
        ("C536379", datetime(2010, 12, 1, 9, 41), "refund", Decimal("-27.5"), "Discount", False),
    ]
    assert desk.rows("select count(*), sum(quantity), count(lead_id) from order_lines") == [(4, Decimal(10), 3)]
    assert desk.rows("select external_id, id_namespace, country, status from leads order by 1") == [
        ("14527", "shop", "GB", "new"),
        ("17850", "shop", "GB", "new"),
    ]
    assert (desk.folder / "rejects" / "orders.csv").read_text(encoding="utf-8-sig").count("\n") == 5


def test_the_same_file_twice_changes_nothing_and_a_corrected_one_corrects(desk) -> None:
    load(desk, INVOICES, source="shop")
    before = desk.rows("select * from orders order by order_id"), desk.rows("select * from order_lines order by all")
    again = load(desk, INVOICES, source="shop", name="copy.csv")
    assert (again.new, again.updated, again.unchanged) == (0, 0, 4)
    assert (
        desk.rows("select * from orders order by order_id"),
        desk.rows("select * from order_lines order by all"),
    ) == before
    right = INVOICES.replace("536365,71053,ＬＡＮＴＥＲＮ,2,2010-12-01 08:26:00,10.00,17850.0,United Kingdom\n", "")
    fixed = load(desk, right, source="shop")
    assert (fixed.new, fixed.updated, fixed.unchanged) == (0, 1, 2)
    assert desk.rows("select amount from orders where external_id = '536365'") == [(Decimal("15.3"),)]
    assert desk.rows("select count(*) from order_lines") == [(3,)]
    assert desk.rows("select count(*) from leads") == [(2,)]


def test_another_sources_numbers_are_other_orders(desk) -> None:
    load(desk, INVOICES, source="shop")
    assert load(desk, INVOICES, source="market").new == 4
    assert desk.rows("select count(*), count(distinct order_id) from orders") == [(6, 6)]


def test_customers_are_found_by_mail_id_and_number(desk) -> None:
    desk.load("id,name,email\n7,Ming,a@example.tw\n", source="crm")
    content = (
        "order id,date,amount,email,customer id,lead id\n1,2026-11-01,10,A@Example.tw,,\n2,2026-11-01,10,,7,\n"
        "3,2026-11-01,10,,,1\n4,2026-11-01,10,,,99\n5,2026-11-01,10,new@example.tw,,\n"
    )
    done = load(desk, content)
    assert [r.reason.split(" (")[0] for r in done.reasons] == ["no such lead"]
    assert desk.rows("select external_id, lead_id from orders order by 1") == [("1", 1), ("2", 1), ("3", 1), ("5", 2)]
    known = load(desk, content.replace("new@", "other@"), known_only=True, source="x")
    assert {r.reason.split(" (")[0] for r in known.reasons} == {"nobody we know", "no such lead"}
    assert desk.rows("select count(*) from leads") == [(2,)]


def test_orders_and_their_lines_in_files_of_their_own(desk) -> None:
    load(desk, "order id,customer id,order status,order purchase timestamp\na,1,delivered,2026-11-01 10:00\n")
    done = load(desk, "order id,product id,price\na,x,10.50\na,y,2\nb,z,1\n", name="items.csv")
    assert (done.updated, done.rejected) == (2, 1)
    expected = [("a", "paid", Decimal("12.5"), datetime(2026, 11, 1, 10), 1)]
    asked = 'select external_id, status, amount, "at", lead_id from orders'
    assert desk.rows(asked) == expected
    assert desk.rows('select line_no, sku, amount, lead_id, "at" from order_lines order by 1') == [
        (1, "x", Decimal("10.5"), 1, datetime(2026, 11, 1, 10)),
        (2, "y", Decimal(2), 1, datetime(2026, 11, 1, 10)),
    ]
    load(desk, "order id,customer id,order status,order purchase timestamp\na,1,delivered,2026-11-01 10:00\n")
    assert desk.rows(asked) == expected
    assert desk.rows("select count(*) from order_lines") == [(2,)]


def test_chinese_orders_with_payments_and_refunds(desk) -> None:
    content = (
        "订单编号,总金额,收货地址 ,订单创建时间,订单付款时间 ,退款金额\n"
        "1,178.8,上海,2020-02-21 00:00:00,,0.0\n2,21.0,内蒙古自治区,2020-02-20 23:59:54,2020-02-21 00:00:02,21.0\n"
    )
    load(desk, content)
    assert desk.rows("select external_id, status, amount from orders order by 1") == [
        ("1", "open", Decimal("178.8")),
        ("2", "invoiced", Decimal(21)),
        ("2 refund", "refund", Decimal(-21)),
    ]
    again = load(desk, content)
    assert again.unchanged == 2


def test_a_dry_run_writes_nothing(desk) -> None:
    assert load(desk, INVOICES, dry_run=True).new == 4
    assert desk.rows("select count(*) from orders") == desk.rows("select count(*) from leads") == [(0,)]
    assert not (desk.folder / "rejects").exists()


@pytest.mark.parametrize(
    ("content", "said"),
    [
        ("date,amount\n2026-11-01,5\n", "no column is mapped to 'order_number'"),
        ("foo,bar\n1,2\n", "no column was recognised"),
        ("", ""),
    ],
    ids=["no number", "nothing known", "empty"],
)
def test_files_that_are_no_orders(desk, content: str, said: str) -> None:
    with pytest.raises(SfactlError) as caught:
        load(desk, content)
    assert said in caught.value.message
    assert desk.rows("select count(*) from orders") == [(0,)]


def test_a_mapping_of_another_kind_is_refused(desk) -> None:
    path = desk.write("m.toml", 'schema = 1\ndataset = "leads"\n[columns]\nemail = "mail"\n')
    with pytest.raises(ConfigError, match="is for leads"):
        load(desk, INVOICES, mapping=str(path))
