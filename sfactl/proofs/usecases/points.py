"""Ask scores: the points, the grade, and what each rule gave.

All scores of one clock time, and all mutants of them, are one statement. What a rule gives is what a score of that rule
alone would give, its cap included; what a group, the floor or the ceiling took is told under its own name.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from decimal import Decimal
from functools import cached_property
from typing import Any

from sfactl.api.errors import UserError
from sfactl.engine.conditions.compile import settings_of
from sfactl.engine.conditions.plan import Plan
from sfactl.proofs.asked import Answers, Asked, by_clock, by_subject
from sfactl.proofs.fixtures import nearest
from sfactl.proofs.model import Actual, Covered, Trial
from sfactl.proofs.mutants.model import Planted
from sfactl.proofs.mutants.scores import score_mutants
from sfactl.proofs.usecases.bench import Bench
from sfactl.proofs.world import lead_of
from sfactl.scoring import files, matrix
from sfactl.scoring.model import RULES, Rule, Score
from sfactl.scoring.reasons import Entry, add_up, bounds, reasons_statement
from sfactl.scoring.rules import totals_statement

AT_ONCE = 120
"""So many sums go into one statement."""


class Scores:
    """Answers trials of scores."""

    def __init__(self, bench: Bench) -> None:
        self._bench = bench

    @cached_property
    def _scores(self) -> dict[str, Score]:
        return files.read_scores(self._bench.session.folder)

    def rule(self, trial: Trial) -> Score:
        """The score that a trial is about. Raises `NotFound`, and `UserError` for one that is not made of rules."""
        score = files.named(self._scores, trial.subject)
        if score.strategy != RULES:
            raise UserError(f"score {score.name!r} is computed by {score.strategy!r}; only scores of rules are tested")
        return score

    def check(self, trial: Trial) -> None:
        """Refuse reasons and grades that the score does not have."""
        score = self.rule(trial)
        known = [*(rule.name for rule in score.rules), *(f"group {group}" for group in score.groups), *BOUNDS]
        for name in trial.expect.get("reasons", {}):
            if name not in known:
                raise UserError(f"expect.reasons: score {score.name} has no rule {name!r}.{nearest(name, known)}")
        grades = [grade.grade for grade in score.grades]
        if trial.expect.get("grade", "") not in ("", *grades):
            name = trial.expect["grade"]
            raise UserError(f"expect.grade: score {score.name} has no grade {name!r}.{nearest(name, grades)}")

    def observe(self, asked: Sequence[Asked[Score]], *, with_reasons: bool = False) -> Answers:
        """Points and grade of the lead of each trial, and reasons where a trial expects some."""
        answers: Answers = [{} for _ in asked]
        for group in by_clock(asked):
            trials = _all_trials(group)
            wanted: dict[str, Score] = {}
            for _, one in group:
                wanted[repr(_whole(one.rule))] = _whole(one.rule)
                if with_reasons or _reasons_asked(one.trials):
                    wanted |= {repr(part): part for part in (_alone(one.rule, rule) for rule in one.rule.rules)}
            found = self._units(list(wanted.values()), trials)
            for place, one in group:
                for trial in one.trials:
                    units = dict(zip(wanted, found[lead_of(trial)], strict=True))
                    reasons = with_reasons or _reasons_asked(one.trials)
                    answers[place][trial.number] = _actual(one.rule, units, with_reasons=reasons)
        return answers

    def coverage(self, trials: Sequence[Trial]) -> list[Covered]:
        """Which rules gave something or nothing, which caps and bounds took something, which grades came."""
        return [found for own in by_subject(trials) for found in self._coverage(self.rule(own[0]), own)]

    def _coverage(self, score: Score, trials: Sequence[Trial]) -> list[Covered]:
        free = replace(score, rules=tuple(replace(rule, cap=None) for rule in score.rules))
        both = [Asked(rule=one, trials=tuple(trials)) for one in (score, free)]
        bounded, unbounded = self.observe(both, with_reasons=True)
        seen = dict.fromkeys(_ways(score), 0)
        for number, actual in bounded.items():
            for rule in score.rules:
                points = actual["reasons"][rule.name]
                seen[f"rule {rule.name}", "gives" if points else "gives nothing"] += 1
                if rule.cap is not None:
                    seen[f"cap of {rule.name}", "reached"] += points != unbounded[number]["reasons"][rule.name]
            for name in (*(f"group {group}" for group in score.groups), *BOUNDS):
                if (name, "reached") in seen:
                    seen[name, "reached"] += bool(actual["reasons"].get(name))
            if actual["grade"] is not None:
                seen[f"grade {actual['grade']}", "reached"] += 1
        return [Covered(rule=f"score {score.name}", what=what, way=way, seen=n) for (what, way), n in seen.items()]

    def mutants(self, trials: Sequence[Trial]) -> tuple[list[Planted], list[str]]:
        """All mutants of the scores that the trials are about."""
        found: list[Planted] = []
        for own in by_subject(trials):
            score = self.rule(own[0])
            file = f"{files.FOLDER}/{score.name}.toml"
            found += [
                Planted(rule=own[0].rule, file=file, mutant=mutant, trials=own)
                for mutant in score_mutants(score, self._bench.types)
            ]
        return found, []

    def explain(self, trial: Trial, actual: Actual) -> tuple[tuple[str, ...], str]:
        """The reasons of the score of the trial's lead, as ``score explain`` gives them."""
        del actual
        score = self.rule(trial)
        reasons = add_up(score, self._entries(score, trial))
        total = sum((reason.points for reason in reasons), Decimal(0))
        lines = []
        for reason in reasons:
            parts = [_place(score.name, reason.kind, reason.name), reason.detail]
            parts += [f"{reason.at:%Y-%m-%d %H:%M}"] if reason.at else []
            lines.append(f"{reason.points:>+6}  {'  '.join(part for part in parts if part)}")
        return (*lines, f"{f'= {total}':>6}  {score.name}"), ""

    def _entries(self, score: Score, trial: Trial) -> list[Entry]:
        plan = self._plan(trial)
        sql = reasons_statement(plan, score, one=True)
        query = self._bench.world([trial])
        rows = query.rows(
            f'select rule_no, units, "at", detail from ({sql}) as rows', {**plan.params, "key": lead_of(trial)}
        )
        return [Entry(rule=row[0], units=int(row[1]), at=row[2], detail=row[3]) for row in rows]

    def _units(self, scores: Sequence[Score], trials: Sequence[Trial]) -> dict[int, list[Any]]:
        """The units of each score by lead."""
        found: dict[int, list[Any]] = {lead_of(trial): [] for trial in trials}
        query = self._bench.world(trials)
        for start in range(0, len(scores), AT_ONCE):
            plan = self._plan(trials[0])
            part = scores[start : start + AT_ONCE]
            sql = totals_statement(plan, part)
            names = ", ".join(f'"_u{number}"' for number in range(len(part)))
            for row in query.rows(f"select lead_id, {names} from ({sql}) as totals", plan.used(sql)):
                if row[0] in found:
                    found[row[0]] += row[1:]
        return found

    def _plan(self, trial: Trial) -> Plan:
        bench = self._bench
        return Plan(settings_of("leads", bench.schemas, trial.clock, bench.segments, bench.scores, bench.tags))


BOUNDS = ("floor", "ceiling")


def _ways(score: Score) -> list[tuple[str, str]]:
    """Everything that a score can do."""
    ways = [(f"rule {rule.name}", way) for rule in score.rules for way in ("gives", "gives nothing")]
    ways += [(f"cap of {rule.name}", "reached") for rule in score.rules if rule.cap is not None]
    ways += [(f"group {name}", "reached") for name in score.groups]
    ways += [(name, "reached") for name in BOUNDS if getattr(score, name) is not None]
    return ways + [(f"grade {grade.grade}", "reached") for grade in score.grades]


def _whole(score: Score) -> Score:
    """What the sum of a score depends on."""
    return replace(score, grades=(), summary="")


def _alone(score: Score, rule: Rule) -> Score:
    """A score of nothing but one rule."""
    return replace(
        score, rules=(replace(rule, group=None),), groups={}, grades=(), floor=None, ceiling=None, summary=""
    )


def _reasons_asked(trials: Sequence[Trial]) -> bool:
    return any("reasons" in trial.expect for trial in trials)


def _actual(score: Score, units: Mapping[str, Any], *, with_reasons: bool) -> Actual:
    points = _points(score, units[repr(_whole(score))])
    actual: dict[str, Any] = {"points": points, "grade": matrix.grade_of(score, points)}
    if not with_reasons:
        return actual
    given = {rule.name: _points(score, units[repr(_alone(score, rule))]) for rule in score.rules}
    reasons: dict[str, Decimal] = dict(given)
    total = sum((given[rule.name] for rule in score.rules if rule.group is None), Decimal(0))
    for name, group in score.groups.items():
        before = sum((given[rule.name] for rule in score.rules if rule.group == name), Decimal(0))
        after = max(min(before, group.cap), -group.cap)
        reasons[f"group {name}"] = after - before
        total += after
    reasons |= {reason.kind: reason.points for reason in bounds(score, total)}
    return {**actual, "reasons": reasons}


def _points(score: Score, units: Any) -> Decimal:
    return Decimal(str(units)).quantize(Decimal(1)).scaleb(-score.decimals)


def _place(score: str, kind: str, name: str) -> str:
    return f"{score}.{name}" if kind in ("event", "lead") else f"{score}: {kind} {name}".rstrip()


def _all_trials(group: Sequence[tuple[int, Asked[Score]]]) -> list[Trial]:
    by_number = {trial.number: trial for _, one in group for trial in one.trials}
    return [by_number[number] for number in sorted(by_number)]
