"""How a message becomes an e-mail: what is on the wire."""

from __future__ import annotations

from datetime import datetime
from email import message_from_bytes, policy
from email.header import decode_header, make_header
from email.utils import parseaddr

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from sfactl.api.mail import POLICY, MailPolicy, email_message, message_id
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
