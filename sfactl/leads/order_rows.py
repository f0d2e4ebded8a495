"""Turn the clean rows of a file of orders into orders and lines. Pure: SQL over temporary tables of one query.

A row is a line of an order, or a whole order where no column tells of products. An order whose sum is below zero is a
refund, and so is what a column says was paid back; refunds are orders of their own with a negative amount, so that sums
are net and counts can leave them out.
"""

from __future__ import annotations

from collections.abc import Mapping

from sfactl.schemas.dataset import Column, Dataset

REFUND = "refund"
FIELDS: Mapping[str, str] = {
    "order_number": "varchar",
    "at": "timestamp",
    "sku": "varchar",
    "product_name": "varchar",
    "quantity": "decimal(18,4)",
    "unit_price": "decimal(18,4)",
    "amount": "decimal(18,4)",
    "refunded": "decimal(18,4)",
    "paid_at": "timestamp",
    "status": "varchar",
    "currency": "varchar",
    "order_channel": "varchar",
    "lead_id": "bigint",
    "external_id": "varchar",
    "email": "varchar",
    "phone": "varchar",
    "full_name": "varchar",
    "company": "varchar",
    "country": "varchar",
    "region": "varchar",
    "city": "varchar",
}
"""What a column of such a file may be, and its type."""
OF_THE_PERSON = ("external_id", "email", "phone", "full_name", "company", "country", "region", "city")
ROWS = Dataset(
    name="orders",
    kind="state",
    version=1,
    key=("order_number",),
    row="One line of an order, or one order, in a file",
    columns=tuple(Column(name, kind) for name, kind in FIELDS.items()),
)
OF_A_LINE = ("sku", "product_name", "quantity")
"""A file with one of these tells of lines."""
STATUSES: Mapping[str, tuple[str, ...]] = {
    "cancelled": ("cancelled", "canceled", "cancellation", "void", "voided", "unavailable", "failed", "已取消", "取消",
                  "交易关闭", "交易關閉", "cancelado", "annulé", "storniert"),
    "paid": ("paid", "delivered", "completed", "complete", "closed", "shipped", "fulfilled", "已付款", "交易成功",
             "已完成", "完成", "已签收", "pago", "entregue", "payé", "bezahlt"),
    "open": ("open", "pending", "unpaid", "created", "new", "on hold", "待付款", "未付款", "处理中", "處理中"),
    REFUND: ("refund", "refunded", "returned", "return", "credit note", "已退款", "退款", "退货", "退貨", "reembolso"),
}  # fmt: skip
"""What files say of an order, and what it is here; anything else is an invoiced order."""


def rows_sql(source: str, fields: Mapping[str, str], now: str) -> str:
    """SELECT of all rows with every field, and why a row is refused."""
    cells = {name: f'c."{name}"' if name in fields else f"cast(null as {kind})" for name, kind in FIELDS.items()}
    # Spreadsheets and scripts write whole numbers as 17850.0; such an id is the number.
    for name in ("order_number", "external_id"):
        cells[name] = f"regexp_replace(trim({cells[name]}), '^([0-9]+)\\.0$', '\\1')"
    pieces = cells["quantity"] if "quantity" in fields else "1"
    cells["amount"] = f"cast(coalesce({cells['amount']}, {pieces} * {cells['unit_price']}) as decimal(18,4))"
    made = ", ".join(f'{sql} as "{name}"' for name, sql in cells.items())
    return (
        f"select _row, _line, {made}, coalesce(_reason, case when {cells['order_number']} is null or"
        f" {cells['order_number']} = '' then 'no order number'"
        f" when {cells['at']} > {now} then 'ordered in the future' end) as _reason from {source} as c"
    )


def status_sql(column: str) -> str:
    """What a file's word for the state of an order means."""
    whens = " ".join(
        f"when {_word(column)} in ({', '.join(_quoted(word) for word in words)}) then '{status}'"
        for status, words in STATUSES.items()
    )
    return f"case {whens} when {column} is not null then 'invoiced' end"


def _word(column: str) -> str:
    return f"lower(trim({column}))"


def _quoted(text: str) -> str:
    return "'" + text.replace("'", "''") + "'"


ORDERS = f"""
select f.order_number, coalesce(f.lead_id, b.lead_id) as lead_id, f."at", coalesce(f.channel, b.channel) as channel,
       coalesce(f.product_name, b.product_name) as product_name,
       coalesce(f.currency, b.currency, $currency) as currency, coalesce(f.amount, b.amount) as amount,
       case when coalesce(f.amount, b.amount) < 0 then '{REFUND}' else coalesce(f.status, b.status, 'invoiced') end
         as status
from (
  select order_number, min(lead_id) as lead_id, min("at") as "at", max(order_channel) as channel,
         arg_max(product_name, abs(coalesce(amount, 0))) as product_name, max(currency) as currency,
         cast(sum(amount) as decimal(18,4)) as amount,
         case when max(status) is not null then {status_sql("max(status)")}
              when $asks_paid then case when max(paid_at) is not null then 'invoiced' else 'open' end end as status
  from good group by order_number
  union all
  select order_number || ' {REFUND}', min(lead_id), min("at"), max(order_channel), cast(null as varchar),
         max(currency), cast(-sum(refunded) as decimal(18,4)), '{REFUND}'
  from good group by order_number having sum(refunded) > 0
) as f left join before as b on b.external_id = f.order_number
"""
"""One row: an order of the file; what the file does not tell of a known one stays."""
LINES = """
select order_number, row_number() over (partition by order_number order by _row) as line_no, lead_id, "at", sku,
       product_name, quantity, unit_price, amount
from good where sku is not null or product_name is not null or quantity is not null
"""
"""One row: a line of an order of the file."""
CONTENT = """
select o.{key} as k, md5(concat_ws('|', o.lead_id, o."at", o.status, o.channel, o.currency, o.amount,
         string_agg(concat_ws('~', l.line_no, l.sku, l.product_name, l.quantity, l.unit_price, l.amount), '|'
                    order by l.line_no))) as content
from {orders} as o left join {lines} as l on l.{key} = o.{key}
group by o.{key}, o.lead_id, o."at", o.status, o.channel, o.currency, o.amount
"""
"""One row: an order with a digest of all that it says."""
