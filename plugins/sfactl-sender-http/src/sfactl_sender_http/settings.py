"""The keys of a sender file that says ``use = "http"``: how a service wants its messages, and how it answers."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Literal

from sfactl.api.records import Outcome
from sfactl_sender_http.fields import check_form

Status = int | str
Code = int | str | bool

DEFAULT_BODY: Mapping[str, Any] = {
    "key": "{key}",
    "channel": "{channel}",
    "recipient": "{recipient}",
    "sender": "{sender}",
    "subject": "{subject}",
    "text": "{text}",
    "html": "{html}",
    "headers": "{headers}",
    "lead_id": "{lead_id}",
    "campaign": "{campaign}",
    "step": "{step}",
}
"""Where the service takes a message as it is."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Codes:
    """Which codes of the service stand for which outcome. Of a 2xx answer, a code in no list is ``otherwise``."""

    accepted: tuple[Code, ...] = ()
    refused: tuple[Code, ...] = ()
    retry: tuple[Code, ...] = ()
    unknown: tuple[Code, ...] = ()
    otherwise: Literal["refused", "retry", "unknown"] = "refused"

    def outcome(self, code: Code) -> Outcome | None:
        """What ``code`` stands for; None where it is in no list. The number 0 and the text "0" are the same code."""
        for name, codes in self._lists:
            if str(code) in {str(c) for c in codes}:
                return name
        return None

    @property
    def fallback(self) -> Outcome:
        """What a code in no list stands for."""
        return "retry_after" if self.otherwise == "retry" else self.otherwise

    @property
    def _lists(self) -> tuple[tuple[Outcome, tuple[Code, ...]], ...]:
        return (
            ("accepted", self.accepted),
            ("refused", self.refused),
            ("retry_after", self.retry),
            ("unknown", self.unknown),
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class Statuses:
    """HTTP statuses that mean something else than they usually do, as numbers; see the README for what is usual."""

    accepted: tuple[int, ...] = ()
    refused: tuple[int, ...] = ()
    retry: tuple[int, ...] = ()
    unknown: tuple[int, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Answer:
    """Where an answer says what became of the message, as paths such as ``data.0.id`` or ``header:X-Message-Id``.

    ``code`` is where the service's own code stands, if it has one, and `codes` what the codes mean. ``items`` is where
    the answers of a batch stand, in the order of its messages; empty: the answer is that list.
    """

    id: str = "id"
    error: str = ""
    code: str = ""
    items: str = ""
    codes: Codes = Codes()
    status: Statuses = Statuses()

    def __post_init__(self) -> None:
        if self.codes != Codes() and not self.code:
            raise ValueError("code: say where the code stands that [answer.codes] is about")


@dataclass(frozen=True, slots=True, kw_only=True)
class HttpSettings:
    """Where and how messages are posted.

    ``headers`` and ``body`` are forms, filled with the fields of each message. ``auth_secret`` is sent in
    ``auth_header`` behind ``auth_prefix`` or, where there is an ``auth_user``, as the password of Basic authentication;
    ``secrets`` are further ones, for ``{secrets.NAME}``; ``sign_secret`` signs the body. The message's key goes along
    in ``idempotency_header``; say ``receiver_is_idempotent`` only of a receiver that takes a message with the same key
    once, however often it comes, and ``remembers_hours`` where it forgets: within that time a message whose answer was
    lost is sent again. With ``batch`` above 1 so many messages are posted as a list, under ``batch_in`` if given.
    """

    url: str
    method: Literal["POST", "PUT"] = "POST"
    encoding: Literal["json", "form"] = "json"
    headers: Mapping[str, str] = field(default_factory=dict)
    body: Mapping[str, Any] = field(default_factory=lambda: DEFAULT_BODY)
    answer: Answer = Answer()
    auth_secret: str = ""
    auth_user: str = ""
    auth_header: str = "Authorization"
    auth_prefix: str = "Bearer "
    secrets: Mapping[str, str] = field(default_factory=dict)
    sign_secret: str = ""
    idempotency_header: str = "Idempotency-Key"
    idempotency_value: str = "{key}"
    receiver_is_idempotent: bool = False
    remembers_hours: float = float("inf")
    batch: int = 1
    batch_in: str = ""
    timeout_s: float = 30.0

    def __post_init__(self) -> None:
        """Refuse what could not be posted, or would not say what it seems to."""
        if not self.url.startswith(("http://", "https://")):
            raise ValueError(f"url: {self.url!r} does not begin with http:// or https://")
        if "{" in self.url.split("/", 3)[2]:
            raise ValueError(f"url: {self.url!r}: the host is the same for every message")
        if self.auth_user and not self.auth_secret:
            raise ValueError("auth_user: Basic authentication needs an auth_secret too")
        if not 1 <= self.batch <= 1000:
            raise ValueError(f"batch: {self.batch} is not between 1 and 1000")
        if self.batch > 1 and (self.receiver_is_idempotent or self.encoding == "form"):
            raise ValueError("batch: a list of messages has no key of its own and is JSON")
        if self.remembers_hours <= 0 or self.timeout_s <= 0:
            raise ValueError("remembers_hours and timeout_s must be above 0")
        names = list(self.secrets)
        for key, form in (("url", self.url), ("headers", self.headers), ("body", self.body)):
            check_form(form, names, where=key)
        check_form(self.idempotency_value, (), where="idempotency_value")

    @property
    def remembers_s(self) -> float:
        """For how long the receiver takes a key once; 0 where it does not."""
        return self.remembers_hours * 3600 if self.receiver_is_idempotent else 0.0
