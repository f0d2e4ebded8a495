"""Points for how lately, how often and for how much customers ordered, or how active they are.

The classes are those of `sfactl.api.rfm`, so that a score and a layer of the same settings never differ; here each
class becomes points and a reason.
"""

from __future__ import annotations

from sfactl.api.context import PluginContext
from sfactl.api.records import SqlScore
from sfactl.api.rfm import AXES, ranked_customers
from sfactl_scoring_rfm.settings import RfmSettings

STATEMENT = """
with coded as (
  select lead_id, last_at, orders, r, f, m, amount, currency, case when code = '' then '' else code || ', ' end as code
  from ({ranked}) as customers
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


class RfmStrategy:
    """Recency, frequency and a third axis, each ranked into classes among all customers."""

    def __init__(self, settings: RfmSettings, context: PluginContext) -> None:  # noqa: ARG002
        """Only settings matter: the time comes with the run, as ``$now``."""
        self._settings = settings

    def statement(self) -> SqlScore:
        """Three reasons for each customer; leads without an order get none."""
        asked = self._settings
        ranked = ranked_customers(asked)
        sql = STATEMENT.format(
            ranked=ranked.sql, name=asked.third, **{f"{axis}_classes": str(asked.classes(axis)) for axis in AXES}
        )
        points = {"recency": asked.recency, "frequency": asked.frequency, "money": asked.money}
        return SqlScore(sql=sql.strip(), params={**ranked.params, **points})
