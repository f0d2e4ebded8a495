"""Rank customers by how lately, how often and for how much they ordered, or how active they are. One statement.

A class is found in one of two ways. By quantiles it is 1 + floor(Q × below / n): ``below`` customers have a smaller
value, ``n`` have one at all, ``Q`` is the number of classes. (The ranking is that of Hughes, "Strategic Database
Marketing", without his cutting of ties.) By declared borders it is 1 + the number of borders that the value reaches.
Either way equal values always fall into one class, whatever the order of rows; some classes may stay empty.

The code of a customer names the three classes by one sign each, as the RFA codes of the KDD Cup 1998 do.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence

from sfactl.api.context import PluginContext
from sfactl.api.records import SqlScore
from sfactl_scoring_rfm.settings import RfmSettings

STATEMENT = """
with counted as (
  select lead_id, currency, "at", amount
  from orders
  where lead_id is not null and "at" <= $now{since}{states}
),
customer as (
  select lead_id, max("at") as last_at, count(*) as orders,
         date_diff('day', cast(max("at") as date), cast($now as date)) as days
  from counted group by lead_id
),
{third},
ranked as (
  select lead_id, last_at, orders, {recency} as r, {frequency} as f from customer
),
ranked_third as (
  select lead_id, currency, amount, {amount} as m
  from spent
  where amount is not null
),
best as (
  select lead_id, currency, amount, m,
         row_number() over (partition by lead_id order by m desc, currency) as place
  from ranked_third
),
coded as (
  select r.lead_id, r.last_at, r.orders, r.r, r.f, b.m, b.amount, b.currency, {code} as code
  from ranked as r
  left join best as b on b.lead_id = r.lead_id and b.place = 1
)
select lead_id, 'recency' as rule, $recency * r / {recency_classes} as points,
       code || cast(cast(r as integer) as varchar) || ' of {recency_classes}: last order '
         || cast(cast(last_at as date) as varchar) as detail,
       last_at as "at"
from coded
union all
select lead_id, 'frequency', $frequency * f / {frequency_classes},
       code || cast(cast(f as integer) as varchar) || ' of {frequency_classes}: ' || cast(orders as varchar)
         || case when orders = 1 then ' order' else ' orders' end,
       last_at
from coded
union all
select lead_id, '{name}', $money * m / {third_classes},
       code || cast(cast(m as integer) as varchar) || ' of {third_classes}: '
         || trim(cast(amount as varchar) || ' ' || currency),
       last_at
from coded
where m is not null
"""

SPENT = """spent as (
  select lead_id, coalesce(currency, '') as currency, sum(amount) as amount
  from counted group by lead_id, coalesce(currency, '')
)"""

ACTIVE = """spent as (
  select c.lead_id, case when count(distinct t.event_id) = 1 then 'touchpoint' else 'touchpoints' end as currency,
         count(distinct t.event_id) as amount
  from customer as c
  left join touchpoints as t on t.lead_id = c.lead_id and t."at" <= $now{since}{kinds}
  group by c.lead_id
)"""

QUANTILE = "1 + floor($quantiles * (rank() over ({part}order by {value}) - 1) / cast(count(*) over ({part}) as double))"


class RfmStrategy:
    """Recency, frequency and a third axis, each ranked into classes among all customers."""

    def __init__(self, settings: RfmSettings, context: PluginContext) -> None:  # noqa: ARG002
        """Only settings matter: the time comes with the run, as ``$now``."""
        self._settings = settings

    def statement(self) -> SqlScore:
        """Three reasons for each customer; leads without an order get none.

        Money is ranked within its currency, never added across currencies; of several the best class counts. Declared
        borders of money hold for their currency alone.
        """
        asked = self._settings
        active = asked.third == "activity"
        params: dict[str, object] = {
            "recency": asked.recency,
            "frequency": asked.frequency,
            "money": asked.money,
            "quantiles": asked.quantiles,
        }
        since = states = kinds = ""
        if asked.days:
            since = "\n    and date_diff('day', cast({}\"at\" as date), cast($now as date)) <= $days"
            params["days"] = asked.days
        if asked.leave_out:
            states = f"\n    and coalesce(status, '') not in ({_bound(params, 'state', asked.leave_out)})"
        if asked.activities:
            kinds = f" and t.kind in ({_bound(params, 'kind', asked.activities)})"
        third = ACTIVE.format(since=since.format("t."), kinds=kinds) if active else SPENT
        if asked.cuts.third and not active:
            params["currency"] = asked.currency
            third = third.replace("from counted group", "from counted where currency = $currency group")
        sql = STATEMENT.format(
            since=since.format(""),
            states=states,
            third=third,
            recency=self._class("recency", "last_at", params),
            frequency=self._class("frequency", "orders", params),
            amount=self._class("third", "amount", params, part="" if active else "partition by currency "),
            code=self._code(),
            name=asked.third,
            **{f"{axis}_classes": str(asked.classes(axis)) for axis in ("recency", "frequency", "third")},
        )
        return SqlScore(sql=sql.strip(), params={name: params[name] for name in params if f"${name}" in sql})

    def _class(self, axis: str, value: str, params: dict[str, object], part: str = "") -> str:
        borders: Sequence[float] = getattr(self._settings.cuts, axis)
        if not borders:
            return QUANTILE.format(part=part, value=value)
        names = _bound(params, f"{axis}_border", borders).split(", ")
        # A border in days is reached from below: the fewer, the better.
        tests = [f"days <= {name}" if axis == "recency" else f"{value} >= {name}" for name in names]
        return " + ".join(["1", *(f"case when {test} then 1 else 0 end" for test in tests)])

    def _code(self) -> str:
        signs = {axis: self._settings.signs(axis) for axis in ("recency", "frequency", "third")}
        if not all(signs.values()):
            return "''"
        columns: Mapping[str, str] = {"recency": "r.r", "frequency": "r.f", "third": "b.m"}
        parts = [f"coalesce({_sign(signs[axis], column)}, '–')" for axis, column in columns.items()]
        return f"({' || '.join(parts)} || ', ')"


def _sign(signs: str, column: str) -> str:
    quoted = signs.replace("'", "''")
    return f"substr('{quoted}', cast({column} as integer), 1)"


def _bound(params: dict[str, object], stem: str, values: Sequence[object]) -> str:
    return ", ".join(_names(params, stem, values))


def _names(params: dict[str, object], stem: str, values: Sequence[object]) -> Iterator[str]:
    for number, value in enumerate(values):
        params[f"{stem}{number}"] = value
        yield f"${stem}{number}"
