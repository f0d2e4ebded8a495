"""Plant mistakes into a strategy: conditions, waits and other periods, where steps lead, exits, caps and steps."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from typing import Any

from sfactl.engine.conditions.source import Source
from sfactl.engine.periods import parse_period
from sfactl.proofs.mutants.conditions import Types, condition_mutants
from sfactl.proofs.mutants.model import Mutant
from sfactl.proofs.mutants.periods import nearby
from sfactl.strategies.files import StrategyFile
from sfactl.strategies.model import END, NEVER, Entry, Exit, Goal, Step, Strategy


def strategy_mutants(file: StrategyFile, types: Types) -> Iterator[Mutant[StrategyFile]]:
    """All mutants of a strategy that are strategies still."""
    for mutant in _mutants(file.strategy, types):
        yield _filed(file, mutant)


def _filed(file: StrategyFile, mutant: Mutant[Strategy]) -> Mutant[StrategyFile]:
    return Mutant(
        rule=replace(file, strategy=mutant.rule),
        place=mutant.place,
        change=mutant.change,
        missing=mutant.missing,
        equivalent=mutant.equivalent,
    )


def _mutants(strategy: Strategy, types: Types) -> Iterator[Mutant[Strategy]]:
    if strategy.where:
        for text in condition_mutants(Source(text=strategy.where), types):
            yield text.into(replace(strategy, where=text.rule), "where")
    if strategy.fallback:
        yield from _falling_back(strategy, types)
    yield from _leaving(strategy, types)
    yield from _entering(strategy)
    yield from _caps(strategy)
    for place, step in enumerate(strategy.steps):
        for mutant in _step_mutants(strategy, step, types):
            steps = (*strategy.steps[:place], mutant.rule, *strategy.steps[place + 1 :])
            changed = _valid(strategy, steps=steps)
            if changed is not None:
                yield mutant.into(changed, f"steps.{step.name}")
        yield from _without(strategy, step)


def _falling_back(strategy: Strategy, types: Types) -> Iterator[Mutant[Strategy]]:
    for text in condition_mutants(Source(text=strategy.fallback), types):
        yield text.into(replace(strategy, fallback=text.rule), "fallback")
    for samples in (strategy.min_samples + 1, strategy.min_samples - 1):
        if samples > 0:
            told = min(samples, strategy.min_samples)
            missing = f"A case with a model that learned from {told} leads would tell."
            change = f"{strategy.min_samples} → {samples}"
            changed = replace(strategy, min_samples=samples)
            yield Mutant(rule=changed, place="min_samples", change=change, missing=missing)


def _leaving(strategy: Strategy, types: Types) -> Iterator[Mutant[Strategy]]:
    if strategy.goal:
        missing = "A case that reaches the goal on its way would tell."
        yield Mutant(rule=replace(strategy, goal=None), place="goal", change="the goal is left out", missing=missing)
        for text in condition_mutants(Source(text=strategy.goal.where), types):
            yield text.into(replace(strategy, goal=Goal(where=text.rule)), "goal.where")
    if strategy.blacklist:
        missing = "A case of a member of the blacklist would tell."
        change = f"{strategy.blacklist} is left out"
        yield Mutant(rule=replace(strategy, blacklist=""), place="blacklist", change=change, missing=missing)
    if strategy.exit:
        yield from _exit_mutants(strategy, strategy.exit, types)


def _exit_mutants(strategy: Strategy, rule: Exit, types: Types) -> Iterator[Mutant[Strategy]]:
    if rule.where:
        for text in condition_mutants(Source(text=rule.where), types):
            yield text.into(replace(strategy, exit=replace(rule, where=text.rule)), "exit.where")
    for after, edge in nearby(parse_period(rule.after), reached=True) if rule.after else ():
        missing = f"A case that is in for exactly {edge} would tell."
        changed = replace(strategy, exit=replace(rule, after=str(after)))
        yield Mutant(rule=changed, place="exit.after", change=f"{rule.after} → {after}", missing=missing)
    if rule.where and rule.after:
        for key, left in (("where", replace(rule, where="")), ("after", replace(rule, after=""))):
            missing = f"A case that leaves by exit.{key} would tell."
            changed = replace(strategy, exit=left)
            yield Mutant(rule=changed, place=f"exit.{key}", change="it is left out", missing=missing)
    else:
        missing = "A case that must leave would tell."
        yield Mutant(rule=replace(strategy, exit=None), place="exit", change="the exit is left out", missing=missing)


def _entering(strategy: Strategy) -> Iterator[Mutant[Strategy]]:
    again = strategy.entry.again
    if again == NEVER:
        missing = "A case that was in before would tell."
        yield Mutant(
            rule=replace(strategy, entry=replace(strategy.entry, again="0 days")),
            place="entry.again",
            change="never → at once",
            missing=missing,
        )
        return
    for moved, edge in nearby(parse_period(again), reached=True):
        entry: Entry = replace(strategy.entry, again=str(moved))
        missing = f"A case that left exactly {edge} ago would tell."
        changed = replace(strategy, entry=entry)
        yield Mutant(rule=changed, place="entry.again", change=f"{again} → {moved}", missing=missing)


def _caps(strategy: Strategy) -> Iterator[Mutant[Strategy]]:
    caps = strategy.touch.caps
    if caps is None or not strategy.of("touch"):
        return
    for messages in (caps.messages + 1, caps.messages - 1):
        if messages > 0:
            changed = replace(strategy, touch=replace(strategy.touch, caps=replace(caps, messages=messages)))
            missing = f"A case with {max(messages, caps.messages) - 1} messages within {caps.within} would tell."
            change = f"{caps.messages} → {messages}"
            yield Mutant(rule=changed, place="touch.caps.messages", change=change, missing=missing)
    for within, edge in nearby(parse_period(caps.within)):
        changed = replace(strategy, touch=replace(strategy.touch, caps=replace(caps, within=str(within))))
        missing = f"A case with {caps.messages} messages of which one was sent {edge} less an hour ago would tell."
        change = f"{caps.within} → {within}"
        yield Mutant(rule=changed, place="touch.caps.within", change=change, missing=missing)


def _step_mutants(strategy: Strategy, step: Step, types: Types) -> Iterator[Mutant[Step]]:
    for key in ("until", "where"):
        text: str = getattr(step, key)
        if text:
            for mutant in condition_mutants(Source(text=text), types):
                yield mutant.into(_changed(step, **{key: mutant.rule}), key)
    for lasts, edge in nearby(parse_period(step.lasts), reached=True) if step.lasts else ():
        missing = f"A case that has stood at {step.name} for exactly {edge} would tell."
        rule = _changed(step, lasts=str(lasts))
        yield Mutant(rule=rule, place="for", change=f"{step.lasts} → {lasts}", missing=missing)
    for within, edge in nearby(parse_period(step.within)) if step.within else ():
        missing = f"A case with an order of exactly {edge} ago would tell."
        rule = _changed(step, within=str(within))
        yield Mutant(rule=rule, place="within", change=f"{step.within} → {within}", missing=missing)
    if step.action == "branch":
        missing = f"A case that comes to {step.name} would tell."
        swapped = _changed(step, then=step.otherwise, otherwise=step.then)
        change = f"then {step.then}, otherwise {step.otherwise} → the other way round"
        yield Mutant(rule=swapped, place="then", change=change, missing=missing)
    yield from _targets(strategy, step)


def _targets(strategy: Strategy, step: Step) -> Iterator[Mutant[Step]]:
    """Each way of a step leads to the step behind its own, or to the end."""
    names = [*(other.name for other in strategy.steps), END]
    for key in ("next", "then", "otherwise"):
        target: str = getattr(step, key)
        if target and target != END:
            other = names[names.index(target) + 1]
            missing = f"A case that goes from {step.name} to {target} would tell."
            rule = _changed(step, **{key: other})
            yield Mutant(rule=rule, place=key, change=f"{target} → {other}", missing=missing)
    for place, arm in enumerate(step.arms):
        if arm.next != END:
            other = names[names.index(arm.next) + 1]
            arms = (*step.arms[:place], replace(arm, next=other), *step.arms[place + 1 :])
            missing = f"A case that takes arm {arm.name} of {step.name} would tell."
            rule = _changed(step, arms=arms)
            yield Mutant(rule=rule, place=f"arms.{arm.name}.next", change=f"{arm.next} → {other}", missing=missing)


def _without(strategy: Strategy, step: Step) -> Iterator[Mutant[Strategy]]:
    """The strategy without one step that leads on in one way; those who led to it lead behind it."""
    ways = strategy.ways[step.name]
    if len(ways) != 1 or len(strategy.steps) == 1:
        return
    behind = ways[0][1]
    steps = tuple(_redirected(other, step.name, behind) for other in strategy.steps if other is not step)
    changed = _valid(strategy, steps=steps)
    if changed is not None:
        missing = f"A case that comes to {step.name} would tell."
        yield Mutant(rule=changed, place=f"steps.{step.name}", change="the step is left out", missing=missing)


def _redirected(step: Step, gone: str, behind: str) -> Step:
    changes: dict[str, Any] = {key: behind for key in ("next", "then", "otherwise") if getattr(step, key) == gone}
    if any(arm.next == gone for arm in step.arms):
        changes["arms"] = tuple(replace(arm, next=behind) if arm.next == gone else arm for arm in step.arms)
    return _changed(step, **changes)


def _changed(step: Step, **changes: Any) -> Step:
    changed: Step = replace(step, **changes)
    return changed


def _valid(strategy: Strategy, **changes: Any) -> Strategy | None:
    """The changed strategy, or None where it would not be one."""
    try:
        return replace(strategy, **changes)
    except ValueError:
        return None
