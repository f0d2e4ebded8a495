"""How campaign plans and runs read at the prompt."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from datetime import datetime
from typing import TYPE_CHECKING

from sfactl.cli.tables import pad, table, terminal_width
from sfactl.cli.times import local, local_and_utc

if TYPE_CHECKING:
    import pyarrow as pa

    from sfactl.campaigns.model import Count
    from sfactl.campaigns.usecases.applying import ApplyResult, Reason
    from sfactl.campaigns.usecases.looking import StatusResult
    from sfactl.campaigns.usecases.plans import PlanResult
    from sfactl.strategies.usecases.applying import ApplyResult as StrategyApplied

_ORDER = ("send", "task", "wait", "skip", "hold")


def plan_lines(result: PlanResult) -> Iterator[str]:
    """A plan: what it does, for how many, what changed, and the next command."""
    short = result.plan_id[:6]
    at = local(result.planned_at, result.time_zone)
    head = f"Plan {short} for {result.campaign} v{result.version} at {at} {result.time_zone}"
    yield f"{head}, data as of commit {result.data_seq}"
    rows = list(_count_rows(result))
    width = max((len(name) for _, name, _, _ in rows), default=0)
    for action, name, number, note in rows:
        yield f"  {action:<6} {pad(name, max(width, 10))} {number:>9,}   {note}".rstrip()
    if not rows:
        yield "  nobody is in the audience"
    if result.changes:
        parts = []
        for c in result.changes:
            parts += [f"+{c.joined:,} {c.step}"] if c.joined else []
            parts += [f"−{c.left:,} {c.step}{f' ({c.why})' if c.why else ''}"] if c.left else []
        yield f"Changed since plan {result.previous}: {', '.join(parts)}. Details: sfactl campaign diff {short}"
    yield from _next_step(result, short)


def _count_rows(result: PlanResult) -> Iterator[tuple[str, str, int, str]]:
    for action in _ORDER:
        counts = [c for c in result.counts if c.action == action]
        if action == "send":
            via = {step: f"by {channel}, a task for a person" for step, channel in result.by_hand.items()}
            yield from ((action, c.step, c.items, via.get(c.step, f"via {result.sender}")) for c in counts)
        elif action == "task":
            reps = f"for {result.reps} rep{'s' if result.reps != 1 else ''}"
            yield from ((action, c.step, c.items, reps) for c in counts)
        elif counts:
            total = sum(c.items for c in counts)
            yield action, "", total, _by_reason(counts, result.time_zone)


def _by_reason(counts: Iterable[Count], zone: str) -> str:
    totals: dict[str, int] = {}
    first: dict[str, datetime] = {}
    for c in counts:
        totals[c.reason] = totals.get(c.reason, 0) + c.items
        if c.next_at is not None:
            first[c.reason] = min(c.next_at, first.get(c.reason, c.next_at))
    texts = []
    for reason, n in sorted(totals.items(), key=lambda t: (-t[1], t[0])):
        opens = f", from {local_and_utc(first[reason], zone)}" if reason in first else ""
        texts.append(f"{n:,} {reason}{opens}" if len(totals) > 1 else f"{reason}{opens}")
    return " · ".join(texts)


def _next_step(result: PlanResult, short: str) -> Iterator[str]:
    yield from (f"Cannot be applied: {obstacle}." for obstacle in result.obstacles)
    if not result.saved and result.state not in ("applied", "partly"):
        yield "Not kept: this was a dry run or looked at the past."
    elif result.state == "applied":
        yield "This plan was applied already. Nothing to do."
    elif result.sends + result.tasks == 0:
        yield "Nothing to do now."
    elif result.needs_approval:
        yield f"Needs approval: {result.sends:,} messages. sfactl campaign approve {short}"
    elif not result.obstacles:
        yield f"Next: sfactl campaign apply {short}"


def apply_lines(result: ApplyResult, zone: str) -> Iterator[str]:
    """What a run did, what it did not, and why."""
    short = result.plan_id[:6]
    if result.nothing:
        yield f"Plan {short} was applied on {local(result.applied_at, zone)}. Nothing to do."
        return
    if result.dry_run:
        yield f"Dry run: plan {short} would send {result.ready:,} messages and make {result.tasks:,} tasks."
    else:
        yield _done_line(result)
    yield from undone_lines(result, f"sfactl campaign resume {short}")


def _done_line(result: ApplyResult) -> str:
    parts = [f"accepted {result.accepted:,}"]
    parts += [f"handed to people {result.handed:,}"] if result.handed else []
    parts += [f"refused {result.refused:,}"] if result.refused else []
    parts += [f"unknown {result.unknown:,}"] if result.unknown else []
    parts += [f"{result.tasks:,} tasks made"] if result.tasks else []
    sent = result.accepted + result.handed + result.refused + result.unknown
    pace = f"   {sent / result.seconds:,.0f}/s" if result.seconds >= 1 and sent else ""
    return f"Plan {result.plan_id[:6]} via {result.sender}: {' · '.join(parts)}{pace}"


def undone_lines(result: ApplyResult | StrategyApplied, go_on: str) -> Iterator[str]:
    """What a run did not do and why; ``go_on`` is the command that goes on with it."""
    if result.missing is not None:
        yield f"  {result.missing:,} had got none of its messages before"
    for note, reasons in (("left out since the plan", result.blocked), ("must wait", result.later)):
        if reasons:
            said = _reasons(reasons) if len(reasons) > 1 else reasons[0].reason
            yield f"  {sum(r.messages for r in reasons):,} {note}: {said}"
    for r in result.details:
        yield f"  {r.messages:,} {r.reason}"
    if result.dead:
        yield f"  {result.dead:,} tried out, for a person to decide: sfactl touch list --state dead"
    if result.unknown:
        yield f"  {result.unknown:,} held, because nobody knows if they arrived: sfactl touch list --state unknown"
    if result.left:
        why = f" ({result.stopped})" if result.stopped else ""
        yield f"{result.left:,} not sent yet{why}. Go on with: {go_on}"


def _reasons(reasons: Iterable[Reason]) -> str:
    return " · ".join(f"{r.messages:,} {r.reason}" for r in reasons)


def status_lines(result: StatusResult, zone: str) -> Iterator[str]:
    """A campaign's plans and messages, what came back, and whom it did not reach."""
    yield f"{result.campaign}: {result.state}"
    for p in result.plans:
        done = f", applied {local(p.applied_at, zone)}" if p.applied_at else ""
        by = f", approved by {p.approved_by}" if p.approved_by else ""
        what = f"{p.sends:,} sends, {p.tasks:,} tasks{by}{done}"
        yield f"  plan {p.short}  {p.state:<10} {local(p.planned_at, zone)}  {what}"
    for c in result.messages:
        yield f"  {pad(c.step, 16)} {c.messages:>9,} {c.state}"
    if result.returns:
        yield "Came back"
    for r in result.returns:
        often = f", {r.times:,} times" if r.times != r.people else ""
        yield f"  {pad(r.step, 16)} {r.people:>9,} {r.kind}{often}"
    if result.undone:
        yield f"Not reached by plan {result.plans[0].short}"
    for u in result.undone:
        opens = f", from {local_and_utc(u.next_at, zone)}" if u.next_at else ""
        yield f"  {pad(u.step, 16)} {u.people:>9,} {u.action}{f': {u.reason}' if u.reason else ''}{opens}"
    if result.undone:
        yield f"Why one of them: sfactl campaign status {result.campaign} --contact CONTACT"


def table_lines(found: pa.Table) -> list[str]:
    """A listing below other lines."""
    return table(found.column_names, [list(r.values()) for r in found.to_pylist()], fit=terminal_width())


def diff_lines(found: pa.Table, shown: pa.Table) -> Iterator[str]:
    """Who differs, or that nobody does."""
    if not found.num_rows:
        yield "No recipient differs."
        return
    yield from table_lines(shown)
    if shown.num_rows < found.num_rows:
        yield f"… {found.num_rows - shown.num_rows:,} more; see them with --limit 0"
