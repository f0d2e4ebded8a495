"""The one HTTP session that plugins get: only declared hosts, time-outs, retries with backoff and Retry-After.

The core never opens it by itself.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any, Protocol

if TYPE_CHECKING:
    import requests


class HttpSession(Protocol):
    """A small part of ``requests.Session``, with sfactl's manners."""

    def request(
        self,
        method: str,
        path: str,
        *,
        params: Mapping[str, str] | None = None,
        json: Any = None,
        data: bytes | None = None,
        headers: Mapping[str, str] | None = None,
        idempotency_key: str | None = None,
    ) -> requests.Response:
        """Send one request to ``path`` below the base URL and answer the response of any status below 500.

        ``path`` may also be a full address, for instance a link to a next page; its host must be declared too.
        GET and HEAD, and any request with an ``idempotency_key`` (sent as ``Idempotency-Key``), are retried on
        connection errors, 429, 502, 503 and 504, honouring Retry-After up to a minute. Errors: `AuthError` on 401 and
        403, `RateLimited` on 429 and on 503 with Retry-After, `Transient` where nothing was sent or a repeat is safe,
        `Ambiguous` where a request that must not be repeated got no answer, `ServerFault` on other 5xx, `PluginError`
        for a host that was not declared.
        """
        ...

    def reach(self) -> None:
        """Connect to the base URL as a request would, and ask nothing: any request might be taken for a message.

        Raises `Transient` where there is no connection, or none that can be trusted.
        """
        ...

    def close(self) -> None:
        """Close the connections."""
        ...
