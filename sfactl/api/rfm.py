"""Rank customers by how lately, how often and for how much they ordered, or how active they are. One statement.

A class is found by declared borders, 1 + the number of borders that the value reaches, or by quantiles in one of three
ways (``method``), ``Q`` classes over the ``n`` customers that have a value:

- ``rank``: 1 + floor(Q × below / n), where ``below`` customers have a smaller value. (The ranking is that of Hughes,
  "Strategic Database Marketing", without his cutting of ties.) Equal values always fall into one class.
- ``edges``: by the borders at the quantiles, interpolated (type 7 of Hyndman and Fan 1996, as pandas' qcut); a value
  that equals a border belongs to the lower side of it: fewer days, fewer orders, less money. Equals share a class.
- ``ntile``: classes of equal size; equal values are cut by the number of the lead, the lower number first.

Nothing later than ``$now`` is seen. The code of a customer names the three classes by one sign each, as the RFA codes
of the KDD Cup 1998 do.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from itertools import pairwise
from string import ascii_uppercase
from typing import ClassVar, Literal

AXES = ("recency", "frequency", "third")


@dataclass(frozen=True, slots=True, kw_only=True)
class Cuts:
    """Declared borders between classes, ascending: days since the last order, orders, and the third axis.

    A value that equals a border is in the better class. An axis without borders is cut into quantiles.
    """

    recency: tuple[float, ...] = ()
    frequency: tuple[float, ...] = ()
    third: tuple[float, ...] = ()

    def __post_init__(self) -> None:
        for axis in AXES:
            borders = getattr(self, axis)
            if any(low >= high for low, high in pairwise(borders)):
                raise ValueError(f"cuts.{axis} must ascend")
            if len(borders) > 25:
                raise ValueError(f"cuts.{axis}: more than 25 borders")


@dataclass(frozen=True, slots=True, kw_only=True)
class Letters:
    """The sign of each class in the code, the best class first; empty for none."""

    recency: str = ""
    frequency: str = ""
    third: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Ranking:
    """How customers are ranked.

    ``third`` says what the third axis is: money (or amount, which is the same under another name), or activity, the
    number of touchpoints, of all kinds or those in ``activities``. ``quantiles`` is the number of classes where
    ``cuts`` declares no borders, ``method`` how they are found, ``recency_by`` whether customers who last ordered on
    one day are equal. ``currency`` is that of the borders of money. ``days`` is how far back orders and touchpoints
    count (0: all), ``leave_out`` the states of orders that do not count. An order with a sum below 0 is a refund: no
    purchase, so that it counts neither as the last one nor as one more; from money it is deducted, or it is ignored.
    """

    CODED: ClassVar[bool] = False
    """Whether classes have letters where none are declared: A for the best."""

    third: Literal["money", "amount", "activity"] = "money"
    activities: tuple[str, ...] = ()
    quantiles: int = 5
    method: Literal["rank", "edges", "ntile"] = "rank"
    recency_by: Literal["moment", "day"] = "moment"
    cuts: Cuts = field(default_factory=Cuts)
    currency: str = ""
    letters: Letters = field(default_factory=Letters)
    days: int = 0
    leave_out: tuple[str, ...] = ("cancelled",)
    refunds: Literal["deduct", "ignore"] = "deduct"

    def __post_init__(self) -> None:
        if not 2 <= self.quantiles <= 100:
            raise ValueError(f"quantiles: {self.quantiles} is not between 2 and 100")
        if self.days < 0:
            raise ValueError(f"days: {self.days} is below 0")
        if self.cuts.third and self.third != "activity" and not self.currency:
            raise ValueError("cuts.third: borders of money need a currency")
        if self.activities and self.third != "activity":
            raise ValueError('activities go with third = "activity"')
        for axis in AXES:
            signs = getattr(self.letters, axis)
            if signs and len(signs) != self.classes(axis):
                raise ValueError(f"letters.{axis}: {len(signs)} letters for {self.classes(axis)} classes")
            if self.CODED and not signs and self.classes(axis) > len(ascii_uppercase):
                raise ValueError(f"letters.{axis}: {self.classes(axis)} classes need letters of their own")

    def classes(self, axis: str) -> int:
        """How many classes the axis has."""
        borders = getattr(self.cuts, axis)
        return len(borders) + 1 if borders else self.quantiles

    def signs(self, axis: str) -> str:
        """The sign of each class, the worst first; empty where there are no codes."""
        said = str(getattr(self.letters, axis))
        return (said or (ascii_uppercase[: self.classes(axis)] if self.CODED else ""))[::-1]


@dataclass(frozen=True, slots=True, kw_only=True)
class Ranked:
    """The statement that ranks, and its parameters beside ``$now``."""

    sql: str
    params: Mapping[str, object]


CUSTOMERS = """
with counted as (
  select lead_id, currency, "at", amount
  from orders
  where lead_id is not null and "at" <= $now{since}{states}
),
customer as (
  select lead_id, max("at") as last_at, count(*) as orders,
         date_diff('day', cast(max("at") as date), cast($now as date)) as days
  from counted where coalesce(amount, 0) >= 0 group by lead_id
),
{third},
ranked as (
  select lead_id, last_at, days, orders, {recency} as r, {frequency} as f from customer
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
)
select r.lead_id, r.last_at, r.days, r.orders, b.amount, b.currency, r.r, r.f, b.m, {code} as code
from ranked as r
left join best as b on b.lead_id = r.lead_id and b.place = 1
"""

SPENT = """spent as (
  select o.lead_id, coalesce(o.currency, '') as currency, sum(o.amount) as amount
  from counted as o
  join customer as c on c.lead_id = o.lead_id
  where {spent}
  group by o.lead_id, coalesce(o.currency, '')
)"""

ACTIVE = """spent as (
  select c.lead_id, case when count(distinct t.event_id) = 1 then 'touchpoint' else 'touchpoints' end as currency,
         count(distinct t.event_id) as amount
  from customer as c
  left join touchpoints as t on t.lead_id = c.lead_id and t."at" <= $now{since}{kinds}
  group by c.lead_id
)"""

RANK = "1 + floor($quantiles * (rank() over ({part}order by {value}) - 1) / cast(count(*) over ({part}) as double))"
NTILE = "cast(ntile({classes}) over ({part}order by {value}, lead_id) as double)"


def ranked_customers(asked: Ranking) -> Ranked:
    """One row for each lead with a purchase: lead_id, last_at, days, orders, amount, currency, r, f, m, code.

    r, f and m are the classes, 1 the worst. Money is ranked within its currency, never added across currencies; of
    several the best class counts, and amount and currency are those of that class. Declared borders of money hold for
    their currency alone; a customer without it has no m. With activity as third axis ``amount`` is the number of
    touchpoints and ``currency`` that word. ``$now`` is to be bound.
    """
    active = asked.third == "activity"
    params: dict[str, object] = {"quantiles": asked.quantiles}
    since = states = kinds = ""
    if asked.days:
        since = "\n    and date_diff('day', cast({}\"at\" as date), cast($now as date)) <= $days"
        params["days"] = asked.days
    if asked.leave_out:
        states = f"\n    and coalesce(status, '') not in ({_bound(params, 'state', asked.leave_out)})"
    if asked.activities:
        kinds = f" and t.kind in ({_bound(params, 'kind', asked.activities)})"
    spent = ["true"] if asked.refunds == "deduct" else ["o.amount >= 0"]
    if asked.cuts.third and not active:
        params["currency"] = asked.currency
        spent.append("o.currency = $currency")
    third = ACTIVE.format(since=since.format("t."), kinds=kinds) if active else SPENT.format(spent=" and ".join(spent))
    sql = CUSTOMERS.format(
        since=since.format(""),
        states=states,
        third=third,
        recency=_class(asked, "recency", "last_at" if asked.recency_by == "moment" else "-days", params),
        frequency=_class(asked, "frequency", "orders", params),
        amount=_class(asked, "third", "amount", params, part="" if active else "partition by currency "),
        code=_code(asked),
    ).strip()
    return Ranked(sql=sql, params={name: params[name] for name in params if f"${name}" in sql})


def _class(asked: Ranking, axis: str, value: str, params: dict[str, object], part: str = "") -> str:
    borders: Sequence[float] = getattr(asked.cuts, axis)
    if borders:
        names = _names(params, f"{axis}_border", borders)
        # A border in days is reached from below: the fewer, the better.
        tests = [f"days <= {name}" if axis == "recency" else f"{value} >= {name}" for name in names]
        return " + ".join(["1", *(f"case when {test} then 1 else 0 end" for test in tests)])
    if asked.method == "edges":
        return _edges(asked, axis, value, part)
    # The engine takes the number of an NTILE as a literal only; it is a whole number that was checked.
    return (RANK if asked.method == "rank" else NTILE).format(part=part, value=value, classes=int(asked.quantiles))


def _edges(asked: Ranking, axis: str, value: str, part: str) -> str:
    recency = axis == "recency"
    if recency:
        value = "days" if asked.recency_by == "day" else "date_diff('second', last_at, $now)"
    value = f"cast({value} as double)"
    edges = (f"quantile_cont({value}, {i / asked.quantiles!r}) over ({part})" for i in range(1, asked.quantiles))
    above = " + ".join(f"case when {value} > {edge} then 1 else 0 end" for edge in edges)
    return f"$quantiles - ({above})" if recency else f"1 + {above}"


def _code(asked: Ranking) -> str:
    signs = {axis: asked.signs(axis) for axis in AXES}
    if not all(signs.values()):
        return "''"
    columns: Mapping[str, str] = {"recency": "r.r", "frequency": "r.f", "third": "b.m"}
    parts = [f"coalesce({_sign(signs[axis], column)}, '–')" for axis, column in columns.items()]
    return f"({' || '.join(parts)})"


def _sign(signs: str, column: str) -> str:
    quoted = signs.replace("'", "''")
    return f"substr('{quoted}', cast({column} as integer), 1)"


def _bound(params: dict[str, object], stem: str, values: Sequence[object]) -> str:
    return ", ".join(_names(params, stem, values))


def _names(params: dict[str, object], stem: str, values: Sequence[object]) -> Iterator[str]:
    for number, value in enumerate(values):
        params[f"{stem}{number}"] = value
        yield f"${stem}{number}"
