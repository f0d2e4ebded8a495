"""The mailbox against a real dovecot: mails as they are, cursors that hold, TLS that is verified, servers that go away."""

from __future__ import annotations

import importlib.util
import re
import socket
import sys
import threading
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import pytest

from sfactl.api.errors import AuthError, ConfigError, TryLater
from sfactl.testkit import MailboxSuite
from sfactl.testkit.mailbox_suite import mail
from sfactl.testkit.offer_suite import Make

_spec = importlib.util.spec_from_file_location("imap_tests_dovecot", Path(__file__).with_name("dovecot.py"))
assert _spec is not None
assert _spec.loader is not None
_module = importlib.util.module_from_spec(_spec)
sys.modules[_spec.name] = _module
_spec.loader.exec_module(_module)

pytestmark = pytest.mark.skipif(_module.BINARY is None, reason=_module.MISSING)
_users = iter(range(10_000))


@pytest.fixture(scope="module")
def server() -> Iterator[Any]:
    with _module.dovecot() as running:
        yield running


class TestImapMailbox(MailboxSuite):
    """The contract of mailboxes, and what it cannot know."""

    plugin = "sfactl_mailbox_imap"
    offer = "imap"

    @pytest.fixture
    def settings(self, server: Any, monkeypatch: pytest.MonkeyPatch) -> Mapping[str, Any]:
        """A user of its own for each test."""
        monkeypatch.setenv("IMAP_PASSWORD", _module.PASSWORD)
        self.server, self.user = server, f"u{next(_users)}"
        return {
            "host": "127.0.0.1",
            "port": server.port,
            "tls": "none",
            "user": self.user,
            "password": "env:IMAP_PASSWORD",
        }

    def deliver(self, raw: bytes) -> None:
        self.server.deliver(self.user, raw)

    @pytest.mark.parametrize("tls", ["implicit", "starttls"])
    def test_certificates_are_verified(self, make: Make, server: Any, tls: str) -> None:
        port = server.tls_port if tls == "implicit" else server.port
        self.deliver(mail(1))
        own = make(host="localhost", tls=tls, port=port, ca_file=server.ca_file)
        assert len(self.fetched(own, None)[0]) == 1
        stranger = make(host="localhost", tls=tls, port=port).check()
        assert "certificate verify failed" in stranger.problems[0]
        other_name = make(host="127.0.0.1", tls=tls, port=port, ca_file=server.ca_file).check()
        assert "IP address mismatch" in other_name.problems[0]

    def test_nothing_is_changed(self, make: Make, server: Any) -> None:
        self.deliver(mail(1))
        self.fetched(make(), None)
        assert [p.name.partition(":2,")[2] for p in (server.box(self.user) / "cur").iterdir()] in ([], [""])

    def test_a_folder_made_anew_is_read_from_its_start(self, make: Make, server: Any) -> None:
        for n in (1, 2):
            self.deliver(mail(n))
        found, cursor = self.fetched(make(), None)
        box = server.box(self.user)
        listed = box / "dovecot-uidlist"
        listed.write_text(re.sub(r" V\d+", " V77", listed.read_text(), count=1))
        for index in box.glob("dovecot.index*"):
            index.unlink()
        self.deliver(mail(3))
        again, new_cursor = self.fetched(make(), cursor)
        assert len(found) == 2
        assert sorted(again) == sorted([mail(1), mail(2), mail(3)])
        assert new_cursor == {"uidvalidity": 77, "uid": 3}

    def test_a_large_mail_is_cut(self, make: Make, server: Any) -> None:
        self.deliver(mail(1, b"x" * 1_500_000))
        for n in range(2, 6):
            self.deliver(mail(n))
        large, *others = self.fetched(make(largest_mb=1), None)[0]
        assert len(large) >= 1_000_000
        assert others == [mail(n) for n in range(2, 6)]

    def test_the_first_time_only_the_newest_days(self, make: Make, server: Any) -> None:
        import os

        self.deliver(mail(1))
        (old,) = (server.box(self.user) / "new").iterdir()
        os.utime(old, (1_000_000_000, 1_000_000_000))
        self.deliver(mail(2))
        assert self.fetched(make(first_days=7), None)[0] == [mail(2)]

    def test_a_wrong_password_a_wrong_folder_and_nobody_there(
        self, make: Make, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        with pytest.raises(ConfigError, match="folder"):
            self.fetched(make(folder="Nowhere"), None)
        monkeypatch.setenv("IMAP_PASSWORD", "wrong")
        with pytest.raises(AuthError, match="refused the password"):
            self.fetched(make(), None)
        with pytest.raises(TryLater):
            self.fetched(make(port=_module.free_port()), None)
        for wrong in ({"tls": "none", "host": "imap.acme.example"}, {"port": 99999}, {"user": ""}):
            with pytest.raises(ConfigError):
                make(**wrong)

    @pytest.mark.parametrize(
        "said",
        [b"", b"* BYE busy\r\n", b"220 smtp\r\n", b"* OK hi\r\n* BYE\r\n", b"\xff\xfe\r\n"],
        ids=["nothing", "bye", "smtp", "closes", "garbage"],
    )
    def test_a_server_that_misbehaves_is_tried_again_later(self, make: Make, said: bytes) -> None:
        with socket.socket() as listening:
            listening.bind(("127.0.0.1", 0))
            listening.listen(1)

            def answer() -> None:
                talk, _ = listening.accept()
                with talk:
                    talk.sendall(said)

            serving = threading.Thread(target=answer)
            serving.start()
            with pytest.raises(TryLater):
                self.fetched(make(port=listening.getsockname()[1], timeout_s=5), None)
            serving.join(10)
