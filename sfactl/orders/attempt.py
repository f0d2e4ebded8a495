"""Bring about one thing at the ERP and say what became of it. Decides what is safe to try again, and what is not.

An answer that was lost, a fault of the server and an error that a connector did not foresee all mean the same: it may
have happened. That is never tried again here; it is for the next push to ask the ERP first.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Literal

from sfactl.api.errors import (
    Ambiguous,
    Conflict,
    NeedsConfirmation,
    RateLimited,
    Refused,
    ServerFault,
    SfactlError,
    Transient,
    TryLater,
    UserError,
)
from sfactl.api.protocols import ErpConnector
from sfactl.api.records import ErpCustomer, ErpOrder, ErpProduct, Outcome, Receipt, Ref
from sfactl.orders.history import CONFIRM
from sfactl.orders.model import Work

Fate = Literal["done", "refused", "confirm", "unknown", "postponed", "stop"]

PATIENCE_S = 60.0
"""A longer wait than this is left to the next push."""

FIRST_WAIT_S = 0.5

_OUTCOMES: dict[Fate, Outcome] = {
    "done": "accepted",
    "refused": "refused",
    "confirm": "refused",
    "unknown": "unknown",
    "postponed": "retry_after",
    "stop": "retry_after",
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Attempt:
    """What became of one piece of work. ``stop`` means that nothing more can work: wrong password, wrong settings."""

    work: Work
    fate: Fate
    ref: Ref | None = None
    reason: str = ""
    wait_s: float | None = None
    error: SfactlError | None = None

    @property
    def receipt(self) -> Receipt:
        """The same for the ledger."""
        return Receipt(
            key=self.work.effect_key,
            outcome=_OUTCOMES[self.fate],
            provider_id=self.ref.id if self.ref else "",
            detail=f"{CONFIRM}{self.reason}" if self.fate == "confirm" else self.reason,
            retry_after_s=self.wait_s,
        )


def attempt(
    work: Work, connector: ErpConnector, *, attempts: int, pause: Callable[[float], None], dry_run: bool = False
) -> Attempt:
    """Try ``work`` at most ``attempts`` times, waiting by ``pause`` (seconds) only where a repeat is safe."""
    last: SfactlError | None = None
    wait = 0.0
    for n in range(max(attempts, 1)):
        if n:
            pause(wait)
        try:
            return Attempt(work=work, fate="done", ref=call(work, connector, dry_run=dry_run))
        except NeedsConfirmation as err:
            return Attempt(work=work, fate="confirm", reason=err.message)
        except Refused as err:
            return Attempt(work=work, fate="refused", reason=err.message)
        except (Ambiguous, ServerFault) as err:
            return Attempt(work=work, fate="unknown", reason=err.message)
        except (Transient, Conflict, TryLater) as err:
            last, wait = err, FIRST_WAIT_S * 2**n
            if isinstance(err, RateLimited) and err.after_s is not None:
                wait = err.after_s
            if wait > PATIENCE_S:
                break
        except UserError as err:
            return Attempt(work=work, fate="stop", reason=err.message, error=err)
        except Exception as err:
            return Attempt(work=work, fate="unknown", reason=f"the connector failed: {type(err).__name__}: {err}")
    return Attempt(work=work, fate="postponed", reason=last.message if last else "", wait_s=wait)


def call(work: Work, connector: ErpConnector, *, dry_run: bool) -> Ref:
    """The verb of the connector for a piece of work."""
    if work.verb == "cancel":
        return connector.cancel_order(work.our_key, dry_run=dry_run)
    if isinstance(work.payload, ErpCustomer):
        return connector.upsert_customer(work.our_key, work.payload, dry_run=dry_run)
    if isinstance(work.payload, ErpProduct):
        return connector.upsert_product(work.our_key, work.payload, dry_run=dry_run)
    if isinstance(work.payload, ErpOrder):
        return connector.push_order(work.our_key, work.payload, dry_run=dry_run)
    raise TypeError(f"no verb for {work.verb}")
