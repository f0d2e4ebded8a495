"""Post messages one by one and say honestly what became of each: what may have arrived is never called unsent."""

from __future__ import annotations

import json
import socket
from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor, as_completed
from dataclasses import asdict
from typing import Any
from urllib.parse import urlsplit

from sfactl.api.context import PluginContext
from sfactl.api.errors import Ambiguous, AuthError, RateLimited, ServerFault, SfactlError, Transient
from sfactl.api.http import HttpSession
from sfactl.api.records import CheckReport, Message, Receipt
from sfactl_sender_webhook.settings import Settings
from sfactl_sender_webhook.signature import HEADER, signature

CONNECT_TIMEOUT_S = 5.0


class WebhookSender:
    """Implements `sfactl.api.protocols.TouchpointSender`."""

    def __init__(self, settings: Settings, context: PluginContext) -> None:
        self._settings = settings
        self._context = context
        self._session: HttpSession | None = None
        self._sign_secret = context.secret(settings.sign_secret) if settings.sign_secret else ""

    def check(self) -> CheckReport:
        """Connect to the receiver without asking it anything: any request might be taken for a message."""
        parts = urlsplit(self._settings.url)
        port = parts.port or (443 if parts.scheme == "https" else 80)
        host = parts.hostname or ""
        facts = {"url": self._settings.url, "signed": "yes" if self._sign_secret else "no"}
        try:
            self._context.check_host(host)
            self._headers()
            socket.create_connection((host, port), timeout=CONNECT_TIMEOUT_S).close()
        except (OSError, SfactlError) as err:
            return CheckReport(facts=facts, problems=(f"{host}:{port}: {err}",))
        return CheckReport(facts=facts)

    def send(self, messages: Sequence[Message]) -> Iterator[Receipt]:
        """Post each message once and yield its receipt as soon as it is known."""
        self._open()  # before there are threads that would each open one
        with ThreadPoolExecutor(self._settings.parallel) as posts:
            under_way = [posts.submit(self._send, message) for message in messages]
            try:
                yield from (post.result() for post in as_completed(under_way))
            finally:
                posts.shutdown(cancel_futures=True)

    def close(self) -> None:
        """Close the connection."""
        if self._session is not None:
            self._session.close()
            self._session = None

    def _send(self, message: Message) -> Receipt:
        settings = self._settings
        body = json.dumps(_body(message), ensure_ascii=False, sort_keys=True).encode()
        headers = {"Content-Type": "application/json"}
        if self._sign_secret:
            headers[HEADER] = signature(self._sign_secret, body, self._context.now())
        if not settings.receiver_is_idempotent:
            # The key goes along for the receiver's records, but must not make the session repeat the request.
            headers["Idempotency-Key"] = message.key
        try:
            response = self._open().request(
                "POST",
                "",
                data=body,
                headers=headers,
                idempotency_key=message.key if settings.receiver_is_idempotent else None,
            )
        except SfactlError as err:
            return self._not_taken(message.key, err)
        if 200 <= response.status_code < 300:
            return Receipt(key=message.key, outcome="accepted", provider_id=_id_in(response))
        said = f"{response.status_code} {response.text[:200]}".strip()
        return Receipt(key=message.key, outcome="refused", detail=said)

    def _not_taken(self, key: str, err: SfactlError) -> Receipt:
        match err:
            case RateLimited():
                return Receipt(key=key, outcome="retry_after", detail=err.message, retry_after_s=err.after_s)
            case AuthError() | Transient():  # a wrong token is no fault of the message
                return Receipt(key=key, outcome="retry_after", detail=err.message)
            case Ambiguous() | ServerFault():
                outcome = "retry_after" if self._settings.receiver_is_idempotent else "unknown"
                return Receipt(key=key, outcome=outcome, detail=err.message)  # type: ignore[arg-type]
        raise err

    def _open(self) -> HttpSession:
        if self._session is None:
            settings = self._settings
            self._session = self._context.http(
                base_url=settings.url, headers=self._headers(), timeout_s=settings.timeout_s
            )
        return self._session

    def _headers(self) -> dict[str, str]:
        settings = self._settings
        if not settings.auth_secret:
            return {}
        return {settings.auth_header: settings.auth_prefix + self._context.secret(settings.auth_secret)}


def _body(message: Message) -> dict[str, Any]:
    return {**asdict(message), "headers": dict(message.headers)}


def _id_in(response: Any) -> str:
    """The receiver's own id of the message, where its answer has one."""
    try:
        answer = response.json()
    except ValueError:
        return ""
    return str(answer.get("id", "")) if isinstance(answer, dict) else ""
