"""Forms of a service described in a file: what they are filled with, and what is refused before anything is posted."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st
from sfactl_sender_http.answers import at
from sfactl_sender_http.fields import fill, fill_address, flat, values_of
from sfactl_sender_http.sender import _line
from sfactl_sender_http.settings import Answer, Codes, HttpSettings

from sfactl.api.records import Message

URL = "https://sms.example.net/send"


def message(**more: Any) -> Message:
    fields: dict[str, Any] = {"key": "k.1", "channel": "sms", "recipient": "+886 912", "sender": "Ann <a@b.example>"}
    return Message(**{**fields, "subject": "Hi", "text": "你好", **more})


@pytest.mark.parametrize(
    ("form", "filled"),
    [
        ("{text}", "你好"),
        ("{subject}: {text}!", "Hi: 你好!"),
        ("{{text}}", "{text}"),
        ("{lead_id}", 7),
        ("lead {lead_id}", "lead 7"),
        ({"a": "{html}", "b": "{text}"}, {"b": "你好"}),
        ({"a": {"email": "{reply_to_address}"}}, {}),
        ([{"type": "t", "value": "{text}"}, {"type": "h", "value": "{html}"}], [{"type": "t", "value": "你好"}]),
        ({"list": ["{campaign}"]}, {}),
        ({"h:*": "{headers}", "x": 1}, {"h:List-Id": "<l>", "x": 1}),
        ({"p": "{recipient_digits}", "s": "{sender_name}/{sender_address}"}, {"p": "886912", "s": "Ann/a@b.example"}),
        ({"n": 5, "t": True, "e": []}, {"n": 5, "t": True, "e": []}),
        ({"s": "{secrets.key}"}, {"s": "shh"}),
    ],
)
def test_forms(form: Any, filled: Any) -> None:
    values = values_of(message(headers={"List-Id": "<l>"}, lead_id=7), {"key": "shh"})
    assert fill(form, values) == (filled if filled != {} else None)


def test_an_address_escapes_what_it_is_given() -> None:
    assert fill_address(URL + "?to={recipient}", values_of(message(), {})) == URL + "?to=%2B886%20912"


def test_a_form_of_pairs_repeats_a_list_and_says_true() -> None:
    assert flat({"to": ["a", "b"], "live": True, "n": 3}) == [("to", "a"), ("to", "b"), ("live", "true"), ("n", "3")]


@settings(max_examples=50, deadline=None)
@given(st.text())
@example("a\r\nBcc: x\0\x1b")
def test_no_text_becomes_another_header_or_field(text: str) -> None:
    line = _line(text)
    assert line.isascii()
    assert not set(line) & set("\r\n\0")
    assert fill({"t": "{text}"}, values_of(message(text=text), {})) == {"t": text}


@pytest.mark.parametrize(
    ("keys", "said"),
    [
        ({"url": "ftp://x.example"}, "does not begin with"),
        ({"url": "https://{recipient}.example/"}, "the host is the same"),
        ({"url": URL + "/{recipent}"}, "did you mean 'recipient'"),
        ({"body": {"a": [{"b": "{nobody}"}]}}, r"body: \{nobody\} is no field"),
        ({"body": {"a": "{text"}}, "a brace that is meant is written twice"),
        ({"headers": {"X": "{secrets.key}"}}, "is no field of a message"),
        ({"body": {"a": "{text.__class__}"}}, "is no field"),
        ({"body": {"a": "{text!r:>99999999}"}}, "only the name of a field"),
        ({"batch": 0}, "not between 1 and 1000"),
        ({"batch": 5, "receiver_is_idempotent": True}, "a list of messages has no key"),
        ({"auth_user": "me"}, "needs an auth_secret"),
        ({"remembers_hours": 0}, "must be above 0"),
    ],
    ids=str,
)
def test_what_could_not_be_posted_is_refused(keys: dict[str, Any], said: str) -> None:
    with pytest.raises(ValueError, match=said):
        HttpSettings(**{"url": URL, **keys})


def test_codes_need_a_place() -> None:
    with pytest.raises(ValueError, match="say where the code stands"):
        Answer(codes=Codes(accepted=(0,)))


@pytest.mark.parametrize(
    ("path", "found"),
    [("a.0.b", 1), ("a.1.b", None), ("a.b", None), ("c", None), ("", {"a": [{"b": 1}]}), ("a.-1", None)],
    ids=str,
)
def test_paths(path: str, found: Any) -> None:
    assert at({"a": [{"b": 1}]}, path) == found
