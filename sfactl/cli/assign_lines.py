"""Say for people what an assignment did, would do, and why."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING

from sfactl.cli.words import count

if TYPE_CHECKING:
    from sfactl.reps.model import Assignment, Difference, OwnerExplained, RulesChecked


def round_lines(done: Assignment, *, planned: bool) -> Iterator[str]:
    """A round, planned or done."""
    if done.applied_at is not None:
        yield f"Plan {done.plan_id} was applied on {done.applied_at:%Y-%m-%d %H:%M} UTC. Nothing to do."
        return
    if done.dry_run:
        yield "Dry run: nothing is written."
    would = planned or done.dry_run
    if done.realign:
        yield from _realigned_lines(done, would=would)
    else:
        yield from _queue_lines(done, would=would)
    if done.since is not None:
        yield from _since_lines(done.since, done.plan_id)
    if planned and done.given and not done.dry_run:
        yield f"Do it: sfactl assign apply {done.plan_id}"
    if done.commit is not None:
        yield f"Commit {done.commit}. Undo with: sfactl data undo {done.commit}"


def _realigned_lines(done: Assignment, *, would: bool) -> Iterator[str]:
    plan = f"Plan {done.plan_id}: " if would else ""
    verb = "would go" if would else "went"
    if not done.queue:
        yield f"{plan}no lead is in the wrong hands"
        return
    yield f"{plan}{done.given:,} of {count(done.queue, 'lead')} in the wrong hands {verb} to others"
    for move in done.moves:
        yield f"  {move.before} → {move.after}  {move.leads:,}  {move.why}"
    for waiting in done.reasons:
        yield f"  stays  {waiting.leads:,}  {waiting.reason}"


def _queue_lines(done: Assignment, *, would: bool) -> Iterator[str]:
    yield (
        f"{'Plan ' + done.plan_id + ': ' if would else ''}{done.given:,} of {done.queue:,} leads in the queue"
        f" {'would get' if would else 'got'} an owner"
    )
    yield from _share_lines(done)
    if done.strategy == "rules":
        yield "  by rule  " + " · ".join(f"{r.rule} {r.leads:,}" for r in done.rules)
    for waiting in done.reasons:
        yield f"  waiting  {waiting.leads:,}  {waiting.reason}"


def _share_lines(done: Assignment) -> Iterator[str]:
    from sfactl.cli.tables import table

    if not done.reps:
        yield "  there is no active rep: sfactl rep import reps.csv"
        return
    names = ["rep", "name", "weight", "open", "given", "then open", "capacity"]
    rows = [
        [
            r.rep_id,
            r.name,
            r.weight,
            r.open_before,
            r.given,
            r.open_after,
            "no limit" if r.capacity is None else r.capacity,
        ]
        for r in done.reps
    ]
    yield from (f"  {line}" for line in table(names, rows))


def _since_lines(since: Difference, plan_id: str) -> Iterator[str]:
    if since.plan_id == plan_id:
        yield f"The same as on {since.planned_at:%Y-%m-%d %H:%M} UTC."
        return
    yield f"Since plan {since.plan_id}: {since.new:,} new, {since.gone:,} gone, {since.moved:,} to somebody else"
    moves = [m for m in since.moves if m.before is not None and m.after is not None][:5]
    for move in moves:
        yield f"  lead:{move.lead_id}  {move.before} → {move.after}"


def given_lines(done: Assignment, rep_id: str | None) -> Iterator[str]:
    """Leads given by hand."""
    if done.dry_run:
        yield "Dry run: nothing is written."
    goal = f"given to {rep_id}" if rep_id else "back in the queue"
    already = done.queue - done.given
    yield f"{done.given:,} {'lead' if done.given == 1 else 'leads'} {goal}" + (
        f", {already:,} {'was' if already == 1 else 'were'} there already" if already else ""
    )
    if done.commit is not None:
        yield f"Commit {done.commit}. Undo with: sfactl data undo {done.commit}"


def check_lines(found: RulesChecked) -> Iterator[str]:
    """What is wrong with the rules."""
    yield from found.problems
    if found.problems:
        yield f"{count(len(found.problems), 'problem')} in assignment.toml."
    elif not found.rules:
        yield "There is no assignment.toml: one queue for all, in turns by weight."
    else:
        yield f"assignment.toml: {count(found.rules, 'rule')}, all in order."


def explained_lines(found: OwnerExplained) -> Iterator[str]:
    """Why a lead has its owner, or who would get it."""
    from sfactl.cli.tables import table

    yield f"{found.name or 'Unnamed'} · lead:{found.lead_id} · {found.status} · owner {found.owner or 'nobody'}"
    if found.assigned_at and found.owner:
        by = f"rule {found.rule}, {found.strategy}" if found.rule else f"{found.strategy}"
        yield f"  {found.assigned_at:%Y-%m-%d %H:%M} UTC by {by}: {found.reason}"
    else:
        yield f"  {found.reason}"
    if not found.chances:
        return
    when = "when it was assigned" if found.owner else "now"
    yield f"Rules as they stood {when}:"
    for rule in found.rules:
        said = f"{rule.able} could take it, {rule.with_room} with room" if rule.holds else "not about this lead"
        yield f"  {'✓' if rule.with_room else '✗'} {rule.rule}: {said}"
    rows = [
        [
            c.rep_id,
            c.rule,
            c.turns,
            c.weight,
            f"{c.open} of {c.capacity}" if c.capacity is not None else str(c.open),
            None if c.priority is None else round(c.priority, 3),
            c.why_not or ("took it" if c.rep_id == found.owner else "could take it"),
        ]
        for c in found.chances
    ]
    yield from (f"  {line}" for line in table(["rep", "rule", "turns", "weight", "open", "priority", ""], rows))
    yield "  Within a rule the smallest priority, (2 × turns + 1) / weight, is next."
