"""What people said, recorded at the prompt and from files, and shown again."""

from __future__ import annotations

from datetime import datetime
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

import pytest

from sfactl.api.errors import ConfigError, DataError, NotFound, UserError
from sfactl.consent import usecases
from sfactl.consent.addresses import address_of, listed_of
from sfactl.consent.words import Kind, Reading, moment_of
from tests.campaigns.conftest import FRIDAY, Acme


def standing(acme: Acme, who: str) -> dict[str, tuple[bool, str]]:
    with acme.session() as session:
        [shown] = usecases.show(session, who)
    return {s.topic: (s.may, s.why) for s in shown.standings}


def test_a_word_is_recorded_shown_and_taken_back(acme: Acme) -> None:
    acme.leads({"lead_id": 1, "email": "Wang@example.com"})
    with acme.session() as session:
        usecases.grant(session, "wang@EXAMPLE.com", topic="offers", evidence="card")
        usecases.withdraw(session, "lead:1", topic="news")
    assert standing(acme, "1") == {
        "": (True, "no objection"),
        "news": (False, "unsubscribed"),
        "events": (False, "no consent"),
        "offers": (True, "agreed"),
    }
    with acme.session() as session:
        usecases.withdraw(session, "1")
        assert usecases.grant(session, "1", topic="offers", confirmed=False).new == 1
        table = usecases.history(session, "wang@example.com")
    assert set(standing(acme, "1").values()) == {(False, "unsubscribed")}, "of one moment the no counts"
    assert sorted(table.column("word").to_pylist()) == ["asked", "granted", "withdrawn", "withdrawn"]
    assert [a for a in table.column("evidence").to_pylist() if a] == ["card"]


def test_a_stranger_who_says_no_is_listed_until_they_say_yes(acme: Acme) -> None:
    with acme.session() as session:
        assert usecases.withdraw(session, "+886 912 345 678", topic="news").listed == 1
        assert usecases.withdraw(session, "0912345678", topic="news").listed == 0
        with pytest.raises(NotFound, match=r"there is no lead 'new@example.com'"):
            usecases.grant(session, "new@example.com")
        [shown] = usecases.show(session, "+886912345678")
        assert [(e.value, e.scope, e.reason) for e in shown.listed] == [("+886912345678", "news", "unsubscribe")]
    acme.leads({"lead_id": 1, "phone": "+886912345678"})
    assert standing(acme, "1")["news"] == (False, "unsubscribed")
    with acme.session() as session:
        assert usecases.grant(session, "1", topic="events").lifted == 0
        assert usecases.grant(session, "1", topic="news").lifted == 1
    assert standing(acme, "1")["news"] == (True, "agreed")


def test_a_dry_run_writes_nothing(acme: Acme, tmp_path: Path) -> None:
    acme.leads({"lead_id": 1})
    (tmp_path / "list.txt").write_text("a@b.example\n")
    with acme.session(dry_run=True) as session:
        assert usecases.grant(session, "1").new == 1
        assert usecases.import_list(session, tmp_path / "list.txt").new == 1
    with acme.session() as session:
        assert usecases.history(session, "1").num_rows == 0
        assert usecases.suppressed(session).num_rows == 0


def test_a_file_of_consents(acme: Acme, tmp_path: Path) -> None:
    acme.leads({"lead_id": 1}, {"lead_id": 2, "phone": "+886912345678"}, {"lead_id": 3})
    file = tmp_path / "words.csv"
    file.write_text(
        "Who,Status,Topic,Date\n"
        "u1@example.com,granted,news,2026-11-01\n"
        "0912345678,Opt-Out,,2026-11-20\n"
        "lead:3,subscribed,offers,2026-11-01T10:00\n"
        "gone@example.com,withdrawn,news,\n"
        "gone@example.com,granted,news,\n"
        "u1@example.com; u3@example.com,granted,,\n"
        "u1@example.com,perhaps,,\n"
        "u1@example.com,granted,newz,\n"
        "u1@example.com,granted,,2027-01-01\n"
        "u1@example.com,granted\n"
    )
    with acme.session() as session:
        reading = Reading(topics=session.settings.topics, now=session.now(), zone=session.zone, country="TW")
        done = usecases.import_words(session, file, reading=reading)
        again = usecases.import_words(session, file, reading=reading)
        rows = session.query().rows('select lead_id, kind, topic, "at" from touchpoints order by 1')
    assert (done.rows, done.new, done.listed, again.new, again.known, again.listed) == (10, 3, 1, 0, 3, 0)
    assert [(r.row, r.reason) for r in done.rejected] == [
        (6, "no lead has gone@example.com"),
        (7, "'u1@example.com; u3@example.com' is more than one address"),
        (8, "state 'perhaps' is none of granted, asked, withdrawn"),
        (9, "there is no topic 'newz'"),
        (10, "'2027-01-01' is still to come"),
        (11, "has 2 columns, the header has 4"),
    ]
    assert rows == [
        (1, "consent", "news", datetime(2026, 10, 31, 16)),
        (2, "unsubscribe", None, FRIDAY),  # the day is not over yet
        (3, "subscribe", "offers", datetime(2026, 11, 1, 2)),
    ]


@pytest.mark.parametrize(
    ("text", "error"),
    [
        pytest.param("name,state\nx,granted\n", "no column says who", id="nobody"),
        pytest.param("email\na@b.example\n", "no column says what they said", id="nothing-said"),
    ],
)
def test_a_file_that_says_too_little(acme: Acme, tmp_path: Path, text: str, error: str) -> None:
    (tmp_path / "words.csv").write_text(text)
    with acme.session() as session, pytest.raises(DataError, match=error):
        reading = Reading(topics=(), now=session.now(), zone=session.zone, country="TW")
        usecases.import_words(session, tmp_path / "words.csv", reading=reading)


@pytest.mark.parametrize(
    ("text", "new", "rejected"),
    [
        pytest.param("u1@example.com\nU1@EXAMPLE.COM\n\n", 1, 0, id="lines"),
        pytest.param("email,why\nu1@example.com,x\nno address,y\n", 1, 1, id="column"),
        pytest.param("sha256\n" + "a" * 64 + "\n" + "A" * 64 + "\n" + "a" * 63 + "\n", 1, 1, id="hashes"),
        pytest.param("", 0, 0, id="empty"),
    ],
)
def test_a_list_of_addresses(acme: Acme, tmp_path: Path, text: str, new: int, rejected: int) -> None:
    (tmp_path / "list.csv").write_text(text)
    with acme.session() as session:
        done = usecases.import_list(session, tmp_path / "list.csv", reason="robinson")
        again = usecases.import_list(session, tmp_path / "list.csv", reason="robinson")
    assert (done.new, len(done.rejected), again.new) == (new, rejected, 0)


def test_topics_are_counted(acme: Acme) -> None:
    acme.leads({"lead_id": 1}, {"lead_id": 2})
    with acme.session() as session:
        usecases.grant(session, "1", topic="offers", confirmed=False)
        usecases.withdraw(session, "2", topic="events")
        rows = usecases.topics(session).to_pylist()
    assert [(r["topic"], r["basis"], r["yes"], r["unconfirmed"], r["no"]) for r in rows] == [
        ("", "legitimate_interest", 0, 0, 0),
        ("news", "legitimate_interest", 0, 0, 0),
        ("events", "consent", 0, 0, 1),
        ("offers", "consent", 0, 1, 0),
    ]


@pytest.mark.parametrize(
    ("day", "kind", "at"),
    [
        pytest.param("2026-11-01", "consent", "2026-10-31T16:00", id="a-yes-from-the-begin-of-the-day"),
        pytest.param("2026-11-01", "unsubscribe", "2026-11-01T16:00", id="a-no-from-its-end"),
        pytest.param("2026-11-20", "unsubscribe", "2026-11-20T02:00", id="today-not-after-now"),
        pytest.param("2026-11-20T09:30+08:00", "consent", "2026-11-20T01:30", id="with-a-zone"),
    ],
)
def test_a_day_is_one_of_the_workspace(day: str, kind: Kind, at: str) -> None:
    assert moment_of(day, kind, ZoneInfo("Asia/Taipei"), FRIDAY) == datetime.fromisoformat(at)


@pytest.mark.parametrize(
    ("text", "found"),
    [
        pytest.param(" Wang@Example.COM ", ("email", "wang@example.com"), id="case"),
        pytest.param("ann@xn--mnchen-3ya.example", ("email", "ann@münchen.example"), id="idna"),
        pytest.param("ann@MÜNCHEN.example", ("email", "ann@münchen.example"), id="unicode"),
        pytest.param("jose\u0301@example.com", ("email", "josé@example.com"), id="composed"),
        pytest.param("a.b+news@gmail.com", ("email", "a.b+news@gmail.com"), id="dots-and-plus-belong-to-it"),
        pytest.param("0912-345-678", ("phone", "+886912345678"), id="phone"),
    ],
)
def test_one_form_of_an_address(text: str, found: Any) -> None:
    assert address_of(text, "TW") == found
    assert listed_of(text, "TW") == found


@pytest.mark.parametrize("text", ["", "hello", "@", "a@b@c", "a@b.example, c@d.example", "a b@c.example"])
def test_what_is_no_address(text: str) -> None:
    with pytest.raises(UserError):
        address_of(text, "TW")


def test_unknown_topics_and_people_are_named(acme: Acme) -> None:
    acme.leads({"lead_id": 1})
    with acme.session() as session:
        with pytest.raises(ConfigError, match=r"there is no topic 'offer'\. Did you mean 'offers'"):
            usecases.grant(session, "1", topic="offer")
        with pytest.raises(NotFound, match="there is no lead '2'"):
            usecases.grant(session, "2")
        with pytest.raises(NotFound, match="there is no lead 2"):
            usecases.show(session, "2")
