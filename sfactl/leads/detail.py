"""One lead as it is shown. Apart from the other types of leads, so that a look at one lead does not pay for imports."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any


@dataclass(frozen=True, slots=True, kw_only=True)
class Touch:
    """One touchpoint, as shown under a lead."""

    at: datetime
    kind: str
    channel: str | None = None
    content: str | None = None
    campaign: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class LeadDetail:
    """A lead: what is known of it, and its recent touchpoints, the newest first.

    ``note`` says so where it was asked for by a number or key that it does not have any more.
    """

    lead_id: int
    fields: Mapping[str, Any]
    touchpoints: tuple[Touch, ...] = ()
    note: str | None = None
