"""Post messages in the form a service wants and say honestly what became of each."""

from __future__ import annotations

import base64
import json
from collections.abc import Iterator, Mapping, Sequence
from typing import Any
from urllib.parse import urlencode

import requests

from sfactl.api.context import PluginContext
from sfactl.api.errors import SfactlError
from sfactl.api.http import HttpSession
from sfactl.api.posting import post_once, receipt_of
from sfactl.api.records import CheckReport, Message, Receipt
from sfactl.api.signing import signed
from sfactl_sender_http.answers import receipt_of_answer, receipts_of_batch
from sfactl_sender_http.fields import fill, fill_address, flat, values_of
from sfactl_sender_http.settings import HttpSettings

_TYPES = {"json": "application/json", "form": "application/x-www-form-urlencoded"}


class HttpSender:
    """Implements `sfactl.api.protocols.TouchpointSender` and `KeyMemory`."""

    def __init__(self, settings: HttpSettings, context: PluginContext) -> None:
        self._settings = settings
        self._context = context
        self._session: HttpSession | None = None
        self._secrets = {name: context.secret(reference) for name, reference in settings.secrets.items()}
        self._sign_secret = context.secret(settings.sign_secret) if settings.sign_secret else ""

    @property
    def remembers_s(self) -> float:
        """For how long the receiver takes a message with the same key once."""
        return self._settings.remembers_s

    def check(self) -> CheckReport:
        """Connect to the receiver without asking it anything: any request might be taken for a message."""
        facts = {"url": self._settings.url, "signed": "yes" if self._sign_secret else "no"}
        try:
            self._open().reach()
        except SfactlError as err:
            return CheckReport(facts=facts, problems=(err.message,))
        return CheckReport(facts=facts)

    def send(self, messages: Sequence[Message]) -> Iterator[Receipt]:
        """Post each message once, or each batch, and yield the receipts as soon as they are known."""
        size = self._settings.batch
        if size == 1:
            for message in messages:
                yield self._send(message)
            return
        for start in range(0, len(messages), size):
            yield from self._send_batch(messages[start : start + size])

    def close(self) -> None:
        """Close the connection."""
        if self._session is not None:
            self._session.close()
            self._session = None

    def _send(self, message: Message) -> Receipt:
        values = values_of(message, self._secrets)
        content = self._encoded(fill(self._settings.body, values) or {})

        def post() -> Receipt:
            return receipt_of_answer(message, self._post(content, message.key, values), self._settings.answer)

        return post_once(message.key, post, remembers_s=self.remembers_s)

    def _send_batch(self, messages: Sequence[Message]) -> list[Receipt]:
        forms = [fill(self._settings.body, values_of(m, self._secrets)) for m in messages]
        content = self._encoded({self._settings.batch_in: forms} if self._settings.batch_in else forms)
        values = values_of(messages[0], self._secrets)
        try:
            return receipts_of_batch(messages, self._post(content, messages[0].key, values), self._settings.answer)
        except SfactlError as err:
            return [receipt_of(m.key, err) for m in messages]

    def _encoded(self, filled: Any) -> bytes:
        if self._settings.encoding == "form":
            return urlencode(flat(filled)).encode()
        return json.dumps(filled, ensure_ascii=False).encode()

    def _post(self, content: bytes, key: str, values: Mapping[str, Any]) -> requests.Response:
        settings = self._settings
        headers = {"Content-Type": _TYPES[settings.encoding], "Accept": "application/json"}
        # A header is latin-1 and one line: what is in a message must not become another header.
        headers |= {name: _line(value) for name, value in (fill(settings.headers, values) or {}).items()}
        if settings.batch == 1 and settings.idempotency_header:
            headers[settings.idempotency_header] = _line(fill(settings.idempotency_value, values))
        if self._sign_secret:
            headers |= signed(self._sign_secret, key, content, self._context.now())
        address = fill_address(settings.url, values)
        return self._open().request(settings.method, address, data=content, headers=headers)

    def _open(self) -> HttpSession:
        if self._session is None:
            self._session = self._context.http(
                base_url=self._settings.url, headers=self._auth(), timeout_s=self._settings.timeout_s
            )
        return self._session

    def _auth(self) -> dict[str, str]:
        settings = self._settings
        if not settings.auth_secret:
            return {}
        secret = self._context.secret(settings.auth_secret)
        if settings.auth_user:
            pair = base64.b64encode(f"{settings.auth_user}:{secret}".encode()).decode()
            return {"Authorization": f"Basic {pair}"}
        return {settings.auth_header: settings.auth_prefix + secret}


def _line(value: Any) -> str:
    plain = str(value).encode("ascii", "replace").decode()
    return " ".join("".join(c if c.isprintable() else " " for c in plain).split())
