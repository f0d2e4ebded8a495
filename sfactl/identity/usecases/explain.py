"""Explain why two records are held for the same, or not."""

from __future__ import annotations

import json
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, get_args

from sfactl.api.errors import NotFound, UserError
from sfactl.engine.references import number_of
from sfactl.identity import linking
from sfactl.identity.blocking import PAIRS
from sfactl.identity.config import IdentityConfig, fingerprint
from sfactl.identity.features import RECORDS
from sfactl.identity.linking import Linked
from sfactl.identity.model import DATASETS, Entity, MatchExplanation, Term
from sfactl.identity.scoring import probability
from sfactl.identity.terms import terms_sql
from sfactl.identity.usecases.dedupe import DEFAULT, configured, labels_of, learned

if TYPE_CHECKING:
    from sfactl.engine.duck import Query
    from sfactl.session import Session

ASKED = "match_asked"


@dataclass(frozen=True, slots=True, kw_only=True)
class _Seen:
    """What an explanation stands on: a configuration, and the plan whose data it looks at again, or today's data."""

    config: IdentityConfig
    plan_id: str | None = None
    seq: int | None = None


def explain(session: Session, a: str, b: str, *, anew: bool = False) -> MatchExplanation:
    """Weigh two records (``lead:12``, ``account:3``, ``contact:4``, or bare numbers of leads) field by field.

    Where a plan that was kept lists the two, its data are looked at again, so that both say the same; ``anew``, with a
    time given, or without such a plan the weights are learned from all records as they are. Raises `UserError`,
    `NotFound`.
    """
    entity = _entity(a, b)
    first, second = sorted((number_of(entity, a), number_of(entity, b)))
    if first == second:
        raise UserError(f"{a} and {b} are one record", hint="Name two.")
    seen = _Seen(config=configured(session))
    if not anew and session.as_of is None:
        seen = _planned(session, entity, first, second) or seen
    config = seen.config
    with session.query(seen.seq) as query:
        _check(query, entity, first, second)
        linked = learned(session, query, entity, config)
        terms, weight = _weighed(query, linked, first, second)
        p = probability(weight)
        labels = labels_of(query, entity, {first, second})
        found = bool(query.rows(f"select 1 from {PAIRS} join {ASKED} using (a, b)"))
    with session.query() as query:
        decided = query.one(
            "select decision from match_decisions where entity = $entity and a = $a and b = $b",
            {"entity": entity, "a": first, "b": second},
        )
    match = config.match
    decision = "merge" if p >= match.threshold else "review" if p >= match.review else "apart"
    if decided is not None:
        decision = "merge" if decided[0] == "same" else "apart"
    return MatchExplanation(
        entity=entity, a=first, b=second, label_a=labels.get(first, ""), label_b=labels.get(second, ""), terms=terms,
        weight=weight, probability=p, threshold=match.threshold, review=match.review, decision=decision, found=found,
        decided=decided[0] if decided else None, plan_id=seen.plan_id, as_of_commit=seen.seq,
    )  # fmt: skip


def _planned(session: Session, entity: Entity, a: int, b: int) -> _Seen | None:
    """The newest kept plan that lists the two, if it was made by our own matcher with the configuration of today."""
    with session.query() as query:
        plans = query.rows(
            "select p.plan_id, p.seq, p.config_hash, p.threshold, p.review from dedupe_plans p"
            " join dedupe_pairs using (plan_id) where p.entity = $entity and p.matcher = $own and a = $a and b = $b"
            " order by p.made_at desc, p.seq desc, p.plan_id",
            {"entity": entity, "own": DEFAULT, "a": a, "b": b},
        )
    for plan_id, seq, asked, threshold, review in plans:
        config = configured(session, threshold, review)
        if asked == fingerprint(config.match, config.blocking, entity, DEFAULT):
            return _Seen(config=config, plan_id=plan_id, seq=seq)
    return None


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
