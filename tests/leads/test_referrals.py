"""Referrers: linked by the surest way of naming them; unknown ones listed, nobody by himself."""

from __future__ import annotations

from typing import Any

import pytest

from sfactl.leads import usecases

LEADS = """id,name,email,referrer
A1,Mei Wang,mei@example.tw,
A2,Jo Lin,jo@example.tw,MEI@example.tw
A3,Bo Li,bo@example.tw,A2
A4,Twin,t1@example.tw,lead:1
A5,Twin,t2@example.tw,rep:amy
A6,Di Wu,di@example.tw,Twin
A7,Al Ho,al@example.tw,al@example.tw
A8,Su Ma,su@example.tw,Amy Chen
A9,Ed Ko,ed@example.tw,nobody
B1,Ring One,r1@example.tw,B2
B2,Ring Two,r2@example.tw,B1
"""


@pytest.fixture
def told(desk: Any) -> Any:
    desk.load(LEADS)
    with desk.session() as session, session.write("reps") as tx:
        tx.upsert("reps", "select 'amy' as rep_id, 'Amy Chen' as name, true as active")
        tx.commit()
    return desk


def refer(desk: Any, **options: Any) -> Any:
    with desk.session(**options) as session:
        return usecases.link_referrers(session)


def test_everybody_gets_the_credit(told: Any) -> None:
    assert refer(told, dry_run=True).linked == 7
    result = refer(told)
    assert (result.linked, result.unknown, result.by) == (7, 3, {"lead": 5, "rep": 2})
    linked = told.rows(
        "select external_id, referrer_kind, referrer_id from leads where referrer_id is not null order by 1"
    )
    assert linked == [
        ("A2", "lead", "1"), ("A3", "lead", "2"), ("A4", "lead", "1"), ("A5", "rep", "amy"), ("A8", "rep", "amy"),
        ("B1", "lead", "11"), ("B2", "lead", "10"),
    ]  # fmt: skip
    assert [(m.referrer, m.reason) for m in result.missing] == [
        ("Twin", "2 people fit"),
        ("al@example.tw", "nobody has this name"),
        ("nobody", "nobody has this name"),
    ]


def test_a_second_run_has_nothing_to_do_until_somebody_comes(told: Any) -> None:
    refer(told)
    assert (again := refer(told)).linked == 0
    assert (again.unknown, again.commit) == (3, None)
    told.load("id,name,email\nC1,nobody,n@example.tw\n")
    assert refer(told).linked == 1
