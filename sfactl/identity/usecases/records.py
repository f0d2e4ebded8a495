"""Find the record that somebody means, also by a number or an address that it had before a merge; list merges."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from sfactl.api.errors import NotFound, UserError
from sfactl.identity.answers import MergeLine
from sfactl.schemas.references import ENTITIES
from sfactl.workspace.aliases import living

if TYPE_CHECKING:
    from sfactl.engine.duck import Query
    from sfactl.session import Session

NAMED: dict[str, str] = {"lead": "lower(email)", "contact": "lower(email)", "account": "lower(name)"}
"""By what a record is found that is not named by its number."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Found:
    """A living record, and what was asked for where that is another number or an earlier key."""

    record_id: int
    asked: str
    merged: bool = False


def find_record(query: Query, entity: str, ref: str) -> Found:
    """The living record that ``ref`` means: a number (``8841``, ``lead:8841``), an e-mail address, an account's name.

    Raises `NotFound`, or `UserError` where several are meant.
    """
    text = ref.strip().removeprefix(f"{entity}:")
    if text.isascii() and text.isdigit() and len(text) < 19:
        return _by_number(query, entity, int(text), ref)
    dataset, key = ENTITIES[entity]
    sql = f"select {key} from {dataset} where {NAMED[entity]} = lower($text) order by 1 limit 4"
    found = [int(row[0]) for row in query.rows(sql, {"text": text})]
    if not found and entity == "lead":
        sql = (
            "select distinct lead_id from identities where lead_id is not null"
            " and ((kind = 'email' and value = lower($text)) or (kind = 'external_id' and value = $text)) order by 1"
        )
        found = [int(row[0]) for row in query.rows(sql, {"text": text})]
        if len(found) == 1:
            return Found(record_id=found[0], asked=ref, merged=True)
    if len(found) > 1:
        several = ", ".join(f"{entity}:{n}" for n in found[:3]) + (" …" if len(found) > 3 else "")
        raise UserError(f"{ref} is several {entity}s: {several}", hint="Name each by its number.")
    if not found:
        raise NotFound(f"there is no {entity} {ref!r}", hint=f"Name a number, as in: sfactl {entity} show 12")
    return Found(record_id=found[0], asked=ref)


def _by_number(query: Query, entity: str, number: int, ref: str) -> Found:
    now = living(query, entity, number)
    if query.get(ENTITIES[entity][0], now) is None:
        raise NotFound(f"there is no {entity} {number}", hint=f"See: sfactl {entity} list")
    return Found(record_id=now, asked=ref, merged=now != number)


def list_merges(
    session: Session, entity: str, *, ref: str | None = None, plan: str | None = None, limit: int = 0
) -> tuple[MergeLine, ...]:
    """Merges of ``entity``, newest first; of one record (living or merged), or of one plan of duplicates."""
    with session.query() as query:
        inside, params = "entity = $entity", {"entity": entity, "plan": plan or "", "number": 0}
        if ref is not None:
            params["number"] = find_record(query, entity, ref).record_id
            inside += (
                " and (survivor_id = $number or merged_id = $number or survivor_id in (select id from record_aliases"
                " where entity = $entity and root_id = $number))"
            )
        if plan is not None:
            inside += " and starts_with(plan_id, $plan)"
        rows = query.rows(
            'select merge_id, "at", entity, survivor_id, merged_id, state, actor, reason, plan_id, undone_at'
            f" from merges where {inside} order by merge_id desc{f' limit {int(limit)}' if limit else ''}",
            params,
        )
    return tuple(MergeLine(**dict(zip(MergeLine.__slots__, row, strict=True))) for row in rows)
