"""The one table that reports on leads stand on: a row a lead with its way, read at one commit and up to one moment."""

from __future__ import annotations

import difflib
from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager
from datetime import datetime
from typing import TYPE_CHECKING, Any

from sfactl.api.errors import UserError
from sfactl.insight.model import OUTCOMES, STAGES, Cohort, Scope

if TYPE_CHECKING:
    from sfactl.engine.duck import Query
    from sfactl.session import Session

NEVER = datetime(9999, 12, 31)
"""The bound of what had happened where nobody sets one."""


@contextmanager
def journeys(session: Session, *, by: str = "", scope: Scope | None = None) -> Iterator[tuple[Query, Cohort]]:
    """A query in which the table ``journey`` has the leads of ``scope``, each with its ``part`` by the field ``by``."""
    scope = scope or Scope()
    with session.query() as query:
        query.run(
            f"create or replace temp table journey as {query.statement('insight', 'journey')}",
            {
                "by": by,
                "since": scope.since,
                "until": scope.until,
                "valid_at": scope.valid_at or NEVER,
                "undated": scope.valid_at is None,
                "zone": str(session.zone),
            },
        )
        yield query, Cohort(since=scope.since, until=scope.until, seq=query.seq)


def observed(session: Session, scope: Scope) -> datetime:
    """The moment up to which a report has seen what happened, naive UTC: what is still to come then is censored."""
    known = session.as_of_time()
    return min(known, scope.valid_at) if scope.valid_at else known


def rows(query: Query, name: str, params: Mapping[str, Any] | None = None) -> list[dict[str, Any]]:
    """The answer of the statement ``name``, for small answers."""
    answer: list[dict[str, Any]] = query.table(query.statement("insight", name), params).to_pylist()
    return answer


def check(value: str, known: Iterable[str], option: str) -> str:
    """``value``, if it is one of ``known``. Raises `UserError` with the nearest name."""
    names = [k for k in known if k]
    if value in names or (not value and "" in known):
        return value
    near = difflib.get_close_matches(value, names, 1)
    hint = f" Did you mean {near[0]!r}?" if near else ""
    raise UserError(f"{option}: there is no {value!r}.{hint} Choose from {', '.join(names)}")


def stage_number(outcome: str, option: str = "--to") -> int:
    """The place of ``outcome`` on the way, one past the last stage for ``won``. Raises `UserError`."""
    check(outcome, OUTCOMES, option)
    return STAGES.index(outcome) if outcome in STAGES else len(STAGES)
