"""The timeline holds everything once and in order, also after merges; the profile shows who says what since when."""

from __future__ import annotations

from collections.abc import Callable
from datetime import date, timedelta
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest

from sfactl.api.errors import NotFound, UserError
from sfactl.leads import conversion_usecases
from sfactl.portrait.timeline import KINDS
from sfactl.portrait.usecases import tagging
from sfactl.portrait.usecases.history import timeline
from sfactl.portrait.usecases.profile import profile

from .conftest import NOW, Desk, touch


def kinds(desk: Desk, ref: str, **options: Any) -> list[str]:
    session = desk.session(as_of=options.pop("as_of", None))
    return [entry.kind for entry in timeline(session, ref, limit=0, **options).entries]


def ago(**by: float) -> Any:
    return NOW - timedelta(**by)


@pytest.fixture
def deal(desk: Desk) -> Desk:
    """A lead that became a customer."""
    desk.put(
        "leads", [{"lead_id": 1, "status": "sql", "full_name": "王小明", "company": "台灣精密", "email": "m@p.tw"}]
    )
    desk.put("touchpoints", [touch(1, 1, "form_submit", days=30, text="請報價 😀"), touch(2, 1, "call", days=20)])
    desk.put(
        "messages",
        [
            {
                "message_key": "m",
                "at": ago(days=25),
                "lead_id": 1,
                "channel": "email",
                "state": "accepted",
                "campaign": "x",
            }
        ],
    )
    desk.put("score_events", [{"event_id": "s", "at": ago(days=19), "lead_id": 1, "score": "intent", "points": 60.0}])
    desk.put("assignments", [{"event_id": "a", "at": ago(days=18), "entity": "lead", "entity_id": 1, "rep_id": "ann"}])
    stages = Path(__file__).resolve().parents[2] / "configs" / "b2b" / "stages" / "opportunity.toml"
    desk.file("stages/opportunity.toml", stages.read_text(encoding="utf-8"))
    return desk


def test_everything_of_a_lead_stands_in_its_timeline_in_time_order(deal: Desk) -> None:
    deal.put("cases", [{"case_id": 7, "lead_id": 1, "subject": "broken", "status": "open", "state": "open"}])
    deal.put(
        "case_events",
        [
            {"event_id": "c", "at": ago(days=10), "case_id": 7, "kind": "opened", "to_status": "new"},
            {
                "event_id": "d",
                "at": ago(days=9),
                "case_id": 7,
                "kind": "moved",
                "from_status": "new",
                "to_status": "open",
            },
        ],
    )
    found = timeline(deal.session(), "lead:1", limit=0)
    assert [e.kind for e in found.entries] == ["touch", "message", "touch", "score", "assignment", "case", "case"]
    assert [(e.what, e.detail, e.about) for e in found.entries[-2:]] == [
        ("opened new", "broken", "case:7"),
        ("moved new → open", "broken", "case:7"),
    ]
    assert [e.at for e in found.entries] == sorted(e.at for e in found.entries)
    assert found.entries[0].detail == "請報價 😀"
    assert set(found.counts) <= set(KINDS)
    assert kinds(deal, "lead:2") == []


def test_conversion_keeps_campaign_and_history_and_the_account_shows_all_of_it(deal: Desk) -> None:
    conversion_usecases.convert(deal.session(), ["lead:1"])
    assert conversion_usecases.convert(deal.session(), ["lead:1"]).already == (1,)
    ((account, contact),) = deal.rows("select account_id, contact_id from leads where lead_id = 1")
    deal.put(
        "orders",
        [
            {
                "order_id": 9,
                "at": ago(days=3),
                "account_id": account,
                "lead_id": 1,
                "amount": Decimal(10),
                "currency": "TWD",
            }
        ],
    )
    deal.put(
        "receivables", [{"receivable_id": "r", "order_id": 9, "account_id": account, "invoiced_on": date(2026, 11, 19)}]
    )
    deal.put("receipts", [{"receipt_id": "p", "account_id": account, "paid_on": date(2026, 11, 20), "kind": "payment"}])
    everything = ["touch", "message", "touch", "score", "assignment", "order", "invoice", "payment"]
    for ref in (f"account:{account}", f"contact:{contact}", "lead:1"):
        found = kinds(deal, ref)
        shared = [k for k in found if k in everything]
        assert shared == [k for k in everything if k != "payment" or ref.startswith("account")]
        assert {"stage", "deal"} <= set(found)
    assert deal.rows("select campaign from messages where lead_id = 1") == [("x",)]


def test_pages_cut_the_timeline_without_loss(desk: Desk) -> None:
    desk.put("touchpoints", [touch(n, 1, "visit", days=n, content=f"/p{n}") for n in range(500)])
    pages = [timeline(desk.session(), "1", page=n + 1, limit=60) for n in range(9)]
    assert {page.pages for page in pages} == {9}
    joined = [e.ref for page in reversed(pages) for e in page.entries]
    assert joined == [e.ref for e in timeline(desk.session(), "1", limit=0).entries]
    assert len(set(joined)) == 500
    with pytest.raises(UserError, match="no page 10"):
        timeline(desk.session(), "1", page=10, limit=60)


def test_the_past_and_single_kinds_can_be_asked_for(deal: Desk) -> None:
    assert kinds(deal, "1", kinds=["touch,score"]) == ["touch", "touch", "score"]
    deal.later(days=1)
    deal.put("touchpoints", [{"event_id": "new", "at": deal.clock.at, "kind": "visit", "lead_id": 1}])
    assert len(kinds(deal, "1")) == 6
    assert len(kinds(deal, "1", as_of="2026-11-21")) == 5
    with pytest.raises(UserError, match="no kind 'tuch'") as caught:
        timeline(deal.session(), "1", kinds=["tuch"])
    assert caught.value.hint == "Did you mean 'touch'?"


@pytest.mark.parametrize(
    ("ref", "error"),
    [
        ("lead:99", NotFound),
        ("laed:1", UserError),
        ("account:x", UserError),
        ("no@body.com", NotFound),
        ("", UserError),
    ],
)
def test_whoever_is_not_there_is_told(desk: Desk, ref: str, error: type[Exception]) -> None:
    with pytest.raises(error):
        timeline(desk.session(), ref)


def test_after_a_merge_the_timeline_is_the_union(make_desk: Callable[..., Desk]) -> None:
    from sfactl.identity.usecases.merge import merge

    desk = make_desk("m", [{"lead_id": n, "full_name": f"L{n}", "status": "new"} for n in (1, 2)])
    desk.put("touchpoints", [touch(n, n % 2 + 1, "visit", days=n) for n in range(1, 7)])
    tagging.set_tags(desk.session(), ["2"], ["vip"])
    merge(desk.session(), "lead", ["1", "2"])
    ((survivor,),) = desk.rows("select lead_id from leads")
    for ref in ("lead:1", "lead:2"):
        found = timeline(desk.session(), ref, limit=0)
        assert found.ref == f"lead:{survivor}"
        assert [e.ref for e in found.entries if e.kind == "touch"] == [f"t{n}" for n in range(6, 0, -1)]
        assert [e.what for e in found.entries if e.kind == "tag"] == ["vip"]


def test_a_profile_shows_each_fact_with_source_and_date_and_both_of_two_that_contradict(desk: Desk) -> None:
    desk.put("accounts", [{"account_id": 7, "name": "Acme", "country": "US", "employees": 50, "created_at": NOW}])
    desk.put("contacts", [{"contact_id": 3, "account_id": 7, "full_name": "Ann", "title": "CEO"}])
    desk.put(
        "leads",
        [
            {"lead_id": 1, "account_id": 7, "company": "ACME", "employees": 80, "need": "lasers", "source": "expo"},
            {"lead_id": 2, "account_id": 7, "company": "Acme", "country": "US", "need": "filters"},
        ],
    )
    desk.later(days=2)
    desk.put(
        "leads",
        [{"lead_id": 1, "account_id": 7, "company": "ACME", "employees": 90, "need": "lasers", "source": "expo"}],
    )
    desk.put("touchpoints", [touch(1, None, "call", account_id=7, text="wants it in May")])
    tagging.set_tags(desk.session(), ["account:7"], ["key account"])
    found = profile(desk.session(), "7")
    known = {k.field: k for k in found.known}
    assert not known["name"].contradicts, "capitals and width do not make a contradiction"
    assert not known["country"].contradicts
    assert known["employees"].contradicts
    assert [(f.value, f.source, f.at) for f in known["employees"].facts] == [
        ("90", "lead:1 (expo)", NOW + timedelta(days=2)),
        ("50", "account:7", NOW),
    ]
    assert found.contradictions == 1
    assert {f.value for f in found.situation} == {"lasers", "filters"}
    assert [f.at for f in found.situation if f.value == "lasers"] == [NOW], "since it was first said"
    assert [(p.name, p.ref) for p in found.people] == [("Ann", "contact:3")]
    assert [(t.value, t.source) for t in found.tags] == [("key account", "manual on account:7")]
    assert [f.value for f in found.said] == ["wants it in May"]
    before = profile(desk.session(as_of="2026-11-21"), "account:7")
    assert [f.value for k in before.known if k.field == "employees" for f in k.facts] == ["50", "80"]
    assert profile(desk.session(), "lead:1").ref == "account:7"
    with pytest.raises(UserError, match="no account yet"):
        profile(desk.session(), "lead:3")
