"""Ask the conditions of strategies about leads: one statement for the audience, one for those inside.

Segments that a condition names are computed in the same statement, so that none is stale.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime

from sfactl.engine.conditions import CompiledMany, Condition, compile_many
from sfactl.engine.conditions.compile import segments_in
from sfactl.engine.conditions.source import Source
from sfactl.engine.duck import Query
from sfactl.segments.files import as_conditions as segments_as_conditions
from sfactl.segments.files import with_used
from sfactl.strategies.files import Names, StrategyFile
from sfactl.strategies.files import as_conditions as texts_as_conditions
from sfactl.strategies.model import Strategy, flow_conditions

_SAMPLES = "select count(*), max(case when state = 'champion' then leads end) from models where score = $s"


def compile_conditions(names: Names, asked: Sequence[Condition], at: datetime) -> CompiledMany:
    """``asked`` as one statement, with the segments that they name; raises `ConditionError`."""
    used = {s for c in asked for s in segments_in(Source(text=c.text, where=c.where).parse())}
    known = [name for name in names.segments if name in used]
    segments = with_used(names.segments, known) if known else []
    return compile_many(
        [*segments_as_conditions(segments), *asked],
        schemas=names.schemas,
        now=at,
        as_segments=True,
        segments=names.segments,
        scores=names.scores,
        tags=names.tags,
        layers=names.layers,
    )


def audience_text(strategy: Strategy) -> str:
    """Whom the strategy is for, as a condition."""
    return strategy.where or member_of(strategy.segment)


def member_of(segment: str) -> str:
    """The condition of being a member of ``segment``."""
    quoted = segment.replace("'", "''")
    return f"member_of('{quoted}')"


def load_flags(query: Query, file: StrategyFile, names: Names, number: int, at: datetime) -> None:
    """Add to walk_flags what holds for the leads in the table candidates: goal, exit, then `flags_of`."""
    asked = texts_as_conditions(flow_conditions(file.strategy), file.path)
    keys = ["goal.where", "exit.where", *flags_of(file.strategy)]
    compiled = compile_conditions(names, asked, at)
    flags = [f'"{compiled.columns[key]}"' if key in compiled.columns else "false" for key in keys]
    source = compiled.among_sql if asked else "select l.lead_id from leads l join candidates c on c.lead_id = l.lead_id"
    query.run(
        f"insert into walk_flags select cast($version_no as bigint), lead_id, [{', '.join(flags)}] from ({source})",
        {**compiled.params, "version_no": number},
    )


def flags_of(strategy: Strategy) -> list[str]:
    """The keys of the conditions of steps, in their order in flags, behind goal and exit."""
    return [key for key, _ in flow_conditions(strategy) if key.startswith("steps.")]


def flag_number(strategy: Strategy, key: str) -> int:
    """The place of a step's condition in flags, from 1; 0 where there is none."""
    keys = flags_of(strategy)
    return keys.index(key) + 3 if key in keys else 0


def load_blacklist(query: Query, file: StrategyFile, names: Names, at: datetime) -> None:
    """Make the table blacklist: who never gets anything from the strategy."""
    segment = file.strategy.blacklist
    if not segment:
        query.run("create or replace temp table blacklist (lead_id bigint)")
        return
    asked = Condition(name="@blacklist", text=member_of(segment), where=f"{file.path}: blacklist")
    compiled = compile_conditions(names, [asked], at)
    column = compiled.columns["@blacklist"]
    query.run(
        f"create or replace temp table blacklist as select lead_id from ({compiled.sql}) where {column}",
        compiled.params,
    )


def load_audience(
    query: Query, file: StrategyFile, rivals: Sequence[StrategyFile], names: Names, at: datetime, *, among: bool
) -> int:
    """Make the tables walk_audience, and rival_audience (whom other strategies may take first).

    With ``among`` both are about the leads in the table candidates only. Answers how many the audience has.
    """
    asked = [Condition(name="@own", text=_entry_text(query, file), where=f"{file.path}: where")]
    tests = {}
    for rival in rivals:
        parts = {"where": audience_text(rival.strategy)}
        if rival.strategy.blacklist:
            parts["blacklist"] = member_of(rival.strategy.blacklist)
        parts |= {k: t for k, t in flow_conditions(rival.strategy) if k in ("goal.where", "exit.where")}
        named = {key: f"@{rival.name}:{key}" for key in parts}
        asked += [Condition(name=named[k], text=t, where=f"{rival.path}: {k}") for k, t in parts.items()]
        tests[rival.name] = named
    compiled = compile_conditions(names, asked, at)
    sql = compiled.among_sql if among else compiled.sql
    own = compiled.columns["@own"]
    columns = {
        name: " and ".join(f"{'' if key == 'where' else 'not '}{compiled.columns[c]}" for key, c in named.items())
        for name, named in tests.items()
    }
    extra = "".join(f", {test} as r{n}" for n, test in enumerate(columns.values()))
    found = query.run(
        f"create or replace temp table walk_audience as select lead_id{extra} from ({sql}) where {own}", compiled.params
    )
    query.run("create or replace temp table rival_audience (strategy varchar, lead_id bigint)")
    for number, name in enumerate(columns):
        query.run(
            f"insert into rival_audience select $rival, lead_id from walk_audience where r{number}", {"rival": name}
        )
    return found


def load_nobody(query: Query) -> int:
    """The tables of `load_audience` where nobody may enter; answers 0."""
    query.run("create or replace temp table walk_audience (lead_id bigint)")
    query.run("create or replace temp table rival_audience (strategy varchar, lead_id bigint)")
    return 0


def _entry_text(query: Query, file: StrategyFile) -> str:
    """The audience, or ``fallback`` while a score that it asks for has learned from too few leads."""
    strategy = file.strategy
    if not strategy.min_samples:
        return audience_text(strategy)
    scores = compile_scores(audience_text(strategy))
    poor = [
        s
        for s in scores
        # A score that learns and has no model in use has learned from nobody.
        if (found := query.one(_SAMPLES, {"s": s})) and found[0] and int(found[1] or 0) < strategy.min_samples
    ]
    return (strategy.fallback or "false") if poor else audience_text(strategy)


def compile_scores(text: str) -> list[str]:
    """The scores that a condition asks for, sorted."""
    from sqlglot import exp

    columns = Source(text=text, where="").parse().find_all(exp.Column)
    return sorted({c.name for c in columns if c.table.lower() == "score"})
