"""DKIM signatures: the vectors of RFC 8463, what is covered, and that what arrives at a real server verifies."""

from __future__ import annotations

import re
from datetime import UTC, datetime
from pathlib import Path

import pytest

pytest.importorskip("cryptography")

import dkim
from sfactl_sender_smtp.keys import SigningKey, read_key
from sfactl_sender_smtp.settings import SmtpSettings
from sfactl_sender_smtp.signature import sign

from sfactl.cli.main import main
from sfactl.testkit import SmtpSink
from tests.scripted_smtp import SenderContext, message, send, sender_for

# RFC 8463, appendix A: keys, message and both signatures over it.
ED25519 = "nWGxne/9WmC6hEr0kuwsxERJxWl7MmkZcDusAxyuf2A="
ED25519_PUBLIC = "11qYAYKxCrfVS/7TyWQHOg7hcvPapiMlrwIaaPcHURo="
RSA = """-----BEGIN RSA PRIVATE KEY-----
MIICXQIBAAKBgQDkHlOQoBTzWRiGs5V6NpP3idY6Wk08a5qhdR6wy5bdOKb2jLQi
Y/J16JYi0Qvx/byYzCNb3W91y3FutACDfzwQ/BC/e/8uBsCR+yz1Lxj+PL6lHvqM
KrM3rG4hstT5QjvHO9PzoxZyVYLzBfO2EeC3Ip3G+2kryOTIKT+l/K4w3QIDAQAB
AoGAH0cxOhFZDgzXWhDhnAJDw5s4roOXN4OhjiXa8W7Y3rhX3FJqmJSPuC8N9vQm
6SVbaLAE4SG5mLMueHlh4KXffEpuLEiNp9Ss3O4YfLiQpbRqE7Tm5SxKjvvQoZZe
zHorimOaChRL2it47iuWxzxSiRMv4c+j70GiWdxXnxe4UoECQQDzJB/0U58W7RZy
6enGVj2kWF732CoWFZWzi1FicudrBFoy63QwcowpoCazKtvZGMNlPWnC7x/6o8Gc
uSe0ga2xAkEA8C7PipPm1/1fTRQvj1o/dDmZp243044ZNyxjg+/OPN0oWCbXIGxy
WvmZbXriOWoSALJTjExEgraHEgnXssuk7QJBALl5ICsYMu6hMxO73gnfNayNgPxd
WFV6Z7ULnKyV7HSVYF0hgYOHjeYe9gaMtiJYoo0zGN+L3AAtNP9huqkWlzECQE1a
licIeVlo1e+qJ6Mgqr0Q7Aa7falZ448ccbSFYEPD6oFxiOl9Y9se9iYHZKKfIcst
o7DUw1/hz2Ck4N5JrgUCQQCyKveNvjzkkd8HjYs0SwM0fPjK16//5qDZ2UiDGnOe
uEzxBDAr518Z8VFbR41in3W4Y3yCDgQlLlcETrS+zYcL
-----END RSA PRIVATE KEY-----"""
RSA_PUBLIC = (
    "MIGfMA0GCSqGSIb3DQEBAQUAA4GNADCBiQKBgQDkHlOQoBTzWRiGs5V6NpP3idY6Wk08a5qhdR6wy5bdOKb2jLQiY/J16JYi0Qvx/byYzCNb3W91"
    "y3FutACDfzwQ/BC/e/8uBsCR+yz1Lxj+PL6lHvqMKrM3rG4hstT5QjvHO9PzoxZyVYLzBfO2EeC3Ip3G+2kryOTIKT+l/K4w3QIDAQAB"
)
MAIL = b"""From: Joe SixPack <joe@football.example.com>
To: Suzie Q <suzie@shopping.example.net>
Subject: Is dinner ready?
Date: Fri, 11 Jul 2003 21:00:37 -0700 (PDT)
Message-ID: <20030712040037.46341.5F8J@football.example.com>

Hi.

We lost the game.  Are you hungry yet?

Joe.
""".replace(b"\n", b"\r\n")
SIGNED = ("from", "to", "subject", "date", "message-id", "from", "subject", "date")
AT = datetime.fromtimestamp(1528637909, UTC).replace(tzinfo=None)
VECTORS = {
    "brisbane": "/gCrinpcQOoIfuHNQIbq4pgh9kyIK3AQUdt9OdqQehSwhEIug4D11BusFa3bT3FY5OsU7ZbnKELq+eXdp1Q1Dw==",
    "test": (
        "F45dVWDfMbQDGHJFlXUNB2HKfbCeLRyhDXgFpEL8GwpsRe0IeIixNTe3DhCVlUrSjV4BwcVcOF6+FF3Zo9Rpo1tFOeS9mPYQTnGdaSGsgeefOsk2"
        "JzdA+L10TeYt9BgDfQNZtKdN1WO//KgIqXP7OdEFE4LjFYNcUxZQ4FADY+8="
    ),
}
SECRETS = {"env:ED": ED25519, "env:RSA": RSA}
DKIM = {"dkim_selector": "test", "dkim_private_key": "env:RSA"}
BOTH = DKIM | {"dkim_second_selector": "brisbane", "dkim_second_private_key": "env:ED"}


def published(name: bytes, timeout: int = 5) -> bytes:
    """What DNS would say."""
    records = {"test": f"v=DKIM1; k=rsa; p={RSA_PUBLIC}", "brisbane": f"v=DKIM1; k=ed25519; p={ED25519_PUBLIC}"}
    return records[name.decode().split(".")[0]].encode()


def key(selector: str) -> SigningKey:
    return read_key(selector, {"test": "env:RSA", "brisbane": "env:ED"}[selector], SenderContext(SECRETS))


@pytest.mark.parametrize("selector", ["brisbane", "test"], ids=["ed25519", "rsa"])
def test_the_vectors_of_rfc_8463(selector: str) -> None:
    header = sign(MAIL, key(selector), "football.example.com", now=AT, headers=SIGNED)
    value = re.sub(rb"\s", b"", header).decode()
    assert value.endswith(f"b={VECTORS[selector]}")
    assert "bh=2jUSOH9NhtVGCQWNr9BrIAPreKQjO6Sn7XIkfJVOzv8=" in value
    assert dkim.DKIM(header + MAIL).verify(dnsfunc=published)


@pytest.mark.parametrize(("selector", "public"), [("brisbane", ED25519_PUBLIC), ("test", RSA_PUBLIC)])
def test_the_record_to_publish_follows_from_the_key(selector: str, public: str) -> None:
    assert key(selector).record == f"v=DKIM1; k={key(selector).algorithm}; p={public}"


@pytest.mark.parametrize(
    "changes",
    [
        pytest.param({}, id="plain"),
        pytest.param(
            {
                "html": "<p>王小明</p>",
                "headers": {
                    "List-Unsubscribe": f"<https://acme.example/{'x' * 300}>",
                    "List-Unsubscribe-Post": "List-Unsubscribe=One-Click",
                },
            },
            id="bulk",
        ),
        pytest.param({"text": "", "subject": ""}, id="empty"),
        pytest.param({"text": " two  blanks \n\n\n\t\n", "subject": "  blanks   in a row "}, id="blanks"),
        pytest.param({"recipient": "王@例子.台灣"}, id="smtputf8"),
    ],
)
def test_what_a_real_server_gets_verifies_with_both_keys(one_sink: SmtpSink, changes: dict[str, object]) -> None:
    before = len(one_sink.delivered())
    sender = sender_for(one_sink, secrets=SECRETS, **BOTH)
    assert sender.check().facts["dkim"] == "test (rsa), brisbane (ed25519)"
    [receipt] = send(sender, message(**changes))
    assert receipt.outcome == "accepted"
    [delivered] = one_sink.delivered()[before:]
    verifier = dkim.DKIM(delivered.raw)
    assert all(verifier.verify(idx, dnsfunc=published) for idx in (0, 1))
    assert {s.split(";")[3].strip() for s in map(str, delivered.message.get_all("DKIM-Signature"))} == {
        "d=acme.example"
    }


@pytest.mark.parametrize(
    "tampered",
    [
        pytest.param(
            (b"\r\nList-Unsubscribe: ", b"\r\nList-Unsubscribe: <https://evil.example>, "), id="way-out-changed"
        ),
        pytest.param((b"\r\nFrom: ", b"\r\nFrom: x@evil.example\r\nFrom: "), id="second-from"),
        pytest.param((b"\r\nTo: ", b"\r\nSubject: Buy\r\nTo: "), id="second-subject"),
        pytest.param((b"\r\nTo: ", b"\r\nReply-To: x@evil.example\r\nTo: "), id="reply-to-added"),
        pytest.param((b"\r\nTo: ", b"\r\nList-Unsubscribe-Post: x\r\nTo: "), id="one-click-added"),
    ],
)
def test_what_is_signed_cannot_be_changed_or_added_to(one_sink: SmtpSink, tampered: tuple[bytes, bytes]) -> None:
    before = len(one_sink.delivered())
    send(sender_for(one_sink, secrets=SECRETS, **DKIM), message())
    [delivered] = one_sink.delivered()[before:]
    assert dkim.DKIM(delivered.raw).verify(dnsfunc=published)
    assert not dkim.DKIM(delivered.raw.replace(*tampered, 1)).verify(dnsfunc=published)


@pytest.fixture
def post(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A workspace whose sender has both keys of the RFC; what it says of itself at the prompt is quiet."""
    monkeypatch.chdir(tmp_path)
    for name, secret in SECRETS.items():
        monkeypatch.setenv(name.removeprefix("env:"), secret)
    assert main(["-q", "init", "ws"]) == 0
    keys = "".join(f'{name} = "{value}"\n' for name, value in BOTH.items())
    (tmp_path / "ws/senders/post.toml").write_text(f'schema = 1\nuse = "smtp"\nhost = "localhost"\n{keys}', "utf-8")
    return tmp_path / "ws"


@pytest.mark.parametrize("breaks", [b"\r\n", b"\n"], ids=["crlf", "lf"])
def test_a_mail_in_a_file_is_signed_at_the_prompt(
    post: Path, breaks: bytes, capsysbinary: pytest.CaptureFixture[bytes]
) -> None:
    """By both keys, whatever its lines end with; nothing else of it changes."""
    (post / "mail.eml").write_bytes(MAIL.replace(b"\r\n", breaks))
    assert main(["-w", str(post), "touch", "sign", str(post / "mail.eml")]) == 0
    shown = capsysbinary.readouterr()
    assert shown.out.endswith(MAIL)
    verifier = dkim.DKIM(shown.out)
    assert all(verifier.verify(idx, dnsfunc=published) for idx in (0, 1))
    assert b"test._domainkey.football.example.com (rsa), brisbane._domainkey.football.example.com" in shown.err
    command = ["touch", "sign", str(post / "mail.eml"), "--domain", "example.com", "--out", str(post / "signed.eml")]
    assert main(["-w", str(post), *command]) == 0
    assert b"d=example.com;" in (post / "signed.eml").read_bytes()


@pytest.mark.parametrize(
    ("mail", "options", "said"),
    [
        pytest.param(b"", (), b"there is no From", id="empty"),
        pytest.param(b"\xff\xfe\x00", (), b"there is no From", id="garbage"),
        pytest.param(b"From: nobody\n\nHi\n", (), b"is not an e-mail address", id="no-address"),
        pytest.param(b"From: a@b.example, c@d.example\n\nHi\n", (), b"is not an e-mail address", id="two-authors"),
        pytest.param(MAIL, ("--domain", "x"), b"is no domain", id="no-domain"),
        pytest.param(MAIL, ("--sender", "nobody"), b"there is no senders/nobody.toml", id="no-sender"),
        pytest.param(MAIL, ("--sender", "outbox"), b"cannot sign mail", id="no-keys"),
    ],
)
def test_what_cannot_be_signed_is_said(
    post: Path, mail: bytes, options: tuple[str, ...], said: bytes, capsysbinary: pytest.CaptureFixture[bytes]
) -> None:
    """With nothing on stdout."""
    (post / "mail.eml").write_bytes(mail)
    assert main(["-w", str(post), "touch", "sign", str(post / "mail.eml"), *options]) == 2
    shown = capsysbinary.readouterr()
    assert (shown.out, said in shown.err) == (b"", True)


@pytest.mark.parametrize(
    ("text", "why"),
    [
        pytest.param("opensesame", "no private key", id="no-key"),
        pytest.param(
            "-----BEGIN RSA PRIVATE KEY-----\nAAAA\n-----END RSA PRIVATE KEY-----", "no private key", id="torn"
        ),
        pytest.param("c2hvcnQ=", "no private key", id="short-seed"),
    ],
)
def test_a_key_that_is_none_stops_the_sender_and_is_not_shown(text: str, why: str, one_sink: SmtpSink) -> None:
    sender = sender_for(one_sink, secrets={"env:RSA": text}, **DKIM)
    [problem] = sender.check().problems
    [receipt] = send(sender, message())
    assert problem.startswith(f"env:RSA: {why}")
    assert receipt.outcome == "retry_after"
    assert text not in f"{problem}{receipt}"


@pytest.mark.parametrize("text", ["PKCS#1", "PKCS#8", "Ed25519"])
def test_keys_as_openssl_writes_them(text: str) -> None:
    from cryptography.hazmat.primitives import serialization as s
    from cryptography.hazmat.primitives.asymmetric import ed25519, rsa

    made = ed25519.Ed25519PrivateKey.generate() if text == "Ed25519" else rsa.generate_private_key(65537, 1024)
    form = s.PrivateFormat.TraditionalOpenSSL if text == "PKCS#1" else s.PrivateFormat.PKCS8
    pem = made.private_bytes(s.Encoding.PEM, form, s.NoEncryption()).decode()
    read = read_key("s", "env:K", SenderContext({"env:K": pem.strip().replace("\n", "\r\n")}))
    header = sign(MAIL, read, "football.example.com", now=AT)
    assert dkim.DKIM(header + MAIL).verify(dnsfunc=lambda *_, **__: read.record.encode())


@pytest.mark.parametrize(
    "settings",
    [
        {"dkim_selector": "s"},
        {"dkim_private_key": "env:K"},
        {"dkim_second_selector": "s"},
        {
            "dkim_selector": "s",
            "dkim_private_key": "env:K",
            "dkim_second_selector": "s",
            "dkim_second_private_key": "env:L",
        },
    ],
)
def test_settings_that_belong_together(settings: dict[str, str]) -> None:
    with pytest.raises(ValueError, match="dkim_"):
        SmtpSettings(host="h", **settings)


@pytest.fixture(scope="module")
def one_sink(tmp_path_factory: pytest.TempPathFactory):
    """A real server for all tests here."""
    with SmtpSink(Path(tmp_path_factory.mktemp("dkim")), pipelining=True) as sink:
        yield sink
