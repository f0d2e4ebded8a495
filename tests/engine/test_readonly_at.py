"""Events have a column ``at``, which is a reserved word of the engine: typed queries may use it bare."""

from __future__ import annotations

import pytest

from sfactl.engine.readonly import check_readonly


@pytest.mark.parametrize(
    ("typed", "run"),
    [
        ("select at from touchpoints", 'select "at" from touchpoints'),
        (
            "select max(at) as at from touchpoints where at > '2026-01-01' order by at;",
            'select max("at") as "at" from touchpoints where "at" > \'2026-01-01\' order by "at"',
        ),
        ("select t.at, 'at' from touchpoints t", "select t.\"at\", 'at' from touchpoints t"),
        ('select "at" from touchpoints', 'select "at" from touchpoints'),
        ("explain select at from touchpoints", 'explain select "at" from touchpoints'),
    ],
    ids=["bare", "everywhere", "qualified", "quoted", "explain"],
)
def test_at_is_quoted(typed: str, run: str) -> None:
    assert check_readonly(typed, ["touchpoints"]) == run
