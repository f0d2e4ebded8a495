"""Explain for one lead why it qualifies or not: every requirement, what it has, and the smallest change that helps."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from sfactl.leads import qualification
from sfactl.leads.named_leads import find_leads
from sfactl.leads.qualification import FILE
from sfactl.leads.qualification_usecases import FROM, Test, condition_names, judge, prepare
from sfactl.leads.verdicts import OtherPath, Term, Verdict

if TYPE_CHECKING:
    from sfactl.engine.duck import Query
    from sfactl.session import Session


def explain(session: Session, ref: str, *, clv: bool = False) -> Verdict:
    """Whether the lead qualifies for the next stage: every requirement with what the lead has, and the cause."""
    with session.query() as query:
        (lead_id,) = find_leads(query, [ref])
        lead = query.get("leads", lead_id) or {}
        status = lead.get("status") or "new"
        since = query.one(
            "select e.at, coalesce(e.cause, '') || coalesce(' (' || e.reason || ')', '') from stage_events as e"
            " where e.entity = 'lead' and e.entity_id = $id and e.to_stage = $status order by e.at desc limit 1",
            {"id": lead_id, "status": status},
        )
        found: dict[str, Any] = {"to": None, "qualifies": False, "terms": ()}
        to = next((t for t, before in FROM.items() if before == status), None)
        if to is not None:
            test = prepare(session, qualification.read_rules(session.folder), to, clv=clv)
            judge(query, test, lead_id)
            (row,) = query.table("select * from judgements").to_pylist()
            found = _judged(session, query, test, row)
        return Verdict(
            lead_id=lead_id,
            name=lead.get("full_name") or lead.get("company") or lead.get("email"),
            status=status,
            since=since[0] if since else None,
            why_here=since[1] if since else None,
            **found,
        )


def _judged(session: Session, query: Query, test: Test, row: dict[str, Any]) -> dict[str, Any]:
    place = row["path"]
    several = len(test.ways) > 1
    others = tuple(
        OtherPath(name=way.name, missing=row[f"missing_{i}"])
        for i, way in enumerate(test.ways)
        if i != place and row[f"lacks_{i}"]
    )
    if place is None:
        wanted = tuple(
            Term(name=f"{way.name} is for: {' '.join((way.among or '').split())}", holds=False, value="not this lead")
            for way in test.ways
        )
        return {"to": test.to, "qualifies": False, "terms": wanted}
    terms = _terms(session, query, test, place, row)
    return {
        "to": test.to,
        "qualifies": row["missing"] is None,
        "terms": terms,
        "path": test.ways[place].name if several else None,
        "others": others,
        "cause": row["cause"],
        "reason": row["reason"] if row["missing"] is None else None,
    }


def _terms(session: Session, query: Query, test: Test, place: int, row: dict[str, Any]) -> tuple[Term, ...]:
    """Every requirement of a path as it stands for the one lead; the condition taken apart into its terms."""
    way = test.ways[place]
    terms: list[Term] = []
    for j, needed in enumerate(test.needed[place]):
        if way.where is not None and needed.name.endswith(".where"):
            terms += _condition_terms(session, query, way.where, f"{FILE}: {way.place}.where", row["lead_id"])
            continue
        lacks, value = row[f"missing_{place}_{j}"], row[f"value_{place}_{j}"]
        terms.append(
            Term(
                name=needed.name,
                holds=not lacks,
                value="nothing" if value is None else value,
                change=row[f"change_{place}_{j}"] if lacks else None,
            )
        )
    return tuple(terms)


def _condition_terms(session: Session, query: Query, text: str, where: str, lead_id: int) -> list[Term]:
    from sfactl.engine.conditions.change import smallest_change
    from sfactl.engine.conditions.explain import ask

    question = ask(text, schemas=session.workspace.schemas, now=session.now(), where=where, **condition_names(session))
    (answer,) = query.table(question.sql, {**question.params, "key": lead_id}).to_pylist()
    terms = []
    for term in question.terms:
        actual = answer[term.value_column] if term.value_column is not None else None
        holds = answer[term.column] is True
        found = [smallest_change(need, actual if len(term.needs) == 1 else None) for need in term.needs]
        changes = " or ".join(change.text for change in found if change is not None)
        terms.append(
            Term(
                name=term.text,
                holds=holds,
                value="" if actual is None else str(actual),
                change=None if holds else changes or f"this to hold: {term.text}",
            )
        )
    return terms
