"""Access logs tell of the same acts as the collector, with the same ids: what both know counts once."""

from __future__ import annotations

import gzip
from collections.abc import Iterator
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from sfactl.api.errors import DataError, UserError
from sfactl.collect.collector import Collector
from sfactl.collect.model import Request
from sfactl.collect.spool import Spool
from sfactl.collect.surveying import SurveyDesk
from sfactl.collect.usecases import import_spool
from sfactl.collect.usecases.logs import import_link_logs
from sfactl.engine.links import PATHS, Link, Purpose
from sfactl.session import FixedClock, Session
from tests.collect.conftest import PERSON
from tests.collect.test_import_spool import NOW, opened

ROBOT = "Mozilla/5.0 (compatible; Googlebot/2.1; +http://www.google.com/bot.html)"


@pytest.fixture(scope="module")
def session(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Session]:
    yield from opened(tmp_path_factory.mktemp("logs") / "ws")


def path_of(session: Session, purpose: Purpose, key: str, target: str = "", lead: int = 1) -> str:
    link = Link(purpose=purpose, message_key=key, lead_id=lead, campaign="spring", step="a", target=target)
    return f"/{PATHS[purpose]}/{session.links.token(link)}"


def line(path: str, *, method: str = "GET", at: datetime = NOW, status: int = 302, agent: str = PERSON) -> str:
    stamp = (at + timedelta(hours=8)).strftime("%d/%b/%Y:%H:%M:%S +0800")
    return f'192.0.2.7 - - [{stamp}] "{method} {path} HTTP/1.1" {status} 12 "-" "{agent}"\n'


def events(session: Session, *keys: str) -> list[tuple[Any, ...]]:
    listed = ", ".join(f"'{key}'" for key in keys)
    with session.query() as query:
        return query.rows(
            "select message_key, kind, lead_id, campaign, coalesce(topic, page, text) from touchpoints"
            f" where message_key in ({listed}) order by 1, 2"
        )


def test_what_a_log_tells(session: Session, tmp_path: Path) -> None:
    site = "https://a.example/"
    lines = [
        line("/go" + path_of(session, "click", "a1", site) + "?x=1"),
        line(path_of(session, "open", "a2"), status=200),
        line(path_of(session, "unsubscribe", "a3", "news"), method="POST", status=200),
        line(path_of(session, "unsubscribe", "a4"), status=200),
        line(path_of(session, "click", "a5", site), agent=ROBOT),
        line(path_of(session, "click", "a6", site), method="HEAD"),
        line(path_of(session, "confirm", "a7", "news"), method="POST", status=200),
        line(path_of(session, "click", "a8", site), status=503),
        line(path_of(session, "click", "a9", site)[:-3] + "xxx"),
        line(path_of(session, "preferences", "b1"), method="POST", status=200),
        line(path_of(session, "click", "b2", site, lead=99)),
        line("/index.html", status=200),
        "rubbish " + path_of(session, "click", "b3", site) + "\n",
    ]
    file = tmp_path / "access.log.gz"
    file.write_bytes(gzip.compress("".join(lines).encode()))
    first = import_link_logs(session, [file], form="combined")
    assert (first.lines, first.links, first.new, first.forged, first.refused) == (13, 12, 6, 1, 1)
    assert (first.preferences, first.unread, first.strangers) == (1, 1, 1)
    assert events(session, *(f"a{n}" for n in range(1, 10)), "b1", "b2", "b3") == [
        ("a1", "email_click", 1, "spring", site),
        ("a2", "email_open", 1, "spring", None),
        ("a3", "unsubscribe", 1, "spring", "news"),
        ("a5", "bot_click", 1, "spring", site),
        ("a6", "bot_click", 1, "spring", site),
        ("a7", "consent", 1, "spring", "news"),
    ]
    again = import_link_logs(session, [file], form="combined")
    assert (again.new, again.commit) == (0, None)


@pytest.mark.parametrize("log_first", [True, False], ids=["log-first", "collector-first"])
def test_what_the_collector_knows_too_counts_once(session: Session, tmp_path: Path, log_first: bool) -> None:
    key = "log" if log_first else "spool"
    asked: list[tuple[Purpose, str, str, bytes]] = [
        ("click", "https://a.example/", "GET", b""),
        ("open", "", "GET", b""),
        ("unsubscribe", "news", "POST", b"List-Unsubscribe=One-Click"),
    ]
    clock = FixedClock(NOW)
    folder = tmp_path / "spool"
    for part in ("links", "posts"):
        (folder / part).mkdir(parents=True)
    collector = Collector(
        signer=session.links,
        spool=Spool(folder=folder / "links", now=clock.now),
        posts=Spool(folder=folder / "posts", now=clock.now),
        surveys=SurveyDesk(spool=Spool(folder=folder / "answers", now=clock.now), now=clock.now),
        now=clock.now,
    )
    log = tmp_path / "access.log"
    with log.open("w") as out:
        for n, (purpose, target, method, body) in enumerate(asked):
            path = path_of(session, purpose, f"{key}{n}", target)
            headers = {"user-agent": PERSON, "content-type": "application/x-www-form-urlencoded"}
            answer = collector.answer(Request(method=method, path=path, headers=headers, body=body))
            out.write(line(path, method=method, at=clock.now(), status=int(answer.status[:3])))
            clock.advance(timedelta(seconds=30))
    news = []
    for from_log in (log_first, not log_first):
        done: Any = import_link_logs(session, [log], form="combined") if from_log else import_spool(session, folder)
        news.append(done.new)
    assert news == [3, 0]
    assert [e[1] for e in events(session, f"{key}0", f"{key}1", f"{key}2")] == [
        "email_click",
        "email_open",
        "unsubscribe",
    ]


def test_what_was_fetched_ahead_is_no_click_because_a_log_does_not_say_so(session: Session, tmp_path: Path) -> None:
    folder = tmp_path / "spool"
    for part in ("links", "posts"):
        (folder / part).mkdir(parents=True)
    spool = Spool(folder=folder / "links", now=lambda: NOW)
    surveys = SurveyDesk(spool=spool, now=lambda: NOW)
    collector = Collector(signer=session.links, spool=spool, posts=spool, surveys=surveys, now=lambda: NOW)
    path = path_of(session, "click", "ahead", "https://a.example/")
    collector.answer(Request(method="GET", path=path, headers={"user-agent": PERSON, "sec-purpose": "prefetch"}))
    assert import_spool(session, folder).new == 1
    (tmp_path / "access.log").write_text(line(path))
    assert import_link_logs(session, [tmp_path / "access.log"], form="combined").new == 0


def test_a_log_without_names_holds_nobody_for_a_scanner(session: Session, tmp_path: Path) -> None:
    log = tmp_path / "access.log"
    log.write_text(line(path_of(session, "click", "common", "https://a.example/")).replace(f' "-" "{PERSON}"', ""))
    assert [k.kind for k in import_link_logs(session, [log], form="common").kinds] == ["email_click"]


def test_wrong_files(session: Session, tmp_path: Path) -> None:
    with pytest.raises(UserError, match="no such file"):
        import_link_logs(session, [tmp_path / "nothing"], form="combined")
    bad = tmp_path / "bad.log"
    bad.write_text("rubbish " + path_of(session, "click", "x") + "\n")
    with pytest.raises(DataError, match="no line is in the form"):
        import_link_logs(session, [bad], form="json")
    (tmp_path / "empty.log").write_bytes(b"\xff\xfe\n")
    assert import_link_logs(session, [tmp_path / "empty.log"], form="combined").lines == 1
