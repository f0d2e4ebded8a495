"""TLS is verified: whom the authority did not vouch for, by this name and today, gets no mail and no password."""

from __future__ import annotations

import ssl
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Literal

import pytest

from tests.scripted_smtp import Script, ScriptedServer, at, message, send, sender_for, serving, usual

trustme = pytest.importorskip("trustme")
NOW = datetime.now(UTC)


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Certificates: one good, others each wrong in one way."""
    folder = tmp_path_factory.mktemp("tls")
    ours, theirs = trustme.CA(), trustme.CA()
    ours.cert_pem.write_to_path(folder / "authority.pem")
    made = {
        "good": ours.issue_cert("127.0.0.1"),
        "wrong-name": ours.issue_cert("mail.acme.example"),
        "expired": ours.issue_cert("127.0.0.1", not_before=NOW - timedelta(days=9), not_after=NOW - timedelta(days=1)),
        "not-yet": ours.issue_cert("127.0.0.1", not_before=NOW + timedelta(days=1), not_after=NOW + timedelta(days=9)),
        "unknown-authority": theirs.issue_cert("127.0.0.1"),
    }
    for name, certificate in made.items():
        certificate.private_key_and_cert_chain_pem.write_to_path(folder / f"{name}.pem")
    return folder


@contextmanager
def encrypted(certificate: Path, tls: str) -> Iterator[ScriptedServer]:
    """A server with that certificate that takes any password."""
    trust = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    trust.load_cert_chain(certificate)
    features = ("AUTH PLAIN", *(["STARTTLS"] if tls == "starttls" else []))
    with serving(at("AUTH", "235 come in"), tls=trust, features=features, implicit=tls == "implicit") as server:
        yield server


@pytest.mark.parametrize("tls", ["starttls", "implicit"])
@pytest.mark.parametrize(
    ("certificate", "why"),
    [
        ("good", ""),
        ("wrong-name", "IP address mismatch"),
        ("expired", "certificate has expired"),
        ("not-yet", "certificate is not yet valid"),
        ("unknown-authority", "unable to get local issuer certificate"),
    ],
)
def test_only_a_server_that_is_vouched_for_is_spoken_to(
    folder: Path, tmp_path: Path, tls: Literal["starttls", "implicit"], certificate: str, why: str
) -> None:
    with encrypted(folder / f"{certificate}.pem", tls) as server:
        sender = sender_for(
            server,
            tls=tls,
            ca_file=str(folder / "authority.pem"),
            user="u",
            password="env:P",
            secrets={"env:P": "hunter2"},
        )
        report = sender.check()
        [receipt] = send(sender, message())
    assert (receipt.outcome, len(server.taken)) == (("retry_after", 0) if why else ("accepted", 1))
    assert (why in " ".join(report.problems)) if why else report.facts["tls"].startswith("TLSv1.")
    assert ("could not be trusted" in receipt.detail) == bool(why)
    assert any(c.startswith("AUTH") for c in server.commands) == (not why)


@pytest.mark.parametrize(
    ("script", "features"),
    [
        pytest.param(usual, (), id="offer-stripped"),
        pytest.param(at("STARTTLS", "454 not now"), ("STARTTLS",), id="put-off"),
    ],
)
def test_nothing_goes_out_in_the_clear_where_tls_is_wanted(script: Script, features: tuple[str, ...]) -> None:
    with serving(script, features=features) as server:
        sender = sender_for(server, tls="starttls", user="u", password="env:P", secrets={"env:P": "hunter2"})
        [receipt] = send(sender, message())
    assert receipt.outcome == "retry_after"
    assert not server.taken
    assert not [c for c in server.commands if c.upper().startswith(("MAIL", "AUTH"))]


def test_what_was_said_before_encryption_is_forgotten(folder: Path) -> None:
    """Replies put into the stream in the clear must not be taken for those of the encrypted server."""
    trust = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    trust.load_cert_chain(folder / "good.pem")
    asked: list[str] = []

    def script(_: int, command: str) -> str | None:
        asked.append(command.upper())
        first = asked.count("EHLO X") == 1 and asked[-1] == "EHLO X"
        return "250-here\r\n250-STARTTLS\r\n250 PIPELINING" if first else None

    with serving(script, tls=trust) as server:
        sender = sender_for(server, tls="starttls", ca_file=str(folder / "authority.pem"), helo="x")
        report = sender.check()
        sender.close()
    assert (report.problems, report.facts.get("pipelining")) == ((), "no")
