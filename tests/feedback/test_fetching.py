"""Mailboxes of the workspace: each read on from where it was, files like servers, one that fails stops no other."""

from __future__ import annotations

import mailbox
from collections.abc import Iterator
from datetime import datetime
from pathlib import Path

import pytest

from sfactl.api.errors import NotFound, UserError
from sfactl.config.layers import load_settings
from sfactl.feedback.mailboxes import changed_at, mails_in
from sfactl.feedback.usecases.fetching import check_mailboxes, fetch
from sfactl.runs.usecases.ground import jobs_of
from sfactl.session import FixedClock, Session, open_session
from sfactl.testkit import MailboxSuite
from sfactl.workspace import Workspace
from tests.feedback.test_answers import mail
from tests.feedback.test_replies import put

NOW = datetime(2026, 6, 1, 9)


class TestFileMailbox(MailboxSuite):
    """The built-in mailbox keeps the contract."""

    plugin = "sfactl.feedback.plugin"
    offer = "files"

    @pytest.fixture
    def settings(self, workspace: Path) -> dict[str, str]:
        self.box = mailbox.Maildir(workspace / "Maildir")
        return {"path": "Maildir"}

    def deliver(self, raw: bytes) -> None:
        self.box.add(raw)


def open_in(folder: Path) -> Session:
    settings = load_settings(folder, env=None, environ={}, no_plugins=())
    return open_session(folder, settings=settings, command="t", actor="t", clock=FixedClock(NOW), quiet=True)


@pytest.fixture
def folder(tmp_path: Path) -> Iterator[Path]:
    folder = tmp_path / "ws"
    (folder / "mailboxes").mkdir(parents=True)
    (folder / "sfactl.toml").write_text("schema = 1\n")
    Workspace.create(folder).close()
    with open_in(folder) as session:
        put(session, "leads", [{"lead_id": n, "email": f"lead{n}@example.com"} for n in (1, 2, 3)])
    yield folder


def test_every_mailbox_goes_on_and_a_broken_one_stops_no_other(folder: Path) -> None:
    box = mailbox.Maildir(folder / "Maildir")
    box.add(mail(sender="lead1@example.com"))
    said = 'schema = 1\nuse = "files"\npath = "{}"\nschedule = "*/5 * * * *"\n'
    (folder / "mailboxes" / "sales.toml").write_text(said.format("Maildir"))
    (folder / "mailboxes" / "gone.toml").write_text(said.format("nowhere"))
    with open_in(folder) as session:
        gone, sales = fetch(session).mailboxes
        assert (gone.mailbox, gone.read.mails, "there is no file" in gone.problem) == ("gone", 0, True)
        assert (sales.read.new, sales.problem) == (1, "")
        assert session.workspace.cursor("mailbox.sales") is not None
        states = {state.mailbox: state.ok for state in check_mailboxes(session)}
        assert states == {"gone": False, "sales": True}
        jobs, _ = jobs_of(session)
        assert [(job.id, job.idle) for job in jobs if job.kind == "mailbox"] == [
            ("mailbox:gone", ""),
            ("mailbox:sales", ""),
        ]
    # A mail program files what it has read: nothing is missed, nothing counts twice.
    (key,) = box.keys()
    (path,) = (folder / "Maildir" / "new").iterdir()
    path.rename(folder / "Maildir" / "cur" / f"{path.name}:2,S")
    assert key
    box.add(mail(sender="lead2@example.com"))
    with open_in(folder) as session:
        (again,) = fetch(session, ["sales"]).mailboxes
        assert (again.read.mails, again.read.new, again.read.known) == (2, 1, 1)
        with pytest.raises(NotFound):
            fetch(session, ["sale"])


def test_without_mailboxes_the_way_is_told(folder: Path) -> None:
    with open_in(folder) as session, pytest.raises(UserError, match="no mailboxes"):
        fetch(session)


def test_mails_that_move_or_go_while_a_maildir_is_read_disturb_nothing(tmp_path: Path) -> None:
    box = mailbox.Maildir(tmp_path / "box")
    for number in range(4):
        box.add(f"Subject: {number}\n\n".encode())
    files = sorted((tmp_path / "box" / "new").iterdir())
    mails = mails_in(tmp_path / "box")
    found = [next(mails)]
    files[1].rename(tmp_path / "box" / "cur" / f"{files[1].name}:2,S")
    files[2].unlink()
    found += mails
    assert len(found) == 3
    assert changed_at(files[2]) == 0
