"""How cases read at the prompt."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING, Any

from sfactl.cli.tables import pad, width
from sfactl.cli.times import local
from sfactl.cli.values import shown
from sfactl.cli.words import count

if TYPE_CHECKING:
    from sfactl.cases.model import CaseOpened, CaseShown, CasesSet

_FIELDS = ("channel", "category", "priority", "owner", "opened_by", "reopened", "resolution", "address", "silent")
_MOMENTS = ("opened_at", "updated_at", "resolved_at", "closed_at")


def opened(done: CaseOpened) -> Iterator[str]:
    """A case that was opened."""
    if done.dry_run:
        yield "Dry run: nothing is written."
    whose = f" for lead:{done.lead_id}" if done.lead_id is not None else ""
    said = "was there already" if done.known else "would be opened" if done.dry_run else "opened"
    yield f"Case {done.case_id} {said}{whose} · {done.status} · {done.owner or 'nobody works on it yet'}"
    if done.lead_id is None and not done.known:
        yield f"Nobody is told of it: say whose it is with: sfactl case set {done.case_id} --lead REF"
    if done.commit:
        yield f"Commit {done.commit}. Undo with: sfactl data undo {done.commit}"


def changed(done: CasesSet) -> Iterator[str]:
    """What was changed in cases."""
    if done.dry_run:
        yield "Dry run: nothing is written."
    for change in done.changes:
        before = f"{shown(change.before)} → " if change.before else ""
        yield f"Case {change.case_id} {change.what}: {before}{shown(change.after) or 'empty'}"
    if done.same:
        yield f"{count(done.same, 'case')} said so before."
    if done.commit:
        yield f"Commit {done.commit}. Undo with: sfactl data undo {done.commit}"


def shown_case(found: CaseShown, zone: str) -> Iterator[str]:
    """One case: a headline, its fields, its history."""
    case = found.case
    yield f"Case {case['case_id']} · {case['status']} · {shown(case['subject'])}"
    rows: dict[str, Any] = {"lead": f"lead:{case['lead_id']} {shown(found.lead)}".rstrip() if case["lead_id"] else ""}
    rows |= {name: case[name] for name in _FIELDS}
    rows |= {name: case[name] and local(case[name], zone) for name in _MOMENTS}
    rows |= {"number": f"{case['source_key']} of {case['source']}" if case["source_key"] else ""}
    rows = {name: value for name, value in rows.items() if value}
    longest = max((width(name) for name in rows), default=0)
    yield from (f"  {pad(name, longest)}  {shown(str(value))}" for name, value in rows.items())
    if case["text"]:
        yield "What was said"
        yield from (f"  {shown(line)}" for line in str(case["text"]).splitlines()[:20])
    yield "History"
    for event in found.events:
        detail = f"  {shown(event.detail)}" if event.detail else ""
        by = f"  by {shown(event.actor)}" if event.actor else ""
        yield f"  {local(event.at, zone)}  {shown(event.what)}{detail}{by}"
    if found.next:
        yield f"It may become: {', '.join(found.next)}"
