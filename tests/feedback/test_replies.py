"""Answers in a workspace: matched to what they answer, each once, and sequences that end with them."""

from __future__ import annotations

import hashlib
import mailbox
from datetime import datetime, timedelta
from email.utils import format_datetime
from pathlib import Path
from typing import Any

import pyarrow as pa
import pytest

from sfactl.config.settings import Settings
from sfactl.engine.links import Link
from sfactl.feedback.usecases import read_bounces, read_replies
from sfactl.session import FixedClock, Session, open_session
from sfactl.workspace import Workspace
from tests.feedback.test_answers import mail

NOW = datetime(2026, 6, 1, 9)
SENT = NOW - timedelta(days=2)


def message_id(key: str) -> str:
    return f"<{hashlib.sha256(key.encode()).hexdigest()[:40]}@acme.example>"


@pytest.fixture(scope="module")
def session(tmp_path_factory: pytest.TempPathFactory) -> Any:
    folder = tmp_path_factory.mktemp("replies") / "ws"
    Workspace.create(folder).close()
    with open_session(folder, settings=Settings(), command="t", actor="t", clock=FixedClock(NOW), quiet=True) as s:
        put(s, "leads", [{"lead_id": n, "email": f"Lead{n}@Example.com", "account_id": n * 10} for n in (1, 2, 3)])
        put(s, "reps", [{"rep_id": "amy", "email": "amy@acme.example"}])
        put(s, "messages", [message("k1", 1), message("k2", 2, provider_id="0100@ses.example")])
        yield s


def put(session: Session, dataset: str, rows: list[dict[str, Any]]) -> None:
    with session.write(dataset) as tx:
        schema = session.workspace.schemas[dataset]
        (tx.upsert if schema.kind == "state" else tx.append)(dataset, pa.Table.from_pylist(rows, schema=schema.arrow()))
        tx.commit()


def message(key: str, lead: int, **more: Any) -> dict[str, Any]:
    row = {"message_key": key, "campaign": "spring", "step": "invite", "lead_id": lead, "channel": "email"}
    return row | {"state": "accepted", "at": SENT, "recipient": f"lead{lead}@example.com"} | more


def read(session: Session, folder: Path, *raws: bytes) -> Any:
    for n, raw in enumerate(raws):
        (folder / f"{n}-{len(raw)}.eml").write_bytes(raw)
    return read_replies(session, sorted(folder.glob("*.eml")))


def events(session: Session, since: int, columns: str = "lead_id, kind, campaign, step, message_key") -> list[Any]:
    """What was stored after the commit ``since``."""
    with session.query() as query:
        known = [event for (event,) in session.query(since).rows("select event_id from touchpoints")]
        query.register("known", pa.table({"event_id": pa.array(known, pa.string())}))
        return query.rows(
            f"select {columns} from touchpoints t anti join known k on k.event_id = t.event_id order by 1, 2"
        )


CASES = {
    "by-its-id": (mail(f"In-Reply-To: {message_id('k1')}", sender="lead1@example.com"), (1, "reply", "spring", "k1")),
    "by-a-thread": (
        mail("In-Reply-To: <other@x.example>", f"References: {message_id('k1')} <other@x.example>", sender="lead1@example.com"),
        (1, "reply", "spring", "k1"),
    ),
    "from-another-address": (
        mail(f"In-Reply-To: {message_id('k1')}", sender="assistant@example.net"),
        (1, "reply", "spring", "k1"),
    ),
    "by-the-providers-id": (
        mail("In-Reply-To: <0100@ses.example>", sender="lead2@example.com"), (2, "reply", "spring", "k2")
    ),
    "by-its-address-alone": (mail("Subject: A question", sender="LEAD3@example.com"), (3, "reply", None, None)),
    "a-machine": (
        mail(f"In-Reply-To: {message_id('k1')}", "Auto-Submitted: auto-replied", sender="lead1@example.com"),
        (1, "auto_reply", "spring", "k1"),
    ),
    "no-more": (
        mail(f"In-Reply-To: {message_id('k1')}", body="unsubscribe", sender="lead1@example.com"),
        (1, "unsubscribe", "spring", "k1"),
    ),
    "the-mail-of-an-old-link": (
        mail(f"Subject: {hashlib.sha256(b'k2').hexdigest()[:40]}", body="", sender="somebody@example.net"),
        (2, "unsubscribe", "spring", "k2"),
    ),
}  # fmt: skip


@pytest.mark.parametrize(("raw", "expected"), CASES.values(), ids=CASES)
def test_whose_answer_it_is(
    session: Session, tmp_path: Path, raw: bytes, expected: tuple[int, str, str | None, str | None]
) -> None:
    head = session.workspace.head()
    assert read(session, tmp_path, raw).new == 1
    lead, kind, campaign, key = expected
    assert events(session, head) == [(lead, kind, campaign, "invite" if campaign else None, key)]
    again = read(session, tmp_path)
    assert (again.new, again.known) == (0, 1)


def test_a_signed_link_to_unsubscribe_by_mail(session: Session, tmp_path: Path) -> None:
    link = Link(purpose="unsubscribe", message_key="k1", lead_id=1, campaign="spring", step="invite", target="news")
    token = session.links.token(link)
    forged = session.links.token(link)[:-2] + "xx"
    head = session.workspace.head()
    result = read(session, tmp_path, *(mail(f"Subject: {t}", body="", sender="x@example.net") for t in (token, forged)))
    assert (result.new, result.strangers) == (1, 1)
    found = events(session, head, "lead_id, kind, topic, message_key, account_id")
    assert found == [(1, "unsubscribe", "news", "k1", 10)]


def test_what_is_nobodys_word(session: Session, tmp_path: Path) -> None:
    head = session.workspace.head()
    result = read(
        session,
        tmp_path,
        mail("Subject: Hello", sender="stranger@example.net"),
        mail(f"In-Reply-To: {message_id('k1')}", sender="amy@acme.example"),
        mail(f"References: {message_id('k1')}", body="Dear Ming, of course", sender="bob@acme.example"),
        mail(f"Message-ID: {message_id('k1')}", "Subject: Hi", sender="news@acme.example"),
        mail("List-Id: <news.example.com>", sender="lead1@example.com"),
        b"\xff\xfe",
    )
    assert (result.new, result.strangers, result.ours, result.no_report) == (0, 1, 3, 2)
    assert events(session, head) == []


def test_one_mailbox_with_everything_is_read_by_both_commands_once(session: Session, tmp_path: Path) -> None:
    from tests.feedback.test_notices import REPORT

    head = session.workspace.head()
    box = mailbox.Maildir(tmp_path / "box")
    box.add(
        REPORT.format(to="lead3@example.com", action="failed", status="5.1.1", said="550 5.1.1 no such user").encode()
    )
    box.add(mail(f"In-Reply-To: {message_id('k1')}", sender="lead1@example.com", body="My order failed, error 550!"))
    box.add(mail(f"In-Reply-To: {message_id('k2')}", "X-Autoreply: yes", sender="lead2@example.com"))
    assert read_bounces(session, [tmp_path / "box"]).new == 2
    assert read_replies(session, [tmp_path / "box"]).new == 1
    kinds = [(lead, kind) for lead, kind, *_ in events(session, head)]
    assert kinds == [(1, "reply"), (2, "auto_reply"), (3, "bounce")]


@pytest.mark.parametrize(
    ("header", "hours"),
    [
        (f"Date: {format_datetime(SENT + timedelta(hours=5))}", 5),
        ("Date: Mon, 1 Jan 2001 00:00:00 +0000", 0),
        (
            f"Date: Mon, 1 Jan 2001 00:00:00 +0000\nReceived: from x by mx; {format_datetime(SENT + timedelta(hours=7))}",
            7,
        ),
        ("Date: Mon, 1 Jan 2040 00:00:00 +0000", 48),
        ("Date: rubbish", 48),
    ],
    ids=["date", "before-what-it-answers", "our-server-knows-better", "to-come", "rubbish"],
)
def test_when_it_came(session: Session, tmp_path: Path, header: str, hours: float) -> None:
    head = session.workspace.head()
    read(session, tmp_path, mail(header, f"In-Reply-To: {message_id('k1')}", sender="lead1@example.com"))
    assert events(session, head, '"at", kind') == [(SENT + timedelta(hours=hours), "reply")]
