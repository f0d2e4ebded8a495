"""Rank customers by how lately, how often and for how much they ordered. One statement, no state.

The class of a value is 1 + floor(Q × below / n): ``below`` customers have a smaller value, ``n`` have one at all, ``Q``
is the number of classes. Equal values always fall into one class, whatever the order of rows; with many equal values
some classes stay empty, as they should. (The ranking is that of Hughes, "Strategic Database Marketing", without his
cutting of ties.)
"""

from __future__ import annotations

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
  select lead_id, max("at") as last_at, count(*) as orders from counted group by lead_id
),
spent as (
  select lead_id, coalesce(currency, '') as currency, sum(amount) as amount
  from counted group by lead_id, coalesce(currency, '')
),
ranked as (
  select lead_id, last_at, orders,
         1 + floor($quantiles * (rank() over (order by last_at) - 1) / cast(count(*) over () as double)) as r,
         1 + floor($quantiles * (rank() over (order by orders) - 1) / cast(count(*) over () as double)) as f
  from customer
),
ranked_money as (
  select lead_id, currency, amount,
         1 + floor($quantiles * (rank() over (partition by currency order by amount) - 1)
                   / cast(count(*) over (partition by currency) as double)) as m
  from spent
  where amount is not null
),
best_money as (
  select lead_id, currency, amount, m,
         row_number() over (partition by lead_id order by m desc, currency) as place
  from ranked_money
)
select lead_id, 'recency' as rule, $recency * r / $quantiles as points,
       cast(cast(r as integer) as varchar) || ' of {quantiles}: last order ' || cast(cast(last_at as date) as varchar)
         as detail,
       last_at as "at"
from ranked
union all
select lead_id, 'frequency', $frequency * f / $quantiles,
       cast(cast(f as integer) as varchar) || ' of {quantiles}: ' || cast(orders as varchar)
         || case when orders = 1 then ' order' else ' orders' end,
       last_at
from ranked
union all
select b.lead_id, 'money', $money * b.m / $quantiles,
       cast(cast(b.m as integer) as varchar) || ' of {quantiles}: '
         || trim(cast(b.amount as varchar) || ' ' || b.currency),
       c.last_at
from best_money as b
join customer as c on c.lead_id = b.lead_id
where b.place = 1
"""


class RfmStrategy:
    """Recency, frequency and money, each ranked into classes among all customers."""

    def __init__(self, settings: RfmSettings, context: PluginContext) -> None:  # noqa: ARG002
        """Only settings matter: the time comes with the run, as ``$now``."""
        self._settings = settings

    def statement(self) -> SqlScore:
        """Three reasons for each customer; leads without an order get none.

        Money is ranked within its currency, never added across currencies; of several the best class counts.
        """
        asked = self._settings
        params: dict[str, object] = {
            "quantiles": asked.quantiles,
            "recency": asked.recency,
            "frequency": asked.frequency,
            "money": asked.money,
        }
        since = states = ""
        if asked.days:
            since = "\n    and date_diff('day', cast(\"at\" as date), cast($now as date)) <= $days"
            params["days"] = asked.days
        if asked.leave_out:
            names = {f"state{number}": state for number, state in enumerate(asked.leave_out)}
            states = f"\n    and coalesce(status, '') not in ({', '.join(f'${name}' for name in names)})"
            params |= names
        sql = STATEMENT.format(since=since, states=states, quantiles=int(asked.quantiles)).strip()
        return SqlScore(sql=sql, params=params)
