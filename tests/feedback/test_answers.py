"""What an answer says: a person's or a machine's, whose, to what, and which words are the writer's own."""

from __future__ import annotations

import tomllib
from email.header import Header
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from sfactl.feedback.replies import read_answer
from sfactl.feedback.words import without_quotes


def mail(*headers: str, body: str = "Yes, please send ten.\n", sender: str = "Ming <ming@example.com>") -> bytes:
    own = [f"From: {sender}", "To: sales@acme.example"]
    return "\n".join([*own, *headers, "", body]).encode()


KINDS = {
    "a-reply": (("Subject: Re: Hi",), "reply"),
    "said-to-be-no-machine": (("Auto-Submitted: no",), "reply"),
    "rfc-3834": (("Subject: Re: Hi", "Auto-Submitted: auto-replied"), "auto_reply"),
    "rfc-3834-with-words": (("Auto-Submitted: auto-generated; owner-email=x",), "auto_reply"),
    "exchange": (("X-Auto-Response-Suppress: All",), "auto_reply"),
    "vendor": (("X-Autoreply: yes",), "auto_reply"),
    "precedence": (("Precedence: auto_reply",), "auto_reply"),
    "null-sender": (("Return-Path: <>",), "auto_reply"),
    "out-of-office": (("Subject: Out of Office: Hi",), "auto_reply"),
    "automatic-reply": (("Subject: Automatic reply: Hi",), "auto_reply"),
    "german": (("Subject: =?utf-8?q?Automatische_Antwort:_Ich_bin_im_B=C3=BCro?=",), "auto_reply"),
    "japanese": (("Subject: =?utf-8?b?6Ieq5YuV6L+U5L+h77ya5LiN5Zyo?=",), "auto_reply"),
    "a-person-about-holidays": (("Subject: Re: Your offer: on vacation next week?",), "reply"),
    "proof-of-reading": (('Content-Type: multipart/report; report-type=disposition-notification; boundary="b"',), "receipt"),
}  # fmt: skip


@pytest.mark.parametrize(("headers", "kind"), KINDS.values(), ids=KINDS)
def test_who_wrote(headers: tuple[str, ...], kind: str) -> None:
    answer = read_answer(mail(*headers))
    assert answer is not None
    assert (answer.kind, answer.sender) == (kind, "ming@example.com")


SUBJECTS = tomllib.loads((Path(__file__).parent / "subjects.toml").read_text("utf-8"))


@pytest.mark.parametrize(("who", "kind"), [("machine", "auto_reply"), ("person", "reply")])
def test_machines_are_known_by_their_subjects_in_many_languages(who: str, kind: str) -> None:
    answers = {subject: read_answer(mail(f"Subject: {Header(subject, 'utf-8').encode()}")) for subject in SUBJECTS[who]}
    assert {subject: answer and answer.kind for subject, answer in answers.items()} == dict.fromkeys(answers, kind)


@pytest.mark.parametrize(
    "raw",
    [
        pytest.param(mail("List-Id: <news.example.com>"), id="a-list"),
        pytest.param(mail("Precedence: bulk"), id="bulk"),
        pytest.param(mail("List-Unsubscribe: <https://example.com/u>"), id="a-newsletter"),
        pytest.param(b"Subject: Re: Hi\n\nYes\n", id="nobody"),
        pytest.param(b"From: \xff\xfe <>\n\nYes\n", id="garbage"),
        pytest.param(b"", id="empty"),
    ],
)
def test_what_is_no_answer(raw: bytes) -> None:
    assert read_answer(raw) is None


@pytest.mark.parametrize(
    ("subject", "body", "kind"),
    [
        ("Re: Hi", "Unsubscribe\n", "unsubscribe"),
        ("Re: Hi", "Please remove me from your mailing list. Thanks\n\n> Hi Ming\n", "unsubscribe"),
        ("unsubscribe", "", "unsubscribe"),
        ("Re: Hi", "退订\n", "unsubscribe"),
        ("Re: Hi", "Do not unsubscribe me, I like it.\n", "reply"),
        ("Re: How to unsubscribe", "It works now, thanks.\n", "reply"),
        ("Re: Hi", "We had to stop the machine. Can you call?\n", "reply"),
        ("Re: Hi", "\n> unsubscribe\n", "reply"),
    ],
    ids=["word", "sentence", "subject", "chinese", "not", "subject-only", "stop", "quoted"],
)
def test_who_wants_no_more(subject: str, body: str, kind: str) -> None:
    answer = read_answer(mail(f"Subject: {subject}", body=body))
    assert answer is not None
    assert answer.kind == kind


def test_the_nearest_message_comes_first() -> None:
    answer = read_answer(mail("References: <a@x.example> <b@x.example>\n <c@y.example>", "In-Reply-To: <c@Y.example>"))
    assert answer is not None
    assert answer.ids == (("c", "y.example"), ("b", "x.example"), ("a", "x.example"))


WORDS = {
    "gmail": "Yes!\n\nOn Fri, 20 Nov 2026 at 10:00, Acme <news@acme.example> wrote:\n> Hi\n",
    "gmail-broken-line": "Yes!\n\nOn Fri, 20 Nov 2026 at 10:00, Acme <news@acme.example>\nwrote:\n\n> Hi\n",
    "outlook": "Yes!\n\n________________________________\nFrom: Acme <news@acme.example>\nSent: Friday\n\nHi",
    "outlook-plain": "Yes!\n\n-----Original Message-----\nFrom: Acme\n\nHi",
    "german": "Yes!\n\nAm Fr., 20. Nov. 2026 um 10:00 Uhr schrieb Acme <news@acme.example>:\n> Hi\n",
    "french": "Yes!\n\nLe ven. 20 nov. 2026 à 10:00, Acme <news@acme.example> a écrit :\n\n> Hi",
    "chinese": "Yes!\n\n在 2026年11月20日，Acme <news@acme.example> 写道：\n\nHi",
    "taiwan": "Yes!\n\nAcme <news@acme.example> 於 2026年11月20日 週五 上午10:00寫道：\n\n> Hi",
    "signature": "Yes!\n-- \nMing\nHead of purchasing\n",
    "windows": "Yes!\r\n\r\n> Hi\r\n",
}


@pytest.mark.parametrize("text", WORDS.values(), ids=WORDS)
def test_only_the_writers_own_words_are_kept(text: str) -> None:
    assert without_quotes(text) == "Yes!"


def test_answers_between_the_lines_are_kept() -> None:
    assert without_quotes("> Ten?\nNo, twenty.\n> Soon?\nYes.") == "No, twenty.\nYes."


def test_html_is_read_as_it_is_shown() -> None:
    html = (
        "<html><head><style>p{}</style></head><body><p>Yes,<br>ten &amp; more</p>"
        '<div class="gmail_quote">On Friday Acme wrote:<blockquote>Hi<div>x</div></blockquote></div></body></html>'
    )
    answer = read_answer(mail("Content-Type: text/html; charset=utf-8", body=html))
    assert answer is not None
    assert answer.text == "Yes,\nten & more"


@settings(max_examples=30)
@given(st.binary(max_size=300), st.sampled_from(["In-Reply-To: ", "Subject: ", "\n", "Content-Type: text/html\n\n"]))
def test_no_mail_makes_it_fail(raw: bytes, head: str) -> None:
    answer = read_answer(b"From: a@example.com\n" + head.encode() + raw)
    assert answer is None or answer.sender
