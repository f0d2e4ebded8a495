"""Draw the flow of a strategy as lines of text: what each step does, and where it leads. Pure."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass

from sfactl.strategies.model import END, NEVER, Step, Strategy


@dataclass(frozen=True, slots=True, kw_only=True)
class Box:
    """One step: what it does, the ways out unless it is just the next step, and how many leads stand there."""

    number: int
    step: str
    action: str
    does: str
    ways: tuple[str, ...]
    leads: int


def boxes(strategy: Strategy, standing: Mapping[str, int]) -> tuple[Box, ...]:
    """The steps in order; ``standing`` is the number of leads at each."""
    following = [*(s.name for s in strategy.steps[1:]), END]
    return tuple(
        Box(
            number=number,
            step=step.name,
            action=step.action,
            does=does(strategy, step),
            ways=tuple(_ways(strategy, step, after)),
            leads=standing.get(step.name, 0),
        )
        for number, (step, after) in enumerate(zip(strategy.steps, following, strict=True), 1)
    )


def terms(strategy: Strategy) -> Iterator[tuple[str, str]]:
    """What is said of the strategy as a whole: name of the setting, and its value in words."""
    yield "for", _line(strategy.where) or f"segment {strategy.segment}"
    if strategy.blacklist:
        yield "never", f"members of segment {strategy.blacklist}"
    if strategy.exclusive:
        yield "alone", f"one strategy of group {strategy.exclusive} at a time, priority {strategy.priority}"
    again = strategy.entry.again
    limit = f", at most {strategy.entry.limit:,} enter per run" if strategy.entry.limit else ""
    yield "entry", f"{'once' if again == NEVER else f'again {again} after leaving'}{limit}"
    if strategy.holdout.percent:
        yield "control", f"{strategy.holdout.percent:g} % get nothing"
    if strategy.goal:
        yield "goal", _line(strategy.goal.where)
    if strategy.exit:
        parts = [_line(strategy.exit.where), f"after {strategy.exit.after}" if strategy.exit.after else ""]
        yield "exit", " or ".join(p for p in parts if p)
    if strategy.touch.caps:
        yield "cap", f"{strategy.touch.caps.messages} messages in {strategy.touch.caps.within}"
    if window := strategy.touch.window:
        yield "window", f"{', '.join(window.days)} {window.hours}, {window.tz} time"


def does(strategy: Strategy, step: Step) -> str:
    """What a step does, in words."""
    if step.action == "touch":
        return f"{step.template} by {step.channel or 'email'} via {strategy.sender_of(step)}"
    if step.action == "wait":
        until = f"until {_line(step.until)}" if step.until else ""
        return ", at most ".join(p for p in (until, step.lasts) if p) if until else step.lasts
    if step.action == "branch":
        return _line(step.where)
    if step.action == "split":
        total = sum(arm.share for arm in step.arms)
        return " · ".join(f"{arm.name} {100 * arm.share / total:.3g} %" for arm in step.arms)
    if step.task:
        kind = f"{step.task.kind} {step.task.type}".strip() if step.action == "task" else ""
        said = f"{step.task.title} ({step.task.owner or 'their rep'}, due in {step.task.due})"
        return f"{kind}: {said}" if kind else said
    if step.action == "push":
        return f"{step.what} to {step.feed}" + (f", of the last {step.within}" if step.within else "")
    return ""


def _ways(strategy: Strategy, step: Step, following: str) -> Iterator[str]:
    ways = strategy.ways[step.name]
    if {target for _, target in ways} == {following} and step.action != "branch":
        return
    yield from (f"{reason + ' ' if reason else ''}→ {target}" for reason, target in ways)


def _line(text: str) -> str:
    return " ".join(text.split())
