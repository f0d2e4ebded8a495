"""What an approval is for, which are needed, and what became of one."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import datetime
from decimal import Decimal
from typing import Literal


@dataclass(frozen=True, slots=True, kw_only=True)
class Asked:
    """What is to be approved: its size, who made it, and how people call it. ``discount`` is in percent."""

    what: Literal["quote", "order"]
    number: int
    called: str
    revision: int
    amount: Decimal
    currency: str
    author: str | None
    discount: Decimal = Decimal(0)


@dataclass(frozen=True, slots=True, kw_only=True)
class Need:
    """One approval that is needed: what for, who may give it, and who did. ``given_by`` is empty where nobody has."""

    rule: str
    by: tuple[str, ...]
    given_by: str = ""
    given_at: datetime | None = None

    def __str__(self) -> str:
        """In words."""
        done = f", given by {self.given_by}" if self.given_by else ""
        return f"{self.rule}: {' or '.join(self.by)}{done}"


@dataclass(frozen=True, slots=True, kw_only=True)
class Approved:
    """What an approval settled. ``given`` are the rules it was for, ``open`` those that still want somebody's word."""

    called: str
    given: tuple[str, ...]
    open: tuple[Need, ...] = field(default=())
    repeated: bool = False
    dry_run: bool = False
    commit: int | None = None
