"""What is answered of a journey: its nodes, and where a customer stands on it."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class NodeStatus:
    """One node: who is there now, who is overdue, who got at least so far, and who came past without its data."""

    node: str
    title: str
    here: int
    so_far_days: float | None
    overdue: int
    got_here: int
    of_previous: float | None
    skipped: int
    went_on: int
    stayed_days: float | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Status:
    """All nodes of a journey. ``before`` are leads that have come to none."""

    journey: str
    at: datetime
    seq: int
    customers: int
    before: int
    nodes: tuple[NodeStatus, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Standing:
    """One node for one customer: when it was come to, until when, and what is true of it.

    ``state`` is ``here``, ``passed``, ``after the fact`` (its data came when the customer was further on), ``skipped``
    or ``not yet``. ``told_by`` is the node's expression, ``told_at`` what it answered, and ``holds`` says whether
    its ``where`` does.
    """

    node: str
    title: str
    state: str
    reached_at: datetime | None
    left_at: datetime | None
    dwell_us: int | None
    told_by: str
    told_at: datetime | None
    holds: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class Customer:
    """Where one customer stands. The dwells of the nodes passed and of the one they are at add up to ``total_us``."""

    journey: str
    lead_id: int
    name: str
    node: str | None
    since: datetime | None
    total_us: int
    standings: tuple[Standing, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Derived:
    """What a derivation stored: customers placed, moved to another node, and gone from the journey."""

    journey: str
    customers: int
    moved: int
    gone: int
    commit: int | None
    dry_run: bool
