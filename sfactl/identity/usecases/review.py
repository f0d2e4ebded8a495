"""Decide by hand about pairs in doubt: list them side by side, say same or different, also in a spreadsheet."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from sfactl.api.errors import DataError, NotFound, UserError
from sfactl.identity.answers import Decision, DecisionsRead, RefusedRow, ReviewField, ReviewPair
from sfactl.identity.usecases.apply import find_plan
from sfactl.identity.usecases.records import find_record
from sfactl.schemas.references import ENTITIES

if TYPE_CHECKING:
    import pyarrow as pa

    from sfactl.engine.duck import Query
    from sfactl.session import Session

SHEET = ("plan", "entity", "a", "b", "probability", "decision", "reason")
"""Columns of a review sheet before the values of both records."""

SAID = {"same": "same", "s": "same", "yes": "same", "1": "same", "different": "different", "d": "different",
        "no": "different", "0": "different"}  # fmt: skip
"""What people write into the column ``decision``."""

HIDDEN = frozenset({"company_key", "row_key", "updated_at", "id_namespace"})


def list_reviews(session: Session, *, plan: str | None = None, limit: int = 20) -> tuple[ReviewPair, ...]:
    """Pairs between the thresholds that nobody decided yet, the surest first, with both records.

    ``plan`` is an id or its beginning; without it the newest plan of leads. Raises `NotFound`.
    """
    with session.query() as query:
        found = find_plan(query, plan) if plan else _newest(query)
        entity, plan_id = str(found["entity"]), str(found["plan_id"])
        cut = f" limit {int(limit)}" if limit else ""
        pairs = query.rows(query.statement("identity", "review_pairs") + cut, {"plan": plan_id})
        name, key = ENTITIES[entity]
        ids = sorted({int(i) for pair in pairs for i in pair[:2]})
        rows = query.table(f"select * from {name} where list_contains($ids, {key})", {"ids": ids}).to_pylist()
    records = {row[key]: row for row in rows}
    return tuple(
        ReviewPair(
            plan_id=plan_id,
            entity=entity,
            a=int(a),
            b=int(b),
            probability=probability,
            note=note,
            fields=_side_by_side(records[a], records[b], key),
        )
        for a, b, probability, _, note in pairs
        if a in records and b in records
    )


def _newest(query: Query) -> dict[str, Any]:
    sql = "select * from dedupe_plans order by made_at desc, plan_id limit 1"
    found = query.table(sql).to_pylist()
    if not found:
        raise NotFound("there is no plan of duplicates", hint="Make one with: sfactl lead dedupe plan")
    return dict(found[0])


def _side_by_side(a: dict[str, Any], b: dict[str, Any], key: str) -> tuple[ReviewField, ...]:
    return tuple(
        ReviewField(field=f, a=a[f], b=b[f])
        for f in a
        if f != key and f not in HIDDEN and (a[f] is not None or b[f] is not None)
    )


def decide(session: Session, entity: str, a: str, b: str, decision: str, *, reason: str | None = None) -> Decision:
    """Write down that two records are the ``same`` or ``different``; the next plan follows it.

    What was decided so already stays as it is. Raises `NotFound`, or `UserError` for a record with itself.
    """
    with session.write("match_decisions", reason=reason) as tx:
        one, other = (find_record(tx.query, entity, ref).record_id for ref in (a, b))
        if one == other:
            raise UserError(f"{a} and {b} are one record already: {entity}:{one}")
        rows = [(min(one, other), max(one, other), decision, reason)]
        changed = _write(session, tx, entity, rows)
        commit = tx.commit(entity=entity, a=rows[0][0], b=rows[0][1], decision=decision).seq if changed else None
    return Decision(
        entity=entity, a=rows[0][0], b=rows[0][1], decision=decision, changed=bool(changed), commit=commit,
        dry_run=session.dry_run,
    )  # fmt: skip


def _write(session: Session, tx: Any, entity: str, said: Sequence[tuple[int, int, str, str | None]]) -> int:
    """Upsert the decisions that differ from what is known; answers how many."""
    import pyarrow as pa

    columns = list(zip(*said, strict=True)) or [(), (), (), ()]
    kinds = (pa.int64(), pa.int64(), pa.string(), pa.string())
    names = ("a", "b", "decision", "reason")
    given = pa.table({n: pa.array(c, k) for n, c, k in zip(names, columns, kinds, strict=True)})
    tx.query.register("said", given)
    return int(
        tx.upsert(
            "match_decisions",
            "select $entity as entity, s.a, s.b, s.decision, $actor as decided_by,"
            " cast($now as timestamp) as decided_at, s.reason from said s left join match_decisions d"
            " on d.entity = $entity and d.a = s.a and d.b = s.b"
            " where d.decision is distinct from s.decision"
            " or (s.reason is not null and s.reason is distinct from d.reason)",
            {"entity": entity, "actor": session.actor, "now": session.now()},
        )
    )


def sheet(session: Session, *, plan: str | None = None, limit: int = 0) -> pa.Table:
    """The review list as a spreadsheet: the column ``decision`` is to be filled in with same or different."""
    import pyarrow as pa

    pairs = list_reviews(session, plan=plan, limit=limit)
    fields = list(dict.fromkeys(f.field for pair in pairs for f in pair.fields))
    names = [*SHEET, *(f"{f}_{side}" for f in fields for side in ("a", "b"))]
    rows = []
    for pair in pairs:
        known = {f.field: f for f in pair.fields}
        values = [v for f in fields for v in ((known[f].a, known[f].b) if f in known else (None, None))]
        row = [pair.plan_id, pair.entity, pair.a, pair.b, round(pair.probability, 4), None, None, *values]
        rows.append([None if v is None else str(v) for v in row])
    columns = list(zip(*rows, strict=True)) or [()] * len(names)
    return pa.table({n: pa.array(c, pa.string()) for n, c in zip(names, columns, strict=True)})


def read_sheet(session: Session, path: Path) -> DecisionsRead:
    """Take over the decisions of a filled sheet; rows without one are left. A second time nothing changes.

    Raises `DataError` where a column is missing; rows that cannot be understood are listed.
    """
    from sfactl.engine.delimited import BadRow, read_rows

    rows = refused = blank = 0
    problems: list[RefusedRow] = []
    said: dict[str, dict[tuple[int, int], tuple[int, int, str, str | None]]] = {}
    for row in read_rows(path):
        rows += 1
        if isinstance(row, BadRow):
            problems.append(RefusedRow(row=row.number, reason=row.reason))
            continue
        if missing := [c for c in ("entity", "a", "b", "decision") if c not in row.values]:
            raise DataError(
                f"{path}: there is no column {missing[0]!r}", hint="Take the sheet of: identity review export"
            )
        values = {k: v.removeprefix("'") for k, v in row.values.items()}
        if not values["decision"]:
            blank += 1
            continue
        problem = _problem(values)
        if problem:
            problems.append(RefusedRow(row=row.number, reason=problem))
            continue
        a, b = sorted((int(values["a"]), int(values["b"])))
        verdict = SAID[values["decision"].lower()]
        said.setdefault(values["entity"], {})[a, b] = (a, b, verdict, values.get("reason") or None)
    changed, commit = _take_over(session, said)
    refused = len(problems)
    return DecisionsRead(
        rows=rows, changed=changed, unchanged=rows - changed - blank - refused, blank=blank, refused=tuple(problems),
        commit=commit, dry_run=session.dry_run,
    )  # fmt: skip


def _problem(values: dict[str, str]) -> str | None:
    if values["entity"] not in ENTITIES:
        return f"entity {values['entity']!r} is not one of {', '.join(ENTITIES)}"
    for side in ("a", "b"):
        text = values[side]
        if not (text.isascii() and text.isdigit() and len(text) < 19):
            return f"{side}: {text!r} is no number of a record"
    if int(values["a"]) == int(values["b"]):
        return "a and b are the same record"
    if values["decision"].lower() not in SAID:
        return f"decision {values['decision']!r} is neither same nor different"
    return None


def _take_over(
    session: Session, said: dict[str, dict[tuple[int, int], tuple[int, int, str, str | None]]]
) -> tuple[int, int | None]:
    changed = 0
    with session.write("match_decisions", reason="review sheet") as tx:
        for entity, found in said.items():
            changed += _write(session, tx, entity, list(found.values()))
        commit = tx.commit(decisions=changed).seq if changed else None
    return changed, commit
