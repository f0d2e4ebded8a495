"""Plan which records are the same, and keep the plan so that exactly it can be applied."""

from __future__ import annotations

import dataclasses
import hashlib
import json
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from sfactl.api.errors import NotFound, UserError
from sfactl.identity import linking, matchers
from sfactl.identity.config import IdentityConfig, fingerprint, read_config
from sfactl.identity.features import RECORDS
from sfactl.identity.fields import choose
from sfactl.identity.linking import Linked, Thresholds
from sfactl.identity.model import DATASETS, BlockCount, DedupePlan, Entity, FieldCount, PairSample
from sfactl.identity.scoring import WEIGHED, bits_of, milli
from sfactl.identity.terms import terms_sql

if TYPE_CHECKING:
    import pyarrow as pa

    from sfactl.engine.duck import Query
    from sfactl.session import Session


@dataclass(frozen=True, slots=True, kw_only=True)
class Planned:
    """A plan, and its pairs as `with_external` lists them."""

    plan: DedupePlan
    pairs: pa.Table


KEPT = 5
"""Plans that are kept for each kind of record; older ones are dropped."""
SAMPLES = 5
DEFAULT = "default"
"""The name of our own matcher."""


def plan(
    session: Session,
    entity: Entity = "lead",
    *,
    threshold: float | None = None,
    review: float | None = None,
    between: tuple[str, str] | None = None,
    matcher: str | None = None,
) -> Planned:
    """Find duplicates among the records of ``entity`` and keep the plan, unless this is a dry run.

    ``threshold`` and ``review`` are probabilities that go before ``identity.toml``. ``between`` names two sources
    that are each free of duplicates: then each lead has one partner at most, from the other one. ``matcher``
    names a plugin's matcher that weighs the pairs. Raises `UserError`, `PluginError`.
    """
    config = configured(session, threshold, review, linked=between is not None)
    with session.query() as query:
        if matcher is None:
            linked = learned(session, query, entity, config, between)
            linking.weigh(query, linked, config.match.review)
        else:
            linked = _weighed_by(session, query, entity, config, between, matcher)
        _said(query, entity)
        limits = Thresholds(merge=milli(bits_of(config.match.threshold)), review=milli(bits_of(config.match.review)))
        linking.decide(query, linked, limits, between=between is not None)
        pairs = _pairs(query, linked, entity)
        made = _plan(session, query, linked, entity, config, between, pairs, matcher or DEFAULT)
        found = dataclasses.replace(made, samples=_samples(query, entity, pairs))
        listed = with_external(query, entity, pairs)
    if not session.dry_run:
        _keep(session, found, pairs, linked)
    return Planned(plan=found, pairs=listed)


def with_external(query: Query, entity: Entity, pairs: pa.Table) -> pa.Table:
    """Pairs for scripts: both numbers, both ids in their sources, probability, weight and decision; surest first."""
    external = "external_id" if entity == "lead" else "cast(null as varchar)"
    key = f"{entity}_id"
    query.register("match_listed", pairs)
    cluster = "cluster_id" if "cluster_id" in pairs.column_names else "case when grp is not null then lowest end"
    return query.table(
        f"select p.a, p.b, x.external as external_a, y.external as external_b, p.probability, p.weight, p.decision,"
        f" {cluster} as cluster_id, p.note from match_listed p"
        f" left join (select {key} as id, {external} as external from {DATASETS[entity]}) x on x.id = p.a"
        f" left join (select {key} as id, {external} as external from {DATASETS[entity]}) y on y.id = p.b"
        " order by p.weight desc, p.a, p.b"
    )


def pairs_of_plan(session: Session, plan_id: str) -> pa.Table:
    """The pairs of a plan that was kept; the beginning of its id is enough. Raises `NotFound`."""
    with session.query() as query:
        found = query.rows(
            "select plan_id, entity from dedupe_plans where starts_with(plan_id, $plan) order by 1", {"plan": plan_id}
        )
        if len(found) != 1:
            known = [
                r[0] for r in query.rows("select plan_id from dedupe_plans order by made_at desc, plan_id limit 5")
            ]
            said = "is more than one plan" if found else "is no plan"
            raise NotFound(
                f"{plan_id!r} {said}", hint=f"Plans: {', '.join(known) or 'none; see: sfactl lead dedupe plan'}"
            )
        pairs = query.table("select * from dedupe_pairs where plan_id = $plan", {"plan": found[0][0]})
        return with_external(query, found[0][1], pairs)


def configured(
    session: Session, threshold: float | None = None, review: float | None = None, *, linked: bool = False
) -> IdentityConfig:
    """The workspace's configuration with the thresholds given before it; ``linked`` takes the one for linking.

    Raises `UserError`.
    """
    config = read_config(session.folder)
    usual = config.match.link if linked else config.match.threshold
    high = usual if threshold is None else threshold
    low = min(config.match.review, high) if review is None else review
    try:
        match = dataclasses.replace(config.match, threshold=high, link=high, review=low)
        return dataclasses.replace(config, match=match)
    except ValueError as err:
        raise UserError(f"--threshold {high}, --review {low}: {err}") from None


def learned(
    session: Session, query: Query, entity: Entity, config: IdentityConfig, between: tuple[str, str] | None = None
) -> Linked:
    """Compare the records and fit the model. Raises `UserError` where there is nothing to compare by."""
    schema = session.workspace.schemas[DATASETS[entity]]
    where, source = _sides(query, entity, between)
    chosen = choose(query, schema, entity, config.match, where)
    return linking.learn(
        query, schema.name, schema.key[0], chosen, config, where=where, source=source, between=between is not None
    )


def _weighed_by(
    session: Session, query: Query, entity: Entity, config: IdentityConfig, between: tuple[str, str] | None, name: str
) -> Linked:
    """Let the plugin's matcher ``name`` weigh the records. Raises `NotFound`, `PluginError`."""
    matcher = session.host.make("record_matcher", name, {}, where="--matcher")
    schema = session.workspace.schemas[DATASETS[entity]]
    where, source = _sides(query, entity, between)
    chosen = choose(query, schema, entity, config.match, where)
    records, n = matchers.folded_records(query, schema.name, schema.key[0], chosen, where=where, source=source)
    matchers.weigh(query, matcher, name, records, linked=between is not None, seed=session.seed)
    found = query.one(f"select count(*) from {WEIGHED}")
    return matchers.linked_by(chosen, n, int(found[0]) if found else 0)


def _sides(query: Query, entity: Entity, between: tuple[str, str] | None) -> tuple[str, str]:
    if between is None:
        return "true", "''"
    if entity == "contact":
        raise UserError("contacts have no source", hint="Leave out --between, or link leads or accounts.")
    if between[0] == between[1]:
        raise UserError(f"--between needs two sources, not {between[0]!r} twice")
    dataset = DATASETS[entity]
    for source in between:
        if query.one(f"select 1 from {dataset} where source = $source limit 1", {"source": source}) is None:
            have = [
                r[0]
                for r in query.rows(
                    f"select distinct source from {dataset} where source is not null order by 1 limit 20"
                )
            ]
            raise NotFound(f"no {entity} has the source {source!r}", hint=f"Sources: {', '.join(have) or 'none'}")
    a, b = ("'" + s.replace("'", "''") + "'" for s in between)
    return f"source in ({a}, {b})", f"case source when {a} then 'a' else 'b' end"


def _said(query: Query, entity: Entity) -> None:
    """Make ``match_said`` (a, b, decision): what people decided, by record number."""
    query.run(
        "create or replace temp table match_said as select least(x.rid, y.rid) as a, greatest(x.rid, y.rid) as b,"
        f" max(d.decision) as decision from match_decisions d join {RECORDS} x on x.id = d.a"
        f" join {RECORDS} y on y.id = d.b where d.entity = '{entity}' group by all"
    )


def _pairs(query: Query, linked: Linked, entity: Entity) -> pa.Table:
    """The pairs of the plan as they are kept, the surest first."""
    terms = terms_sql(linked)
    query.run(
        f"create or replace temp table match_terms as select * from {WEIGHED} union all by name"
        f" select * from match_inside i where not exists (select 1 from {WEIGHED} k where k.a = i.a and k.b = i.b)"
    )
    return query.table(
        "select least(x.id, y.id) as a, greatest(x.id, y.id) as b,"
        f" '{entity}' as entity, 1 / (1 + pow(2.0, -least(60, greatest(-60, d.w / 1000.0)))) as probability,"
        " d.w / 1000.0::double as weight, d.decision, min(least(x.id, y.id)) over (partition by d.grp) as lowest,"
        f" d.grp, d.note, {terms} as terms from match_decided d"
        f" join {RECORDS} x on x.rid = d.a join {RECORDS} y on y.rid = d.b"
        " left join match_terms t on t.a = d.a and t.b = d.b order by d.w desc, 1, 2"
    )


def _plan(
    session: Session, query: Query, linked: Linked, entity: Entity, config: IdentityConfig,
    between: tuple[str, str] | None, pairs: pa.Table, matcher: str,
) -> DedupePlan:  # fmt: skip
    import pyarrow.compute as pc

    asked = fingerprint(config.match, config.blocking, entity, matcher, *(between or ()))
    merges = int(pc.sum(pc.equal(pairs.column("decision"), "merge")).as_py() or 0)
    return DedupePlan(
        plan_id=_digest(asked, pairs), entity=entity, made_at=session.now(), seq=query.seq, config_hash=asked,
        matcher=matcher, threshold=config.match.threshold, review=config.match.review, records=linked.records,
        compared=linked.compared, merges=merges, reviews=pairs.num_rows - merges,
        clusters=int(pc.count_distinct(pairs.column("grp")).as_py()), dry_run=session.dry_run,
        fields=tuple(
            FieldCount(
                field=c.name, levels={lv.name: bits for lv, bits in zip(c.levels, row)}, shared=c.shared,
            )
            for c, row in zip(linked.fields, linked.model.bits)
        ),
        blocks=tuple(
            BlockCount(key=b.key, pairs=b.pairs, widest=b.widest, left_out=b.left_out) for b in linked.blocks
        ),
        prior=linked.model.prior,
    )  # fmt: skip


def _digest(asked: str, pairs: pa.Table) -> str:
    """A hash of what is to be done: the same pairs with the same weights, in whatever order the rows came."""
    digest = hashlib.blake2b(asked.encode(), digest_size=5)
    for name in ("a", "b", "weight", "decision"):
        digest.update(str(pairs.column(name).to_pylist()).encode())
    return digest.hexdigest()


def _samples(query: Query, entity: Entity, pairs: pa.Table) -> tuple[PairSample, ...]:
    rows: list[dict[str, Any]] = []
    for decision in ("merge", "review"):
        chosen = pairs.filter(_is(pairs, decision))
        rows += chosen.slice(0, SAMPLES).to_pylist()
    labels = labels_of(query, entity, {r["a"] for r in rows} | {r["b"] for r in rows})
    return tuple(
        PairSample(
            a=r["a"], b=r["b"], label_a=labels.get(r["a"], ""), label_b=labels.get(r["b"], ""),
            probability=r["probability"], decision=r["decision"],
        )
        for r in rows
    )  # fmt: skip


def _is(pairs: pa.Table, decision: str) -> Any:
    import pyarrow.compute as pc

    return pc.equal(pairs.column("decision"), decision)


def labels_of(query: Query, entity: Entity, ids: set[int]) -> dict[int, str]:
    """A short name for each record, for people to read."""
    if not ids:
        return {}
    columns = {
        "lead": "full_name, concat_ws(' ', first_name, last_name), company, email, phone",
        "account": "name, website, phone",
        "contact": "full_name, concat_ws(' ', first_name, last_name), email, phone",
    }[entity]
    parts = [f"nullif({c}, '')" for c in columns.split(", ") if not c.startswith(("concat", "first", "last"))]
    key = f"{entity}_id"
    rows = query.rows(
        f"select {key}, concat_ws(' · ', {', '.join(parts)}) from {DATASETS[entity]}"
        f" where {key} in (select unnest($ids))",
        {"ids": sorted(ids)},
    )
    return {r[0]: r[1] for r in rows}


def _keep(session: Session, made: DedupePlan, pairs: pa.Table, linked: Linked) -> None:
    """Write the plan and its pairs, and drop what is older than the last few of its kind."""
    import pyarrow as pa

    with session.write("dedupe_plans", "dedupe_pairs", reason=f"plan {made.plan_id}") as tx:
        old = [
            r[0]
            for r in tx.query.rows(
                "select plan_id from dedupe_plans where entity = $entity and plan_id <> $plan"
                " order by made_at desc, seq desc, plan_id",
                {"entity": made.entity, "plan": made.plan_id},
            )
        ][KEPT - 1 :]
        known = tx.query.one("select seq from dedupe_plans where plan_id = $plan", {"plan": made.plan_id})
        row = {f: getattr(made, f) for f in _PLAN_COLUMNS} | {"model": _model_json(linked)}
        tx.upsert("dedupe_plans", pa.Table.from_pylist([row], schema=session.workspace.schemas["dedupe_plans"].arrow()))
        if known is None and pairs.num_rows:
            tx.query.register("match_kept_pairs", pairs)
            tx.upsert(
                "dedupe_pairs",
                f"select '{made.plan_id}' as plan_id, a, b, entity, probability, weight, decision,"
                " case when grp is not null then lowest end as cluster_id, note, terms from match_kept_pairs",
            )
        if old:
            listed = ", ".join(f"'{p}'" for p in old)
            tx.delete("dedupe_plans", f"select plan_id from dedupe_plans where plan_id in ({listed})")
            if tx.query.rows(f"select 1 from dedupe_pairs where plan_id in ({listed}) limit 1"):
                tx.delete("dedupe_pairs", f"select plan_id, a, b from dedupe_pairs where plan_id in ({listed})")
        tx.commit(plan=made.plan_id)


_PLAN_COLUMNS = (
    "plan_id", "entity", "made_at", "seq", "config_hash", "matcher", "threshold", "review", "records", "compared",
    "merges", "reviews", "clusters",
)  # fmt: skip


def _model_json(linked: Linked) -> str:
    fields = [
        {"field": c.name, "levels": [lv.name for lv in c.levels], "bits": b, "same": m, "chance": u}
        for c, b, m, u in zip(linked.fields, linked.model.bits, linked.model.same, linked.model.chance)
    ]
    model = linked.model
    said = {"prior": model.prior, "household": model.household, "expected": model.expected, "fields": fields}
    return json.dumps(said | {"blocks": [dataclasses.asdict(b) for b in linked.blocks]}, ensure_ascii=False)
