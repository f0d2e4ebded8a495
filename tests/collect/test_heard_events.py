"""What services post reaches the workspace once, by the collector or from files, and only what they posted."""

from __future__ import annotations

import base64
import json
from collections.abc import Iterator, Mapping
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

import pyarrow as pa
import pytest

from sfactl.api.errors import ConfigError, DataError, NotFound
from sfactl.api.records import Receipt
from sfactl.cli.main import main
from sfactl.collect.collector import BODY_BYTES, EVENTS_BYTES, Collector
from sfactl.collect.model import Request
from sfactl.collect.usecases import import_spool
from sfactl.collect.usecases.serving import open_collector
from sfactl.config.layers import load_settings
from sfactl.feedback.usecases.postings import read_events
from sfactl.session import FixedClock, Session, open_session
from sfactl.workspace import Workspace
from sfactl.workspace.ledger import Effect

pytest.importorskip("sfactl_sender_http")

NOW = datetime(2026, 11, 22, 9)
GRID_KEY = (
    "MFkwEwYHKoZIzj0CAQYIKoZIzj0DAQcDQgAE83T4O/n84iotIvIW4mdBgQ/7dAfSmpqIM8kF9mN1"
    "flpVKS3GRqe62gw+2fNNRaINXvVpiglSI8eNEc6wEA3F+g=="
)
HOOK = {"authorization": f"Basic {base64.b64encode(b'hook:pass').decode()}"}
FILES = {
    "sfactl.toml": 'schema = 1\n[workspace]\nname = "Acme"\n[collect]\nurl = "https://go.acme.example/x"\n',
    "senders/post.toml": 'schema = 1\nuse = "postmark"\nserver_token = "env:TOKEN"\nevents_key = "env:HOOK"\n',
    "senders/mute.toml": 'schema = 1\nuse = "postmark"\nserver_token = "env:TOKEN"\n',
    "senders/grid.toml": 'schema = 1\nuse = "sendgrid"\napi_key = "env:TOKEN"\nevents_key = "env:GRID"\n',
    "senders/outbox.toml": 'schema = 1\nuse = "maildir"\n',
}


@pytest.fixture
def session(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Session]:
    """A workspace with three leads, one sent message, one of which nobody knows, and services that may post."""
    monkeypatch.setenv("TOKEN", "t")
    monkeypatch.setenv("HOOK", "hook:pass")
    monkeypatch.setenv("GRID", GRID_KEY)
    folder = tmp_path / "ws"
    (folder / "senders").mkdir(parents=True)
    for name, text in FILES.items():
        (folder / name).write_text(text, encoding="utf-8")
    Workspace.create(folder).close()
    settings = load_settings(folder, env=None, environ={}, no_plugins=())
    clock = FixedClock(NOW)
    with open_session(folder, settings=settings, command="t", actor="t", clock=clock, quiet=True) as s:
        rows = [{"lead_id": n, "email": f"Lead{n}@example.com", "phone": f"+88691234567{n}"} for n in (1, 2, 3)]
        sent = {
            "message_key": "k.1",
            "provider_id": "p1",
            "channel": "email",
            "state": "accepted",
            "campaign": "spring",
        }
        sent |= {"step": "a", "lead_id": 1, "recipient": "lead1@example.com", "at": NOW - timedelta(hours=1)}
        with s.write("leads") as tx:
            tx.upsert("leads", pa.Table.from_pylist(rows, schema=s.workspace.schemas["leads"].arrow()))
            tx.append("messages", pa.Table.from_pylist([sent], schema=s.workspace.schemas["messages"].arrow()))
            tx.commit()
        yield s


def posting(record: str, **more: Any) -> bytes:
    """What Postmark posts of the message p1."""
    said = {"RecordType": record, "MessageID": "p1", "Recipient": "lead1@example.com"}
    return json.dumps({**said, "ReceivedAt": "2026-11-22T08:30:00Z", **more}).encode()


def post(collector: Collector, body: bytes, headers: Mapping[str, str] = HOOK, path: str = "/x/e/post") -> str:
    """The status of a posting."""
    return collector.answer(Request(method="POST", path=path, headers=headers, body=body)).status[:3]


def touches(session: Session, columns: str) -> list[tuple[Any, ...]]:
    """All touchpoints."""
    with session.query() as query:
        return query.rows(f'select {columns} from touchpoints order by "at", kind')


CLICK = posting("Click", OriginalLink="https://a.example/p", UserAgent="Mozilla/5.0 (X11) Firefox/131.0")
SCAN = posting("Click", OriginalLink="https://a.example/q", UserAgent="Barracuda Sentinel")
GONE = posting("Bounce", Type="HardBounce", Email="lead1@example.com", Details="550 5.1.1 user unknown", ID=7)
BOUNCE = GONE.replace(b"ReceivedAt", b"BouncedAt")


def test_what_is_posted_comes_in_once(session: Session) -> None:
    """However often it is delivered and brought in, with its campaign, and as what it is."""
    collector = open_collector(session)
    assert list(collector.listeners) == ["grid", "post"]
    for _ in range(3):
        assert [post(collector, body) for body in (CLICK, SCAN, BOUNCE)] == ["200"] * 3
    first = import_spool(session).services
    assert (first.events, first.new, first.suppressed) == (3, 3, 1)
    assert collector.told is not None
    collector.told.close()
    post(open_collector(session), CLICK)
    again = import_spool(session).services
    assert (again.new, again.suppressed) == (0, 0)
    assert again.known == again.events >= 1
    assert touches(session, "kind, lead_id, campaign, step, direction, content, value, message_key") == [
        ("bot_click", 1, "spring", "a", None, "https://a.example/q", None, "k.1"),
        ("bounce", 1, "spring", "a", "inbound", "userunknown", 1.0, "k.1"),
        ("email_click", 1, "spring", "a", "inbound", "https://a.example/p", None, "k.1"),
    ]
    with session.query() as query:
        assert query.rows("select kind, value, reason from suppressions") == [("email", "lead1@example.com", "bounce")]


def test_a_file_of_postings_says_the_same(session: Session, tmp_path: Path) -> None:
    """One posting a file or one a line; what the collector took adds nothing."""
    collector = open_collector(session)
    post(collector, CLICK)
    import_spool(session)
    lines, one = tmp_path / "postings.jsonl", tmp_path / "one.json"
    lines.write_bytes(CLICK + b"\n\n" + SCAN + b"\n")
    one.write_text(json.dumps(json.loads(BOUNCE), indent=2), encoding="utf-8")
    result = read_events(session, "post", [lines, one])
    assert (result.events, result.new, result.known) == (3, 2, 1)
    lines.write_bytes(CLICK + b"\n<html>\n")
    with pytest.raises(DataError, match=r"postings.jsonl, line 2: the posting is not JSON"):
        read_events(session, "post", [lines])


@pytest.mark.parametrize(
    ("headers", "body", "path", "status"),
    [
        pytest.param({}, CLICK, "/x/e/post", "403", id="unsigned"),
        pytest.param({"authorization": "Basic aG9vazpwYXN0"}, CLICK, "/x/e/post", "403", id="forged"),
        pytest.param(HOOK, b"<html>", "/x/e/post", "400", id="no-posting"),
        pytest.param(HOOK, CLICK, "/x/e/mute", "404", id="no-key"),
        pytest.param(HOOK, CLICK, "/x/e/outbox", "404", id="no-reader"),
        pytest.param(HOOK, CLICK, "/x/e/", "404", id="no-name"),
        pytest.param(HOOK, posting("Delivery", ReceivedAt=""), "/x/e/post", "200", id="nothing-told"),
    ],
)
def test_what_is_not_genuine_leaves_nothing(
    session: Session, headers: dict[str, str], body: bytes, path: str, status: str
) -> None:
    """Forged postings are counted, never kept."""
    collector = open_collector(session)
    assert post(collector, body, headers, path) == status
    assert import_spool(session).services.events == 0
    assert touches(session, "kind") == []


def test_a_get_posts_nothing_and_sizes_have_limits(session: Session) -> None:
    """A service may post more at a time than a person."""
    collector = open_collector(session)
    assert collector.answer(Request(method="GET", path="/x/e/post", headers=HOOK)).status.startswith("405")
    assert (collector.takes("/x/e/post"), collector.takes("/x/f/contact")) == (EVENTS_BYTES, BODY_BYTES)


def test_an_unknown_message_is_settled_by_what_its_service_tells(session: Session, tmp_path: Path) -> None:
    """It has it, so nobody sends it again and nobody has to look."""
    meta = {"campaign": "spring", "step": "a", "lead_id": 2, "recipient": "lead2@example.com", "channel": "email"}
    with session.ledger.lease("campaign/spring", run_id="r") as lease:
        lease.claim([Effect(key="k.2", kind="message", payload_hash="", meta=meta)])
        lease.settle([Receipt(key="k.2", outcome="unknown")])
    event = {"event": "delivered", "email": "lead2@example.com", "timestamp": 1795334400, "sg_event_id": "e"}
    (tmp_path / "told.json").write_text(json.dumps([{**event, "sfactl_key": "k.2"}]), encoding="utf-8")
    assert read_events(session, "grid", [tmp_path / "told.json"]).settled == 1
    assert session.ledger.counts() == {"accepted": 1}
    assert touches(session, "kind, lead_id, campaign, direction, message_key") == [
        ("email_delivered", 2, "spring", "outbound", "k.2")
    ]


def test_people_we_do_not_know_are_counted_and_complaints_of_theirs_heeded(session: Session, tmp_path: Path) -> None:
    """An address that complained is left in peace, whoever it belongs to."""
    said = {"RecordType": "SpamComplaint", "MessageID": "other", "Email": "who@example.org", "ID": 9}
    path = tmp_path / "told.json"
    path.write_text(json.dumps({**said, "BouncedAt": "2026-11-22T08:30:00Z"}), encoding="utf-8")
    dry = FixedClock(NOW)
    with open_session(
        session.folder, settings=session.settings, command="t", actor="t", clock=dry, quiet=True, dry_run=True
    ) as rehearsal:
        assert read_events(rehearsal, "post", [path]).suppressed == 1
    result = read_events(session, "post", [path])
    assert (result.new, result.strangers, result.suppressed) == (0, 1, 1)


def test_a_sender_that_cannot_read_is_named(session: Session) -> None:
    """With those that can."""
    with pytest.raises(ConfigError, match="maildir cannot read") as caught:
        read_events(session, "outbox", [])
    assert "postmark" in (caught.value.hint or "")
    with pytest.raises(NotFound, match=r"no senders/nobody\.toml"):
        read_events(session, "nobody", [])


@pytest.mark.parametrize(("name", "value"), [("HOOK", None), ("GRID", "no key")], ids=["missing", "no-key"])
def test_a_key_that_is_none_is_told_before_anything_is_served(
    session: Session, monkeypatch: pytest.MonkeyPatch, name: str, value: str | None
) -> None:
    """While it serves, a key that went away makes the service come again later."""
    collector = open_collector(session)
    if value is None:
        monkeypatch.delenv(name)
        assert post(collector, CLICK) == "503"
    else:
        monkeypatch.setenv(name, value)
    with pytest.raises(ConfigError):
        open_collector(session)


def test_at_the_prompt(session: Session, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """What was told is said in words."""
    (tmp_path / "told.jsonl").write_bytes(CLICK + b"\n" + BOUNCE + b"\n")
    session.close()
    assert main(["-w", str(session.folder), "touch", "events", str(tmp_path / "told.jsonl"), "--sender", "post"]) == 0
    shown = capsys.readouterr().out.splitlines()
    assert shown[0] == "2 events · 2 new"
    assert [line.split() for line in shown[1:3]] == [
        ["bounce", "1", "spring", "/", "a"],
        ["email_click", "1", "spring", "/", "a"],
    ]
    assert shown[3] == "1 suppressed"
