"""Read what a round is made of: the rules, where the reps stand, and the leads that look for an owner."""

from __future__ import annotations

import difflib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, time
from typing import TYPE_CHECKING, Any
from zoneinfo import ZoneInfo

from sfactl.api.errors import NotFound, UserError
from sfactl.config.calendars import CalendarFile, read_calendars
from sfactl.config.pool import read_pool
from sfactl.engine.calendars import Calendar, CalendarError, Interval, always, merged
from sfactl.reps import roster
from sfactl.reps.model import Case, Queue, Rep, Standing
from sfactl.reps.rules import FILE, OPEN, STANDARD, Rules, name_problems, read_rules, with_method
from sfactl.reps.usecases.writing import holdings
from sfactl.workspace.aliases import living

if TYPE_CHECKING:
    import pyarrow as pa

    from sfactl.engine.conditions import CompiledMany
    from sfactl.engine.duck import Query
    from sfactl.session import Session

ROUND_ROBIN, BALANCED = "round-robin", "balanced"
"""By turns had, and by open leads owned: what ``--strategy`` may say."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Order:
    """What is asked for: the stages whose leads are given out, how, and whether the public pool is given out too.

    Without a ``strategy`` the rules of the workspace hold. With ``realign`` it is about owned leads in the wrong hands.
    """

    stages: tuple[str, ...] = ()
    strategy: str | None = None
    with_pool: bool = False
    realign: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Scene:
    """The rules and the reps of one moment. ``label`` is what the history calls the method, where no file says it."""

    rules: Rules
    stages: tuple[str, ...]
    label: str
    standings: tuple[Standing, ...]
    now: datetime
    with_pool: bool = False
    realign: bool = False


def scene_of(session: Session, query: Query, order: Order, now: datetime | None = None) -> Scene:
    """What a round is made of at ``now`` (default: the session's). Raises `ConfigError` for rules that cannot be."""
    written = read_rules(session.folder)
    rules, label = written or STANDARD, "" if written else ROUND_ROBIN
    if order.strategy is not None:
        # By turns means by weight, as it does without a file.
        rules = with_method(rules if written else STANDARD, "balanced" if order.strategy == BALANCED else "weighted")
        label = order.strategy
    stages = order.stages or rules.stages
    if unknown := [s for s in stages if s not in OPEN]:
        raise UserError(f"--stage {unknown[0]}: only {', '.join(OPEN)} leads can be given out")
    at = now or session.as_of_time()
    return Scene(
        rules=rules,
        stages=stages,
        label=label,
        standings=tuple(standings_of(session, query, rules, at)),
        now=at,
        with_pool=order.with_pool,
        realign=order.realign,
    )


def standings_of(session: Session, query: Query, rules: Rules, now: datetime) -> list[Standing]:
    """Where every rep stands at ``now``. Raises `ConfigError` for names in the rules that nothing has."""
    reps = reps_of(query)
    files = read_calendars(session.folder)
    for problem in name_problems(rules, reps, files):
        raise problem
    query.register("rep_days", _days_table(session, reps, now))
    make_workloads(query)
    rows = query.table(query.statement("reps", "standings")).to_pylist()
    gone = absences_of(query)
    cap, protected = _protected(session, query, now)
    at_work = any(rule.at_work for rule in rules.rules)
    found = []
    for row in rows:
        rep = roster.from_row(row)
        away = next((end for begin, end in gone.get(rep.rep_id, ()) if begin <= now < end), None)
        begins = _begins(session, rep, files, rules.calendar, gone, now) if at_work else None
        found.append(
            Standing(
                rep=rep,
                open=row["open"],
                turns=row["turns"],
                today=row["today"],
                away_until=away,
                at_work_from=begins,
                protected=protected.get(rep.rep_id, 0),
                cap=cap,
            )
        )
    return found


def _protected(session: Session, query: Query, now: datetime) -> tuple[int | None, dict[str, int]]:
    """The holding cap of the public pool, and how many leads each rep protects; nothing where there is no cap."""
    pool = read_pool(session.folder)
    if pool is None or pool.holding_cap is None or not pool.protection:
        return None, {}
    holdings(query, pool, now)
    sql = "select holder, count(*) from holdings where protected_until > $now group by holder"
    return pool.holding_cap, dict(query.rows(sql, {"now": now}))


def _begins(
    session: Session,
    rep: Rep,
    files: Mapping[str, CalendarFile],
    default: str,
    gone: Mapping[str, Sequence[Interval]],
    now: datetime,
) -> datetime | None:
    """When the rep is next at work; None if that is now."""
    try:
        opens = calendar_of(session, rep, files, default, gone).opens(now)
    except CalendarError:
        return datetime.max
    return None if opens <= now else opens


def calendar_of(
    session: Session,
    rep: Rep | None,
    files: Mapping[str, CalendarFile],
    default: str,
    gone: Mapping[str, Sequence[Interval]],
) -> Calendar:
    """When a rep works, absences left out: by their own calendar, else the ``default`` one, else always."""
    zone = ZoneInfo(rep.time_zone) if rep is not None and rep.time_zone else session.zone
    name = (rep.calendar if rep is not None else None) or default
    made = files[name].calendar(zone) if name in files else always(zone)
    return made.without(gone.get(rep.rep_id, ()) if rep is not None else ())


def absences_of(query: Query) -> dict[str, list[Interval]]:
    """The absences of each rep, without overlaps."""
    found: dict[str, list[Interval]] = {}
    for rep_id, begin, end in query.rows("select rep_id, starts_at, ends_at from absences order by rep_id, starts_at"):
        found.setdefault(rep_id, []).append((begin, end))
    return {rep_id: merged(intervals) for rep_id, intervals in found.items()}


def _days_table(session: Session, reps: Sequence[Rep], now: datetime) -> pa.Table:
    """When today began for each rep, in the rep's zone."""
    import pyarrow as pa

    begun = []
    for rep in reps:
        zone = ZoneInfo(rep.time_zone) if rep.time_zone else session.zone
        day = now.replace(tzinfo=UTC).astimezone(zone).date()
        begun.append(datetime.combine(day, time(), zone).astimezone(UTC).replace(tzinfo=None))
    ids = [rep.rep_id for rep in reps]
    return pa.table({"rep_id": pa.array(ids, pa.string()), "begun": pa.array(begun, pa.timestamp("us"))})


def queue_of(session: Session, query: Query, scene: Scene) -> Queue:
    """The leads of the temporary table ``candidates`` with their cases.

    Makes the temporary tables ``bonds`` and ``flags``; needs ``barred`` (lead_id, barred), reps parted by commas.
    """
    return read_queue(query, look_at_candidates(session, query, scene))


def look_at_candidates(session: Session, query: Query, scene: Scene) -> list[tuple[str, str]]:
    """Make ``bonds`` and ``flags`` for the leads of ``candidates``; answers the conditions with their columns."""
    _bonds(query, scene.rules)
    return _flags(session, query, scene)


def read_queue(query: Query, names: Sequence[tuple[str, str]]) -> Queue:
    """The leads of ``candidates`` with their cases, from ``bonds``, ``flags`` and ``barred`` as they are."""
    import numpy as np

    held = " || ".join(f"case when f.{column} then '1' else '0' end" for _, column in names) or "''"
    found = query.table(query.statement("reps", "queue").replace("{held}", held))
    signatures = found["signature"].combine_chunks().dictionary_encode()
    texts = signatures.dictionary.to_pylist()
    ranked = sorted(range(len(texts)), key=texts.__getitem__)
    place = np.empty(len(texts), dtype=np.int64)
    place[ranked] = np.arange(len(texts))
    return Queue(
        lead_ids=found["lead_id"].to_numpy().astype(np.int64),
        case_of=place[np.asarray(signatures.indices, dtype=np.int64)],
        cases=tuple(_case(texts[i], [name for name, _ in names]) for i in ranked),
    )


def candidates(query: Query, scene: Scene) -> None:
    """Make the temporary tables ``candidates``, the leads that look for an owner, and ``barred``.

    A lead that came back to the public pool does not go to the rep who let it come there.
    """
    sql = query.statement("reps", "candidates")
    query.run(
        f"create or replace temp table candidates as {sql}",
        {"stages": list(scene.stages), "with_pool": scene.with_pool},
    )
    query.run(f"create or replace temp table barred as {query.statement('reps', 'barred_pool')}")


def _bonds(query: Query, rules: Rules) -> None:
    sql = "select 0::bigint as lead_id, '' as bond, '' as owner where false"
    if any(rule.method == "sticky" for rule in rules.rules):
        sql = query.statement("reps", "bonds")
    query.run(f"create or replace temp table bonds as {sql}", {"bonds": list(rules.bonds)})


def _flags(session: Session, query: Query, scene: Scene) -> list[tuple[str, str]]:
    """Make the temporary table ``flags``; answers the conditions with their columns. Raises `ConditionError`."""
    asked = list(scene.rules.conditions())
    if not asked:
        query.run("create or replace temp table flags as select 0::bigint as lead_id where false")
        return []
    compiled = compiled_conditions(session, asked, scene.now)
    query.run(f"create or replace temp table flags as {compiled.among_sql}", compiled.params)
    return [(name, compiled.columns[name]) for name, _, _ in asked]


def compiled_conditions(session: Session, asked: Sequence[tuple[str, str, str]], now: datetime) -> CompiledMany:
    """What the rules ask about a lead (name, text and key of each) as one statement.

    Raises `ConditionError` naming file and key.
    """
    from sfactl.engine.conditions import Condition, compile_many  # late: only conditions pay for their parser

    return compile_many(
        [Condition(name=name, text=text, where=f"{FILE}: {key}") for name, text, key in asked],
        entity="leads",
        schemas=session.workspace.schemas,
        now=now,
        scores=_names(session, "scores"),
        segments=_names(session, "segments"),
    )


def _names(session: Session, kind: str) -> list[str]:
    return sorted(p.stem for p in (session.folder / kind).glob("*.toml"))


def _case(signature: str, names: Sequence[str]) -> Case:
    country, held, bond, barred = signature.split("\x1f")
    kind, _, owner = bond.partition(":")
    return Case(
        country=country or None,
        held=frozenset(name for name, digit in zip(names, held, strict=True) if digit == "1"),
        bound=owner or None,
        bond=kind or None,
        barred=frozenset(b for b in barred.split(",") if b),
    )


def make_workloads(query: Query) -> None:
    """Make the view ``workloads``: what every rep has in hand and had in turns."""
    query.run(f"create or replace temp view workloads as {query.statement('reps', 'workloads')}")


def reps_of(query: Query) -> list[Rep]:
    """All reps by their short names."""
    return [roster.from_row(row) for row in query.table("select * from reps order by rep_id").to_pylist()]


def find_rep(query: Query, rep_id: str) -> Rep:
    """The rep with this short name. Raises `NotFound` with the nearest one."""
    row = query.get("reps", rep_id)
    if row is None:
        near = difflib.get_close_matches(rep_id, [r.rep_id for r in reps_of(query)], 1)
        hint = f"Did you mean {near[0]!r}?" if near else "See: sfactl rep list"
        raise NotFound(f"there is no rep {rep_id!r}", hint=hint)
    return roster.from_row(row)


def find_lead(query: Query, lead_id: int) -> dict[str, Any]:
    """The lead of this number. Raises `NotFound`."""
    row = query.get("leads", living(query, "lead", lead_id))
    if row is None:
        raise NotFound(f"there is no lead {lead_id}", hint="See: sfactl lead list")
    return row
