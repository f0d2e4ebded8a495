"""How strategies, their plans and their runs read at the prompt."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING

from sfactl.cli.campaign_lines import table_lines, undone_lines
from sfactl.cli.tables import cut, pad, terminal_width, width
from sfactl.cli.times import local, local_and_utc
from sfactl.cli.words import count

if TYPE_CHECKING:
    import pyarrow as pa

    from sfactl.strategies.planning import Count
    from sfactl.strategies.usecases.applying import ApplyResult
    from sfactl.strategies.usecases.feeding import FeedResult
    from sfactl.strategies.usecases.history import LogResult, Why
    from sfactl.strategies.usecases.looking import Shown, StatusResult
    from sfactl.strategies.usecases.plans import PlanResult

MARKS = {True: "✓", False: "✗", None: "?"}
_EMPTY = "Nothing to do now."


def plan_lines(result: PlanResult) -> Iterator[str]:
    """A plan for review: whom it is for, what happens at each step to how many and why, what changed, what is next."""
    short = result.plan_id[:6]
    at = local(result.planned_at, result.time_zone)
    head = f"Plan {short} for {result.strategy} v{result.version} at {at} {result.time_zone}"
    yield f"{head}, data as of commit {result.data_seq}"
    yield _cut(f"For: {result.audience}")
    older = f", {count(len(result.older), 'older version')} still in use" if result.older else ""
    yield f"Inside before: {count(result.inside, 'lead')}{older}"
    columns = [_cells(c, result) for c in result.counts]
    widths = [max((width(row[n]) for row in columns), default=0) for n in range(2)]
    for action, step, number, note in columns:
        yield _cut(f"  {pad(action, widths[0])}  {pad(step, widths[1])}  {number:>9}   {note}".rstrip())
    if not columns:
        yield "  nobody is in it or may enter"
    yield from _changes(result)
    if result.minutes:
        yield f"Saves about {result.minutes / 60:,.1f} hours of hand work ({count(result.effects, 'effect')})."
    yield from _next_step(result, short)


def _cells(c: Count, result: PlanResult) -> tuple[str, str, str, str]:
    notes = [c.reason] if c.reason else []
    if c.action in ("send", "task", "approval"):
        notes = [result.does.get(c.step, "")]
    if c.reps:
        notes.append(f"for {count(c.reps, 'rep')}")
    if c.action == "wait" and c.next_at is not None:
        notes.append(f"from {local_and_utc(c.next_at, result.time_zone)}")
    if c.to_step and c.action != "leave":
        notes.append(f"→ {c.to_step}")
    return c.action, c.step, f"{c.leads:,}", " ".join(notes)


def _changes(result: PlanResult) -> Iterator[str]:
    if not result.changes:
        return
    parts = []
    for c in result.changes:
        parts += [f"+{c.joined:,} {c.action} {c.step}"] if c.joined else []
        parts += [f"−{c.left:,} {c.action} {c.step}"] if c.left else []
    yield f"Changed since plan {result.previous}: {', '.join(parts)}. Details: --diff"


def _next_step(result: PlanResult, short: str) -> Iterator[str]:
    yield from (f"Cannot be applied: {obstacle}." for obstacle in result.obstacles)
    if not result.saved and result.state not in ("applied", "partly"):
        yield "Not kept: this was a dry run or looked at the past."
    elif result.state == "applied":
        yield "This plan was applied already. Nothing to do."
    elif result.effects + result.moves == 0:
        yield _EMPTY
    elif result.needs_approval:
        yield f"Needs approval: {count(result.effects, 'effect')}. sfactl strategy approve {short}"
    elif not result.obstacles:
        yield f"Next: sfactl strategy apply {short}"


def apply_lines(result: ApplyResult, zone: str) -> Iterator[str]:
    """What a run did, what it did not, and why."""
    short = result.plan_id[:6]
    if result.nothing:
        yield f"Plan {short} was applied on {local(result.applied_at, zone)}. Nothing to do."
        return
    done = [count(n, noun) for n, noun in ((result.tasks, "task"), (result.pushes, "push")) if n]
    if result.dry_run:
        what = [count(result.ready, "message"), *done, f"{count(result.moves, 'lead')} moved"]
        yield f"Dry run: plan {short} would mean {', '.join(what)}."
    else:
        parts = [f"{result.enters:,} entered"] if result.enters else []
        parts += [f"{count(result.moves, 'lead')} moved", *done]
        if result.accepted or result.refused or result.unknown:
            parts.append(f"accepted {result.accepted:,}")
        parts += [f"handed to people {result.handed:,}"] if result.handed else []
        parts += [f"refused {result.refused:,}"] if result.refused else []
        parts += [f"unknown {result.unknown:,}"] if result.unknown else []
        yield f"Plan {short} for {result.strategy}: {' · '.join(parts)}"
    yield from undone_lines(result, f"sfactl strategy resume {short}")


def show_lines(result: Shown) -> Iterator[str]:
    """A strategy drawn: settings, then each step with its ways out."""
    parts = [f"v{result.version}", result.state]
    parts += [f"owner {result.owner}"] if result.owner else []
    parts += [f"runs at {result.schedule}"] if result.schedule else []
    yield f"{result.strategy} · {' · '.join(parts)}"
    yield result.summary
    yield ""
    for name, text in result.terms:
        yield _cut(f"  {pad(name, 8)}  {text}")
    yield ""
    names = max(width(b.step) for b in result.steps)
    for box in result.steps:
        here = f"   [{count(box.leads, 'lead')}]" if box.leads else ""
        yield _cut(f"  {box.number:>2} {pad(box.step, names)}  {box.action:<8}  {box.does}".rstrip() + here)
        for number, way in enumerate(box.ways, 1):
            edge = "└" if number == len(box.ways) else "├"
            yield f"     {' ' * names}  {edge} {way}"
    yield f"{count(result.inside, 'lead')} inside, in this version."


def status_lines(result: StatusResult, zone: str) -> Iterator[str]:
    """A strategy's plans, places, outcomes, and what the treatment brought."""
    yield f"{result.strategy}: {result.state}"
    for p in result.plans:
        done = f", applied {local(p.applied_at, zone)}" if p.applied_at else ""
        by = f", approved by {p.approved_by}" if p.approved_by else ""
        what = f"{count(p.effects, 'effect')}, {count(p.moves, 'move')}{by}{done}"
        yield f"  plan {p.short}  {p.state:<10} {local(p.planned_at, zone)}  {what}"
    for place in result.places:
        since = f"longest since {local(place.longest_since, zone)}"
        yield f"  at {pad(place.step, 16)} v{place.version}  {place.leads:>9,}   {since}"
    for outcome in result.outcomes:
        yield f"  {pad(outcome.state, 24)}  {outcome.leads:>9,}"
    if len(result.rates) > 1:
        said = [f"{r.group} {r.reached:,} of {r.leads:,} ({r.percent:.1f} %)" for r in result.rates]
        yield f"Reached the goal: {' · '.join(said)}"
    if result.minutes:
        each = result.minutes / result.effects if result.effects else 0
        yield (
            f"Saved about {result.minutes / 60:,.1f} hours: {count(result.effects, 'effect')} × {each:g} minutes each"
            " (minutes_saved in the file)."
        )


def log_lines(result: LogResult, zone: str) -> Iterator[str]:
    """The run log of one lead, and what would happen now."""
    yield f"Lead {result.lead_id}{f' · {result.lead}' if result.lead else ''}"
    for line in result.lines:
        way = f" → {line.to_step}" if line.to_step else ""
        again = f" ({line.rotation}. time)" if line.rotation > 1 and line.what == "entered" else ""
        detail = f"  {line.detail}" if line.detail else ""
        yield f"  {local(line.at, zone)}  {line.strategy}  {line.step}: {line.what}{again}{detail}{way}"
    if not result.lines:
        yield "  no strategy did anything with it"
    for why in result.why:
        yield from _why_lines(why, zone)


def _why_lines(why: Why, zone: str) -> Iterator[str]:
    since = f" since {local(why.since, zone)}" if why.since else ""
    yield ""
    yield f"{why.strategy}: {why.standing}{since}"
    for g in why.grounds:
        yield f"  {MARKS[g.holds]} {g.text}{f'   {g.actual}' if g.actual else ''}"
    for d in why.decisions:
        when = f" {'until' if d.action == 'wait' else 'due'} {local(d.due_at, zone)}" if d.due_at else ""
        way = f" → {d.to_step}" if d.to_step else ""
        yield f"  now: {d.step}: {d.action}{f' ({d.reason})' if d.reason else ''}{when}{way}"
    if not why.decisions:
        yield "  now: nothing"


def feed_lines(result: FeedResult) -> Iterator[str]:
    """What a feed was told, beside the orders as they are now."""
    for t in result.totals:
        ok = "agrees with the orders" if t.told == t.now else f"the orders come to {t.now:,.2f} now"
        yield f"{result.feed}: {count(t.orders, 'order')}, {t.told:,.2f} {t.currency}   {ok}"
    if result.corrections:
        yield f"{count(result.corrections, 'correction')} told."
    elif not result.agrees:
        yield f"Tell the differences with: sfactl strategy feed {result.feed} --correct"


def diff_lines(found: pa.Table, shown: pa.Table) -> Iterator[str]:
    """What differs, or that nothing does."""
    if not found.num_rows:
        yield "Nothing differs."
        return
    yield from table_lines(shown)
    if shown.num_rows < found.num_rows:
        yield f"… {found.num_rows - shown.num_rows:,} more; see them with --limit 0"


def _cut(line: str) -> str:
    room = terminal_width()
    return line if room is None or width(line) <= room else cut(line, room)
