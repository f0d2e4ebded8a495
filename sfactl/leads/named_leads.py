"""Find the leads that people name by number or e-mail address."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from typing import TYPE_CHECKING

from sfactl.api.errors import NotFound, UserError
from sfactl.leads.lifecycle import lead_number
from sfactl.workspace.aliases import living

if TYPE_CHECKING:
    from sfactl.engine.duck import Query


def find_leads(query: Query, refs: Sequence[str]) -> list[int]:
    """The numbers of the leads that ``refs`` name, each once, in order. Raises `NotFound` naming the first unknown."""
    wanted = [lead_number(ref) for ref in refs]
    known = _known(query, [w for w in wanted if isinstance(w, int)])
    found: dict[int, None] = {}
    for name in wanted:
        if isinstance(name, int):
            now = name if name in known else living(query, "lead", name)
            if now not in known and query.get("leads", now) is None:
                raise NotFound(f"there is no lead {name}", hint="See: sfactl lead list")
            found[now] = None
            continue
        rows = query.rows("select lead_id from leads where email = $email order by lead_id", {"email": name})
        if not rows:
            raise NotFound(f"there is no lead with the e-mail {name}", hint="See: sfactl lead list")
        if len(rows) > 1:
            listed = ", ".join(f"lead:{r[0]}" for r in rows[:5])
            raise UserError(f"{name} is the e-mail of {len(rows)} leads: {listed}", hint="Name one by its number.")
        found[rows[0][0]] = None
    return list(found)


def fitting_leads(query: Query, refs: Collection[str]) -> Mapping[str, tuple[int, int | None]]:
    """For each way in which a lead is named, how many leads it fits, and the one with the lowest number."""
    import pyarrow as pa

    query.register("refs", pa.table({"ref": pa.array(sorted(refs), pa.string())}))
    return {ref: (int(fits), lead_id) for ref, fits, lead_id in query.rows(query.statement("leads", "named_leads"))}


def _known(query: Query, numbers: Sequence[int]) -> set[int]:
    """Which of these leads exist. A few are looked up one by one, many in one pass over all."""
    if len(numbers) <= 3:
        return {n for n in numbers if query.get("leads", n) is not None}
    return {
        n
        for (n,) in query.rows("select lead_id from leads where list_contains($numbers, lead_id)", {"numbers": numbers})
    }
