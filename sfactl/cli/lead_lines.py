"""Lines for people about leads: what an import found, refused and cleaned, and one lead in full."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import TYPE_CHECKING, Any

from sfactl.cli.tables import pad, width
from sfactl.cli.words import count

if TYPE_CHECKING:
    from sfactl.leads.detail import LeadDetail
    from sfactl.leads.model import CleanResult, FileImport, ImportResult, PullResult, SetResult, SourcePull

CLEANED: Mapping[str, tuple[str, str]] = {
    "phones": ("phone to E.164", "phones to E.164"),
    "full_width": ("row with full-width or odd characters", "rows with full-width or odd characters"),
    "emails": ("e-mail address", "e-mail addresses"),
    "countries": ("country to its code", "countries to codes"),
    "tax_ids": ("tax id checked", "tax ids checked"),
    "several_emails": (
        "cell with several e-mails (the first is kept)",
        "cells with several e-mails (the first is kept)",
    ),
    "phone_extensions": ("phone extension dropped", "phone extensions dropped"),
    "phones_not_assigned": ("phone in no known number range (kept)", "phones in no known number range (kept)"),
    "phones_without_country": (
        "phone without a country (kept as written)",
        "phones without a country (kept as written)",
    ),
    "countries_unknown": ("country not recognised (kept as written)", "countries not recognised (kept as written)"),
    "robots": ("request of a robot left out", "requests of robots left out"),
    "assets": ("style, script or picture left out", "styles, scripts and pictures left out"),
    "refused": ("request that was refused or redirected left out", "requests that were refused or redirected left out"),
    "methods": ("request that was no page left out", "requests that were no pages left out"),
    "touchpoints": ("visit of a known lead", "visits of known leads"),
    "events": ("event added", "events added"),
    "orders": ("order", "orders"),
    "refunds": ("refund among them", "refunds among them"),
    "orders_of_nobody": (
        "order without a customer (kept without a lead)",
        "orders without a customer (kept without a lead)",
    ),
    "customers_made": ("lead made of a customer", "leads made of customers"),
    "leads_made": ("lead made by a form", "leads made by forms"),
}
"""What is counted: the words for one, and for several."""
REASONS = 6


def imported_lines(result: ImportResult) -> Iterator[str]:
    """An import, file by file."""
    if result.dry_run:
        yield "Dry run: nothing is written."
    for done in result.files:
        yield from _file(done, dry_run=result.dry_run)
    if len(result.files) > 1:
        yield f"Together: {_counts(result)}"


def _file(done: FileImport, *, dry_run: bool) -> Iterator[str]:
    facts = f" ({', '.join(done.facts)})" if done.facts else ""
    yield f"Reading {done.file}{facts}"
    if done.mapped:
        yield _mapped(done)
    rejects = f" → {done.rejects_file}" if done.rejects_file and not dry_run else ""
    yield f"  {_counts(done)}{rejects}"
    if done.reasons:
        named = " · ".join(f"{r.rows:,} {r.reason}" for r in done.reasons[:REASONS])
        left = sum(r.rows for r in done.reasons[REASONS:])
        yield f"  Why rejected: {named}{f' · {left:,} for other reasons' if left else ''}"
    if cleaned := _cleaned(done.cleaned):
        yield f"  Cleaned: {cleaned}"
    for note in done.notes:
        yield f"  Note: {note}"
    if done.commit is not None:
        yield f"Commit {done.commit}. Undo with: sfactl data undo {done.commit}"


def _mapped(done: FileImport) -> str:
    pairs = [f"{column}→{field}" for field, column in done.mapped.items()]
    shown = ", ".join(pairs[:8]) + (" …" if len(pairs) > 8 else "")
    left = ", ".join(done.not_mapped[:8]) + (" …" if len(done.not_mapped) > 8 else "")
    more = f". Not mapped: {left}" if left else ""
    return f"Mapped {done.columns - len(done.not_mapped)} of {done.columns} columns: {shown}{more}"


def _counts(done: FileImport | ImportResult | PullResult | SourcePull) -> str:
    rows = "1 row" if done.rows == 1 else f"{done.rows:,} rows"
    known = f"{done.updated:,} updated · {done.unchanged:,} unchanged"
    return f"{rows} · {done.new:,} new · {known} · {done.rejected:,} rejected"


def _cleaned(counts: Mapping[str, int]) -> str:
    parts = []
    for key, (one, several) in CLEANED.items():
        if n := counts.get(key):
            wrong = counts.get("tax_ids_wrong") if key == "tax_ids" else None
            parts.append(f"{n:,} {one if n == 1 else several}{f' ({wrong:,} wrong, kept as text)' if wrong else ''}")
    return ", ".join(parts)


def pulled_lines(result: PullResult) -> Iterator[str]:
    """A pull, source by source."""
    if result.dry_run:
        yield "Dry run: nothing is written, and no source is marked as read."
    for done in result.sources:
        if done.problem is None:
            kept = f" (commit {done.commit})" if done.commit is not None else ""
            yield f"{done.source}: {_counts(done)}{kept}" if done.rows else f"{done.source}: nothing new"
            if done.absent:
                yield f"  Note: pages without {', '.join(done.absent)}, read as blank"
            if done.stopped:
                yield f"  Stopped at {done.stopped}. The next pull goes on from there."
            continue
        yield f"{done.source}: error [{done.code}] {done.problem}"
        if done.hint:
            yield f"  {done.hint}"
        if done.commit is not None:
            kept = f"{count(done.rows, 'row')}, kept (commit {done.commit})"
            yield f"  Pulled before that: {kept}. The next pull goes on from there."
    if len(result.sources) > 1:
        failed = f" · {result.failed} of {len(result.sources)} sources failed" if result.failed else ""
        yield f"Together: {_counts(result)}{failed}"


def cleaned_lines(result: CleanResult) -> Iterator[str]:
    """What cleaning again came to."""
    if result.dry_run:
        yield "Dry run: nothing is written."
    yield f"{result.rows:,} leads looked at, {result.changed:,} changed"
    if cleaned := _cleaned(result.cleaned):
        yield f"  Cleaned: {cleaned}"
    if result.refused:
        named = " · ".join(f"{n:,} {reason}" for reason, n in result.refused.items())
        yield f"  Left as they are: {named}"
    if result.commit is not None:
        yield f"Commit {result.commit}. Undo with: sfactl data undo {result.commit}"


def shown_lines(detail: LeadDetail) -> Iterator[str]:
    """One lead: a headline, its fields, its latest touchpoints."""
    if detail.note:
        yield f"{detail.note}."
    fields = dict(detail.fields)
    head = [f"lead:{detail.lead_id}", *(str(fields[f]) for f in ("full_name", "company", "status") if f in fields)]
    yield " · ".join(head)
    hidden = ("lead_id", "full_name", "company_key", "row_key")
    shown = {k: v for k, v in fields.items() if k not in hidden}
    longest = max((width(k) for k in shown), default=0)
    for key, value in shown.items():
        yield f"  {pad(key, longest)}  {_value(value)}"
    if detail.touchpoints:
        yield "Touchpoints of the last 90 days"
    for touch in detail.touchpoints:
        more = "  ".join(str(x) for x in (touch.channel, touch.content, touch.campaign) if x)
        yield f"  {touch.at:%Y-%m-%d %H:%M}  {touch.kind}  {more}".rstrip()


def set_lines(result: SetResult, *, dry_run: bool) -> Iterator[str]:
    """Fields before and after."""
    if dry_run:
        yield "Dry run: nothing is written."
    if not result.after:
        yield f"lead:{result.lead_id} has these values already."
    for field, value in result.after.items():
        yield f"lead:{result.lead_id} {field}: {_value(result.before[field])} → {_value(value)}"
    if result.commit is not None:
        yield f"Commit {result.commit}. Undo with: sfactl data undo {result.commit}"


def _value(value: Any) -> str:
    return "–" if value is None else str(value).replace("\n", " ⏎ ")
