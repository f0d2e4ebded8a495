"""Find the leads that people name by number or e-mail address."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from typing import TYPE_CHECKING

from sfactl.api.errors import NotFound, UserError
from sfactl.leads.lifecycle import lead_number
from sfactl.workspace.aliases import living

if TYPE_CHECKING:
    from sfactl.engine.duck import Query

FEW = 3
"""So many numbers are looked up one by one; more are found in one pass over all leads."""


def find_leads(query: Query, refs: Sequence[str]) -> list[int]:
    """The numbers of the leads that ``refs`` name, each once, in order. Raises `NotFound` naming the first unknown."""
    numbers = [number for ref in refs if isinstance(number := lead_number(ref), int)]
    if len(numbers) == len(refs) <= FEW:
        fitting: Mapping[str, Sequence[int]] = {
            ref: _by_number(query, number) for ref, number in zip(refs, numbers, strict=True)
        }
    else:
        fitting = fitting_leads(query, refs)
    return list(dict.fromkeys(_only(ref, fitting[ref]) for ref in refs))


def fitting_leads(query: Query, refs: Collection[str]) -> Mapping[str, Sequence[int]]:
    """The numbers of the leads that each of ``refs`` fits, lowest first: none, one, or several with one address."""
    import pyarrow as pa

    named = {ref: _meaning(ref) for ref in sorted(set(refs))}
    columns = {
        "ref": pa.array(named, pa.string()),
        "number": pa.array([m if isinstance(m, int) else None for m in named.values()], pa.int64()),
        "email": pa.array([m if isinstance(m, str) else None for m in named.values()], pa.string()),
    }
    query.register("refs", pa.table(columns))
    found: dict[str, list[int]] = {ref: [] for ref in named}
    for ref, lead_id in query.rows(query.statement("leads", "named_leads")):
        found[ref].append(lead_id)
    return found


def _meaning(ref: str) -> int | str | None:
    try:
        return lead_number(ref)
    except NotFound:
        return None


def _by_number(query: Query, number: int) -> list[int]:
    if query.get("leads", number) is not None:
        return [number]
    alive = living(query, "lead", number)
    return [alive] if alive != number and query.get("leads", alive) is not None else []


def _only(ref: str, fits: Sequence[int]) -> int:
    named = lead_number(ref)
    if not fits:
        what = f"lead {named}" if isinstance(named, int) else f"lead with the e-mail {named}"
        raise NotFound(f"there is no {what}", hint="See: sfactl lead list")
    if len(fits) > 1:
        listed = ", ".join(f"lead:{lead_id}" for lead_id in fits[:5])
        raise UserError(f"{named} is the e-mail of {len(fits)} leads: {listed}", hint="Name one by its number.")
    return fits[0]
