"""Move leads along their life: qualify by the rules, say what is missing, move by hand, and count the stages."""

from __future__ import annotations

import difflib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

from sfactl.api.errors import ConfigError, NotFound, UserError
from sfactl.leads import lifecycle
from sfactl.leads.lifecycle import (
    Lifecycle,
    Missing,
    Moved,
    Qualification,
    Requirement,
    Rules,
    StageCount,
    Step,
    Target,
    Term,
    Verdict,
)
from sfactl.workspace.aliases import living

if TYPE_CHECKING:
    import pyarrow as pa

    from sfactl.engine.duck import Query
    from sfactl.session import Session
    from sfactl.workspace import Transaction

FROM: Mapping[Target, str] = {"mql": "new", "sql": "mql"}
CHANGED = ("leads", "stage_events")


def qualify(session: Session, *, to: Target | None = None) -> Qualification:
    """Qualify every lead that fulfils the rules of ``qualification.toml``; ``to`` None does MQL first, then SQL.

    Each step is one commit: the leads and, with the id of the causing event, their moves. A lead moves once however
    often this runs. Raises `ConfigError` or `ConditionError` for wrong rules.
    """
    rules = lifecycle.read_rules(session.folder)
    # All rules are checked before the first of them has an effect.
    tests = [_test(session, rules, target) for target in ((to,) if to else FROM)]
    steps: list[Step] = []
    for test in tests:
        with session.write(*CHANGED) as tx:
            step = _step(session, tx, rules, test)
            if step.qualified:
                done = tx.commit(to=test.to, qualified=step.qualified, staying=step.staying)
                step = replace(step, commit=done.seq)
            steps.append(step)
    return Qualification(steps=tuple(steps), dry_run=session.dry_run)


def check(session: Session) -> tuple[str, ...]:
    """What is wrong with the rules of qualification, as messages; nothing for a workspace without them."""
    if not (session.folder / lifecycle.FILE).exists():
        return ()
    problems = []
    for to in FROM:
        try:
            _test(session, lifecycle.read_rules(session.folder), to)
        except UserError as err:
            problems.append(err.message)
    return tuple(problems)


def _step(session: Session, tx: Transaction, rules: Rules, test: _Test) -> Step:
    _candidates(tx.query, test)
    tx.query.run(
        "create temp table movers as"
        " select lead_id, stage as from_stage, $to as to_stage, cause, $reason as reason"
        " from candidates where missing is null",
        {"to": test.to, "reason": _rule_text(rules, test.to)},
    )
    step = _counts(tx.query, test)
    if step.qualified:
        _write_moves(session, tx)
    return step


def _rule_text(rules: Rules, to: Target) -> str:
    if to == "mql":
        return "fulfils mql.where"
    return f"{rules.sql.score} at {lifecycle.number(rules.sql.pass_mark)} or more, all required fields known"


def _write_moves(session: Session, tx: Transaction) -> None:
    """Write the leads of the temporary table ``movers`` in their new stages, and the moves."""
    params = {"now": session.now(), "actor": session.actor, "seq": tx.query.seq}
    tx.upsert("leads", tx.query.statement("leads", "lifecycle_leads"), params)
    tx.append("stage_events", tx.query.statement("leads", "lifecycle_events"), params)


def missing(session: Session, *, to: Target = "sql") -> pa.Table:
    """The leads one step before ``to`` that stay there, and what each lacks; the nearest to the goal first."""
    rules = lifecycle.read_rules(session.folder)
    with session.query() as query:
        _candidates(query, _test(session, rules, to))
        return query.table(
            "select lead_id, full_name, company, email, stage, points, missing from candidates"
            " where missing is not null order by points desc nulls last, lead_id"
        )


def explain(session: Session, ref: str) -> Verdict:
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
        to = next((t for t, before in FROM.items() if before == status), None)
        terms: tuple[Term, ...] = ()
        cause = None
        if to is not None:
            test = _test(session, lifecycle.read_rules(session.folder), to)
            _candidates(query, test, lead_id)
            terms, cause = _terms(session, query, test, lead_id), _only(query, "select cause from candidates")
        return Verdict(
            lead_id=lead_id,
            name=lead.get("full_name") or lead.get("company") or lead.get("email"),
            status=status,
            to=to,
            qualifies=bool(terms) and all(t.holds for t in terms),
            terms=terms,
            cause=cause,
            since=since[0] if since else None,
            why_here=since[1] if since else None,
        )


def move(session: Session, refs: Sequence[str], *, to: str, reason: str | None = None) -> Moved:
    """Move leads by hand. Raises `PolicyError` naming the rule when one of them may not go there; then none moves."""
    if to == "converted":
        raise UserError("a lead is converted by a command of its own", hint="Run: sfactl lead convert REF")
    if to == "disqualified" and not (reason or "").strip():
        raise UserError("a lead is not dropped without a reason", hint="Add --reason TEXT.")
    with session.write(*CHANGED) as tx:
        ids = find_leads(tx.query, refs)
        stages = tx.query.rows(
            "select lead_id, coalesce(status, 'new') from leads where list_contains($ids, lead_id) order by lead_id",
            {"ids": ids},
        )
        for lead_id, stage in stages:
            lifecycle.check_move(lead_id, stage, to)
        tx.query.run(
            "create temp table movers as select lead_id, coalesce(status, 'new') as from_stage, $to as to_stage,"
            " $cause as cause, $reason as reason from leads where list_contains($ids, lead_id)",
            {"to": to, "cause": session.command, "reason": reason, "ids": ids},
        )
        _write_moves(session, tx)
        seq = tx.commit(to=to, leads=len(ids)).seq
    return Moved(leads=len(ids), to=to, dry_run=session.dry_run, commit=seq)


def stages(session: Session) -> Lifecycle:
    """Leads by stage, and whether a replay of their history gives the same."""
    with session.query() as query:
        found = {s: (n, r) for s, n, r in query.rows(query.statement("leads", "lifecycle_replay"))}
        differing = query.rows(query.statement("leads", "lifecycle_differing"))
        order = [*lifecycle.MOVES, *sorted(set(found) - set(lifecycle.MOVES))]
        return Lifecycle(
            commit=query.seq,
            stages=tuple(StageCount(stage=s, leads=found[s][0], replayed=found[s][1]) for s in order if s in found),
            differing=tuple(row[0] for row in differing),
        )


def find_leads(query: Query, refs: Sequence[str]) -> list[int]:
    """The numbers of the leads that ``refs`` name, each once, in order. Raises `NotFound` naming the first unknown."""
    wanted = [lifecycle.lead_number(ref) for ref in refs]
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


def _known(query: Query, numbers: Sequence[int]) -> set[int]:
    """Which of these leads exist. A few are looked up one by one, many in one pass over all."""
    if len(numbers) <= 3:
        return {n for n in numbers if query.get("leads", n) is not None}
    return {
        n
        for (n,) in query.rows("select lead_id from leads where list_contains($numbers, lead_id)", {"numbers": numbers})
    }


@dataclass(frozen=True, slots=True, kw_only=True)
class _Test:
    """The rules for one target, checked and compiled: the leads that fulfil the condition, and what more they need."""

    to: Target
    needed: tuple[Requirement, ...]
    where: str | None
    held: str
    causes: str
    params: Mapping[str, Any]


def _test(session: Session, rules: Rules, to: Target) -> _Test:
    """Check and compile the rules for ``to``. Raises `ConfigError` or `ConditionError`."""
    where: str | None
    if to == "mql":
        needed, where = lifecycle.mql_requirements(), rules.mql.where
        causes = "select t.lead_id, t.event_id, t.at from touchpoints as t where list_contains($kinds, t.kind)"
    else:
        _check_score(session, rules.sql.score)
        types = session.workspace.schemas["leads"].types
        needed, where = lifecycle.sql_requirements(rules.sql, types), rules.sql.where
        causes = (
            "select e.lead_id, e.event_id, e.at from score_events as e where e.score = $score and e.points >= $mark"
        )
    held, params = "select lead_id from leads", dict[str, Any]()
    if where is not None:
        from sfactl.engine.conditions import compile_condition  # late: only a condition pays for its parser

        compiled = compile_condition(
            where,
            entity="leads",
            schemas=session.workspace.schemas,
            where=f"{lifecycle.FILE}: {to}.where",
            now=session.now(),
            scores=_names(session, "scores"),
            segments=_names(session, "segments"),
        )
        held, params = compiled.sql, dict(compiled.params)
    params |= {
        "status": FROM[to],
        "score": rules.sql.score,
        "mark": rules.sql.pass_mark,
        "kinds": list(rules.mql.cause),
        "cause": f"rule:{to}",
        "now": session.now(),
    }
    return _Test(to=to, needed=needed, where=where, held=held, causes=causes, params=params)


def _names(session: Session, kind: str) -> list[str]:
    """The ``scores`` or ``segments`` that a condition may name."""
    return sorted(p.stem for p in (session.folder / kind).glob("*.toml"))


def _check_score(session: Session, name: str) -> None:
    """A score that the rules name must be one of the workspace, where it has files of scores at all."""
    known = _names(session, "scores")
    if known and name not in known:
        near = difflib.get_close_matches(name, known, 1)
        hint = f" Did you mean {near[0]!r}?" if near else ""
        raise ConfigError(f"{lifecycle.FILE}: sql.score: there is no score {name!r} in scores/.{hint}")


def _candidates(query: Query, test: _Test, lead_id: int | None = None) -> None:
    """Make the temporary table ``candidates``: the leads (or the one) that might go on, and what they lack."""
    sql = query.statement("leads", "lifecycle_candidates").format(
        held=test.held,
        causes=test.causes,
        missing=lifecycle.missing_sql(test.needed),
        flags=lifecycle.flags_sql(test.needed),
    )
    query.run(f"create or replace temp table candidates as {sql}", {**test.params, "lead_id": lead_id})


def _counts(query: Query, test: _Test) -> Step:
    counted = ", ".join(f"count(*) filter (where missing_{i})" for i in range(len(test.needed)))
    row = query.one(
        "select count(*) filter (where missing is null), count(*) filter (where missing is not null), "
        f"{counted} from candidates"
    )
    qualified, staying, *lacking = row or (0, 0)
    return Step(
        to=test.to,
        qualified=qualified,
        staying=staying,
        missing=tuple(Missing(item=r.name, leads=n) for r, n in zip(test.needed, lacking, strict=True) if n),
    )


def _terms(session: Session, query: Query, test: _Test, lead_id: int) -> tuple[Term, ...]:
    """Every requirement as it stands for the one lead in ``candidates``; the condition taken apart into its terms."""
    columns = ", ".join(f"missing_{i}, value_{i}" for i in range(len(test.needed)))
    row = query.one(f"select {columns} from candidates") or ()
    terms: list[Term] = []
    for i, needed in enumerate(test.needed):
        if needed.name == f"{test.to}.where" and test.where is not None:
            terms += _condition_terms(session, query, test.where, lead_id)
            continue
        value = row[2 * i + 1]
        terms.append(Term(name=needed.name, holds=not row[2 * i], value="nothing" if value is None else str(value)))
    return tuple(terms)


def _condition_terms(session: Session, query: Query, where: str, lead_id: int) -> list[Term]:
    from sfactl.engine.conditions.explain import ask

    question = ask(
        where,
        schemas=session.workspace.schemas,
        now=session.now(),
        scores=_names(session, "scores"),
        segments=_names(session, "segments"),
    )
    (answer,) = query.table(question.sql, {**question.params, "key": lead_id}).to_pylist()
    return [
        Term(
            name=term.text,
            holds=answer[term.column] is True,
            value=""
            if term.value_column is None or answer[term.value_column] is None
            else str(answer[term.value_column]),
        )
        for term in question.terms
    ]


def _only(query: Query, sql: str) -> Any:
    row = query.one(sql)
    return row[0] if row else None
