"""The suite for all senders, over each way to a real server: in the clear, STARTTLS, and TLS from the first byte."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any, ClassVar

import pytest

from sfactl.testkit import SenderSuite, SmtpSink


class Suite(SenderSuite):
    """One server for all tests of a class; what arrived is counted from the beginning of the test."""

    __test__ = False
    plugin = "sfactl_sender_smtp"
    offer = "smtp"
    server: ClassVar[Mapping[str, Any]] = {}
    client: ClassVar[Mapping[str, Any]] = {}

    @pytest.fixture(scope="class")
    @classmethod
    def sink(cls, tmp_path_factory: pytest.TempPathFactory) -> Iterator[SmtpSink]:
        folder = tmp_path_factory.mktemp("sink")
        server = dict(cls.server)
        if server.get("tls"):
            trustme = pytest.importorskip("trustme")
            authority = trustme.CA()
            authority.cert_pem.write_to_path(folder / "authority.pem")
            authority.issue_cert("127.0.0.1").private_key_and_cert_chain_pem.write_to_path(folder / "server.pem")
            server["certificate"] = folder / "server.pem"
        with SmtpSink(folder / "mail", **server) as sink:
            yield sink

    @pytest.fixture
    def settings(self, sink: SmtpSink, monkeypatch: pytest.MonkeyPatch) -> Mapping[str, object]:
        monkeypatch.setenv("SINK_PASSWORD", "hunter2")
        self.sink, self.before = sink, len(sink.delivered())
        settings = {"host": sink.host, "port": sink.port, **self.client}
        if self.server.get("tls"):
            settings["ca_file"] = str(Path(sink.folder).parent / "authority.pem")
        return settings

    def delivered(self) -> Sequence[str]:
        return [str(d.message["Subject"]) for d in self.sink.delivered()[self.before :]]


class TestInTheClear(Suite):
    __test__ = True
    client: ClassVar[Mapping[str, Any]] = {"tls": "none", "messages_per_connection": 2}


class TestStarttls(Suite):
    __test__ = True
    server: ClassVar[Mapping[str, Any]] = {"tls": "starttls", "pipelining": True, "login": ("u", "hunter2")}
    client: ClassVar[Mapping[str, Any]] = {"tls": "starttls", "user": "u", "password": "env:SINK_PASSWORD"}


class TestImplicitTls(Suite):
    __test__ = True
    server: ClassVar[Mapping[str, Any]] = {"tls": "implicit", "pipelining": True}
    client: ClassVar[Mapping[str, Any]] = {"tls": "implicit"}
