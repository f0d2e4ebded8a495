"""What the chat services have in common: one request a message, a limit on its length, and a token that ends.

A text that is too long is refused here: the services cut it off, or refuse it after it has cost a request.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from typing import Any, ClassVar

import requests

from sfactl.api.context import PluginContext
from sfactl.api.errors import Ambiguous, ServerFault, SfactlError, Transient
from sfactl.api.http import HttpSession
from sfactl.api.posting import post_once
from sfactl.api.records import CheckReport, Message, Outcome, Reach, Receipt

SHOWN = 200
RENEWED_BEFORE = timedelta(minutes=5)
"""A token that ends so soon is replaced: a request may be under way when it ends."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Token:
    """A token that a service gave us for a while."""

    value: str
    ends_at: datetime


class ChatSender(ABC):
    """Implements `sfactl.api.protocols.TouchpointSender` and `KeyMemory` but for the request itself."""

    longest: ClassVar[int] = 0
    """The longest text that the service takes, as `measure` counts it."""

    def __init__(self, url: str, timeout_s: float, context: PluginContext, *secrets: str) -> None:
        self._url = url
        self._timeout_s = timeout_s
        self._context = context
        self._hidden = secrets
        self._sessions: dict[str, HttpSession] = {}

    @property
    def remembers_s(self) -> float:
        """For how long the service takes a message once; most never do."""
        return 0.0

    def check(self) -> CheckReport:
        """Connect to the service without asking it anything."""
        try:
            self._open(self._url).reach()
        except SfactlError as err:
            return CheckReport(facts={"url": self._url}, problems=(err.message,))
        return CheckReport(facts={"url": self._url})

    def send(self, messages: Sequence[Message]) -> Iterator[Receipt]:
        """Post one by one; a failure of one never holds the others."""
        for message in messages:
            text = self.written(message)
            if (size := self.measure(text)) > self.longest:
                detail = f"not sent: it is {size:,} long, and {self.longest:,} is the longest that is taken"
                yield Receipt(key=message.key, outcome="refused", detail=detail)
            elif not text.strip():
                yield Receipt(key=message.key, outcome="refused", detail="not sent: there is no text")
            else:
                yield self._veiled(post_once(message.key, self._posting(message, text), remembers_s=self.remembers_s))

    def close(self) -> None:
        """Close the connections."""
        for session in self._sessions.values():
            session.close()
        self._sessions.clear()

    def written(self, message: Message) -> str:
        """The text as the service gets it."""
        return message.text

    def measure(self, text: str) -> int:
        """How long a text is: most services count bytes of UTF-8."""
        return len(text.encode())

    @abstractmethod
    def deliver(self, message: Message, text: str) -> Receipt:
        """Post one message. Raises as `HttpSession.request`."""

    def ask(
        self,
        method: str,
        path: str,
        *,
        body: Any = None,
        params: Mapping[str, str] | None = None,
        headers: Mapping[str, str] | None = None,
        base_url: str = "",
    ) -> requests.Response:
        """One request to the service, or to ``base_url``."""
        session = self._open(base_url or self._url)
        return session.request(method, path, json=body, params=params, headers=headers)

    def look_up(self, method: str, path: str, **more: Any) -> Mapping[str, Any]:
        """The answer to a question on the way to a message. Whatever is lost of it, no message was sent."""
        try:
            return told(self.ask(method, path, **more))
        except (Ambiguous, ServerFault) as err:
            raise Transient(err.message) from err

    def hide(self, secret: str) -> None:
        """Never show ``secret`` in a receipt."""
        self._hidden = (*self._hidden, secret)

    def _open(self, base_url: str) -> HttpSession:
        if base_url not in self._sessions:
            self._sessions[base_url] = self._context.http(base_url=base_url, timeout_s=self._timeout_s)
        return self._sessions[base_url]

    def _posting(self, message: Message, text: str) -> Callable[[], Receipt]:
        return lambda: self.deliver(message, text)

    def _veiled(self, receipt: Receipt) -> Receipt:
        detail = receipt.detail
        for secret in sorted(filter(None, self._hidden), key=len, reverse=True):
            detail = detail.replace(secret, "•••")
        return replace(receipt, detail=detail)


def answered(
    message: Message,
    outcome: Outcome,
    detail: str = "",
    *,
    id: str = "",
    after_s: float | None = None,
    about: Reach = "sender",
) -> Receipt:
    """A receipt with a short text. What is put off is put off for all, unless it is ``about`` the message."""
    return Receipt(
        key=message.key,
        outcome=outcome,
        provider_id=id,
        detail=" ".join(detail.split())[:SHOWN],
        retry_after_s=after_s if outcome == "retry_after" else None,
        about=about if outcome == "retry_after" else "message",
    )


def told(response: requests.Response) -> Mapping[str, Any]:
    """The JSON object of an answer. Raises `Ambiguous` where a good status comes with something else."""
    try:
        body = response.json()
    except ValueError:
        body = None
    if isinstance(body, dict):
        return body
    if response.status_code < 300:
        raise Ambiguous(f"the service answered {response.status_code} with no JSON: {response.text[:SHOWN]}")
    return {}


def moved(response: requests.Response) -> None:
    """Raise `Transient` for an answer that is about the address, not about the message."""
    if 300 <= response.status_code < 400 or response.status_code in (404, 405, 410):
        raise Transient(f"the service answered {response.status_code}: {response.text[:SHOWN]}".strip(" :"))
