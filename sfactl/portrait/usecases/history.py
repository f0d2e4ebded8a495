"""The timeline of a lead, a contact or an account: everything that happened, from whatever dataset, in time order."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

from sfactl.api.errors import UserError
from sfactl.config.tags import Kind
from sfactl.portrait.timeline import Entry, Timeline, kinds_of
from sfactl.portrait.usecases.bearers import find, name_in, row_of

if TYPE_CHECKING:
    from sfactl.engine.duck import Query
    from sfactl.session import Session

WHO: dict[Kind, str] = {
    "lead": "select 'lead' as kind, $id as id"
    " union select 'contact', contact_id from leads where lead_id = $id and contact_id is not null"
    " union select 'opportunity', opportunity_id from opportunities where lead_id = $id",
    "contact": "select 'contact' as kind, $id as id"
    " union select 'lead', lead_id from leads where contact_id = $id"
    " union select 'lead', lead_id from contacts where contact_id = $id and lead_id is not null"
    " union select 'opportunity', opportunity_id from opportunities where contact_id = $id",
    "account": "select 'account' as kind, $id as id"
    " union select 'contact', contact_id from contacts where account_id = $id"
    " union select 'lead', lead_id from leads where account_id = $id"
    " union select 'opportunity', opportunity_id from opportunities where account_id = $id",
}
"""Whose rows belong to the timeline of each kind."""


FIRST = "case when kind = 'stage' and not contains(what, '→') then 0 when kind in ('touch', 'stage') then 1 else 2 end"
"""What comes first of what happened at the same time: the beginning, then what others followed from."""


def timeline(session: Session, ref: str, *, kinds: Sequence[str] = (), page: int = 1, limit: int = 50) -> Timeline:
    """One page of what happened with ``ref`` up to ``--as-of``; page 1 holds the newest ``limit`` (0: all).

    A merged record's events are those of the record that stayed. Raises `NotFound` or `UserError`.
    """
    wanted = kinds_of(kinds)
    with session.query() as query:
        ((kind, number),) = find(query, [ref])
        sql = query.statement("portrait", "timeline").format(**_places(query, kind, number))
        query.run(f"create temp table happened as {sql}", {"now": session.as_of_time()})
        counts = dict(query.rows("select kind, count(*) from happened group by kind order by count(*) desc, kind"))
        total = sum(n for name, n in counts.items() if not wanted or name in wanted)
        pages = max(1, -(-total // limit)) if limit else 1
        if page > pages:
            raise UserError(f"there is no page {page}: {total:,} entries make {pages} pages of {limit}")
        return Timeline(
            ref=f"{kind}:{number}",
            name=name_in(row_of(query, kind, number)),
            total=total,
            page=page,
            pages=pages,
            counts=counts,
            entries=_entries(query, wanted, page, limit),
        )


def _places(query: Query, kind: Kind, number: int) -> dict[str, str]:
    """The numbers of everybody whose rows belong to the timeline, as SQL lists by kind."""
    found: dict[str, list[int]] = {"lead": [], "contact": [], "account": [], "opportunity": []}
    for whose, one in query.rows(WHO[kind], {"id": number}):
        found[whose].append(int(one))
    people = [*found["lead"], *found["contact"], *found["account"]]
    named = {"leads": "lead", "contacts": "contact", "accounts": "account", "deals": "opportunity"}
    lists = {place: found[whose] for place, whose in named.items()} | {"anyone": people}
    return {place: ", ".join(map(str, sorted(set(numbers)))) or "null" for place, numbers in lists.items()}


def _entries(query: Query, kinds: Sequence[str], page: int, limit: int) -> tuple[Entry, ...]:
    paging = f" limit {int(limit)} offset {(page - 1) * limit}" if limit else ""
    rows = query.rows(
        'select "at", kind, what, detail, actor, about, ref from happened'
        " where len($kinds) = 0 or list_contains($kinds, kind)"
        f' order by "at" desc, {FIRST} desc, kind desc, ref desc, what desc{paging}',
        {"kinds": list(kinds)},
    )
    names = ("at", "kind", "what", "detail", "actor", "about", "ref")
    return tuple(Entry(**dict(zip(names, row))) for row in reversed(rows))
