"""Folders as receivers: a key arrives once, also from two processes at the same moment, and stays found when read."""

from __future__ import annotations

import errno
import os
from collections.abc import Callable, Sequence
from email import message_from_bytes
from pathlib import Path

import pytest

from sfactl.api.mail import message_id
from sfactl.api.records import Message, Receipt
from sfactl.campaigns.senders.letterbox import Letterbox
from sfactl.campaigns.senders.maildir import MaildirSender, MaildirSettings
from tests.scripted_smtp import SenderContext


class Context(SenderContext):
    """What the host would hand over, for a workspace in a folder."""

    def __init__(self, workspace: Path) -> None:
        super().__init__()
        self.workspace = workspace


def message(n: int = 1) -> Message:
    return Message(
        key=f"key-{n}",
        channel="email",
        recipient="王@例子.台灣",
        sender="台灣精機 <n@acme.example>",
        subject=f"您好 {n}",
        text=".",
    )


def put(
    box: Letterbox, messages: Sequence[Message], write: Callable[[Message], bytes] = lambda _: b"x"
) -> list[Receipt]:
    return list(box.put_all(messages, write))


@pytest.fixture
def box(tmp_path: Path) -> Letterbox:
    return Letterbox("box", ".eml", Context(tmp_path))


def test_a_mail_program_may_move_and_mark_a_message(box: Letterbox) -> None:
    [receipt] = put(box, [message()])
    (box.path / "new" / receipt.provider_id).rename(box.path / "cur" / f"{receipt.provider_id}:2,FS")
    [again] = put(box, [message()])
    [found, missing] = box.lookup(["key-1", "key-2"])
    assert (again.outcome, again.provider_id) == ("accepted", f"{receipt.provider_id}:2,FS")
    assert (found.outcome, missing.outcome) == ("accepted", "retry_after")
    assert len(list(box.files())) == 1


def test_who_comes_second_leaves_the_first_one_alone(box: Letterbox, tmp_path: Path) -> None:
    other = Letterbox("box", ".eml", Context(tmp_path))

    def while_the_other_delivers(_: Message) -> bytes:
        assert [r.outcome for r in put(other, [message()], lambda _: b"first")] == ["accepted"]
        return b"second"

    assert [r.outcome for r in put(box, [message()], while_the_other_delivers)] == ["accepted"]
    [file] = box.files()
    assert file.read_bytes() == b"first"
    assert list((box.path / "tmp").iterdir()) == []


def test_what_a_killed_process_left_is_in_nobodys_way(box: Letterbox) -> None:
    [receipt] = put(box, [message()])
    (box.path / "new" / receipt.provider_id).unlink()
    (box.path / "tmp" / f"{receipt.provider_id}.{os.getpid()}.2").write_bytes(b"half")
    assert [r.outcome for r in put(box, [message()], lambda _: b"whole")] == ["accepted"]
    assert [file.read_bytes() for file in box.files()] == [b"whole"]


def test_a_file_system_without_hard_links_will_do(box: Letterbox, monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(*_: object) -> None:
        raise OSError(errno.EPERM, "no links here")

    monkeypatch.setattr(Path, "hardlink_to", refuse)
    assert [r.outcome for r in put(box, [message(1), message(2)])] == ["accepted", "accepted"]
    assert len(list(box.files())) == 2


def test_a_folder_that_cannot_be_written_to_takes_nothing(tmp_path: Path) -> None:
    (tmp_path / "box").write_text("a file")
    box = Letterbox("box", ".eml", Context(tmp_path))
    assert "cannot be written" in box.check().problems[0]


def test_one_message_that_is_no_mail_does_not_hold_the_others(tmp_path: Path) -> None:
    sender = MaildirSender(MaildirSettings(folder="box"), Context(tmp_path))
    bad = Message(
        key="bad", channel="email", recipient="a@b.example, c@d.example", sender="n@acme.example", subject="", text=""
    )
    receipts = list(sender.send([message(1), bad, message(2)]))
    assert [r.outcome for r in receipts] == ["accepted", "refused", "accepted"]
    assert "is not an e-mail address" in receipts[1].detail
    files = [f.read_bytes() for f in (tmp_path / "box" / "new").iterdir()]
    assert sorted(str(message_from_bytes(f)["Message-ID"]) for f in files) == sorted(
        message_id(f"key-{n}", "n@acme.example") for n in (1, 2)
    )
    assert all("To: 王@".encode() in f for f in files)
