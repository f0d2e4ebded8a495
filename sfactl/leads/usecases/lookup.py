"""Look at leads: a listing, and one lead in full. Light: it must not pay for the readers and cleaners of imports."""

from __future__ import annotations

import difflib
from collections.abc import Sequence
from datetime import timedelta
from typing import TYPE_CHECKING, Any

from sfactl.api.errors import NotFound, UserError
from sfactl.engine.duck import Query
from sfactl.leads.detail import LeadDetail, Touch
from sfactl.schemas import Dataset
from sfactl.session import Session
from sfactl.workspace.aliases import living

if TYPE_CHECKING:
    import pyarrow as pa

DEFAULT_COLUMNS = ("lead_id", "status", "full_name", "company", "email", "phone", "country", "source", "owner")

RECENT = timedelta(days=90)
"""Touchpoints are sorted by time: the recent ones are found at once, all of a lead's only by reading all there are."""


def list_leads(
    session: Session, *, where: str | None = None, columns: Sequence[str] = (), limit: int = 50
) -> tuple[pa.Table, int]:
    """Leads that meet the condition ``where``, in the order of their numbers, and how many there are in all.

    ``columns`` are fields of leads; ``id`` stands for ``lead_id``. ``limit`` 0 means all. Raises `ConditionError`.
    """
    schema = session.workspace.schemas["leads"]
    chosen = [_column(c, schema) for c in columns or DEFAULT_COLUMNS]
    shown = ", ".join(f'"{c}" as "{a}"' if a != c else f'"{c}"' for c, a in chosen)
    with session.query() as query:
        inside, params = "", {}
        if where:
            from sfactl.engine.conditions import compile_condition

            found = compile_condition(where, schemas=session.workspace.schemas, now=session.now(), where="--where")
            inside, params = f" where lead_id in ({found.sql})", dict(found.params)
        cut = f" limit {limit}" if limit else ""
        table = query.table(f"select {shown} from leads{inside} order by lead_id{cut}", params)
        total = table.num_rows
        if limit and total == limit:
            total = int((query.one(f"select count(*) from leads{inside}", params) or (0,))[0])
    return table, total


def _column(said: str, schema: Dataset) -> tuple[str, str]:
    known = "lead_id" if said in ("id", "lead_id") else said
    if known not in schema.types:
        near = difflib.get_close_matches(known, schema.types, 1)
        hint = f"Did you mean {near[0]}?" if near else "See: sfactl data show leads"
        raise UserError(f"leads have no field {said!r}", hint=hint)
    return known, said


def show_lead(session: Session, ref: str, *, touches: int = 5) -> LeadDetail:
    """One lead by number (``lead:8841``, ``8841``), e-mail address or external id, with its recent touchpoints.

    Raises `NotFound`, or `UserError` where an external id belongs to several leads.
    """
    with session.query() as query:
        row = find_lead(query, ref)
        lead_id = int(row["lead_id"])
        found: tuple[Touch, ...] = ()
        if touches:
            rows = query.rows(
                'select "at", kind, channel, content, campaign from touchpoints where lead_id = $lead_id'
                f' and "at" >= $since order by "at" desc limit {int(touches)}',
                {"lead_id": lead_id, "since": session.now() - RECENT},
            )
            found = tuple(
                Touch(at=at, kind=kind, channel=channel, content=content, campaign=campaign)
                for at, kind, channel, content, campaign in rows
            )
    known = {k: v for k, v in row.items() if v is not None}
    return LeadDetail(lead_id=lead_id, fields=known, touchpoints=found, note=_told(ref, row))


def _told(ref: str, row: dict[str, Any]) -> str | None:
    """What is to be said where ``ref`` is not in the row that it led to."""
    plain = ref.removeprefix("lead:").lower()
    if plain in (str(row["lead_id"]), str(row["email"]).lower(), str(row["external_id"]).lower()):
        return None
    now = f"lead:{row['lead_id']}"
    return f"lead:{plain} was merged into {now}" if plain.isdigit() else f"{ref} is an earlier key of {now}"


def _known_before(query: Query, plain: str) -> dict[str, Any] | None:
    """The lead that was known by ``plain`` once: a number that was merged into it, an address or id it had."""
    if plain.isdigit():
        now = living(query, "lead", int(plain)) if len(plain) < 19 else 0
        return query.get("leads", now) if str(now) != plain else None
    sql = (
        "select distinct lead_id from identities where (kind = 'email' and value = lower($value))"
        " or (kind = 'external_id' and value = $value) order by 1 limit 2"
    )
    rows = query.rows(sql, {"value": plain})
    return query.get("leads", rows[0][0]) if len(rows) == 1 else None


def find_lead(query: Query, ref: str) -> dict[str, Any]:
    """The row of the lead that ``ref`` means, also by a number or key that it had before a merge."""
    plain = ref.removeprefix("lead:")
    if plain.isdigit() and len(plain) < 19 and (row := query.get("leads", int(plain))):
        return row
    # Addresses are kept in lower case as a rule; to fold a million of them takes longer than to compare them.
    tests = ("email = lower($value)", "lower(email) = lower($value)") if "@" in plain else ("external_id = $value",)
    rows: list[tuple[Any, ...]] = []
    for test in tests:
        rows = rows or query.rows(f"select lead_id from leads where {test} order by 1 limit 3", {"value": plain})
    if len(rows) > 1:
        numbers = ", ".join(f"lead:{r[0]}" for r in rows)
        raise UserError(f"{ref} is several leads: {numbers}", hint="Name one by its number.")
    row = query.get("leads", rows[0][0]) if rows else _known_before(query, plain)
    if row is None:
        raise NotFound(f"there is no lead {ref!r}", hint="Name a number, an e-mail address or an external id.")
    return row
