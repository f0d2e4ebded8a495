"""Ask the rules of assignment who gets a lead, and why.

Each lead is dealt by itself: what other leads are in the queue does not matter. Cases that differ in their lead alone
share the reps, absences and turns around it, so that all of them are read at once.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING, Any

from sfactl.proofs.asked import Answers, Asked, by_clock
from sfactl.proofs.expectations import NOBODY
from sfactl.proofs.fixtures import FIRST_FREE, STRIDE
from sfactl.proofs.model import Actual, Covered, Row, Trial
from sfactl.proofs.mutants.assignments import assignment_mutants
from sfactl.proofs.mutants.model import Planted
from sfactl.proofs.usecases.bench import Bench
from sfactl.proofs.world import lead_of
from sfactl.reps.dealing import deal
from sfactl.reps.eligibility import matches, options_of, why_not
from sfactl.reps.model import Case, Queue, Standing
from sfactl.reps.rules import FILE, STANDARD, Rules, read_rules
from sfactl.reps.usecases.rounds import with_reasons
from sfactl.reps.usecases.scene import Scene, candidates, queue_of, standings_of

if TYPE_CHECKING:
    import pyarrow as pa

    from sfactl.engine.duck import Query

AROUND = ("reps", "absences", "assignments", "accounts", "contacts")
"""Datasets whose rows are around a lead, whoever they name."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Stage:
    """The reps and rules of some cases, and each lead's case; a lead that is not in the queue has none."""

    scene: Scene
    query: Query
    cases: Mapping[int, Case]
    ties: pa.Table | None = None


class Routing:
    """Answers trials of assignment."""

    def __init__(self, bench: Bench) -> None:
        self._bench = bench
        self._reps: dict[str, tuple[Standing, ...]] = {}
        self._queues: dict[str, tuple[Mapping[int, Case], pa.Table | None]] = {}

    @cached_property
    def _rules(self) -> Rules:
        return read_rules(self._bench.session.folder) or STANDARD

    def rule(self, trial: Trial) -> Rules:
        """The rules of the workspace, whatever the trial."""
        del trial
        return self._rules

    def check(self, trial: Trial) -> None:
        """Nothing: an owner that no rep is, or a rule that is not there, is what a test may find out."""

    def observe(self, asked: Sequence[Asked[Rules]]) -> Answers:
        """The owner, the rule, and the reason of the lead of each trial."""
        answers: Answers = [{} for _ in asked]
        for group in by_clock(asked):
            for place, one in group:
                for around in _alike(one.trials):
                    stage = self._stage(one.rule, around)
                    dealt: dict[object, Actual] = {}
                    for trial in around:
                        answers[place][trial.number] = _answer(stage, trial, dealt)
        return answers

    def explain(self, trial: Trial, actual: Actual) -> tuple[tuple[str, ...], str]:
        """Each rule, and what is against each rep."""
        del actual
        rules = self._rules
        around = next(group for group in _alike([trial]))
        stage = self._stage(rules, around)
        case = stage.cases.get(lead_of(trial))
        if case is None:
            stages = ", ".join(rules.stages)
            hint = f"{FILE} gives out leads without an owner in these stages: {stages}."
            return ("the lead is not in the queue",), hint
        lines = []
        for option in options_of(rules):
            name = f"{option.rule.name}{' (fallback)' if option.second else ''}"
            if not matches(option.rule, case):
                lines.append(f"✗ rule {name}: its condition does not hold")
                continue
            said = [
                f"{standing.rep.rep_id} {why_not(standing, case, option, rules) or standing.why_full or 'may take it'}"
                for standing in stage.scene.standings
            ]
            lines.append(f"✓ rule {name}: {' · '.join(said) or 'there are no reps'}")
        told = _answer(stage, trial, {}, explained=True)
        return (*lines, f"= {_said(told)}"), "" if stage.scene.standings else "Give reps: given.reps = [{ … }]"

    def mutants(self, trials: Sequence[Trial]) -> tuple[list[Planted], list[str]]:
        """All mutants of the rules of assignment."""
        return [
            Planted(rule="assignment", file=FILE, mutant=mutant, trials=tuple(trials))
            for mutant in assignment_mutants(self._rules, self._bench.types)
        ], []

    def coverage(self, trials: Sequence[Trial]) -> list[Covered]:
        """Which rules gave a lead, and which conditions were seen true and false."""
        rules = self._rules
        seen: dict[tuple[str, str], int] = {(f"rule {rule.name}", "gives"): 0 for rule in rules.rules}
        for name, _, _ in rules.conditions():
            seen |= {(f"condition of {name}", "true"): 0, (f"condition of {name}", "false"): 0}
        seen[NOBODY, "gets it"] = 0
        (answers,) = self.observe([Asked(rule=rules, trials=tuple(trials))])
        for actual in answers.values():
            key = (f"rule {actual['rule']}", "gives") if actual["rule"] else (NOBODY, "gets it")
            seen[key] = seen.get(key, 0) + 1
        for group in by_clock([Asked(rule=rules, trials=tuple(trials))]):
            for around in _alike(group[0][1].trials):
                for case in self._stage(rules, around).cases.values():
                    for name, _, _ in rules.conditions():
                        seen[f"condition of {name}", "true" if name in case.held else "false"] += 1
        return [Covered(rule="assignment", what=what, way=way, seen=n) for (what, way), n in seen.items()]

    def _stage(self, rules: Rules, around: Sequence[Trial]) -> Stage:
        """The scene of some cases. What does not depend on what was changed in the rules is read once."""
        numbers = tuple(trial.number for trial in around)
        query = self._bench.surroundings(("assignment", *numbers), _rows(around))
        standings = self._standings(rules, around[0], numbers, query)
        scene = Scene(rules=rules, stages=rules.stages, label="", standings=standings, now=around[0].clock)
        sticky = any(rule.method == "sticky" for rule in rules.rules)
        asked = repr((numbers, rules.stages, tuple(rules.conditions()), rules.bonds if sticky else ()))
        if asked not in self._queues:
            candidates(query, scene)
            queue = queue_of(self._bench.session, query, scene)
            places = zip(queue.lead_ids.tolist(), queue.case_of.tolist(), strict=True)
            ties = query.table("select * from bonds") if sticky else None
            self._queues[asked] = {lead: queue.cases[place] for lead, place in places}, ties
        cases, ties = self._queues[asked]
        return Stage(scene=scene, query=query, cases=cases, ties=ties)

    def _standings(self, rules: Rules, trial: Trial, numbers: tuple[int, ...], query: Query) -> tuple[Standing, ...]:
        names = [(rule.to, rule.fallback) for rule in rules.rules]
        at_work = any(rule.at_work for rule in rules.rules)
        read = repr((numbers, rules.calendar, rules.sla, at_work, names, tuple(rules.territories), tuple(rules.skills)))
        if read not in self._reps:
            self._reps[read] = tuple(standings_of(self._bench.session, query, rules, trial.clock))
        return self._reps[read]


def _answer(stage: Stage, trial: Trial, dealt: dict[object, Actual], *, explained: bool = False) -> Actual:
    """Deal one lead; leads of one case get the same answer."""
    import numpy as np

    case = stage.cases.get(lead_of(trial))
    if case is None:
        return {"owner": NOBODY, "rule": None, "because": "it is not in the queue"}
    key = case, "because" in trial.expect
    if key not in dealt:
        queue = Queue(lead_ids=np.array([lead_of(trial)]), case_of=np.array([0]), cases=(case,))
        done = deal(queue, stage.scene.standings, stage.scene.rules)
        if done.given.num_rows:
            row = done.given.to_pylist()[0]
            because = _reason(stage, done.given) if explained or "because" in trial.expect else ""
            dealt[key] = {"owner": row["rep_id"], "rule": row["rule"], "because": because}
        else:
            dealt[key] = {"owner": NOBODY, "rule": None, "because": done.waiting["reason"].to_pylist()[0]}
    return dealt[key]


def _reason(stage: Stage, given: pa.Table) -> str:
    if stage.ties is not None:
        stage.query.register("kept_bonds", stage.ties)
        stage.query.run("create or replace temp table bonds as select * from kept_bonds")
    reason: str = with_reasons(stage.query, given, stage.scene)["reason"].to_pylist()[0]
    return reason


def _said(actual: Actual) -> str:
    by = f", by rule {actual['rule']}" if actual["rule"] else ""
    return f"{actual['owner']} gets it{by}: {actual['because']}"


def _alike(trials: Iterable[Trial]) -> list[list[Trial]]:
    """The trials in groups that have the same rows around their lead."""
    groups: dict[object, list[Trial]] = {}
    for trial in trials:
        groups.setdefault(_around_key(trial), []).append(trial)
    return list(groups.values())


def _around_key(trial: Trial) -> object:
    own = lead_of(trial)
    lead = next((row for row in trial.rows.get("leads", ()) if row["lead_id"] == own), {})
    around = [(dataset, row) for dataset, row in _split(trial) if row is not lead]
    if lead.get("owner") is not None or any(row.get("lead_id") == own for _, row in around):
        return trial.number
    base = trial.number * STRIDE
    return repr(sorted((dataset, repr(sorted(_local(row, base)))) for dataset, row in around))


def _split(trial: Trial) -> list[tuple[str, Row]]:
    """The rows around the lead."""
    own = lead_of(trial)
    return [
        (dataset, row)
        for dataset, rows in trial.rows.items()
        for row in rows
        if dataset in AROUND or row.get("lead_id") != own
    ]


def _local(row: Row, base: int) -> Iterable[tuple[str, str]]:
    for name, value in row.items():
        if isinstance(value, int) and name.endswith("_id") and value is not True:
            if value - base >= FIRST_FREE:
                continue
            yield name, repr(value - base)
        elif not str(value).startswith(f"{base}-"):
            yield name, repr(value)


def _rows(around: Sequence[Trial]) -> dict[str, Sequence[Row]]:
    """What is around all leads, once, and each lead with its own rows."""
    first = around[0]
    base = first.number * STRIDE
    rows: dict[str, list[Row]] = {}
    for dataset, row in _split(first):
        rows.setdefault(dataset, []).append(row)
    for trial in around:
        apart = [row for _, row in _split(trial)]
        for dataset, own in trial.rows.items():
            if dataset in AROUND:
                continue
            mine = [row for row in own if not any(row is other for other in apart)]
            moved = [_tied(row, trial.number * STRIDE, base) if dataset == "leads" else row for row in mine]
            rows.setdefault(dataset, []).extend(moved)
    return dict(rows)


def _tied(lead: Row, own: int, base: int) -> dict[str, Any]:
    """The lead with its ties to what is around it, whose numbers are the first case's."""
    found = dict(lead)
    for name in ("account_id", "contact_id"):
        if found.get(name) is not None:
            found[name] += base - own
    referrer = str(found.get("referrer") or "")
    if referrer.startswith("lead:") and referrer[5:].isdigit():
        found["referrer"] = f"lead:{int(referrer[5:]) + base}"
    return found
