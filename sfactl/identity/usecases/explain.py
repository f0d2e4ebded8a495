"""Explain why two records are held for the same, or not."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any, get_args

from sfactl.api.errors import NotFound, UserError
from sfactl.engine.references import number_of
from sfactl.identity import linking
from sfactl.identity.blocking import PAIRS
from sfactl.identity.features import RECORDS
from sfactl.identity.linking import Linked
from sfactl.identity.model import DATASETS, Entity, MatchExplanation, Term
from sfactl.identity.scoring import probability
from sfactl.identity.terms import terms_sql
from sfactl.identity.usecases.dedupe import configured, labels_of, learned

if TYPE_CHECKING:
    from sfactl.engine.duck import Query
    from sfactl.session import Session

ASKED = "match_asked"


def explain(session: Session, a: str, b: str) -> MatchExplanation:
    """Weigh two records (``lead:12``, ``account:3``, ``contact:4``, or bare numbers of leads) field by field.

    The weights are learned from all records of the kind, as a plan does. Raises `UserError`, `NotFound`.
    """
    entity = _entity(a, b)
    first, second = sorted((number_of(entity, a), number_of(entity, b)))
    if first == second:
        raise UserError(f"{a} and {b} are one record", hint="Name two.")
    config = configured(session)
    with session.query() as query:
        _check(query, entity, first, second)
        linked = learned(session, query, entity, config)
        terms, weight = _weighed(query, linked, first, second)
        p = probability(weight)
        labels = labels_of(query, entity, {first, second})
        decided = query.one(
            "select decision from match_decisions where entity = $entity and a = $a and b = $b",
            {"entity": entity, "a": first, "b": second},
        )
        found = bool(query.rows(f"select 1 from {PAIRS} join {ASKED} using (a, b)"))
    match = config.match
    decision = "merge" if p >= match.threshold else "review" if p >= match.review else "apart"
    if decided is not None:
        decision = "merge" if decided[0] == "same" else "apart"
    return MatchExplanation(
        entity=entity, a=first, b=second, label_a=labels.get(first, ""), label_b=labels.get(second, ""), terms=terms,
        weight=weight, probability=p, threshold=match.threshold, review=match.review, decision=decision, found=found,
        decided=decided[0] if decided else None,
    )  # fmt: skip


def _entity(a: str, b: str) -> Entity:
    kinds: set[Entity] = {k for k in get_args(Entity) if a.startswith(f"{k}:") or b.startswith(f"{k}:")}
    if len(kinds) > 1:
        raise UserError(f"{a} and {b} are records of two kinds", hint="Compare leads with leads.")
    return kinds.pop() if kinds else "lead"


def _check(query: Query, entity: Entity, *ids: int) -> None:
    dataset = DATASETS[entity]
    for number in ids:
        if query.one(f"select 1 from {dataset} where {entity}_id = $id", {"id": number}) is None:
            raise NotFound(f"there is no {entity} {number}", hint=f"See: sfactl sql 'select * from {dataset}'")


def _weighed(query: Query, linked: Linked, a: int, b: int) -> tuple[tuple[Term, ...], float]:
    query.run(
        f"create or replace temp table {ASKED} as select least(x.rid, y.rid) as a, greatest(x.rid, y.rid) as b"
        f" from {RECORDS} x join {RECORDS} y on x.id = $a and y.id = $b",
        {"a": a, "b": b},
    )
    linking.weigh_pairs(query, linked, ASKED, "match_answer")
    row = query.one(f"select {terms_sql(linked)}, t.w from match_answer t")
    if row is None:
        raise UserError(
            f"one of the two {linked.chosen.entity}s has no value to compare by",
            hint="Fill in a name, an e-mail or a phone.",
        )
    values = {i: _values(query, linked, i) for i in (a, b)}
    said = {t["field"]: t for t in json.loads(row[0])}
    terms = [Term(field="prior", value_a=None, value_b=None, level="before looking", bits=said.pop("prior")["bits"])]
    for c in linked.fields:
        t = said.pop(c.name, None)
        left, right = (_shown(c.name, c.shows, values[i]) for i in (a, b))
        if t is not None or ((left or right) and not c.name.startswith("common ")):
            level = t["level"] if t else "says nothing"
            terms.append(
                Term(field=c.name, value_a=left, value_b=right, level=level, bits=float(t["bits"]) if t else 0.0)
            )
    terms += [Term(field=f, value_a=None, value_b=None, level="", bits=float(t["bits"])) for f, t in said.items()]
    return tuple(terms), row[1] / 1000.0


def _values(query: Query, linked: Linked, number: int) -> dict[str, Any]:
    """What a record says, by role and by column."""
    names = [*linked.chosen.roles, *(e.feature for e in linked.chosen.extras)]
    listed = ", ".join(f'"{n}"' for n in names)
    row = query.one(f"select {listed} from match_raw where id = $id", {"id": number}) or ()
    told = dict(zip(names, row))
    return told | {e.column: told[e.feature] for e in linked.chosen.extras}


def _shown(name: str, shows: tuple[str, ...], values: dict[str, Any]) -> str | None:
    have = [str(values[s]) for s in shows if values.get(s) is not None]
    if not have:
        return None
    return ", ".join(have) if name == "address" else have[0]
