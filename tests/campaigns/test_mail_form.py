"""How a message becomes an e-mail: what is on the wire."""

from __future__ import annotations

from datetime import datetime
from email import message_from_bytes, policy
from email.header import decode_header, make_header
from email.utils import parseaddr

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from sfactl.api.mail import (
    POLICY,
    MailPolicy,
    address,
    email_message,
    envelope_address,
    message_id,
    needs_utf8,
    wire_bytes,
)
from sfactl.api.records import Message

NOW = datetime(2026, 11, 21, 9)
LINK = "<https://acme.example/unsubscribe/0b9212a22574ffc184d9541c70b82a2bfd2d5cf9/and/some/more/to/be/long>"


def wire(**changes: object) -> bytes:
    values: dict[str, object] = {"subject": "Hi", "text": "Dear", "headers": {"List-Unsubscribe": LINK}}
    values |= {"key": "k", "channel": "email", "recipient": "a@b.example", "sender": "News <n@acme.example>"} | changes
    return email_message(Message(**values), now=NOW).as_bytes(policy=POLICY)  # type: ignore[arg-type]


def test_a_link_in_a_header_is_never_encoded_or_folded() -> None:
    assert f"\r\nList-Unsubscribe: {LINK}\r\n".encode() in wire()


def test_a_long_chinese_subject_is_made_of_proper_encoded_words() -> None:
    subject = "線上研討會邀請：小量生產也能用雷射切割，" * 6
    raw = wire(subject=subject, sender="台灣精機 <n@acme.example>")
    head = raw.partition(b"\r\n\r\n")[0]
    assert raw.isascii()
    words = [w for w in head.split() if w.startswith(b"=?")]
    assert words
    assert all(len(w) <= 75 for w in words)  # RFC 2047, 2
    assert message_from_bytes(raw, policy=policy.default)["Subject"] == subject


def test_the_language_stays_in_the_head() -> None:
    raw = wire(headers={"Content-Language": "zh-TW"}, html="<p>x</p>")
    assert message_from_bytes(raw)["Content-Language"] == "zh-TW"


def test_the_same_message_has_the_same_bytes() -> None:
    assert wire(html="<p>x</p>") == wire(html="<p>x</p>")
    assert wire(key="other", html="<p>x</p>") != wire(html="<p>x</p>")


def test_the_message_id_gives_nothing_away() -> None:
    said = message_id("w.secret-campaign.step.8841.1", "News <n@例子.台灣>")
    assert "secret" not in said
    assert said.endswith("@xn--fsqu00a.xn--kpry57d>")


@pytest.mark.parametrize("header", ["subject", "recipient", "sender"])
def test_line_breaks_in_headers_are_refused(header: str) -> None:
    with pytest.raises(ValueError, match=r"line break|not an e-mail address"):
        wire(**{header: "a@b.example\r\nBcc: c@d.example"})


PRINTABLE = st.characters(exclude_categories=["Cc", "Cs", "Zl", "Zp"])


@settings(max_examples=60, deadline=None)
@given(
    name=st.text(PRINTABLE, min_size=1, max_size=60)
    .map(str.strip)
    .filter(lambda n: n and not set(n) & set('"\\\\<>@,;:()[].'))
)
def test_any_name_of_a_sender_arrives(name: str) -> None:
    raw = message_from_bytes(wire(sender=f"{name} <n@acme.example>"))["From"]
    shown, bare = parseaddr(str(make_header(decode_header(raw))))
    assert (shown.split(), bare) == (name.split(), "n@acme.example")


@settings(max_examples=80, deadline=None)
@given(
    subject=st.text(PRINTABLE, max_size=200),
    text=st.text(max_size=300),
)
def test_any_text_arrives_and_adds_no_header(subject: str, text: str) -> None:
    raw = wire(subject=subject, text=text)
    mail = message_from_bytes(raw, policy=policy.default)
    assert set(mail.keys()) <= {
        "From",
        "To",
        "Subject",
        "Date",
        "Message-ID",
        "List-Unsubscribe",
        "Content-Type",
        "Content-Transfer-Encoding",
        "MIME-Version",
    }
    assert max(len(line) for line in raw.split(b"\r\n")) <= 998
    assert mail["Subject"].split() == subject.split()


@pytest.mark.parametrize(
    "sender", ["Acme <n@acme.example>", '"Doe, J." <j@acme.example>', "A (sales) <a@acme.example>"]
)
@pytest.mark.parametrize("subject", ["Spring", "=?utf-8?q?x?=", "雷射", "s" * 300])
def test_headers_that_are_not_parsed_are_what_parsing_makes_of_them(
    monkeypatch: pytest.MonkeyPatch, sender: str, subject: str
) -> None:
    quick = wire(sender=sender, subject=subject)
    monkeypatch.setattr(MailPolicy, "header_store_parse", policy.EmailPolicy.header_store_parse)
    assert wire(sender=sender, subject=subject) == quick


@pytest.mark.parametrize(
    ("text", "bare"),
    [
        ("wang@example.com", "wang@example.com"),
        ("Wang <wang@example.com>", "wang@example.com"),
        ('"Wang, Ming @ Acme" <wang@example.com>', "wang@example.com"),
        ("A (sales) <a@acme.example>", "a@acme.example"),
        ("o'brien+news@ex-ample.co.uk", "o'brien+news@ex-ample.co.uk"),
        ("王@例子.台灣", "王@例子.台灣"),
        ("someone.@docomo.example", "someone.@docomo.example"),
        ('"a"@example.com', '"a"@example.com'),
        ("root@[192.0.2.1]", "root@[192.0.2.1]"),
    ],
)
def test_one_address_is_found(text: str, bare: str) -> None:
    assert address(text) == bare


@pytest.mark.parametrize(
    "text",
    [
        "",
        "nobody",
        "@example.com",
        "wang@",
        "a@example.com, b@example.com",
        "a@example.com;b@example.com",
        "a@example.com b@example.com",
        "a@example.com <b@example.com>",
        "Wang, Ming <wang@example.com>",
        "a@b@example.com",
        "alice@example.org)bob@evil.example",
        "<a@example.com>, <b@example.com>",
        "a@example.com\r\nRCPT TO:<b@example.com>",
        "a@exa mple.com",
        "a>b@example.com",
        "a\x00@example.com",
    ],
)
def test_none_or_several_addresses_are_refused(text: str) -> None:
    with pytest.raises(ValueError, match="is not an e-mail address"):
        address(text)


@pytest.mark.parametrize(
    ("text", "wire"),
    [
        ("wang@例子.台灣", "wang@xn--fsqu00a.xn--kpry57d"),
        ("a@straße.example", "a@xn--strae-oqa.example"),
        ("a@STRASSE.example", "a@STRASSE.example"),
        ("a@EXAMPLE。com", "a@example.com"),
    ],
    ids=["cjk", "sharp-s-is-not-ss", "ascii-stays", "full-width-dot"],
)
def test_a_domain_outside_ascii_is_the_one_that_dns_knows(text: str, wire: str) -> None:
    assert envelope_address(text) == wire


@pytest.mark.parametrize("header", ["From", "To", "Reply-To"])
def test_a_header_has_a_domain_outside_ascii_as_dns_knows_it(header: str) -> None:
    person = "王小明 <wang@例子.台灣>"
    changes: dict[str, object] = {"From": {"sender": person}, "To": {"recipient": person}}.get(header, {})
    raw = wire(**changes, **({} if changes else {"headers": {"Reply-To": person}}))
    assert raw.isascii()
    [found] = message_from_bytes(raw, policy=policy.default)[header].addresses
    assert (found.display_name, found.addr_spec) == ("王小明", "wang@xn--fsqu00a.xn--kpry57d")


def test_a_way_to_answer_outside_ascii_needs_smtputf8() -> None:
    values = {"key": "k", "channel": "email", "recipient": "a@b.example", "sender": "n@acme.example"}
    assert needs_utf8(Message(**values, subject="", text="", headers={"Reply-To": "王 <王@例子.台灣>"}))
    assert not needs_utf8(Message(**values, subject="", text="", headers={"Reply-To": "王 <wang@例子.台灣>"}))


@pytest.mark.parametrize(
    ("changes", "why"),
    [
        pytest.param({"headers": {"X Y": "z"}}, "not the name of a header", id="blank-in-a-name"),
        pytest.param({"headers": {"X:Y": "z"}}, "not the name of a header", id="colon-in-a-name"),
        pytest.param({"headers": {"X-Größe": "z"}}, "not the name of a header", id="name-outside-ascii"),
        pytest.param(
            {"headers": {"List-Unsubscribe": f"<https://a.example/{'x' * 1200}>"}},
            "header List-Unsubscribe has a word",
            id="endless-link",
        ),
        pytest.param({"subject": "\ud800"}, None, id="half-a-character"),
        pytest.param({"text": "\ud800"}, None, id="half-a-character-in-the-text"),
    ],
)
def test_what_would_be_no_proper_mail_is_refused(changes: dict[str, object], why: str | None) -> None:
    values: dict[str, object] = {"key": "k", "channel": "email", "recipient": "a@b.example", "sender": "n@acme.example"}
    with pytest.raises(ValueError, match=why):
        wire_bytes(Message(**values | {"subject": "Hi", "text": "Dear"} | changes), now=NOW)  # type: ignore[arg-type]


ANY = st.text(st.characters(exclude_categories=["Cs"]), max_size=200)


@settings(max_examples=80, deadline=None)
@given(subject=ANY.filter(lambda s: not set(s) & set("\r\n\0")), text=ANY, html=st.none() | ANY, utf8=st.booleans())
def test_on_the_wire_lines_end_in_crlf_and_nothing_is_smuggled(
    subject: str, text: str, html: str | None, utf8: bool
) -> None:
    message = Message(
        key="k",
        channel="email",
        recipient="a@b.example",
        sender="n@acme.example",
        subject=subject,
        text=text,
        html=html,
    )
    raw = wire_bytes(message, now=NOW, utf8=utf8)
    lines = raw.split(b"\r\n")
    assert lines[-1] == b""
    assert not any(b"\r" in line or b"\n" in line or b"\0" in line or len(line) > 998 for line in lines)
    mail = message_from_bytes(raw, policy=policy.default)
    assert mail.defects == []
    assert mail["Subject"].split() == subject.split()
    said = mail.get_body(("plain",)).get_content()
    assert said.replace("\r\n", "\n").rstrip("\r\n") == text.replace("\r\n", "\n").replace("\r", "\n").rstrip("\n")
