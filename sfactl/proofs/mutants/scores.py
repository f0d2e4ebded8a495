"""Plant mistakes into a score: conditions of its rules, points, caps, decays, limits, groups, bounds and grades."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import replace
from decimal import Decimal
from math import ceil, floor, gcd
from typing import Any

from sfactl.engine.conditions.source import Source
from sfactl.engine.periods import parse_period
from sfactl.proofs.mutants.conditions import Types, condition_mutants
from sfactl.proofs.mutants.model import Mutant
from sfactl.proofs.mutants.periods import nearby
from sfactl.scoring.model import Decay, Grade, Group, Rule, Score


def score_mutants(score: Score, types: Types) -> Iterator[Mutant[Score]]:
    """All mutants of a score that are scores still."""
    for place, rule in enumerate(score.rules):
        for mutant in _rule_mutants(score, rule, types):
            rules = (*score.rules[:place], mutant.rule, *score.rules[place + 1 :])
            changed = _valid(score, rules=rules, groups=_used_groups(score, rules))
            if changed is not None:
                yield mutant.into(changed, f"rules.{rule.name}")
        if len(score.rules) > 1:
            rest = tuple(other for other in score.rules if other is not rule)
            changed = _valid(score, rules=rest, groups=_used_groups(score, rest))
            if changed is not None:
                missing = f"A case to which rule {rule.name} gives something would tell."
                yield Mutant(rule=changed, place=f"rules.{rule.name}", change="the rule is left out", missing=missing)
    yield from _bounds(score)
    yield from _grades(score)


def _rule_mutants(score: Score, rule: Rule, types: Types) -> Iterator[Mutant[Rule]]:
    step = Decimal(1) / score.unit
    for moved in (rule.points + step, rule.points - step):
        missing = f"A case that expects the points of rule {rule.name} would tell."
        yield from _ruled(rule, "points", rule.points, moved, missing)
    if rule.cap is not None:
        for moved in (rule.cap + step, rule.cap - step):
            missing = f"A case with so many rows that rule {rule.name} reaches its cap of {rule.cap} would tell."
            yield from _ruled(rule, "cap", rule.cap, moved, missing)
    if rule.limit is not None:
        missing = f"A case with more rows than rule {rule.name} counts would tell."
        changes = [rule.limit + 1, rule.limit - 1] if isinstance(rule.limit, int) else [None]
        for limit in changes:
            yield from _ruled(rule, "limit", rule.limit, limit, missing)
    if rule.decay is not None:
        yield from _decays(score, rule, rule.decay)
    if rule.group is not None:
        missing = f"A case in which group {rule.group} reaches its cap by rule {rule.name} would tell."
        yield from _ruled(rule, "group", rule.group, None, missing)
    if rule.where.strip():
        own = _types_of(types, rule.on)
        for mutant in condition_mutants(Source(text=rule.where), own):
            yield mutant.into(replace(rule, where=mutant.rule), "where")


def _ruled(rule: Rule, key: str, before: object, after: Any, missing: str) -> Iterator[Mutant[Rule]]:
    try:
        changed: Rule = replace(rule, **{key: after})
    except ValueError:
        return
    said = f"{before} → {after}" if after is not None else f"{before} is left out"
    yield Mutant(rule=changed, place=key, change=said, missing=missing)


def _decays(score: Score, rule: Rule, decay: Decay) -> Iterator[Mutant[Rule]]:
    yield Mutant(
        rule=replace(rule, decay=None),
        place="decay",
        change=f"{decay.phrase} is left out",
        missing=f"A case with a row of rule {rule.name} that happened some time ago would tell.",
    )
    kind = "half_life" if decay.half_life else "linear"
    for moved, _ in nearby(parse_period(decay.half_life or decay.linear or "")):
        changed = Decay(half_life=str(moved)) if decay.half_life else Decay(linear=str(moved))
        age = _telling_age(score, rule, decay, changed)
        missing = (
            f"A case with a row of rule {rule.name} that is {age} days old would tell."
            if age is not None
            else f"A case with many old rows of rule {rule.name} would tell."
        )
        said = f"{getattr(decay, kind)} → {moved}"
        yield Mutant(rule=replace(rule, decay=changed), place=f"decay.{kind}", change=said, missing=missing)


def _telling_age(score: Score, rule: Rule, one: Decay, other: Decay) -> int | None:
    """The least age in days at which a single row gives different points, as they are rounded."""
    for days in range(1, 1000):
        amounts = {floor(abs(float(rule.points * score.unit)) * _left(decay, days) + 0.5) for decay in (one, other)}
        if len(amounts) == 2:
            return days
    return None


def _left(decay: Decay, days: int) -> float:
    """The share that is left after ``days``."""
    left: float = 0.5 ** (days / decay.days) if decay.half_life else max(0.0, 1 - days / decay.days)
    return left


def _bounds(score: Score) -> Iterator[Mutant[Score]]:
    step = Decimal(1) / score.unit
    for name, group in score.groups.items():
        for moved in (group.cap + step, group.cap - step):
            if moved > 0:
                changed = _valid(score, groups={**score.groups, name: Group(cap=moved)})
                missing = f"A case in which group {name} reaches its cap of {group.cap} would tell."
                yield from _scored(changed, f"groups.{name}.cap", f"{group.cap} → {moved}", missing)
    for key in ("floor", "ceiling"):
        bound: Decimal | None = getattr(score, key)
        if bound is not None:
            for moved in (bound + step, bound - step):
                missing = f"A case whose rules give {'less' if key == 'floor' else 'more'} than {bound} would tell."
                yield from _scored(_valid(score, **{key: moved}), key, f"{bound} → {moved}", missing)


def _grades(score: Score) -> Iterator[Mutant[Score]]:
    step = Decimal(1) / score.unit
    for place, grade in enumerate(score.grades):
        for moved in (grade.at_least + step, grade.at_least - step):
            told = max(grade.at_least, moved) - step
            changed = replace(grade, at_least=moved)
            grades = (*score.grades[:place], changed, *score.grades[place + 1 :])
            missing = f"A case with {told} points that expects its grade would tell."
            for mutant in _scored(
                _valid(score, grades=grades), f"grades.{grade.grade}.at_least", f"{grade.at_least} → {moved}", missing
            ):
                yield mutant.excused(_never_reached(score, grade, changed))


def _never_reached(score: Score, grade: Grade, changed: Grade) -> str:
    """Why no lead can tell two bounds of a grade apart; empty where one can."""
    if score.floor is not None and max(grade.at_least, changed.at_least) <= score.floor:
        return f"no score is below the floor of {score.floor}, so that all reach both"
    if score.ceiling is not None and min(grade.at_least, changed.at_least) > score.ceiling:
        return f"no score is above the ceiling of {score.ceiling}, so that none reaches either"
    step = _common_step(score)
    if step and ceil(grade.at_least / step) == ceil(changed.at_least / step):
        return f"every score is a multiple of {step}, as all its parts are"
    return ""


def _common_step(score: Score) -> int:
    """The number of which every total is a multiple; 0 where decay leaves no such number."""
    if any(rule.decay is not None for rule in score.rules):
        return 0
    parts = [rule.points for rule in score.rules]
    parts += [rule.cap for rule in score.rules if rule.cap is not None]
    parts += [group.cap for group in score.groups.values()]
    parts += [bound for bound in (score.floor, score.ceiling) if bound is not None]
    return gcd(*(int(part) for part in parts)) if all(part % 1 == 0 for part in parts) else 0


def _scored(score: Score | None, place: str, change: str, missing: str) -> Iterator[Mutant[Score]]:
    if score is not None:
        yield Mutant(rule=score, place=place, change=change, missing=missing)


def _valid(score: Score, **changes: Any) -> Score | None:
    """The changed score, or None where it would not be one."""
    try:
        return replace(score, **changes)
    except ValueError:
        return None


def _used_groups(score: Score, rules: tuple[Rule, ...]) -> Mapping[str, Group]:
    used = {rule.group for rule in rules}
    return {name: group for name, group in score.groups.items() if name in used}


def _types_of(types: Types, on: str | None) -> Types:
    """Inside a rule about rows a bare name is a column of the row first."""
    if on is None:
        return types
    return lambda dataset: {**types(""), **types(on)} if not dataset else types(dataset)
