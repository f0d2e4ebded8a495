"""Fill the fields of a message into a form of text, tables and lists, as a TOML file states it.

A text that is nothing but ``{field}`` becomes the field's own value. What a message does not have leaves out its key
and, in a list, the whole entry: a provider that is told of an empty part refuses the message.
"""

from __future__ import annotations

import difflib
import string
from collections.abc import Iterator, Mapping, Sequence
from email.utils import parseaddr
from typing import Any, Final
from urllib.parse import quote

from sfactl.api.posting import key_uuid
from sfactl.api.records import Message

FIELDS = (
    "key",
    "key_uuid",
    "channel",
    "recipient",
    "recipient_digits",
    "sender",
    "sender_address",
    "sender_name",
    "reply_to",
    "reply_to_address",
    "subject",
    "text",
    "html",
    "headers",
    "header_list",
    "lead_id",
    "campaign",
    "step",
)
"""What a form may name, besides ``secrets.NAME``."""

_ABSENT: Final = object()
_TEXT = string.Formatter()


def values_of(message: Message, secrets: Mapping[str, str]) -> dict[str, Any]:
    """Every field of a message by its name. ``headers`` leaves out Reply-To, which has a field of its own."""
    name, address = parseaddr(message.sender)
    reply_to = next((v for k, v in message.headers.items() if k.lower() == "reply-to"), None)
    headers = {k: v for k, v in message.headers.items() if k.lower() != "reply-to"}
    values: dict[str, Any] = {
        "key": message.key,
        "key_uuid": key_uuid(message.key),
        "channel": message.channel,
        "recipient": message.recipient,
        "recipient_digits": "".join(c for c in message.recipient if c.isdigit()),
        "sender": message.sender,
        "sender_address": address or message.sender,
        "sender_name": name or None,
        "reply_to": reply_to,
        "reply_to_address": parseaddr(reply_to)[1] if reply_to else None,
        "subject": message.subject,
        "text": message.text,
        "html": message.html,
        "headers": headers or None,
        "header_list": [{"Name": k, "Value": v} for k, v in headers.items()] or None,
        "lead_id": message.lead_id,
        "campaign": message.campaign or None,
        "step": message.step or None,
    }
    return values | {f"secrets.{k}": v for k, v in secrets.items()}


def fill(form: Any, values: Mapping[str, Any]) -> Any:
    """``form`` with the values in it; None where all of it is absent."""
    filled = _fill(form, values)
    return None if filled is _ABSENT else filled


def fill_address(url: str, values: Mapping[str, Any]) -> str:
    """An address with the values in it, each of them escaped."""
    return "".join(
        literal + ("" if field is None else quote(_plain(values[field]), safe=""))
        for literal, field, _, _ in _TEXT.parse(url)
    )


def flat(filled: Mapping[str, Any]) -> list[tuple[str, str]]:
    """A filled form as the pairs of an HTML form; a list is its key repeated."""
    return [
        (key, _plain(value))
        for key, many in filled.items()
        for value in (many if isinstance(many, list) else [many])
        if not isinstance(value, (dict, list))
    ]


def check_form(form: Any, secrets: Sequence[str], *, where: str) -> None:
    """Raise ValueError for a field that no message has, or a brace that was left open."""
    known = [*FIELDS, *(f"secrets.{name}" for name in secrets)]
    for text in _texts(form):
        try:
            parts = [part for part in _TEXT.parse(text) if part[1] is not None]
        except ValueError as err:
            raise ValueError(f"{where}: {text!r}: {err}; a brace that is meant is written twice") from None
        for _, field, layout, conversion in parts:
            if layout or conversion:
                raise ValueError(f"{where}: {text!r}: only the name of a field stands in braces")
            if field not in known:
                near = difflib.get_close_matches(field or "", known, 1)
                hint = f"did you mean {near[0]!r}?" if near else f"there are {', '.join(known)}"
                raise ValueError(f"{where}: {{{field}}} is no field of a message; {hint}")


def _fill(form: Any, values: Mapping[str, Any]) -> Any:
    if isinstance(form, str):
        return _fill_text(form, values)
    if isinstance(form, Mapping):
        return _fill_table(form, values)
    if isinstance(form, (list, tuple)):
        found = [one for entry in form if (one := _entry(entry, values)) is not _ABSENT]
        return found if found or not form else _ABSENT
    return form


def _fill_table(form: Mapping[str, Any], values: Mapping[str, Any]) -> Any:
    found: dict[str, Any] = {}
    for key, entry in form.items():
        one = _fill(entry, values)
        if one is _ABSENT:
            continue
        if key.endswith("*") and isinstance(one, dict):  # as in "h:*" = "{headers}"
            found |= {key[:-1] + inner: value for inner, value in one.items()}
        else:
            found[key] = one
    return found if found or not form else _ABSENT


def _entry(form: Any, values: Mapping[str, Any]) -> Any:
    """An entry of a list, which is absent as soon as a part of it is."""
    if isinstance(form, Mapping) and any(_fill(part, values) is _ABSENT for part in form.values()):
        return _ABSENT
    return _fill(form, values)


def _fill_text(text: str, values: Mapping[str, Any]) -> Any:
    parts = list(_TEXT.parse(text))
    if len(parts) == 1 and parts[0][0] == "" and parts[0][1] is not None:
        value = values[parts[0][1]]
        return _ABSENT if value is None else value
    return "".join(literal + ("" if field is None else _plain(values[field])) for literal, field, _, _ in parts)


def _plain(value: Any) -> str:
    if value is None:
        return ""
    return str(value).lower() if isinstance(value, bool) else str(value)


def _texts(form: Any) -> Iterator[str]:
    if isinstance(form, str):
        yield form
    elif isinstance(form, Mapping):
        for inner in form.values():
            yield from _texts(inner)
    elif isinstance(form, (list, tuple)):
        for inner in form:
            yield from _texts(inner)
