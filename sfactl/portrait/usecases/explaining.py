"""Explain a tag: who said it, what its rules say now term by term, and the rows behind each term."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from typing import TYPE_CHECKING, Any

from sfactl.config.tags import DATASETS, Kind, TagRule, read_intents, read_rules
from sfactl.engine.conditions.aggregates import folded_tag
from sfactl.engine.conditions.change import shown
from sfactl.engine.conditions.evidence import evidence
from sfactl.engine.conditions.explain import ask
from sfactl.portrait.model import Fact, Given, RuleAnswer, RuleTerm, TagExplanation
from sfactl.portrait.usecases.bearers import condition_names, find, name_in, row_of
from sfactl.portrait.usecases.tagging import no_tag

if TYPE_CHECKING:
    from sfactl.engine.duck import Query
    from sfactl.session import Session

DETAILS = (
    "content",
    "label",
    "tag",
    "product_name",
    "title",
    "subject",
    "name",
    "text",
    "campaign",
    "channel",
    "status",
)
"""The first two of these columns that a row fills tell people which row it was."""


def explain(session: Session, ref: str, tag: str) -> TagExplanation:
    """Why ``ref`` bears ``tag`` or not, at ``--as-of``. Raises `NotFound` where nobody gave it and no rule does."""
    name, at = folded_tag(tag), session.as_of_time()
    with session.query() as query:
        ((kind, number),) = find(query, [ref])
        rows = query.table(query.statement("portrait", "tag_rows"), {"now": at, "entity": kind, "id": number})
        given = tuple(Given(**row) for row in rows.to_pylist() if row["tag"] == name)
        rules = {n: found for n, found in read_rules(session.folder).items() if _gives(n, found[0], kind, name)}
        intents = [i for i in read_intents(session.folder).values() if i.tag and folded_tag(i.tag) == name]
        if not given and not rules and not intents:
            raise no_tag(query, name, of=f"{kind}:{number}")
        return TagExplanation(
            entity=kind,
            entity_id=number,
            name=name_in(row_of(query, kind, number)),
            tag=name,
            bears=any(row.counts for row in given),
            given=given,
            rules=tuple(_answer(session, query, n, rule, place, number, at) for n, (rule, place) in rules.items()),
            utterances=_utterances(query, kind, number, [intent.name for intent in intents], at),
        )


def _gives(name: str, rule: TagRule, kind: Kind, tag: str) -> bool:
    return rule.entity == kind and folded_tag(rule.tag or name) == tag


def _answer(
    session: Session, query: Query, name: str, rule: TagRule, place: str, number: int, at: datetime
) -> RuleAnswer:
    names = condition_names(session)
    schemas, entity = session.workspace.schemas, DATASETS[rule.entity]
    question = ask(rule.where, entity=entity, schemas=schemas, now=at, where=place, **names)
    (row,) = query.table(question.sql, {**question.params, "key": number}).to_pylist()
    behind: dict[str, list[Fact]] = {}
    for found in evidence(
        rule.where, entity=entity, schemas=schemas, now=at, segments=names["segments"], scores=names["scores"]
    ):
        rows = query.table(found.sql, {**found.params, "key": number}).to_pylist()
        behind.setdefault(found.term, []).extend(_fact(session, found.relation, each) for each in rows)
    return RuleAnswer(
        rule=name,
        where=" ".join(rule.where.split()),
        holds=bool(row[question.holds]),
        terms=tuple(
            RuleTerm(
                text=term.text,
                holds=None if row[term.column] is None else bool(row[term.column]),
                value=None if term.value_column is None else shown(row[term.value_column]),
                rows=tuple(behind.get(term.text, ())),
            )
            for term in question.terms
        ),
    )


def _fact(session: Session, relation: str, row: Mapping[str, Any]) -> Fact:
    from sfactl.engine.conditions.entity import time_column

    column = time_column(session.workspace.schemas[relation])
    said = [str(row[name]) for name in ("kind", "state") if row.get(name)][:1]
    said += [str(row[name]) for name in DETAILS if row.get(name)][:2]
    return Fact(relation=relation, at=row.get(column) if column else None, text=" · ".join(said))


def _utterances(query: Query, kind: Kind, number: int, labels: list[str], at: datetime) -> tuple[Fact, ...]:
    if not labels:
        return ()
    rows = query.rows(
        "select i.at, i.label, t.text from intents as i left join touchpoints as t on t.event_id = i.event_id"
        f" where i.{kind}_id = $id and list_contains($labels, i.label) and i.at <= $now order by i.at desc limit 5",
        {"id": number, "labels": labels, "now": at},
    )
    return tuple(Fact(relation="touchpoints", at=row[0], text=f"{row[1]} · {row[2]}") for row in rows)
