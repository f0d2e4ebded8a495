"""Which rows passing time can make count: told as narrowly as the conditions allow, never too narrowly."""

from __future__ import annotations

from datetime import datetime

import pytest

from sfactl.engine.conditions import Condition, compile_many
from sfactl.schemas import core_schemas

NOW = datetime(2026, 11, 1)
CASES = {
    "one kind": (["has(touchpoints) filter (where kind = 'visit' and within('3 days'))"], ("kind", ("visit",))),
    "several kinds": (
        [
            "has(touchpoints) filter (where kind = 'visit' and within('3 days'))",
            "count(touchpoints) filter (where within('9 days') and kind = 'call') > 2",
        ],
        ("kind", ("call", "visit")),
    ),
    "one asks for any": (
        ["has(touchpoints) filter (where kind = 'visit')", "count(touchpoints) filter (where within('9 days')) > 2"],
        None,
    ),
    "either of two": (["has(touchpoints) filter (where (kind = 'visit' or kind = 'call') and within('3 days'))"], None),
    "different columns": (
        ["has(touchpoints) filter (where kind = 'visit')", "has(touchpoints) filter (where channel = 'web')"],
        None,
    ),
}


@pytest.mark.parametrize(("texts", "only"), CASES.values(), ids=CASES.keys())
def test_rows_that_matter(texts: list[str], only: tuple[str, tuple[str, ...]] | None) -> None:
    asked = [Condition(name=f"c{n}", text=text) for n, text in enumerate(texts)]
    windows = compile_many(asked, schemas=core_schemas(), now=NOW).windows
    assert windows
    assert {w.only for w in windows if w.dataset == "touchpoints"} == {only}
