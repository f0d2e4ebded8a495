"""What a row of an advertising bill is: by what it is known again, and what makes it unusable.

The same channel, source, campaign, event and days are one cost, told again by every later report; several rows of one
report about it are its parts and are added up.
"""

from __future__ import annotations

import re
from collections.abc import Collection, Sequence
from dataclasses import replace

from sfactl.api.errors import ConfigError
from sfactl.engine.money import minor_digits
from sfactl.leads.cleaning.expression import among, literal
from sfactl.leads.model import Plan, Target

WHAT = ("channel", "source", "campaign", "event")
KEPT = ("cost_id", "namespace", "updated_at")
"""Columns that sfactl fills itself."""
_IN_HEADER = re.compile(r"[(（\[]\s*([A-Z]{3})\s*[)）\]]\s*$")


def complete(
    plan: Plan, headers: Sequence[str], *, currency: str | None, default: str, source: str | None, channel: str | None
) -> Plan:
    """The plan with what the command line says, and with a currency: stated, in the amount's header, or the default.

    ``headers`` are the file's own. Raises `ConfigError` where no column holds an amount or a day, `UserError` for a
    currency that is none.
    """
    targets = {t.field: t for t in plan.targets}
    for needed, what in (("amount", "the amount"), ("spent_on", "the day")):
        if needed not in targets:
            raise ConfigError(
                f"no column is mapped to {needed} ({what} of the cost)",
                hint=f'Write a mapping: [columns] {needed} = "…"; then --mapping NAME',
            )
    for field, said in (("source", source), ("channel", channel)):
        if said:
            targets[field] = Target(field=field, type="varchar", constant=said)
    notes: tuple[str, ...] = ()
    if currency is None and "currency" not in targets:
        inside = next((m for i in targets["amount"].columns if (m := _IN_HEADER.search(headers[i]))), None)
        currency = inside[1] if inside else default
        where = "the column's header says so" if inside else "the workspace's; say --currency for another"
        notes = (f"amounts are in {currency}: {where}",)
    if currency is not None:
        minor_digits(currency)
        targets["currency"] = Target(field="currency", type="varchar", constant=currency)
    return replace(plan, targets=tuple(targets.values()), notes=notes, bad_values="reject")


def without_currency(header: str) -> str:
    """``Amount spent`` for ``Amount spent (TWD)``."""
    return _IN_HEADER.sub("", header).strip()


def judged(cleaned: str, fields: Collection[str], currencies: Sequence[str]) -> str:
    """SELECT of the clean rows with the reason why one cannot be used; the currency in capitals."""
    until = "spent_until" if "spent_until" in fields else "spent_on"
    wrong = (
        "case when spent_on is null then 'no day' when amount is null then 'no amount'"
        f" when {until} < spent_on then 'ends before it begins'"
        f" when currency is null then 'no currency' when not {among('currency', currencies)}"
        " then 'currency ' || currency || ' is not known' end"
    )
    return f"(select * replace (coalesce(_reason, {wrong}) as _reason, upper(currency) as currency) from {cleaned})"


def keyed(rows: str, fields: Collection[str], namespace: str) -> str:
    """SELECT of the usable rows with ``cost_id`` and all columns of a cost."""
    cell = {f: (f"c.{f}" if f in fields else "null") for f in (*WHAT, "impressions", "clicks", "external_id", "note")}
    until = "coalesce(c.spent_until, c.spent_on)" if "spent_until" in fields else "c.spent_on"
    parts = ", ".join(f"coalesce(lower({cell[f]}), '')" for f in WHAT)
    days = f"cast(c.spent_on as varchar), cast({until} as varchar)"
    print_ = f"'print:' || md5(concat_ws(chr(31), {parts}, {days}, c.currency))"
    own = f"case when {cell['external_id']} is not null then {literal(namespace + ':')} || {cell['external_id']} end"
    texts = ", ".join(f"cast({cell[f]} as varchar) as {f}" for f in (*WHAT, "external_id", "note"))
    counts = ", ".join(f"cast({cell[f]} as bigint) as {f}" for f in ("impressions", "clicks"))
    return (
        f"select c._row, coalesce({own}, {print_}) as cost_id, c.spent_on, {until} as spent_until, c.amount,"
        f" c.currency, {texts}, {counts} from {rows} c where c._reason is null"
    )


def folded(rows: str, namespace: str) -> str:
    """SELECT of one row a cost: parts added up; ``n`` is how many they are."""
    texts = ", ".join(f"min({f}) as {f}" for f in ("spent_on", "spent_until", *WHAT, "currency", "external_id", "note"))
    return (
        f"select cost_id, {texts}, cast(sum(amount) as decimal(18,4)) as amount,"
        " cast(sum(impressions) as bigint) as impressions, cast(sum(clicks) as bigint) as clicks,"
        f" {literal(namespace)} as namespace, count(*) as n from ({rows}) group by cost_id"
    )
