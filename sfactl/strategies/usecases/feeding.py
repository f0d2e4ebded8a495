"""What strategies told other departments: orders, and corrections where one changed since; nothing twice."""

from __future__ import annotations

from dataclasses import dataclass
from decimal import Decimal
from typing import TYPE_CHECKING

from sfactl.api.errors import NotFound
from sfactl.session import Session
from sfactl.strategies.model import near

if TYPE_CHECKING:
    import pyarrow as pa

    from sfactl.engine.duck import Query


@dataclass(frozen=True, slots=True, kw_only=True)
class Total:
    """What a feed was told in one currency, and what the same orders come to now."""

    currency: str
    orders: int
    told: Decimal
    now: Decimal


@dataclass(frozen=True, slots=True, kw_only=True)
class FeedResult:
    """A feed: its totals, and how many corrections were added just now."""

    feed: str
    totals: tuple[Total, ...]
    corrections: int

    @property
    def agrees(self) -> bool:
        """Whether what was told equals the orders as they are."""
        return all(t.told == t.now for t in self.totals)


def totals(session: Session, name: str, *, correct: bool = False) -> FeedResult:
    """What the feed ``name`` was told; with ``correct`` differences to the orders of now are told too.

    Raises `NotFound` for a feed that nothing was told to.
    """
    with session.query() as query:
        _check(query, name)
    corrections = _correct(session, name) if correct else 0
    with session.query() as query:
        found = query.rows(query.statement("strategies", "feed_totals"), {"feed": name})
    return FeedResult(
        feed=name,
        totals=tuple(Total(currency=c, orders=n, told=told, now=now) for c, n, told, now in found),
        corrections=corrections,
    )


def rows(session: Session, name: str, *, since: str | None = None) -> pa.Table:
    """Every word that the feed ``name`` was told, oldest first; their amounts sum up to the totals."""
    with session.query() as query:
        _check(query, name)
        at = session.moment(since) if since else None
        return query.table(query.statement("strategies", "feed"), {"feed": name, "since": at})


def _correct(session: Session, name: str) -> int:
    with session.write(reason=f"correct feed {name}") as tx:
        sql = tx.query.statement("strategies", "feed_corrections")
        added = tx.append("feeds", sql, {"feed": name, "now": session.now()})
        if added:
            tx.commit(feed=name, corrections=added)
    return added


def _check(query: Query, name: str) -> None:
    known = [r[0] for r in query.rows("select distinct feed from feeds order by 1")]
    if name not in known:
        raise NotFound(f"nothing was ever told to a feed {name!r}", hint=near(name, known).strip())
