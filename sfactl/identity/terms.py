"""Write down what a weight consists of, as JSON: one entry a field that says something, and the corrections."""

from __future__ import annotations

import json

from sfactl.identity.comparison import base
from sfactl.identity.linking import Linked


def terms_sql(linked: Linked) -> str:
    """SQL for the terms of a weighed pair as JSON; the values are not in it, so that erasing a person erases them."""
    if not linked.own:  # a plugin weighed the pairs and wrote its own reasons
        return "coalesce(t.terms, '[]')"
    width = base(linked.fields)
    parts = [f'\'{{"field":"prior","level":"","bits":{linked.model.prior}}}\'']
    for i, c in enumerate(linked.fields):
        level = f"(t.pattern // {width**i}::bigint % {width})"
        names = " ".join(f"when {j} then {_quoted(lv.name)}" for j, lv in enumerate(c.levels, 1))
        head = _quoted('{"field":' + json.dumps(c.name) + ',"level":"')
        tail = f"'\",\"bits\":' || {_bits(f't.t{i}')} || '}}'"
        parts.append(f"case when {level} > 0 then {head} || case {level} {names} end || {tail} end")
    for column, name in (
        ("together", "fields that go together"),
        ("cap", "shared by a household or company"),
        ("against", "the names differ"),
        ("rival", "one partner at most"),
    ):
        head = _quoted('{"field":' + json.dumps(name) + ',"level":"","bits":')
        parts.append(f"case when t.{column} <> 0 then {head} || {_bits(f't.{column}')} || '}}' end")
    return f"case when t.a is null then '[]' else '[' || concat_ws(',', {', '.join(parts)}) || ']' end"


def _quoted(text: str) -> str:
    return "'" + text.replace("'", "''") + "'"


def _bits(column: str) -> str:
    return f"cast(cast({column} / 1000.0 as decimal(12,3)) as varchar)"
