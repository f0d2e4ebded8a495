"""Who is caught by which strategy today: nodes without one, customers whom none catches, and those whom two do."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import combinations
from typing import TYPE_CHECKING

from sfactl.api.errors import SfactlError
from sfactl.engine.conditions import Condition
from sfactl.engine.reasoning import Prover
from sfactl.processes.journey import chosen, paths
from sfactl.processes.usecases.journeying import travelled
from sfactl.segments.model import Segment
from sfactl.strategies.asking import compile_conditions
from sfactl.strategies.conflicts import Conflict, audience, conflicts, refusals, segment_claims
from sfactl.strategies.files import Names, StrategyFile, check_strategy, read_names, read_strategies
from sfactl.strategies.model import Strategy

if TYPE_CHECKING:
    from sfactl.engine.duck import Query
    from sfactl.session import Session

SQL = "strategies"
SAMPLE = 5
NO_NODE = "(no node yet)"


@dataclass(frozen=True, slots=True, kw_only=True)
class Caught:
    """How many leads at one node of the journey a strategy would take today."""

    node: str
    strategy: str
    leads: int


@dataclass(frozen=True, slots=True, kw_only=True)
class NodeCover:
    """One node: the leads at it, those whom no active strategy would take, some of them, and the strategies that do."""

    node: str
    leads: int
    by_none: int
    sample: tuple[int, ...]
    strategies: tuple[str, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Overlap:
    """Leads whom two active strategies would take, and what comes of it.

    ``kind`` is ``settled`` (one exclusive group: the higher priority gets them), ``capped`` (both send on one channel
    within caps), ``clash`` (both send on one channel, at least one without caps), ``tasks`` (both make work for reps)
    or ``apart`` (they do different things).
    """

    one: str
    other: str
    kind: str
    leads: int
    sample: tuple[int, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Coverage:
    """Journey × strategies, on the data as of ``--as-of``. ``journey`` is empty where there is no journey."""

    journey: str
    seq: int
    leads: int
    by_none: int
    strategies: tuple[str, ...]
    nodes: tuple[NodeCover, ...]
    caught: tuple[Caught, ...]
    overlaps: tuple[Overlap, ...]
    idle: tuple[str, ...]


def coverage(session: Session, journey: str = "") -> Coverage:
    """Which active strategy would take whom today, by node of the journey. Raises what reading the files raises.

    A strategy would take who is in its audience, not on its blacklist, and meets neither goal nor exit; caps, windows
    and whether somebody has been in before are not looked at.
    """
    names = read_names(session.folder, session.workspace.schemas)
    active = [f for f in read_strategies(session.folder).values() if f.strategy.state == "active"]
    for file in active:
        check_strategy(file, names, now=session.as_of_time())
    if journey or paths(session.folder):
        travel = chosen(session.folder, journey)
        with travelled(session, travel) as query:
            query.run("create temp table stand as select w.lead_id, n.name as node, n.number from way w"
                      " join node n on n.number = w.number where w.here")  # fmt: skip
            return _covered(session, query, active, names, travel.name, [node.name for node in travel.nodes])
    with session.query() as query:
        query.run("create temp table stand (lead_id bigint, node varchar, number bigint)")
        return _covered(session, query, active, names, "", [])


def find_conflicts(session: Session, *, with_data: bool = True) -> tuple[Conflict, ...]:
    """What strategies and segments say in vain, proven from the files, and, ``with_data``, what happens to be so today.

    A file that cannot be read or compiled is a finding of its own.
    """
    names = read_names(session.folder, session.workspace.schemas)
    files, broken = _compiling(session, names)
    segments = _whole_segments(session, names)
    prover = Prover(names.schemas, now=session.as_of_time(), segments=segment_claims(names.segments))
    found = [*broken, *conflicts(files, segments, prover)]
    if with_data and not broken:
        found += _on_data(coverage(session), {c.name for c in found if c.kind == "never"})
    return tuple(found)


def _on_data(cover: Coverage, known: set[str]) -> list[Conflict]:
    where = "strategies/{}.toml: where"
    found = [
        Conflict(
            kind="nobody today",
            severity="info",
            name=name,
            where=where.format(name),
            message=f"matches nobody of {cover.leads:,} leads today",
        )
        for name in cover.idle
        if name not in known and cover.leads
    ]
    found += [
        Conflict(
            kind="overlap",
            severity="warning",
            name=o.other,
            where=where.format(o.other),
            message=f"{o.leads:,} leads get messages of {o.one} too, and nothing limits how many",
            terms=tuple(f"lead:{lead}" for lead in o.sample),
            other=o.one,
        )
        for o in cover.overlaps
        if o.kind == "clash"
    ]
    return found


def _compiling(session: Session, names: Names) -> tuple[list[StrategyFile], list[Conflict]]:
    from sfactl.strategies.files import read_strategy, strategy_names

    files, broken = [], []
    for name in strategy_names(session.folder):
        try:
            file = read_strategy(session.folder, name)
            check_strategy(file, names, now=session.as_of_time())
        except SfactlError as err:
            where = f"strategies/{name}.toml"
            broken.append(Conflict(kind="broken", severity="error", name=name, where=where, message=err.message))
        else:
            files.append(file)
    return files, broken


def _whole_segments(session: Session, names: Names) -> dict[str, Segment]:
    """The segments that compile; what is wrong with the others: sfactl segment check."""
    whole = {}
    for name, segment in names.segments.items():
        try:
            condition = Condition(name=name, text=segment.where, where=f"segments/{name}.toml: where")
            compile_conditions(names, [condition], session.as_of_time())
        except SfactlError:
            continue
        whole[name] = segment
    return whole


def _covered(
    session: Session,
    query: Query,
    files: Sequence[StrategyFile],
    names: Names,
    journey: str,
    nodes: Sequence[str],
) -> Coverage:
    _catch(session, query, files, names)
    listed = [file.name for file in files]
    leads = query.rows("select count(*) from leads")[0][0]
    by_node = {row[0]: row[1:] for row in query.rows(query.statement(SQL, "cover_nodes"), {"sample": SAMPLE})}
    caught = tuple(
        Caught(node=node, strategy=strategy, leads=number)
        for node, strategy, number in query.rows(query.statement(SQL, "cover_caught"))
    )
    pairs = {(one, other): (n, s) for one, other, n, s in query.rows(
        query.statement(SQL, "cover_pairs"), {"sample": SAMPLE}
    )}  # fmt: skip
    empty: tuple[int, int, list[int]] = (0, 0, [])
    return Coverage(
        journey=journey,
        seq=query.seq,
        leads=leads,
        by_none=sum(row[1] for row in by_node.values()),
        strategies=tuple(listed),
        nodes=tuple(
            NodeCover(
                node=node,
                leads=there,
                by_none=alone,
                sample=tuple(sample or ()),
                strategies=tuple(sorted({c.strategy for c in caught if c.node == node})),
            )
            for node in [*nodes, NO_NODE]
            for there, alone, sample in [by_node.get(node, empty)]
        ),
        caught=caught,
        overlaps=tuple(
            Overlap(
                one=a.name, other=b.name, kind=_kind(a.strategy, b.strategy), leads=found[0], sample=tuple(found[1])
            )
            for a, b in combinations(sorted(files, key=lambda f: (-f.strategy.priority, f.name)), 2)
            if (found := pairs.get((min(a.name, b.name), max(a.name, b.name))))
        ),
        idle=tuple(name for name in listed if name not in {c.strategy for c in caught}),
    )


def _catch(session: Session, query: Query, files: Sequence[StrategyFile], names: Names) -> None:
    """Make ``caught``: lead and strategy, for all that would take somebody."""
    query.run("create temp table caught (lead_id bigint, strategy varchar)")
    asked, tests = [], {}
    for file in files:
        claims = {"where": audience(file.strategy), **refusals(file.strategy)}
        own = {key: f"@{file.name}:{key}" for key in claims}
        asked += [Condition(name=own[key], text=c.text, where=c.where) for key, c in claims.items()]
        tests[file.name] = own
    if not asked:
        return
    compiled = compile_conditions(names, asked, session.as_of_time())
    flags = ", ".join(
        " and ".join(f'{"" if key == "where" else "not "}"{compiled.columns[c]}"' for key, c in own.items())
        + f" as s{n}"
        for n, own in enumerate(tests.values())
    )
    query.run(f"create temp table flagged as select lead_id, {flags} from ({compiled.sql})", compiled.params)
    for number, name in enumerate(tests):
        query.run(f"insert into caught select lead_id, $name from flagged where s{number}", {"name": name})


def _kind(one: Strategy, other: Strategy) -> str:
    if one.exclusive and one.exclusive == other.exclusive:
        return "settled"
    if _channels(one) & _channels(other):
        return "capped" if one.touch.caps and other.touch.caps else "clash"
    works = ("task", "approval")
    if all(any(step.action in works for step in s.steps) for s in (one, other)):
        return "tasks"
    return "apart"


def _channels(strategy: Strategy) -> set[str]:
    """What its messages go by: a channel where the step names one, else the sender."""
    if strategy.touch.message_class == "transactional":
        return set()
    return {step.channel or strategy.sender_of(step) for step in strategy.of("touch")}
