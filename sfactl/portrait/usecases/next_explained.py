"""Explain why one rule decides the next action of a lead, and not an earlier one."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import TYPE_CHECKING

from sfactl.api.errors import UserError
from sfactl.engine.conditions.change import shown
from sfactl.engine.conditions.explain import ask
from sfactl.portrait import actions
from sfactl.portrait.actions import FILE, ActionRule
from sfactl.portrait.usecases.bearers import condition_names, find, name_in, row_of
from sfactl.portrait.usecases.next_actions import make_outcomes, suggest

if TYPE_CHECKING:
    from sfactl.engine.duck import Query
    from sfactl.session import Session


@dataclass(frozen=True, slots=True, kw_only=True)
class RuleVerdict:
    """One rule in its place: whether it ``decides``, and if not, ``because`` of what."""

    rule: str
    action: str
    decides: bool
    because: str


@dataclass(frozen=True, slots=True, kw_only=True)
class ActionExplanation:
    """The next action of one lead, and every rule up to the one that decides."""

    lead_id: int
    name: str | None
    stage: str
    action: str
    rule: str
    reason: str
    due_at: datetime
    since: datetime
    actor: str | None
    rules: tuple[RuleVerdict, ...]


def explain(session: Session, ref: str) -> ActionExplanation:
    """Why this action and no other is suggested for the lead, at ``--as-of``. Errors as `suggest`."""
    file = actions.read_actions(session.folder)
    (chosen,) = suggest(session, [ref]).to_pylist()
    with session.query() as query:
        ((kind, lead_id),) = find(query, [ref])
        if kind != "lead":
            raise UserError(f"{ref} is no lead")
        make_outcomes(session, query, file, scope=f"e.lead_id = {lead_id}")
        decides = chosen["overrides"] or chosen["rule"]
        verdicts = []
        for place, rule in enumerate(file.rules):
            verdicts.append(_verdict(session, query, rule, place, lead_id, chosen, rule.stages or file.stages))
            if rule.id == decides:
                break
        else:
            verdicts.append(
                RuleVerdict(rule=actions.DEFAULT, action=file.default.action, decides=True, because="no rule holds")
            )
        return ActionExplanation(
            lead_id=lead_id,
            name=name_in(row_of(query, "lead", lead_id)),
            stage=chosen["stage"],
            action=chosen["action"],
            rule=chosen["rule"],
            reason=chosen["reason"],
            due_at=chosen["due_at"],
            since=chosen["since"],
            actor=chosen["actor"],
            rules=tuple(verdicts),
        )


def _verdict(
    session: Session,
    query: Query,
    rule: ActionRule,
    place: int,
    lead_id: int,
    chosen: dict[str, object],
    stages: tuple[str, ...],
) -> RuleVerdict:
    decides = rule.id == (chosen["overrides"] or chosen["rule"])
    because = "all its terms hold" if decides else ""
    if not decides and chosen["stage"] not in stages:
        because = f"is for {', '.join(stages)}"
    elif not decides:
        because = _failing(session, query, rule, place, lead_id) or _resting(query, rule)
    return RuleVerdict(rule=rule.id, action=rule.action, decides=decides, because=because)


def _failing(session: Session, query: Query, rule: ActionRule, place: int, lead_id: int) -> str:
    """The first term that does not hold, with the value that was found; empty where all hold."""
    question = ask(
        rule.where,
        schemas=session.workspace.schemas,
        now=session.as_of_time(),
        where=f"{FILE}: rules[{place}] {rule.id!r}: where",
        **condition_names(session),
    )
    (row,) = query.table(question.sql, {**question.params, "key": lead_id}).to_pylist()
    for term in question.terms:
        if row[term.column] is not True:
            value = f" (it is {shown(row[term.value_column])})" if term.value_column is not None else ""
            return f"✗ {term.text}{value}"
    return ""


def _resting(query: Query, rule: ActionRule) -> str:
    row = query.one("select max(taken_at) from outcomes where rule = $rule", {"rule": rule.id})
    at = row[0] if row else None
    return f"was taken up on {at:%Y-%m-%d} and rests for {rule.again_after}" if at else "rests"
