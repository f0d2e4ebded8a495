"""Decide what an answer says of a message. What it does not say is unknown, never taken for sent or for unsent."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import requests

from sfactl.api.records import Message, Outcome, Reach, Receipt
from sfactl_sender_http.settings import Answer

OF_THE_SENDER = frozenset({402, 404, 405, 407, 408, 410, 411, 415, 421, 425, 426})
"""Statuses that are about the address, the account or the connection: no other message would fare better, and none of
them was taken. As are redirections, which a POST does not follow."""

SHOWN = 200
"""Characters of an answer that are kept."""


def receipt_of_answer(message: Message, response: requests.Response, rules: Answer) -> Receipt:
    """The receipt for one message from its own answer."""
    body = _json(response)
    return _receipt(message.key, response, body, rules)


def receipts_of_batch(messages: Sequence[Message], response: requests.Response, rules: Answer) -> list[Receipt]:
    """The receipts for messages that were posted together: one for all where the answer is about the posting."""
    body = _json(response)
    items = at(body, rules.items)
    if response.status_code >= 300 or (isinstance(body, Mapping) and not isinstance(items, list)):
        return [_receipt(m.key, response, body, rules) for m in messages]
    if not isinstance(items, list) or len(items) != len(messages):
        said = f"{response.status_code}, but not one answer for each message: {response.text[:SHOWN]}"
        return [Receipt(key=m.key, outcome="unknown", detail=said) for m in messages]
    return [_receipt(m.key, response, item, rules) for m, item in zip(messages, items, strict=True)]


def at(body: Any, path: str) -> Any:
    """What stands at a path such as ``errors.0.message``; None where nothing does. The empty path is all of it."""
    for part in path.split(".") if path else ():
        if isinstance(body, Mapping):
            body = body.get(part)
        elif isinstance(body, list) and part.isdecimal() and int(part) < len(body):
            body = body[int(part)]
        else:
            return None
    return body


def _receipt(key: str, response: requests.Response, body: Any, rules: Answer) -> Receipt:
    outcome = _outcome(response, body, rules)
    if outcome == "accepted":
        return Receipt(key=key, outcome=outcome, provider_id=_found(response, body, rules.id))
    # What may be tried again is about the address, the account or its rate: the next message would fare no better.
    about: Reach = "sender" if outcome == "retry_after" else "message"
    return Receipt(key=key, outcome=outcome, detail=_said(response, body, rules), about=about)


def _outcome(response: requests.Response, body: Any, rules: Answer) -> Outcome:
    status = response.status_code
    code = at(body, rules.code) if rules.code else None
    if code is not None and (known := rules.codes.outcome(code)) is not None:
        return known
    stated = rules.status
    for outcome, statuses in (
        ("accepted", stated.accepted),
        ("refused", stated.refused),
        ("retry_after", stated.retry),
        ("unknown", stated.unknown),
    ):
        if status in statuses:
            return outcome  # type: ignore[return-value]
    if 200 <= status < 300 and _is_page(response):
        return "unknown"
    if 200 <= status < 300:
        if not rules.code or not rules.codes.accepted:
            return "accepted"
        # A service that always says how it went did not: a login page, a proxy, an answer cut short.
        return "unknown" if code is None else rules.codes.fallback
    return "retry_after" if status < 400 or status in OF_THE_SENDER else "refused"


def _found(response: requests.Response, body: Any, path: str) -> str:
    if path.startswith("header:"):
        return str(response.headers.get(path.removeprefix("header:"), ""))
    value = at(body, path)
    return "" if value is None or isinstance(value, (dict, list)) else str(value)


def _said(response: requests.Response, body: Any, rules: Answer) -> str:
    code = at(body, rules.code) if rules.code else None
    error = at(body, rules.error) if rules.error else None
    told = error if isinstance(error, str) and error else response.text[:SHOWN]
    parts = [str(response.status_code), "" if code is None else f"code {code}:", told]
    return " ".join(" ".join(p for p in parts if p).split())


def _is_page(response: requests.Response) -> bool:
    """Whether a person was meant to read it: the log-in page of a network, or a proxy's own, but no service's word."""
    kind = response.headers.get("Content-Type", "").partition(";")[0].strip().lower()
    return kind in ("text/html", "application/xhtml+xml") and response.content.lstrip().startswith(b"<")


def _json(response: requests.Response) -> Any:
    try:
        return response.json()
    except (ValueError, RecursionError):  # the latter where it is nested thousands of times
        return None
