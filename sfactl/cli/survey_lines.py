"""How surveys read at the prompt."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime
from typing import TYPE_CHECKING

from sfactl.cli.campaign_lines import apply_lines, plan_lines
from sfactl.cli.tables import pad, table, terminal_width
from sfactl.cli.times import local
from sfactl.cli.words import count

if TYPE_CHECKING:
    import pyarrow as pa

    from sfactl.surveys.model import AnswersImported
    from sfactl.surveys.usecases.alerting import Alerts
    from sfactl.surveys.usecases.looking import SurveyShown
    from sfactl.surveys.usecases.scheduling import Schedule, Sent

SHOWN = 20
"""Rejected rows that are listed; more would push the rest off the screen."""
_SAID = {"send": "would be asked now", "wait": "wait", "later": "later", "rests": "left in peace", "hold": "held"}


def shown_lines(shown: SurveyShown) -> Iterator[str]:
    """A survey: what it asks, of whom and when, and what came of it."""
    yield f"{shown.survey} · {shown.kind}, {shown.scale} · {shown.state}"
    yield f"  {shown.summary}"
    for question in shown.questions:
        yield f"  asks      {question}"
    if shown.comment:
        yield f"  comment   {shown.comment}"
    topic = f", topic {shown.topic}" if shown.topic else ""
    yield f"  when      {shown.when}, via {shown.sender}{topic}"
    yield f"  whom      {' '.join(shown.audience.split())}"
    yield f"  figures   from {count(shown.minimum, 'answer')} on"
    rate = f" ({shown.answered / shown.asked:.1%})" if shown.asked else ""
    came = count(shown.answers, "answer")
    yield f"  so far    {shown.asked:,} asked, {shown.answered:,} answered{rate}; {came} in all"


def schedule_lines(found: Schedule, shown: pa.Table, zone: str) -> Iterator[str]:
    """How many are due, wait or are left out, and the first of them one by one."""
    yield f"{found.survey} at {local(found.at, zone)} {zone}"
    for line in found.lines:
        first = f", from {local(line.next_at, zone)}" if line.next_at else ""
        said = _SAID.get(line.state, line.state)
        yield f"  {pad(said, 18)} {line.people:>9,}   {line.reason}{first}".rstrip().replace("   , from", "   from")
    if not found.lines:
        yield "  nobody, now or later"
        return
    yield ""
    yield from (f"  {line}" for line in local_lines(shown, zone))
    if shown.num_rows < found.people.num_rows:
        yield f"… {found.people.num_rows - shown.num_rows:,} more; see them with --limit 0"
    if any(line.state == "send" for line in found.lines):
        yield f"Next: sfactl survey send {found.survey}"


def local_lines(found: pa.Table, zone: str) -> list[str]:
    """A listing with its times as people in the workspace's zone read them."""
    rows = [[local(v, zone) if isinstance(v, datetime) else v for v in row.values()] for row in found.to_pylist()]
    return table(found.column_names, rows, fit=terminal_width())


def sent_lines(sent: Sent, zone: str) -> Iterator[str]:
    """The plan, and what came of it."""
    plan = [line for line in plan_lines(sent.plan) if sent.waits or not line.startswith("Next: ")]
    yield from plan
    if sent.applied is not None:
        yield from apply_lines(sent.applied, zone)


def imported_lines(done: AnswersImported) -> Iterator[str]:
    """What came of a file of answers."""
    head = "Dry run: " if done.dry_run else ""
    silent = f" · {done.open:,} without an answer" if done.open else ""
    some = f"{count(done.rows, 'row')} · {done.new:,} new · {done.known:,} known{silent}"
    yield f"{head}{some} · {len(done.rejected):,} rejected"
    yield from (f"  row {row.row}: {row.reason}" for row in done.rejected[:SHOWN])
    if len(done.rejected) > SHOWN:
        yield f"  … {len(done.rejected) - SHOWN:,} more; see them with --format json"
    if done.commit:
        yield f"Commit {done.commit}. Undo with: sfactl data undo {done.commit}"


def alert_lines(done: Alerts) -> Iterator[str]:
    """The cases that were opened."""
    if not done.surveys:
        yield "No survey has an [alert], so no answer opens a case."
        return
    known = f" · {done.known:,} had theirs" if done.known else ""
    yield f"{'Would open' if done.dry_run else 'Opened'} {count(len(done.opened), 'case')}{known}"
    for one in done.opened[:SHOWN]:
        number = f"case:{one.case_id}  " if one.case_id is not None else ""
        yield f"  {number}{one.subject}{f', for {one.owner}' if one.owner else ', nobody owns it'}"
    if len(done.opened) > SHOWN:
        yield f"  … {len(done.opened) - SHOWN:,} more; see them with: sfactl case list"
    if done.commit:
        yield f"Commit {done.commit}. Undo with: sfactl data undo {done.commit}"
