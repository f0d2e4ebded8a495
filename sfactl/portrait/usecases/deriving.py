"""Give tags by rule, and take away those whose rule no longer holds. Tags of people are never touched."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from sfactl.api.errors import SfactlError
from sfactl.config.tags import DATASETS, TagRule, kind_of, read_intents, read_rules
from sfactl.engine.conditions import Condition, compile_many
from sfactl.engine.conditions.aggregates import folded_tag
from sfactl.portrait import tags
from sfactl.portrait.model import Derived, RuleResult
from sfactl.portrait.usecases.bearers import condition_names
from sfactl.portrait.usecases.tagging import make_pairs

if TYPE_CHECKING:
    from sfactl.engine.duck import Query
    from sfactl.session import Session
    from sfactl.workspace import Transaction

Rules = Mapping[str, tuple[TagRule, str]]


def derive(session: Session, file: Path | None = None) -> Derived:
    """Derive the tags of all rules, or of those in ``file`` alone, for everybody.

    One pass over the data for each kind of bearer and rank of rules; only changes are written. With all rules, tags of
    rules that are gone go too. Raises `ConfigError` or `ConditionError` before anything is written.
    """
    rules = read_rules(session.folder, file)
    ranks = tags.in_ranks(rules)
    names = condition_names(session)
    # All conditions are checked before the first has an effect.
    for rank in ranks:
        for kind in DATASETS:
            _compiled(session, {n: rules[n] for n in rank if rules[n][0].entity == kind}, kind, names)
    found: dict[str, RuleResult] = {}
    every, changed, commit = file is None, 0, None
    with session.write("tags") as tx:
        for place, rank in enumerate(ranks or [[]]):
            if place:
                _show_changes(tx.query)
            for kind in DATASETS:
                chosen = {name: rules[name] for name in rank if rules[name][0].entity == kind}
                # Tags of rules that are gone are looked for once, with the first rank.
                gone = every and place == 0
                others = [n for n in rules if n not in chosen and rules[n][0].entity == kind]
                if chosen or gone:
                    scope = _scope(chosen, others, gone=gone)
                    changed += _derive_kind(session, tx, kind, chosen, names, scope, found)
        if changed:
            commit = tx.commit(rules=sorted(rules), changed=changed).seq
    return Derived(
        rules=tuple(found[name] for name in sorted(found)),
        at=session.now(),
        changed=changed,
        dry_run=session.dry_run,
        commit=commit,
    )


def check(session: Session) -> tuple[str, ...]:
    """What is wrong with the rules of tags and with the intents, as messages."""
    try:
        rules = read_rules(session.folder)
        tags.in_ranks(rules)
        for intent in read_intents(session.folder).values():
            if intent.expires:
                tags.after(intent.expires, session.now(), where=f"intents/{intent.name}.toml: expires")
    except SfactlError as err:
        return (err.message,)
    problems = []
    names = condition_names(session)
    for name, found in rules.items():
        try:
            _compiled(session, {name: found}, found[0].entity, names)
        except SfactlError as err:
            problems.append(err.message)
    return tuple(problems)


def _show_changes(query: Query) -> None:
    """Let the next rank of rules see what those before it gave and took: ``tags`` as it will be."""
    query.run("create temp table if not exists tags_before as select * from tags")
    query.run("create temp table if not exists done as select * from changes where false")
    query.run(
        "create or replace temp view tags as"
        " select * from tags_before as b"
        " where not exists (select 1 from done as d where d.entity = b.entity and d.entity_id = b.entity_id"
        " and d.tag = b.tag and d.rule = b.author and b.source = 'derived' and d.what in ('write', 'remove'))"
        " union all by name"
        " select entity, entity_id, tag, 'derived' as source, rule as author, value, since as \"at\", expires_at, rule,"
        " confidence, lead_id, contact_id, account_id from done where what = 'write'"
    )


def _derive_kind(
    session: Session,
    tx: Transaction,
    kind: str,
    rules: Rules,
    names: Mapping[str, Any],
    scope: str,
    found: dict[str, RuleResult],
) -> int:
    query, now = tx.query, session.now()
    sql, params = _compiled(session, rules, kind, names)
    query.run(f"create or replace temp table wanted as {sql}", params)
    make_pairs(query, "rules", ("rule",), [(name,) for name in rules])
    changes = query.statement("portrait", "derived_changes").format(scope=scope)
    query.run(f"create or replace temp table changes as {changes}", {"now": now, "entity": kind})
    counted = query.rows(
        "select rule, min(tag), count(*) filter (where what in ('write', 'kept', 'same')),"
        " count(*) filter (where what = 'write' and not counts), count(*) filter (where what = 'remove' and counts),"
        " count(*) filter (where what = 'kept'), count(*) filter (where what in ('write', 'remove'))"
        " from changes group by rule order by rule"
    )
    known = {row[0]: row[1:] for row in counted}
    for name in [*rules, *(rule for rule in known if rule not in rules)]:
        rule = rules[name][0] if name in rules else None
        tag, bearers, added, removed, kept, _ = known.get(name, (None, 0, 0, 0, 0, 0))
        said = folded_tag(rule.tag or name) if rule else str(tag)
        found[name] = RuleResult(
            rule=name, tag=said, entity=kind, bearers=bearers, added=added, removed=removed, kept=kept
        )
    changed = sum(int(row[6]) for row in counted)
    if changed:
        _write(tx)
    return changed


def _write(tx: Transaction) -> None:
    tx.upsert(
        "tags",
        "select entity, entity_id, tag, 'derived' as source, rule as author, value, since as \"at\","
        " expires_at, rule, confidence, lead_id, contact_id, account_id from changes where what = 'write'",
    )
    tx.delete(
        "tags", "select entity, entity_id, tag, 'derived' as source, rule as author from changes where what = 'remove'"
    )
    tx.query.run("create temp table if not exists done as select * from changes where false")
    tx.query.run("insert into done select * from changes")


def _scope(chosen: Rules, others: Sequence[str], *, gone: bool) -> str:
    """Which stored derived tags this pass is about: those of ``chosen``, and with ``gone`` of rules without a file."""
    if gone:
        return f"author not in ({_texts(others)})" if others else "true"
    return f"author in ({_texts(list(chosen))})"


def _compiled(session: Session, rules: Rules, kind: str, names: Mapping[str, Any]) -> tuple[str, dict[str, Any]]:
    """A SELECT of who should bear which tag: entity_id, tag, rule, value, confidence, expires_at."""
    now = session.now()
    empty = (
        "select cast(null as bigint) as entity_id, cast(null as varchar) as tag, cast(null as varchar) as rule,"
        " cast(null as varchar) as value, cast(null as double) as confidence, cast(null as timestamp) as expires_at"
        " where false"
    )
    if not rules:
        return empty, {}
    compiled = compile_many(
        [Condition(name=name, text=rule.where, where=place) for name, (rule, place) in rules.items()],
        entity=DATASETS[kind_of(kind)],
        schemas=session.workspace.schemas,
        now=now,
        members_only=True,
        **names,
    )
    params: dict[str, Any] = dict(compiled.params)
    parts = []
    for number, (name, (rule, place)) in enumerate(rules.items()):
        params |= {
            f"tag{number}": folded_tag(rule.tag or name),
            f"rule{number}": name,
            f"value{number}": rule.value,
            f"sure{number}": rule.confidence,
            f"until{number}": tags.after(rule.expires, now, where=place) if rule.expires else None,
        }
        parts.append(
            f"select {kind}_id as entity_id, $tag{number} as tag, $rule{number} as rule,"
            f" cast($value{number} as varchar) as value, cast($sure{number} as double) as confidence,"
            f" cast($until{number} as timestamp) as expires_at from flags where {compiled.columns[name]}"
        )
    return f"with flags as ({compiled.sql}) {' union all '.join(parts)}", params


def _texts(names: Sequence[str]) -> str:
    return ", ".join("'" + name.replace("'", "''") + "'" for name in names) or "null"
