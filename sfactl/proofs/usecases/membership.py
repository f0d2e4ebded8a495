"""Ask conditions about leads: segments of the workspace and conditions that stand in a test.

All conditions of one clock time are one statement, and so are all mutants of them. ``member_of`` is computed from the
segments' files, as in a build.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from functools import cached_property
from typing import Any

from sfactl.api.errors import UserError
from sfactl.engine.conditions.change import shown, smallest_change
from sfactl.engine.conditions.compile import check, segment_levels, segments_in, settings_of
from sfactl.engine.conditions.explain import ask
from sfactl.engine.conditions.expressions import Checker
from sfactl.engine.conditions.model import Condition
from sfactl.engine.conditions.plan import Plan, quote
from sfactl.engine.conditions.scope import Scope
from sfactl.engine.conditions.source import Source
from sfactl.proofs.asked import Answers, Asked, by_clock, by_subject
from sfactl.proofs.model import Actual, Covered, Trial
from sfactl.proofs.mutants.conditions import condition_mutants, rewritable
from sfactl.proofs.mutants.model import Planted
from sfactl.proofs.terms import leaves, written
from sfactl.proofs.usecases.bench import Bench
from sfactl.proofs.world import lead_of
from sfactl.segments import files

AT_ONCE = 150
"""So many conditions go into one statement: planning takes longer than running from here on."""
WAYS = {True: "true", False: "false", None: "unknown"}


@dataclass(frozen=True, slots=True, kw_only=True)
class Where:
    """A condition about leads: its text, the place it comes from, and the segment it is, if it is one."""

    name: str
    text: str
    place: str

    @property
    def source(self) -> Source:
        """The text with its place."""
        return Source(text=self.text, where=self.place)


class Conditions:
    """Answers trials of segments and of conditions."""

    def __init__(self, bench: Bench) -> None:
        self._bench = bench

    @cached_property
    def _segments(self) -> dict[str, Any]:
        return dict(files.read_segments(self._bench.session.folder))

    def rule(self, trial: Trial) -> Where:
        """The condition that a trial is about. Raises `NotFound` with the nearest name."""
        if trial.kind == "condition":
            return Where(name="", text=trial.text, place=f"{trial.file}: {trial.test}: condition")
        segment = files.named(self._segments, trial.subject)
        return Where(name=segment.name, text=segment.where, place=f"{files.FOLDER}/{segment.name}.toml: where")

    def observe(self, asked: Sequence[Asked[Where]]) -> Answers:
        """What each condition says of the lead of each trial: true, false, or None for unknown."""
        answers: Answers = [{} for _ in asked]
        for group in by_clock(asked):
            for start in range(0, len(group), AT_ONCE):
                part = group[start : start + AT_ONCE]
                texts = [(one.rule, None) for _, one in part]
                table = self._values(texts, _all_trials(group))
                for column, (place, one) in enumerate(part):
                    for trial in one.trials:
                        value = table[lead_of(trial)][column]
                        answers[place][trial.number] = {"member": value, "holds": value}
        return answers

    def coverage(self, trials: Sequence[Trial]) -> list[Covered]:
        """How often the trials of each condition saw each of its terms true, false, and unknown."""
        found: list[Covered] = []
        for own in by_subject(trials):
            one, rule = Asked(rule=self.rule(own[0]), trials=own), own[0].rule
            nodes = list(leaves(one.rule.source.parse()))
            seen: list[Counter[Any]] = [Counter() for _ in nodes]
            for group in by_clock([one]):
                present = _all_trials(group)
                table = self._values([(one.rule, node) for node in nodes], present)
                for trial in present:
                    for column, counted in enumerate(seen):
                        counted[table[lead_of(trial)][column]] += 1
            for node, counted in zip(nodes, seen, strict=True):
                text = written(one.rule.source, node)
                ways = [True, False, *([None] if counted[None] else [])]
                found += [Covered(rule=rule, what=text, way=WAYS[way], seen=counted[way]) for way in ways]
        return found

    def check(self, trial: Trial) -> None:
        """Refuse stored memberships: here they are computed."""
        if "segment_members" in trial.rows:
            raise UserError("given.segments: segments are computed here. Give the lead what they ask for")

    def mutants(self, trials: Sequence[Trial]) -> tuple[list[Planted], list[str]]:
        """All mutants of the conditions that the trials are about."""
        found: list[Planted] = []
        refused: list[str] = []
        for own in by_subject(trials):
            where = self.rule(own[0])
            if not rewritable(where.source.parse()):
                refused.append(f"{where.place}: the condition cannot be written again unchanged")
            for mutant in condition_mutants(where.source, self._bench.types):
                changed = mutant.into(Where(name=where.name, text=mutant.rule, place=where.place), "where")
                found.append(Planted(rule=own[0].rule, file=where.place.split(":")[0], mutant=changed, trials=own))
        return found, refused

    def explain(self, trial: Trial, actual: Actual) -> tuple[tuple[str, ...], str]:
        """The terms of the condition with what they found in the trial, and what would turn it."""
        del actual
        where = self.rule(trial)
        question = ask(
            where.text,
            schemas=self._bench.schemas,
            now=trial.clock,
            where=where.place,
            segments=self._bench.segments,
            scores=self._bench.scores,
            tags=self._bench.tags,
            using=self._used([where]),
        )
        query = self._bench.world([trial])
        row = query.table(question.sql, {**question.params, "key": lead_of(trial)}).to_pylist()[0]
        longest = max((len(term.text) for term in question.terms if len(term.text) <= 60), default=60)
        lines, changes = [], []
        for term in question.terms:
            holds = row[term.column]
            value = row[term.value_column] if term.value_column else None
            mark = {True: "✓", False: "✗", None: "?"}[holds]
            said = "" if term.value_column is None else ("(empty)" if value is None else shown(value))
            lines.append(f"{mark} {term.text.ljust(longest)}  {said}".rstrip())
            if holds is not True:
                found = [smallest_change(need, value if len(term.needs) == 1 else None) for need in term.needs]
                changes += [change.text for change in found[:1] if change is not None]
        hint = f"It would hold with {', and '.join(changes)}." if changes else ""
        return tuple(lines), hint

    def _values(self, wanted: Sequence[tuple[Where, Any]], trials: Sequence[Trial]) -> dict[int, list[Any]]:
        """One value for each wanted condition (or one term of it) by lead."""
        plan = self._plan(trials[0].clock)
        levels, members = segment_levels(plan, self._used([where for where, _ in wanted]))
        columns = []
        for number, (where, node) in enumerate(wanted):
            if node is None:
                sql = check(plan, where.source, None, members)
            else:
                sql = Checker(plan, Scope(plan.settings, where.source), members).condition(node)
            columns.append(f"{sql} as {quote(f'_q{number}')}")
        sql = plan.statement([*levels, columns])
        names = ", ".join(quote(f"_q{number}") for number in range(len(wanted)))
        rows = self._bench.world(trials).rows(f"select lead_id, {names} from ({sql}) as answers", plan.used(sql))
        return {row[0]: list(row[1:]) for row in rows}

    def _plan(self, clock: datetime) -> Plan:
        bench = self._bench
        return Plan(settings_of("leads", bench.schemas, clock, bench.segments, bench.scores, bench.tags))

    def _used(self, wheres: Sequence[Where]) -> list[Condition]:
        """The segments that the conditions ask for, and those that these ask for."""
        asked = {name for where in wheres for name in segments_in(where.source.parse()) if name in self._segments}
        return files.as_conditions(files.with_used(self._segments, sorted(asked))) if asked else []


def _all_trials(group: Sequence[tuple[int, Asked[Where]]]) -> list[Trial]:
    by_number: Mapping[int, Trial] = {trial.number: trial for _, one in group for trial in one.trials}
    return [by_number[number] for number in sorted(by_number)]
