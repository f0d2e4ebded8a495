"""What senders that post messages one by one have in common: what an error says about the message that was under way.

An answer that was lost after sending is never called unsent.
"""

from __future__ import annotations

import uuid
from collections.abc import Callable

from sfactl.api.errors import Ambiguous, AuthError, RateLimited, ServerFault, SfactlError, Transient
from sfactl.api.records import Outcome, Receipt

ATTEMPTS = 3
"""How often a message is posted to a receiver that knows its key, before its outcome is called open."""

_KEYS = uuid.UUID("0f7c1a1e-5f0c-5c52-9a3a-6f1d6f1d9a11")


def key_uuid(key: str) -> str:
    """The UUID (version 5) of a message key, for receivers that take nothing else as an idempotency key."""
    return str(uuid.uuid5(_KEYS, key))


def receipt_of(key: str, err: SfactlError, *, remembers_s: float = 0.0) -> Receipt:
    """The receipt for a message whose posting ended in ``err``; raises ``err`` where it says nothing of the message.

    ``remembers_s`` is for how long the receiver takes a message with the same key once (see `KeyMemory`). Where that
    is for ever, a lost answer may be asked for again at any time; else the message is ``unknown``.
    """
    match err:
        case RateLimited():
            return Receipt(
                key=key, outcome="retry_after", detail=err.message, retry_after_s=err.after_s, about="sender"
            )
        case AuthError() | Transient():  # a wrong token is no fault of the message
            return Receipt(key=key, outcome="retry_after", detail=err.message, about="sender")
        case Ambiguous() | ServerFault():
            lost: Outcome = "retry_after" if remembers_s == float("inf") else "unknown"
            return Receipt(key=key, outcome=lost, detail=err.message)
    raise err


def post_once(key: str, post: Callable[[], Receipt], *, remembers_s: float = 0.0) -> Receipt:
    """The receipt that ``post`` answers, or that of the error it raises.

    Where the receiver remembers the key, a lost answer is asked for again at once, `ATTEMPTS` times in all.
    """
    for left in reversed(range(ATTEMPTS if remembers_s else 1)):
        try:
            return post()
        except (Ambiguous, ServerFault) as err:
            if left == 0:
                return receipt_of(key, err, remembers_s=remembers_s)
        except SfactlError as err:
            return receipt_of(key, err, remembers_s=remembers_s)
    raise AssertionError("unreachable")
