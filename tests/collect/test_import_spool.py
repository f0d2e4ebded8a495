"""What was collected comes into the workspace once, and scanners are told from people."""

from __future__ import annotations

import tomllib
from collections.abc import Iterator
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

import pyarrow as pa
import pytest

from sfactl.api.records import Receipt
from sfactl.collect import segments
from sfactl.collect.model import Act, Post
from sfactl.collect.spool import Spool
from sfactl.collect.usecases import import_spool
from sfactl.collect.usecases.importing import Imported
from sfactl.config.settings import Settings
from sfactl.session import FixedClock, Session, open_session
from sfactl.workspace import Workspace
from sfactl.workspace.ledger import Effect
from tests.collect.conftest import PERSON

NOW = datetime(2026, 11, 22, 9)
LATER = timedelta(minutes=10)
CASES = tomllib.loads((Path(__file__).parent / "scanners.toml").read_text(encoding="utf-8"))["case"]


@pytest.fixture
def session(tmp_path: Path) -> Iterator[Session]:
    yield from opened(tmp_path / "ws")


def opened(folder: Path) -> Iterator[Session]:
    Workspace.create(folder).close()
    clock = FixedClock(NOW + LATER)
    with open_session(folder, settings=Settings(), command="t", actor="t", clock=clock, quiet=True) as s:
        for part in ("links", "posts"):
            (folder / ".sfactl/collect" / part).mkdir(parents=True)
        rows = [{"lead_id": n, "email": f"lead{n}@example.com"} for n in (1, 2, 3)]
        sent = [{"message_key": "sms", "channel": "sms", "state": "accepted", "at": NOW - timedelta(days=1)}]
        s.reserve("lead", len(rows))
        with s.write("leads") as tx:
            tx.upsert("leads", pa.Table.from_pylist(rows, schema=s.workspace.schemas["leads"].arrow()))
            tx.append("messages", pa.Table.from_pylist(sent, schema=s.workspace.schemas["messages"].arrow()))
            tx.commit()
        yield s


def act(n: object, deed: str = "click", at: datetime = NOW, **more: Any) -> Act:
    said: dict[str, Any] = {"message_key": f"k{n}", "lead_id": 1, "target": "https://a.example/", "agent": PERSON}
    return Act(id=f"link:{n}", at=at, deed=deed, **{**said, **more})  # type: ignore[arg-type]


def keep(session: Session, *records: Act | Post, part: str = "links") -> Spool:
    """Spool them as a collector that goes on serving does."""
    spool = Spool(folder=session.folder / ".sfactl/collect" / part, now=session.now)
    spool.add(records)
    return spool


def events(session: Session, columns: str = "kind, lead_id, campaign, topic, channel") -> list[tuple[Any, ...]]:
    with session.query() as query:
        return query.rows(f'select {columns} from touchpoints order by "at", event_id')


def left(session: Session) -> list[str]:
    return sorted(p.suffix for p in (session.folder / ".sfactl/collect").rglob("*.*") if p.is_file())


def test_everything_comes_in_once(session: Session) -> None:
    """However often it is asked for, while the collector serves and when it has stopped."""
    spool = keep(
        session,
        act(1, "unsubscribe", topic="news", campaign="spring", target=""),
        act(2, message_key="sms"),
        act(3, "open", target="", lead_id=2),
        act(4, "look", target="unsubscribe"),
    )
    first = import_spool(session)
    assert (first.new, first.files, left(session)) == (3, 0, [".open"])
    assert import_spool(session).new == 0
    spool.close()
    last = import_spool(session)
    assert (last.new, last.files, left(session)) == (0, 1, [])
    assert events(session) == [
        ("unsubscribe", 1, "spring", "news", "email"),
        ("email_click", 1, None, None, "sms"),
        ("email_open", 2, None, None, "email"),
    ]
    assert events(session, "content, page, message_key")[1] == ("https://a.example/", "https://a.example/", "sms")


def test_clicks_wait_until_scanners_can_be_told_and_unsubscribes_do_not(session: Session) -> None:
    """A minute for the one, nothing for the other."""
    at = session.now() - timedelta(seconds=5)
    keep(session, act(1, at=at), act(2, "unsubscribe", at=at)).close()
    assert (first := import_spool(session)).new == 1
    assert (first.waiting, left(session)) == (1, [".jsonl"])
    session.clock.advance(LATER)  # type: ignore[attr-defined]
    assert import_spool(session).new == 1
    assert {kind for kind, *_ in events(session)} == {"unsubscribe", "email_click"}
    assert left(session) == []


def test_a_confirmation_counts_once_whenever_it_is_said_again(session: Session) -> None:
    """An old link that is used again brings back no consent that was withdrawn."""
    keep(session, act(1, "consent", target="", topic="news")).close()
    import_spool(session)
    session.clock.advance(timedelta(days=40))  # type: ignore[attr-defined]
    keep(session, act(1, "consent", target="", topic="news", at=session.now())).close()
    assert import_spool(session).new == 0


def test_leads_that_are_gone_and_merged(session: Session) -> None:
    """What a merged lead did is the living one's; of nobody there is no event."""
    alias = [{"entity": "lead", "id": 9, "into_id": 3, "root_id": 3}]
    with session.write("record_aliases") as tx:
        tx.upsert("record_aliases", pa.Table.from_pylist(alias))
        tx.commit()
    keep(session, act(1, lead_id=9), act(2, lead_id=77)).close()
    result = import_spool(session)
    assert (result.new, result.strangers, left(session)) == (1, 1, [])
    assert [lead for _, lead, *_ in events(session)] == [3]


@pytest.fixture(scope="module")
def judged(tmp_path_factory: pytest.TempPathFactory) -> dict[str, str]:
    """What every act of scanners.toml was held for: each case has a lead's messages of its own."""
    session = next(opening := opened(tmp_path_factory.mktemp("judged") / "ws"))
    sent = [{"message_key": f"m{n}", "channel": "email", "state": "accepted", "at": NOW} for n in range(len(CASES))]
    with session.write() as tx:
        tx.append("messages", pa.Table.from_pylist(sent, schema=session.workspace.schemas["messages"].arrow()))
        tx.commit()
    keep(session, *(_said(place, n, said) for place, case in enumerate(CASES) for n, said in enumerate(case["acts"])))
    import_spool(session)
    assert {d for k, d in events(session, "kind, direction") if k.startswith("bot_")} == {None}  # of nobody
    found = dict(events(session, "event_id, kind"))
    opening.close()
    return found


def _said(place: int, n: int, said: dict[str, Any]) -> Act:
    more = {name: said[name] for name in ("target", "agent", "method", "ahead") if name in said}
    key = said["message"] + "-other" if "message" in said else "m"
    return act(
        f"{place}.{n}",
        said.get("deed", "click"),
        NOW + timedelta(seconds=said["after"]),
        message_key=f"{key}{place}",
        **more,
    )


@pytest.mark.parametrize("case", CASES, ids=[c["id"] for c in CASES])
def test_scanners_are_told_from_people(judged: dict[str, str], case: dict[str, Any]) -> None:
    """Cases of scanners.toml: acts with the seconds since the message was sent, and what each is held for."""
    place = CASES.index(case)
    found = [judged.get(f"link:{place}.{n}", "") for n in range(len(case["acts"]))]
    assert found == [said["held_for"] for said in case["acts"]]


def test_forms_become_leads_once(session: Session) -> None:
    """Known people are found, unknown ones are new leads, and what cannot be a lead is kept for a person to see."""
    form = "\n".join(["schema = 1", 'origins = ["https://a.example"]', "[fields.email]", "[fields.message]"])
    (session.folder / "forms").mkdir()
    (session.folder / "forms/contact.toml").write_text(form)
    posts = [
        Post(id=f"p{n}", at=NOW, form="contact", fields={"email": email, "message": "hi"}, page="https://a.example/c")
        for n, email in enumerate(("lead1@example.com", "new@example.com", "not an address"))
    ]
    spool = keep(session, *posts, part="posts")
    assert import_spool(session).forms == ()  # the collector has not completed the file yet
    spool.close()
    (done,) = import_spool(session).forms
    assert (done.posts, done.new, done.rejected, left(session)) == (3, 1, 1, [])
    assert events(session, "kind, lead_id, content, page, text") == [
        ("form_submit", 1, "contact", "https://a.example/c", "hi"),
        ("form_submit", 4, "contact", "https://a.example/c", "hi"),
    ]
    keep(session, *posts, part="posts").close()  # as if it had been killed before it removed the file
    (again,) = import_spool(session).forms
    assert (again.new, len(events(session))) == (0, 2)


def test_a_form_that_is_gone_keeps_its_postings(session: Session) -> None:
    """They wait until somebody puts the form's file back."""
    keep(session, Post(id="p", at=NOW, form="lost", fields={"email": "a@b.example"}), part="posts").close()
    result = import_spool(session)
    assert (result.well, left(session)) == (False, [".jsonl"])
    assert "forms/lost.toml" in result.forms[0].problem


def test_a_torn_line_was_never_answered_for_and_damage_is_kept_aside(session: Session) -> None:
    """What can be read comes in; a file with damage in its middle is kept for a person to look at."""
    folder = session.folder / ".sfactl/collect/links"
    one, two = segments.line(act(1, "unsubscribe")), segments.line(act(2, "unsubscribe", lead_id=2))
    (folder / "20261122T090000000000-aa.jsonl").write_bytes(one + two[:30])
    (folder / "20261122T090001000000-bb.open").write_bytes(one + b"garbage\n" + two[:-3] + b"\n\0\n" + two)
    result = import_spool(session)
    assert (result.new, result.well, left(session)) == (2, False, [".damaged"])
    assert result.damaged == ("20261122T090001000000-bb.open: line 2",)


@pytest.mark.parametrize("dry", [True, False], ids=["dry", "for real"])
def test_a_long_backlog_comes_in_piece_by_piece(session: Session, monkeypatch: pytest.MonkeyPatch, dry: bool) -> None:
    """Each once, and scanners are told across the pieces, too: every fifth act belongs to a burst of three."""
    monkeypatch.setattr(segments, "CHUNK_FILES", 4)
    session.clock.advance(timedelta(hours=1))  # type: ignore[attr-defined]
    folder = session.folder / ".sfactl/collect/links"
    for n in range(20):
        at = NOW + timedelta(minutes=n)
        made = [act(f"{n}.{k}", at=at + timedelta(seconds=58 + k), target=f"https://a.example/{k}",
                    message_key=f"k{n}") for k in range(3 if n % 5 == 0 else 1)]  # fmt: skip
        for k, one in enumerate(made):  # the last acts of a burst stand in the next file
            name = f"{at + timedelta(seconds=58 + k):%Y%m%dT%H%M%S%f}-{k}.jsonl"
            (folder / name).write_bytes(segments.line(one))
    session.dry_run = dry
    result = import_spool(session)
    assert {k.kind: k.events for k in result.kinds} == {"bot_click": 12, "email_click": 16}
    session.dry_run = False
    assert (len(events(session)), len(left(session)), result.files) == ((0, 28, 28) if dry else (28, 0, 28))


def test_a_message_that_is_still_being_sent_around_it(session: Session) -> None:
    """When its run has not ended, the ledger knows when a message was taken."""
    effect = Effect(key="m", kind="message", payload_hash="x", meta={"lead_id": 1})
    session.clock.at = NOW  # type: ignore[attr-defined]
    with session.ledger.lease("campaign:x", run_id="r") as lease:
        lease.claim([effect])
        lease.settle([Receipt(key="m", outcome="accepted")])
    session.clock.advance(LATER)  # type: ignore[attr-defined]
    keep(session, act(1, at=NOW + timedelta(seconds=2), message_key="m")).close()
    assert [k.reason for k in import_spool(session).kinds] == ["came within five seconds of the sending"]


def test_who_ticks_a_topic_subscribes_to_it(session: Session) -> None:
    """Once, as the lead that the form made."""
    (session.folder / "forms").mkdir()
    (session.folder / "forms/news.toml").write_text(
        'schema = 1\norigins = ["https://a.example"]\nfields.email = {}\nfields.news = {topic = "news"}\n'
    )
    post = Post(id="p" * 32, at=NOW, form="news", fields={"email": "lead2@example.com"}, asked=("news",))
    for asked in (1, 0):
        keep(session, post, part="posts").close()
        assert import_spool(session).forms[0].asked == asked
    assert events(session, "kind, lead_id, topic") == [("subscribe", 2, "news"), ("form_submit", 2, None)]


def test_a_dry_run_leaves_everything(session: Session) -> None:
    """It only says what would be."""
    keep(session, act(1)).close()
    session.dry_run = True
    result: Imported = import_spool(session)
    assert (result.new, result.commit, left(session)) == (1, None, [".jsonl"])
    session.dry_run = False
    assert events(session) == []
