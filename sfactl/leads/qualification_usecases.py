"""Qualify leads by the rules, say what is missing, and explain it for one of them."""

from __future__ import annotations

import difflib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

from sfactl.api.errors import ConfigError, UserError
from sfactl.config.tags import known_tags
from sfactl.leads import qualification, requirements
from sfactl.leads.lifecycle_usecases import CHANGED, write_moves
from sfactl.leads.qualification import FILE, Rules, Target, Way
from sfactl.leads.requirements import Requirement
from sfactl.leads.verdicts import Missing, Qualification, Step

if TYPE_CHECKING:
    import pyarrow as pa

    from sfactl.engine.duck import Query
    from sfactl.session import Session
    from sfactl.workspace import Transaction

FROM: Mapping[Target, str] = {"mql": "new", "sql": "mql"}


def qualify(session: Session, *, to: Target | None = None, clv: bool = False) -> Qualification:
    """Qualify every lead that fulfils the rules of ``qualification.toml``; ``to`` None does MQL first, then SQL.

    Each step is one commit: the leads and, with the id of the causing event, their moves. A lead moves once however
    often this runs. With ``clv`` an SQL must also be expected to be worth something and able to buy, whatever the path
    says. Raises `ConfigError` or `ConditionError` for wrong rules.
    """
    rules = qualification.read_rules(session.folder)
    # All rules are checked before the first of them has an effect.
    tests = [prepare(session, rules, target, clv=clv) for target in ((to,) if to else FROM)]
    steps: list[Step] = []
    for test in tests:
        with session.write(*CHANGED) as tx:
            step = _step(session, tx, test)
            if step.qualified:
                done = tx.commit(to=test.to, qualified=step.qualified, staying=step.staying)
                step = replace(step, commit=done.seq)
            steps.append(step)
    return Qualification(steps=tuple(steps), dry_run=session.dry_run)


def check(session: Session) -> tuple[str, ...]:
    """What is wrong with the rules of qualification, as messages; nothing for a workspace without them."""
    if not (session.folder / FILE).exists():
        return ()
    problems = []
    for to in FROM:
        try:
            prepare(session, qualification.read_rules(session.folder), to)
        except UserError as err:
            problems.append(err.message)
    return tuple(problems)


def missing(session: Session, *, to: Target = "sql", clv: bool = False) -> pa.Table:
    """The leads one step before ``to`` that stay there, and what each lacks; the nearest to the goal first."""
    rules = qualification.read_rules(session.folder)
    test = prepare(session, rules, to, clv=clv)
    with session.query() as query:
        judge(query, test)
        names = [way.name for way in test.ways]
        path = ", list_extract($names, path + 1) as path" if len(names) > 1 else ""
        return query.table(
            f"select lead_id, full_name, company, email, stage{path}, points, missing from judgements"
            " where missing is not null order by points desc nulls last, lead_id",
            {"names": names},
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class Test:
    """The rules for one target, checked and compiled: the ways there, what each needs, and the statements to tell."""

    to: Target
    ways: tuple[Way, ...]
    needed: tuple[tuple[Requirement, ...], ...]
    reasons: tuple[str, ...]
    flags: str
    flag_params: Mapping[str, Any]
    valued: str
    valued_params: Mapping[str, Any]
    params: Mapping[str, Any]


def prepare(session: Session, rules: Rules, to: Target, *, clv: bool = False) -> Test:
    """Check and compile the rules for ``to``. Raises `ConfigError` or `ConditionError`."""
    ways = qualification.ways(rules, to, clv=clv)
    types = session.workspace.schemas["leads"].types
    for way in ways:
        if way.score is not None:
            _check_score(session, way)
    flags, flag_params = _flags(session, rules, ways)
    valued, valued_params = _valued(session, rules, ways)
    params: dict[str, Any] = {"cause": f"rule:{to}", "now": session.now()}
    for i, way in enumerate(ways):
        params |= {f"score{i}": way.score, f"mark{i}": way.pass_mark, f"kinds{i}": list(way.cause)}
    return Test(
        to=to,
        ways=ways,
        needed=tuple(requirements.requirements(way, i, to, rules.ltv, types) for i, way in enumerate(ways)),
        reasons=tuple(requirements.reason_sql(way, to, rules.ltv, several=len(ways) > 1) for way in ways),
        flags=flags,
        flag_params=flag_params,
        valued=valued,
        valued_params=valued_params,
        params=params,
    )


def condition_names(session: Session) -> dict[str, Any]:
    """The segments, scores and tags that a condition of this workspace may name."""
    folders = {kind: sorted(p.stem for p in (session.folder / kind).glob("*.toml")) for kind in ("scores", "segments")}
    return {**folders, "tags": known_tags(session.folder)}


def judge(query: Query, test: Test, lead_id: int | None = None) -> None:
    """Make the temporary table ``judgements``: the leads (or the one) that might go on, and what they lack."""
    query.run(
        "create or replace temp table candidates as select lead_id from leads"
        " where coalesce(status, 'new') = $status and (cast($lead_id as bigint) is null or lead_id = $lead_id)",
        {"status": FROM[test.to], "lead_id": lead_id},
    )
    query.run(f"create or replace temp table flags as {test.flags}", test.flag_params)
    query.run(f"create or replace temp table valued as {test.valued}", test.valued_params)
    sql = query.statement("leads", "lifecycle_candidates").format(**_parts(test, full=lead_id is not None))
    query.run(f"create or replace temp table judgements as {sql}", test.params)


def _parts(test: Test, *, full: bool) -> dict[str, str]:
    """What fills the places in braces."""
    judged, lacking, flags, causes, points = [], [], [], [], []
    kinds = ("missing", "value", "change") if full else ("missing",)
    for i, (way, needed, reason) in enumerate(zip(test.ways, test.needed, test.reasons)):
        among = f"coalesce(h.among_{i}, false)" if way.among is not None else "true"
        judged += [
            f"{requirements.missing_sql(needed)} as missing_{i}",
            f"case when {among} then {requirements.lacks_sql(needed)} end as lacks_{i}",
            f"{reason} as reason_{i}",
            f"{f's.points_{i}' if way.score else 'cast(null as double)'} as score_{i}",
            requirements.flags_sql(needed, i, full=full),
        ]
        flags += [f"p.{kind}_{i}_{j}" for j in range(len(needed)) for kind in kinds]
        flags += [f"p.missing_{i}", f"p.lacks_{i}"]
        lacking.append(f"lacks_{i} * 1000 + {i}")
        causes.append(_causes(test.to, i))
        if way.score is not None:
            points.append(f", max(points) filter (where score = $score{i}) as points_{i}")
    chosen = [
        f"case p.path {' '.join(f'when {i} then p.{kind}_{i}' for i in range(len(test.ways)))} end as {name}"
        for kind, name in (("reason", "reason"), ("score", "points"))
    ]
    whens = " ".join(f"when {i} then p.missing_{i}" for i in range(len(test.ways)))
    chosen.append(
        f"case when p.path is null then 'no path is for this lead' else case p.path {whens} end end as missing"
    )
    return {
        "judged": ", ".join(judged),
        # The path that lacks least, of equals the first: the number behind the count of what is lacking.
        "path": f"least({', '.join(lacking)}) % 1000" if len(lacking) > 1 else f"({lacking[0]}) % 1000",
        "flags": ", ".join(flags),
        "chosen": ", ".join(chosen),
        "causes": " union all ".join(causes),
        "points": "".join(points),
    }


def _causes(to: Target, place: int) -> str:
    """The events that may have made a lead fit by a path: lead_id, path, event_id, at."""
    if to == "mql":
        return (
            f'select t.lead_id, {place} as path, t.event_id, t.at as "at" from touchpoints as t'
            f" where list_contains($kinds{place}, t.kind)"
        )
    return (
        f'select e.lead_id, {place} as path, e.event_id, e.at as "at" from score_events as e'
        f" where e.score = $score{place} and e.points >= $mark{place}"
    )


def _flags(session: Session, rules: Rules, ways: Sequence[Way]) -> tuple[str, dict[str, Any]]:
    """A SELECT of lead_id and a column for each condition that the ways ask, about the table ``candidates``."""
    asked = {}
    for i, way in enumerate(ways):
        for key, text in (("where", way.where), ("among", way.among)):
            if text is not None:
                asked[f"{key}_{i}"] = (text, f"{FILE}: {way.place}.{key}")
    if any(way.ltv_min is not None for way in ways):
        asked["budget_ok"] = (rules.ltv.budget_ok, f"{FILE}: ltv.budget_ok")
    if not asked:
        return "select lead_id from candidates", {}
    from sfactl.engine.conditions import Condition, compile_many  # late: only a condition pays for its parser

    compiled = compile_many(
        [Condition(name=name, text=text, where=place) for name, (text, place) in asked.items()],
        schemas=session.workspace.schemas,
        now=session.now(),
        **condition_names(session),
    )
    columns = ", ".join(f"{column} as {name}" for name, column in compiled.columns.items())
    return f"select lead_id, {columns} from ({compiled.among_sql})", dict(compiled.params)


def _valued(session: Session, rules: Rules, ways: Sequence[Way]) -> tuple[str, dict[str, Any]]:
    """A SELECT of lead_id and its expected lifetime value as ``number``, where a way asks for it."""
    if all(way.ltv_min is None for way in ways):
        return "select cast(null as bigint) as lead_id, cast(null as double) as number where false", {}
    from sfactl.engine.conditions.numbers import compile_number

    compiled = compile_number(
        rules.ltv.value,
        schemas=session.workspace.schemas,
        now=session.now(),
        where=f"{FILE}: ltv.value",
        **condition_names(session),
    )
    return compiled.among_sql, dict(compiled.params)


def _check_score(session: Session, way: Way) -> None:
    """A score that the rules name must be one of the workspace, where it has files of scores at all."""
    known = condition_names(session)["scores"]
    if known and way.score not in known:
        near = difflib.get_close_matches(way.score or "", known, 1)
        hint = f" Did you mean {near[0]!r}?" if near else ""
        raise ConfigError(f"{FILE}: {way.place}.score: there is no score {way.score!r} in scores/.{hint}")


def _step(session: Session, tx: Transaction, test: Test) -> Step:
    judge(tx.query, test)
    tx.query.run(
        "create temp table movers as select lead_id, stage as from_stage, $to as to_stage, cause, reason"
        " from judgements where missing is null",
        {"to": test.to},
    )
    step = _counts(tx.query, test)
    if step.qualified:
        write_moves(session, tx)
    return step


def _counts(query: Query, test: Test) -> Step:
    counted = [
        f"count(*) filter (where path = {i} and missing_{i}_{j})"
        for i, needed in enumerate(test.needed)
        for j in range(len(needed))
    ]
    counted += [f"count(*) filter (where missing is null and path = {i})" for i in range(len(test.ways))]
    row = query.one(
        "select count(*) filter (where missing is null), count(*) filter (where missing is not null),"
        f" count(*) filter (where path is null), {', '.join(counted)} from judgements"
    )
    qualified, staying, nowhere, *rest = row or (0, 0, 0)
    names = [r.name for needed in test.needed for r in needed]
    lacking: dict[str, int] = {}
    for name, leads in zip(names, rest):
        lacking[name] = lacking.get(name, 0) + leads
    lacking["a path for them"] = nowhere
    paths = {way.name: n for way, n in zip(test.ways, rest[len(names) :]) if n} if len(test.ways) > 1 else {}
    return Step(
        to=test.to,
        qualified=qualified,
        staying=staying,
        missing=tuple(Missing(item=name, leads=n) for name, n in lacking.items() if n),
        paths=paths,
    )
