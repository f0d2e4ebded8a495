"""Logging in by each mechanism; a password is never part of what is said about it."""

from __future__ import annotations

import base64
import hmac

import pytest

from tests.scripted_smtp import message, send, sender_for, serving

TOKEN = "user=u\x01auth=Bearer hunter2\x01\x01"


def coded(text: str) -> str:
    return base64.b64encode(text.encode()).decode()


def knows(_: int, command: str) -> str | None:
    """A server that knows u and hunter2, and says so in each mechanism's way."""
    proof = "u " + hmac.new(b"hunter2", b"<1@here>", "md5").hexdigest()
    answers = {
        f"AUTH PLAIN {coded(chr(0) + 'u' + chr(0) + 'hunter2')}": "235 come in",
        f"AUTH LOGIN {coded('u')}": f"334 {coded('Password:')}",
        coded("hunter2"): "235 come in",
        "AUTH CRAM-MD5": f"334 {coded('<1@here>')}",
        coded(proof): "235 come in",
        f"AUTH XOAUTH2 {coded(TOKEN)}": "235 come in",
    }
    if command.startswith("AUTH XOAUTH2") and command not in answers:
        return f"334 {coded('{status:401}')}"
    verbs = ("HELLO", "EHLO", "MAIL", "RCPT", "DATA", "BODY", "END", "QUIT", "RSET")
    return answers.get(command, None if command.upper().startswith(verbs) else "535 no")


@pytest.mark.parametrize("mechanism", ["auto", "plain", "login", "cram-md5", "xoauth2"])
@pytest.mark.parametrize("password", ["hunter2", "guessed"])
def test_each_mechanism(mechanism: str, password: str) -> None:
    with serving(knows, features=("AUTH PLAIN LOGIN CRAM-MD5 XOAUTH2",)) as server:
        sender = sender_for(server, user="u", password="env:P", auth=mechanism, secrets={"env:P": password})
        report = sender.check()
        [receipt] = send(sender, message())
    assert receipt.outcome == ("accepted" if password == "hunter2" else "retry_after")
    if password == "guessed":
        assert "refused the login of u: 535" in report.problems[0]
    assert password not in f"{report}{receipt}"


@pytest.mark.parametrize(
    ("password", "mechanism", "why"),
    [
        pytest.param("hunter2", "xoauth2", "does not offer the login XOAUTH2, but PLAIN", id="not-offered"),
        pytest.param("密碼", "plain", "must be ASCII", id="not-ascii"),
    ],
)
def test_a_login_that_cannot_be_tried_says_why(password: str, mechanism: str, why: str) -> None:
    with serving(knows, features=("AUTH PLAIN",)) as server:
        sender = sender_for(server, user="u", password="env:P", auth=mechanism, secrets={"env:P": password})
        [problem] = sender.check().problems
    assert why in problem
    assert password not in problem
