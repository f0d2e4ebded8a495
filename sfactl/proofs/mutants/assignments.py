"""Plant mistakes into the rules of assignment: conditions, order, methods, targets, ties, stages and territories."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace
from itertools import pairwise
from typing import Any

from sfactl.engine.conditions.source import Source
from sfactl.proofs.mutants.conditions import Types, condition_mutants
from sfactl.proofs.mutants.model import Mutant
from sfactl.reps.rules import OPEN, Method, Rule, Rules, Target, Territory

METHODS: tuple[Method, ...] = ("round-robin", "weighted", "balanced")


def assignment_mutants(rules: Rules, types: Types) -> Iterator[Mutant[Rules]]:
    """All mutants of the rules that are rules still."""
    yield from _order(rules)
    for place, rule in enumerate(rules.rules):
        last = place == len(rules.rules) - 1
        for mutant in _rule_mutants(rule, types, last=last):
            changed = (*rules.rules[:place], mutant.rule, *rules.rules[place + 1 :])
            yield mutant.into(replace(rules, rules=changed), f"rules.{rule.name}")
    yield from _lists(rules)
    for name, territory in rules.territories.items():
        for part in _territory_mutants(territory, types):
            changed_all = {**rules.territories, name: part.rule}
            yield part.into(replace(rules, territories=changed_all), f"territories.{name}")
    for name, where in rules.skills.items():
        for text in condition_mutants(Source(text=where), types):
            yield text.into(replace(rules, skills={**rules.skills, name: text.rule}), f"skills.{name}")


def _order(rules: Rules) -> Iterator[Mutant[Rules]]:
    if len(rules.rules) > 1:
        for rule in rules.rules:
            rest = tuple(other for other in rules.rules if other is not rule)
            missing = f"A case that rule {rule.name} gives to somebody would tell."
            yield Mutant(
                rule=replace(rules, rules=rest),
                place=f"rules.{rule.name}",
                change="the rule is left out",
                missing=missing,
            )
    for one, other in pairwise(rules.rules):
        swapped = tuple(other if rule is one else one if rule is other else rule for rule in rules.rules)
        missing = f"A case that both rule {one.name} and rule {other.name} would take would tell."
        change = f"{other.name} is asked before {one.name}"
        yield Mutant(rule=replace(rules, rules=swapped), place="rules", change=change, missing=missing)


def _rule_mutants(rule: Rule, types: Types, *, last: bool) -> Iterator[Mutant[Rule]]:
    for method in METHODS:
        if method != rule.method:
            missing = f"A case with reps of different weights, turns and open leads would tell: rule {rule.name}"
            change = f"{rule.method} → {method}"
            changed = replace(rule, method=method)
            yield Mutant(rule=changed, place="method", change=change, missing=missing)
    if not isinstance(rule.fallback, Target):
        other: Any = "queue" if rule.fallback == "next" else "next"
        mutant = Mutant(
            rule=replace(rule, fallback=other),
            place="fallback",
            change=f"{rule.fallback} → {other}",
            missing=f"A case that nobody of rule {rule.name} can take would tell.",
        )
        yield mutant.excused("no rule stands behind it") if last else mutant
    missing = f"A case at a time when nobody of rule {rule.name} is at work would tell."
    said = f"{str(rule.at_work).lower()} → {str(not rule.at_work).lower()}"
    yield Mutant(rule=replace(rule, at_work=not rule.at_work), place="at_work", change=said, missing=missing)
    yield from _targets(rule)
    if rule.regardless:
        for limit in rule.regardless:
            rest = tuple(other for other in rule.regardless if other != limit)
            missing = f"A case that only a rep can take who does not serve its {limit} would tell."
            changed = replace(rule, regardless=rest)
            yield Mutant(rule=changed, place="regardless", change=f"left out: {limit}", missing=missing)
    if rule.where.strip():
        for text in condition_mutants(Source(text=rule.where), types):
            yield text.into(replace(rule, where=text.rule), "where")


def _targets(rule: Rule) -> Iterator[Mutant[Rule]]:
    targets = [("to", rule.to)] + ([("fallback", rule.fallback)] if isinstance(rule.fallback, Target) else [])
    for key, target in targets:
        for part in ("teams", "territories", "skills", "reps"):
            names: Sequence[str] = getattr(target, part)
            for name in names:
                left = tuple(other for other in names if other != name)
                changes: dict[str, Any] = {key: replace(target, **{part: left})}
                missing = f"A case in which {part} {name} decides who may take it would tell."
                yield Mutant(
                    rule=replace(rule, **changes),
                    place=f"{key}.{part}",
                    change=f"left out: {name}",
                    missing=missing,
                )


def _lists(rules: Rules) -> Iterator[Mutant[Rules]]:
    for stage in OPEN:
        inside = stage in rules.stages
        stages = tuple(s for s in rules.stages if s != stage) if inside else (*rules.stages, stage)
        missing = f"A case with a lead in stage {stage} would tell."
        change = f"left out: {stage}" if inside else f"with {stage}"
        yield Mutant(rule=replace(rules, stages=stages), place="stages", change=change, missing=missing)
    if not any(rule.method == "sticky" for rule in rules.rules):
        return
    for bond in rules.bonds:
        rest = tuple(other for other in rules.bonds if other != bond)
        missing = f"A case of a lead that a rep is tied to by {bond} alone would tell."
        yield Mutant(rule=replace(rules, bonds=rest), place="bonds", change=f"left out: {bond}", missing=missing)
    for one, other in pairwise(rules.bonds):
        swapped = tuple(other if bond == one else one if bond == other else bond for bond in rules.bonds)
        missing = f"A case with one rep tied by {one} and another by {other} would tell."
        yield Mutant(rule=replace(rules, bonds=swapped), place="bonds", change=f"{other} before {one}", missing=missing)


def _territory_mutants(territory: Territory, types: Types) -> Iterator[Mutant[Territory]]:
    for part in ("countries", "regions", "postal_codes", "industries"):
        names: Sequence[str] = getattr(territory, part)
        for name in names:
            rest = tuple(other for other in names if other != name)
            yield from _valid(territory, part, f"left out: {name}", f"A case with {name} would tell.", {part: rest})
    if territory.employees:
        for place, bound in enumerate(territory.employees):
            for moved in (bound + 1, bound - 1):
                pair = tuple(moved if n == place else value for n, value in enumerate(territory.employees))
                told = max(bound, moved) - 1 if place == 0 else max(bound, moved)
                missing = f"A case with {told} employees would tell."
                yield from _valid(territory, "employees", f"{bound} → {moved}", missing, {"employees": pair})
    if territory.where.strip():
        for text in condition_mutants(Source(text=territory.where), types):
            yield text.into(replace(territory, where=text.rule), "where")


def _valid(
    territory: Territory, place: str, change: str, missing: str, changes: Mapping[str, Any]
) -> Iterator[Mutant[Territory]]:
    try:
        changed = replace(territory, **changes)
    except ValueError:
        return
    yield Mutant(rule=changed, place=place, change=change, missing=missing)
