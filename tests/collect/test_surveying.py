"""Surveys at the collector: looking records nothing, only a POST answers, and what does not fit is asked again."""

from __future__ import annotations

from datetime import timedelta

import pytest

from sfactl.collect.model import Act, Response
from sfactl.engine.links import Link
from tests.collect.conftest import Desk


def link(desk: Desk, campaign: str = "care", key: str = "t.care.ask.7.1") -> str:
    return f"/s/{desk.signer.token(Link(purpose='survey', message_key=key, lead_id=7, campaign=campaign, step='ask'))}"


def answers(desk: Desk) -> list[Response]:
    return [r for r in desk.kept() if isinstance(r, Response)]


@pytest.mark.parametrize("method", ["GET", "HEAD"])
def test_who_looks_answers_nothing(desk: Desk, method: str) -> None:
    seen = desk.ask(method, link(desk), accept_language="ja")
    assert seen.status == "200 OK"
    assert "薦めますか？" in seen.body.decode()
    assert [type(r) for r in desk.kept()] == [Act]
    assert {r.deed for r in desk.kept() if isinstance(r, Act)} == {"look"}


def test_an_answer_is_kept_before_anybody_is_thanked(desk: Desk) -> None:
    done = desk.ask("POST", link(desk), "form=survey&q.overall=9&q.service=4&comment=Fast%20and%20kind")
    assert done.status == "200 OK"
    [kept] = answers(desk)
    assert (kept.survey, kept.answers, kept.comment) == ("care", {"overall": 9, "service": 4}, "Fast and kind")
    assert (kept.message_key, kept.lead_id, kept.step) == ("t.care.ask.7.1", 7, "ask")
    assert (kept.kind, kept.low, kept.high) == ("nps", 0, 10)


def test_pressed_twice_is_one_and_a_later_answer_another(desk: Desk) -> None:
    for _ in range(2):
        desk.ask("POST", link(desk), "form=survey&q.overall=9")
    assert len(answers(desk)) == 1
    desk.clock.advance(timedelta(seconds=1))
    desk.ask("POST", link(desk), "form=survey&q.overall=3")
    assert [r.answers["overall"] for r in answers(desk)] == [9, 3]


@pytest.mark.parametrize(
    "body",
    [
        "form=survey",
        "form=survey&q.overall=11",
        "form=survey&q.overall=-1",
        "form=survey&q.overall=9%3B+3",
        "form=survey&q.overall=9&q.overall=3",
        "form=survey&q.service=4",
        "form=survey&overall=9",
        "form=survey&q.overall=9&q.service=x",
        "form=survey&q.overall=9&comment=" + "x" * 4001,
        "q.overall=9",
        "List-Unsubscribe=One-Click",
        "%ff",
    ],
)
def test_what_does_not_fit_is_asked_again_and_nothing_is_kept(desk: Desk, body: str) -> None:
    again = desk.ask("POST", link(desk), body)
    assert again.status == "400 Bad Request"
    assert b"<form" in again.body
    assert answers(desk) == []


def test_what_was_filled_in_is_still_there_when_it_is_asked_again(desk: Desk) -> None:
    page = desk.ask("POST", link(desk), "form=survey&q.service=4&comment=%3Cb%3E").body.decode()
    assert 'name="q.service" value="4" checked' in page
    assert "&lt;b&gt;</textarea>" in page
    assert 'role="alert"' in page


@pytest.mark.parametrize(
    ("query", "chosen"), [("a=9", True), ("a=42", False), ("b=9", False), ("a=%3Cscript%3E", False)]
)
def test_a_link_may_choose_but_not_send(desk: Desk, query: str, chosen: bool) -> None:
    page = desk.ask("GET", link(desk), query=query).body.decode()
    assert ("checked" in page.split("</style>")[1]) is chosen
    assert "<script" not in page
    assert answers(desk) == []


def test_a_survey_that_is_over_says_so(desk: Desk) -> None:
    for method, body in (("GET", ""), ("POST", "form=survey&q.overall=9")):
        gone = desk.ask(method, link(desk, campaign="former"), body)
        assert gone.status == "410 Gone"
    assert answers(desk) == []


def test_a_link_for_something_else_answers_no_survey(desk: Desk) -> None:
    for purpose in ("unsubscribe", "click", "confirm"):
        token = desk.token(purpose)  # type: ignore[arg-type]
        assert desk.ask("POST", f"/s/{token}", "form=survey&q.overall=9").status == "404 Not Found"
    assert desk.ask("POST", link(desk)[:-3] + "abc", "form=survey&q.overall=9").status == "404 Not Found"
    assert answers(desk) == []


def test_a_full_disk_refuses_the_answer(desk: Desk) -> None:
    desk.collector.surveys.spool.most_bytes = 1
    busy = desk.ask("POST", link(desk), "form=survey&q.overall=9")
    assert busy.status == "503 Service Unavailable"
    assert answers(desk) == []
