"""What a web server's log says of links is what the collector says: the same events, each once."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

from sfactl.api.errors import DataError
from sfactl.collect.usecases import import_logs, import_spool
from sfactl.session import Session
from tests.collect.conftest import PERSON, Desk
from tests.collect.test_import_spool import LATER, events, opened

if TYPE_CHECKING:
    from sfactl.engine.links import Purpose

ONE_CLICK = "List-Unsubscribe=One-Click"
ASKED: list[tuple[str, Purpose, str, str, str]] = [
    ("GET", "click", "https://a.example/x", "", PERSON),
    ("HEAD", "click", "https://a.example/x", "", PERSON),
    ("GET", "open", "", "", PERSON),
    ("GET", "open", "", "", "Mozilla/5.0"),
    ("GET", "unsubscribe", "news", "", PERSON),
    ("POST", "unsubscribe", "news", ONE_CLICK, "Googlebot/2.1"),
    ("POST", "unsubscribe", "news", "nothing", PERSON),
    ("POST", "confirm", "news", "form=confirm", PERSON),
    ("PUT", "unsubscribe", "", "", PERSON),
]


@pytest.fixture(scope="module")
def told(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[Session, Path]]:
    """A workspace whose collector was asked, and the log that the web server before it wrote."""
    folder = tmp_path_factory.mktemp("logged")
    session = next(opening := opened(folder / "ws"))
    desk = Desk(folder / "spool")
    desk.collector.signer = desk.signer = session.links
    lines = ["garbage", '1.2.3.4 - - [22/Nov/2026:18:00:00 +0800] "GET /c/' + "x" * 60 + ' HTTP/1.1" 200 1 "-" "x"']
    for method, purpose, target, body, agent in ASKED:
        path = desk.path(purpose, target)
        status = desk.ask(method, path, body, user_agent=agent).status[:3]
        at = desk.clock.now() + timedelta(hours=8)
        lines.append(f'1.2.3.4 - - [{at:%d/%b/%Y:%H:%M:%S} +0800] "{method} {path} HTTP/1.1" {status} 99 "-" "{agent}"')
        desk.clock.advance(timedelta(minutes=2))
    desk.collector.spool.close()
    (folder / "access.log").write_text("\n".join(lines) + "\n")
    session.clock.at = desk.clock.now() + LATER  # type: ignore[attr-defined]
    yield session, folder
    opening.close()


def test_log_and_collector_agree(told: tuple[Session, Path]) -> None:
    """Whichever is brought in first, the other adds nothing."""
    session, folder = told
    session.dry_run = True
    from_spool = import_spool(session, folder / "spool")
    session.dry_run = False
    from_log = import_logs(session, [folder / "access.log"], form="combined")
    assert from_log.kinds == from_spool.kinds
    assert (from_log.new, from_log.forged) == (6, 1)
    assert import_spool(session, folder / "spool").new == 0
    assert import_logs(session, [folder / "access.log"], form="combined").new == 0
    said: list[tuple[Any, ...]] = events(session, "kind, topic, page")
    assert said == [
        ("email_click", None, "https://a.example/x"),
        ("bot_click", None, "https://a.example/x"),
        ("email_open", None, None),
        ("bot_open", None, None),
        ("unsubscribe", "news", None),
        ("consent", "news", None),
    ]


def test_another_form_is_told(told: tuple[Session, Path]) -> None:
    """With what to say; a folder is no log."""
    session, folder = told
    with pytest.raises(DataError, match="no line is in the form 'json'"):
        import_logs(session, [folder / "access.log"], form="json")
    with pytest.raises(DataError, match="is a folder"):
        import_logs(session, [folder], form="combined")
