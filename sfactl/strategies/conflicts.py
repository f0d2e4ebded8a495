"""Find what strategies and segments say in vain: conditions that can never hold, ways nobody takes, strategies in the
shadow of another, doubles. Pure: it looks at files only, and claims only what is proven.

Conditions are taken together only where they are asked at one moment: a wait, a touch or an approval lets time pass,
after which anything may hold.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import combinations
from typing import Literal

from sfactl.engine.reasoning import Claim, Prover, Reason
from sfactl.segments.model import Segment
from sfactl.strategies.asking import audience_text, member_of
from sfactl.strategies.files import FOLDER, StrategyFile
from sfactl.strategies.model import END, Step, Strategy, flow_conditions

Severity = Literal["error", "warning", "info"]
MOST_WAYS = 64
"""With more ways to a step it is taken that anything may hold there."""
LETS_TIME_PASS = ("touch", "wait", "approval")


@dataclass(frozen=True, slots=True, kw_only=True)
class Conflict:
    """One finding: its ``kind``, the place (``file: key``), what it means, and the terms that prove it.

    ``other`` is the strategy or segment that it conflicts with.
    """

    kind: str
    severity: Severity
    name: str
    where: str
    message: str
    terms: tuple[str, ...] = ()
    other: str = ""


def conflicts(
    strategies: Sequence[StrategyFile], segments: Mapping[str, Segment], prover: Prover
) -> tuple[Conflict, ...]:
    """All that can be proven of the files; the gravest first. Every condition must compile."""
    found = [
        *(c for name, segment in segments.items() for c in _of_segment(name, segment, prover)),
        *(c for file in strategies for c in _of_strategy(file.strategy, prover)),
        *_of_pairs([f.strategy for f in strategies], prover),
        *_of_segment_pairs(segments, prover),
    ]
    rank = {"error": 0, "warning": 1, "info": 2}
    return tuple(sorted(found, key=lambda c: rank[c.severity]))


def segment_claims(segments: Mapping[str, Segment]) -> dict[str, Claim]:
    """What segments mean, for a `Prover`."""
    return {name: Claim(text=s.where, where=f"segments/{name}.toml: where") for name, s in segments.items()}


def audience(strategy: Strategy) -> Claim:
    """Whom the strategy is for."""
    key = "where" if strategy.where else "segment"
    return Claim(text=audience_text(strategy), where=_at(strategy, key))


def refusals(strategy: Strategy) -> dict[str, Claim]:
    """What keeps somebody of the audience out, by key."""
    found = {
        k: Claim(text=t, where=_at(strategy, k)) for k, t in flow_conditions(strategy) if not k.startswith("steps.")
    }
    if strategy.blacklist:
        found["blacklist"] = Claim(text=member_of(strategy.blacklist), where=_at(strategy, "blacklist"))
    return found


def _of_segment(name: str, segment: Segment, prover: Prover) -> Iterator[Conflict]:
    claim = Claim(text=segment.where, where=f"segments/{name}.toml: where")
    yield from _of_condition(name, claim, prover, never="nobody can ever be a member", always="everybody is a member")


def _of_condition(name: str, claim: Claim, prover: Prover, *, never: str, always: str) -> Iterator[Conflict]:
    """What is wrong with one condition by itself."""
    if why := prover.never(claim):
        yield Conflict(
            kind="never", severity="error", name=name, where=claim.where, message=never, terms=_said(why, claim)
        )
        return
    if prover.always(claim):
        yield Conflict(kind="always", severity="warning", name=name, where=claim.where, message=always)
        return
    for dead, why in prover.dead_alternatives(claim):
        yield Conflict(
            kind="dead alternative",
            severity="warning",
            name=name,
            where=claim.where,
            message=f"this alternative can never hold: {dead.text}",
            terms=_said(why, claim),
        )
    for idle in prover.idle_terms(claim):
        yield Conflict(
            kind="idle term",
            severity="info",
            name=name,
            where=claim.where,
            message=f"the other terms see to it already: {idle.text}",
        )


def _of_strategy(strategy: Strategy, prover: Prover) -> Iterator[Conflict]:
    own = audience(strategy)
    barred = prover.never(own) is not None
    if strategy.where or barred:
        yield from _of_condition(
            strategy.name, own, prover, never="nobody can ever enter", always="it is for every lead there is"
        )
    if not barred:
        refused = tuple(_of_refusals(strategy, own, prover))
        yield from refused
        barred = bool(refused)
    for key, text in flow_conditions(strategy):
        claim = Claim(text=text, where=_at(strategy, key))
        said = _meaning(strategy, key)
        yield from _of_condition(strategy.name, claim, prover, never=said[0], always=said[1])
    if not barred:
        yield from _of_ways(strategy, own, prover)


def _meaning(strategy: Strategy, key: str) -> tuple[str, str]:
    """What it means that the condition at ``key`` never holds, and that it always does."""
    if key == "goal.where":
        return "the goal can never be reached", "everybody has reached the goal before"
    if key == "exit.where":
        return "nobody can ever leave by this", "everybody must leave at once"
    name = key.split(".")[1]
    step = strategy.step(name)
    if step.action == "branch":
        return f"nobody can ever take the way to {step.then}", f"nobody can ever take the way to {step.otherwise}"
    return "nobody waits for this with success", "nobody ever waits here"


def _of_refusals(strategy: Strategy, own: Claim, prover: Prover) -> Iterator[Conflict]:
    said = {
        "goal.where": "everybody it is for has reached the goal before, so nobody enters",
        "exit.where": "everybody it is for must leave at once, so nobody enters",
        "blacklist": "everybody it is for is on the blacklist, so nobody enters",
    }
    for key, claim in refusals(strategy).items():
        if why := prover.clash(own, _not(claim)):
            if prover.always(claim):
                continue
            yield Conflict(
                kind="never",
                severity="error",
                name=strategy.name,
                where=claim.where,
                message=said[key],
                terms=_said(why, own),
            )


def _of_ways(strategy: Strategy, own: Claim, prover: Prover) -> Iterator[Conflict]:
    """Branches whose outcome is settled by what was asked before, and steps to which no way leads therefore."""
    entering = (own, *(_not(claim) for claim in refusals(strategy).values()))
    arrivals: dict[str, list[tuple[Claim, ...] | None]] = {step.name: [] for step in strategy.steps}
    arrivals[strategy.first].append(entering)
    for step in strategy.steps:
        ways = arrivals[step.name]
        if not ways:
            yield Conflict(
                kind="unreachable",
                severity="error",
                name=strategy.name,
                where=_at(strategy, f"steps.{step.name}"),
                message="nobody can ever come to this step",
            )
        for reason, target in strategy.ways[step.name]:
            gone, why = _gone(strategy, step, reason, ways, prover)
            if ways and not gone and step.action == "branch" and why:
                yield Conflict(
                    kind="excluded",
                    severity="warning",
                    name=strategy.name,
                    where=_at(strategy, f"steps.{step.name}.{reason}"),
                    message=f"nobody can take the way to {target}: what was asked before settles it",
                    terms=_said(why, own),
                )
            if target != END:
                arrivals[target] += gone if len(gone) <= MOST_WAYS else [None]


def _gone(
    strategy: Strategy, step: Step, reason: str, ways: Sequence[tuple[Claim, ...] | None], prover: Prover
) -> tuple[list[tuple[Claim, ...] | None], tuple[Reason, ...] | None]:
    """What holds of those who go on by one way: None for anything. Empty where nobody can, with the terms why."""
    if step.action in LETS_TIME_PASS:
        return ([None] if ways else []), None
    if step.action != "branch":
        return list(ways), None
    test = Claim(text=step.where, where=_at(strategy, f"steps.{step.name}.where"), holds=reason == "then")
    gone: list[tuple[Claim, ...] | None] = []
    why: tuple[Reason, ...] | None = None
    for way in ways:
        claims = (*(way or ()), test)
        clash = prover.clash(*claims)
        if clash is None:
            gone.append(claims)
        elif way:
            why = clash
    return gone, why


def _of_pairs(strategies: Sequence[Strategy], prover: Prover) -> Iterator[Conflict]:
    alive = [s for s in strategies if s.state != "archived" and prover.never(audience(s)) is None]
    for one, other in combinations(alive, 2):
        first, second = sorted((one, other), key=lambda s: (-s.priority, s.name))
        wider = prover.implies(audience(second), audience(first))
        narrower = prover.implies(audience(first), audience(second))
        if wider and narrower and one.steps == other.steps:
            yield Conflict(
                kind="duplicate",
                severity="warning",
                name=second.name,
                where=audience(second).where,
                message=f"for the same leads, with the same steps, as {first.name}",
                other=first.name,
            )
        elif wider and _takes_all(first, second, prover):
            yield Conflict(
                kind="shadowed",
                severity="warning",
                name=second.name,
                where=audience(second).where,
                message=(
                    f"{first.name} (priority {first.priority}, same group {first.exclusive!r}) wants everybody that"
                    f" this is for, and comes first: it gets only whom {first.name} has let go"
                ),
                other=first.name,
            )


def _takes_all(first: Strategy, second: Strategy, prover: Prover) -> bool:
    """Whether ``first`` gets everybody of its audience before ``second`` does."""
    if not first.exclusive or first.exclusive != second.exclusive or first.state != "active":
        return False
    return all(prover.clash(audience(second), claim) for claim in refusals(first).values())


def _of_segment_pairs(segments: Mapping[str, Segment], prover: Prover) -> Iterator[Conflict]:
    claims = segment_claims(segments)
    alive = [name for name, claim in claims.items() if prover.never(claim) is None]
    for one, other in combinations(alive, 2):
        if prover.implies(claims[one], claims[other]) and prover.implies(claims[other], claims[one]):
            yield Conflict(
                kind="duplicate",
                severity="info",
                name=other,
                where=claims[other].where,
                message=f"has the same members as {one}",
                other=one,
            )


def _not(claim: Claim) -> Claim:
    return Claim(text=claim.text, where=claim.where, holds=not claim.holds)


def _at(strategy: Strategy, key: str) -> str:
    return f"{FOLDER}/{strategy.name}.toml: {key}"


def _said(why: Sequence[Reason], own: Claim) -> tuple[str, ...]:
    """The terms, each with its place where that is another than the claim's."""
    return tuple(r.text if r.where == own.where else f"{r.text}  ({r.where})" for r in why)
