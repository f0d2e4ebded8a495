"""Read what well-known services post about messages: whether a posting is theirs, and what it tells.

Written from their public references. Only what is final and about one message is told: a message that is put off will
still arrive or come back.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from datetime import UTC, datetime
from hashlib import sha256
from typing import Any
from urllib.parse import parse_qsl

from sfactl.api.context import PluginContext
from sfactl.api.errors import ConfigError, DataError
from sfactl.api.records import MessageEvent, Posting, Told
from sfactl.api.signing import verify

Row = Mapping[str, Any]


class Teller:
    """Implements `sfactl.api.protocols.EventReader` for a service that `told_by` names."""

    _context: PluginContext
    _service: str
    _key: str

    _asked: bool

    def told_by(self, service: str, key: str, *, asked: bool = True) -> None:
        """Say which service it is, and the reference to what its postings are told by; empty where there is none.

        ``asked`` is false where the file does not ask the service to post anything.
        """
        self._service, self._key, self._asked = service, key, asked

    @property
    def listens(self) -> bool:
        """Whether the file says how to tell genuine postings."""
        return bool(self._key and self._asked)

    def verify(self, posting: Posting) -> None:
        """Raise `PolicyError` for what the service has not posted."""
        if not self._key:
            raise ConfigError("events_key: missing: without it nothing tells a genuine posting from a forged one")
        verify(
            self._context.secret(self._key),
            posting.headers,
            posting.body,
            posting.at,
            scheme=self._service,
            url=posting.url,
        )

    def events(self, body: bytes, at: datetime) -> Sequence[MessageEvent]:
        """What a posting tells of messages. Raises `DataError`."""
        if self._service == "twilio":
            return tuple(_twilio(_form(body), at))
        try:
            said = json.loads(body)
        except (ValueError, RecursionError):
            raise DataError("the posting is not JSON") from None
        rows = said if isinstance(said, list) else [said]
        if not all(isinstance(row, dict) for row in rows):
            raise DataError("the posting holds something that is no event")
        return tuple(event for row in rows for event in _READ[self._service](row))


SENDGRID: Mapping[str, Told] = {
    "delivered": "delivered",
    "bounce": "bounce",
    "spamreport": "complaint",
    "open": "open",
    "click": "click",
    "unsubscribe": "unsubscribe",
}


def _sendgrid(row: Row) -> Iterator[MessageEvent]:
    """One event of SendGrid's Event Webhook."""
    name, why = _text(row, "event"), _text(row, "bounce_classification")
    dropped = _text(row, "reason")
    kind = SENDGRID.get(name)
    hard: bool | None = None
    if name == "bounce":
        soft = _text(row, "type") == "blocked" or why not in ("", "Invalid Address", "Unclassified")
        hard = False if soft else True if why == "Invalid Address" else None
    if name == "dropped":  # it was on a list of theirs: nothing was sent, and the reason tells which
        kind, hard = "bounce", dropped in ("Bounced Address", "Invalid")
        if dropped == "Unsubscribed Address":
            kind = "unsubscribe"
        if dropped == "Spam Reporting Address":
            kind = "complaint"
    yield from _event(
        kind,
        _text(row, "sg_event_id"),
        _unix(row.get("timestamp")),
        _text(row, "email"),
        key=_text(row, "sfactl_key"),
        provider_id=_text(row, "sg_message_id").partition(".")[0],
        message_id=_text(row, "smtp-id"),
        hard=hard,
        said=" ".join(filter(None, (_text(row, "status"), dropped))),
        page=_text(row, "url"),
        agent=_text(row, "useragent"),
        machine=row.get("sg_machine_open") is True,
    )


MAILGUN: Mapping[str, Told] = {
    "delivered": "delivered",
    "complained": "complaint",
    "opened": "open",
    "clicked": "click",
    "unsubscribed": "unsubscribe",
}


def _mailgun(row: Row) -> Iterator[MessageEvent]:
    """One event of Mailgun."""
    data = _part(row, "event-data") or row
    name, reason, status = _text(data, "event"), _text(data, "reason"), _part(data, "delivery-status")
    client, headers = _part(data, "client-info"), _part(_part(data, "message"), "headers")
    kind = MAILGUN.get(name)
    hard: bool | None = None
    if name == "failed" and _text(data, "severity") == "permanent":
        lists: Mapping[str, Told] = {"suppress-unsubscribe": "unsubscribe", "suppress-complaint": "complaint"}
        kind, hard = lists.get(reason, "bounce"), True if reason == "suppress-bounce" else None
    said = (_text(status, part) for part in ("code", "enhanced-code", "message", "description"))
    yield from _event(
        kind,
        _text(data, "id"),
        _unix(data.get("timestamp")),
        _text(data, "recipient"),
        key=_text(_part(data, "user-variables"), "sfactl_key"),
        message_id=_text(headers, "message-id"),
        provider_id=_text(headers, "message-id"),
        hard=hard,
        said=" ".join(dict.fromkeys(filter(None, said))),
        page=_text(data, "url"),
        agent=_text(client, "user-agent"),
        machine=bool(_text(client, "bot")),
    )


POSTMARK_HARD = ("HardBounce", "BadEmailAddress")
POSTMARK_SOFT = ("Transient", "SoftBounce", "DnsError", "SpamNotification", "VirusNotification", "Blocked", "Unknown")


POSTMARK: Mapping[str, Told] = {
    "Delivery": "delivered",
    "SpamComplaint": "complaint",
    "Open": "open",
    "Click": "click",
}


def _postmark(row: Row) -> Iterator[MessageEvent]:
    """One event of Postmark, which has no id of its own: what happened to whom and when is one."""
    record, bounce = _text(row, "RecordType"), _text(row, "Type")
    kind = POSTMARK.get(record)
    if record == "Bounce":
        known: Mapping[str, Told] = {"SpamComplaint": "complaint", "Unsubscribe": "unsubscribe"}
        kind = "bounce" if bounce in (*POSTMARK_HARD, *POSTMARK_SOFT) else known.get(bounce)
    if record == "SubscriptionChange" and row.get("SuppressSending") is True:
        # The others among its reasons are told as bounces and complaints already.
        kind = "unsubscribe" if _text(row, "SuppressionReason") == "ManualSuppression" else None
    times = ("DeliveredAt", "BouncedAt", "ReceivedAt", "ChangedAt")
    at = next((text for name in times if (text := _text(row, name))), "")
    who = _text(row, "Recipient") or _text(row, "Email")
    yield from _event(
        kind,
        _own_id(record, _text(row, "MessageID"), who, at, _text(row, "ID"), _text(row, "OriginalLink")),
        _iso(at),
        who,
        provider_id=_text(row, "MessageID"),
        hard=bounce in POSTMARK_HARD if kind == "bounce" else None,
        said=_text(row, "Details") or _text(row, "Description"),
        page=_text(row, "OriginalLink"),
        agent=_text(row, "UserAgent"),
    )


RESEND: Mapping[str, Told] = {
    "email.delivered": "delivered",
    "email.bounced": "bounce",
    "email.complained": "complaint",
    "email.opened": "open",
    "email.clicked": "click",
}


def _resend(row: Row) -> Iterator[MessageEvent]:
    """One event of Resend; a message has one recipient, for we send one at a time."""
    name, data = _text(row, "type"), _part(row, "data")
    bounce, click = _part(data, "bounce"), _part(data, "click")
    kind = RESEND.get(name)
    at, to = _text(row, "created_at"), data.get("to")
    who = str(to[0]) if isinstance(to, list) and to else str(to or "")
    codes = bounce.get("diagnosticCode")
    said = [str(code) for code in codes] if isinstance(codes, list) else [str(codes or "")]
    yield from _event(
        kind,
        _own_id(name, _text(data, "email_id"), who, at, _text(click, "link")),
        _iso(at),
        who,
        provider_id=_text(data, "email_id"),
        hard=None if _text(bounce, "type") == "Permanent" else False,
        said=" ".join(filter(None, (*said, _text(bounce, "message")))),
        page=_text(click, "link"),
        agent=_text(click, "userAgent"),
    )


TWILIO_HARD = ("21211", "21614", "30005", "30006")
"""No number, no mobile number, unknown, a landline."""
TWILIO_WORDS = {
    "21211": "not a valid phone number",
    "21610": "the recipient has unsubscribed",
    "21614": "not a mobile number",
    "30003": "handset switched off or unreachable",
    "30004": "blocked by the recipient or carrier",
    "30005": "unknown or inactive number",
    "30006": "landline or unreachable carrier",
    "30007": "filtered by the carrier",
    "30008": "unknown error at the carrier",
}
TWILIO_LEFT = "21610"
"""The person answered STOP."""


TWILIO: Mapping[str, Told] = {"delivered": "delivered", "undelivered": "bounce", "failed": "bounce"}


def _twilio(row: Row, at: datetime) -> Iterator[MessageEvent]:
    """What became of one SMS, or the answer of a person; it says no time."""
    sid, status, error = _text(row, "MessageSid"), _text(row, "MessageStatus"), _text(row, "ErrorCode")
    if (_text(row, "SmsStatus") == "received" and not status) or status == "received":
        stop = _text(row, "OptOutType") == "STOP"
        own = _own_id("reply", sid)
        yield from _event("unsubscribe" if stop else "reply", own, at, _text(row, "From"), said=_text(row, "Body"))
        return
    kind = TWILIO.get(status)
    if kind == "bounce" and error == TWILIO_LEFT:
        kind = "unsubscribe"
    yield from _event(
        kind,
        _own_id(kind or "", sid),
        at,
        _text(row, "To"),
        provider_id=sid,
        hard=error in TWILIO_HARD if kind == "bounce" else None,
        said=" ".join(filter(None, (error, _text(row, "ErrorMessage") or TWILIO_WORDS.get(error, "")))) or status,
    )


_READ: Mapping[str, Callable[[Row], Iterable[MessageEvent]]] = {
    "sendgrid": _sendgrid,
    "mailgun": _mailgun,
    "postmark": _postmark,
    "resend": _resend,
}


def _event(kind: Told | None, own: str, at: datetime | None, who: str, **more: Any) -> Iterator[MessageEvent]:
    """The event, where it is one that is told and has what an event must have."""
    hard = more.pop("hard", None)
    if kind and own and at and who:
        yield MessageEvent(
            id=own, kind=kind, at=at, recipient=who.strip(), hard=hard if kind == "bounce" else None, **more
        )


def _own_id(*parts: str) -> str:
    return sha256("\x1f".join(parts).encode("utf-8", "replace")).hexdigest()[:32]


def _text(row: Row, name: str) -> str:
    value = row.get(name)
    return str(value) if isinstance(value, (str, int)) and not isinstance(value, bool) else ""


def _part(row: Row, name: str) -> Row:
    value = row.get(name)
    return value if isinstance(value, dict) else {}


def _form(body: bytes) -> Row:
    try:
        found = dict(parse_qsl(body.decode(), keep_blank_values=True, strict_parsing=True, max_num_fields=200))
    except ValueError:
        raise DataError("the posting is not a form") from None
    if not found:
        raise DataError("the posting is empty")
    return found


def _unix(value: object) -> datetime | None:
    try:
        return datetime.fromtimestamp(float(value), UTC).replace(tzinfo=None)  # type: ignore[arg-type]
    except (TypeError, ValueError, OverflowError, OSError):
        return None


def _iso(text: str) -> datetime | None:
    """A time as RFC 3339 writes it, naive UTC; fractions finer than ours are cut."""
    try:
        found = datetime.fromisoformat(text)
    except ValueError:
        return None
    return found.astimezone(UTC).replace(tzinfo=None) if found.tzinfo else found
