"""Lines for people about tags."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING

from sfactl.cli.tables import pad, table, width
from sfactl.cli.values import shown
from sfactl.cli.words import count

if TYPE_CHECKING:
    import pyarrow as pa

    from sfactl.portrait.model import Derived, Fact, Given, TagChange, TagExplanation, TagImport
    from sfactl.portrait.usecases.extraction import Extracted

MARKS = {True: "✓", False: "✗", None: "?"}


def set_lines(done: TagChange) -> Iterator[str]:
    """Tags given by hand."""
    yield from dry(done.dry_run)
    said = ", ".join(done.tags)
    if not done.changed:
        yield f"{said}: {_bearers(done.bearers)} said so already. Nothing to do."
        return
    same = f" ({done.unchanged:,} said so already)" if done.unchanged else ""
    yield f"{said} set on {_bearers(done.bearers)}{same}"
    yield from committed(done.commit)


def removed_lines(done: TagChange) -> Iterator[str]:
    """Tags taken away by hand."""
    yield from dry(done.dry_run)
    said = ", ".join(done.tags)
    yield f"{said}: {done.changed:,} removed" if done.changed else f"{said}: nothing to remove"
    yield from committed(done.commit)


def derived_lines(done: Derived) -> Iterator[str]:
    """What rules gave and took."""
    if not done.rules:
        yield "There are no rules. Write some in tags.toml, or one each in tags/NAME.toml"
        return
    yield from dry(done.dry_run)
    longest = max(width(rule.tag) for rule in done.rules)
    for rule in done.rules:
        change = f"+{rule.added:,} −{rule.removed:,}" if rule.added or rule.removed else "unchanged"
        kept = f"  {rule.kept:,} until they expire" if rule.kept else ""
        name = f"  by {rule.rule}" if rule.rule != rule.tag else ""
        bearers = pad(count(rule.bearers, rule.entity), 15, right=True)
        yield f"  {pad(rule.tag, longest)}  {bearers}  {change}{kept}{name}"
    yield from committed(done.commit)
    if not done.changed:
        yield "Nothing changed, nothing was written."


def imported_lines(done: TagImport) -> Iterator[str]:
    """A file of tags."""
    yield from dry(done.dry_run)
    rejected = len({r.row for r in done.rejected})
    yield (
        f"{done.file}: {done.rows:,} rows · {done.new:,} new · {done.updated:,} updated · {done.unchanged:,} unchanged"
        f" · {rejected:,} rejected"
    )
    for row in done.rejected[:10]:
        yield f"  row {row.row}: {row.reason}"
    if len(done.rejected) > 10:
        yield f"  … and {len(done.rejected) - 10:,} more; see all with --format json"
    if done.conflicts:
        yield f"{done.conflicts:,} tags of people have something against them: sfactl tag conflicts"
    yield from committed(done.commit)


def conflict_lines(found: pa.Table) -> Iterator[str]:
    """Who says what, and who the contrary."""
    if not found.num_rows:
        yield "Nothing speaks against what people said."
        return
    rows = [
        [
            f"{row['entity']}:{row['entity_id']}",
            row["name"] or "",
            _tag(row["tag"], row["value"]),
            f"{row['source']} {row['author']}",
            row["conflict"],
            f"{_tag(row['against_tag'], row['against_value'])} ({row['against_source']} {row['against_author']})",
        ]
        for row in found.to_pylist()
    ]
    yield from table(["who", "name", "tag", "said by", "conflict", "against"], rows)


def explained_lines(found: TagExplanation) -> Iterator[str]:
    """Why somebody bears a tag."""
    verb = "bears" if found.bears else "does not bear"
    yield f"{found.name or 'Unnamed'} · {found.entity}:{found.entity_id} {verb} {found.tag}"
    yield from (f"  {_given(row)}" for row in found.given)
    for rule in found.rules:
        yield f"Rule {rule.rule}: {'holds' if rule.holds else 'does not hold'} now"
        room = max(width(term.text) for term in rule.terms)
        for term in rule.terms:
            yield f"  {MARKS[term.holds]} {pad(term.text, min(room, 60))}  {term.value or ''}".rstrip()
            yield from (f"      {_fact(row)}" for row in term.rows)
    if found.utterances:
        yield "Found in what was said:"
        yield from (f"  {_fact(row)}" for row in found.utterances)


def extracted_lines(done: Extracted) -> Iterator[str]:
    """What was found in what customers said."""
    yield from dry(done.dry_run)
    yield (
        f"{done.utterances:,} utterances, {done.texts:,} different texts: {done.kept:,} answered before,"
        f" {done.asked:,} asked, {done.failed:,} without an answer"
    )
    longest = max((width(label) for label in done.intents), default=0)
    yield from (f"  {pad(label, longest)}  {n:>9,} utterances" for label, n in done.intents.items())
    yield from (f"  {n:,} {why}" for why, n in done.problems.items())
    if done.input_tokens or done.output_tokens:
        cost = f", cost {done.cost:.4f}" if done.cost else ""
        yield f"{done.input_tokens:,} tokens read, {done.output_tokens:,} written{cost}"
    if done.added or done.removed or done.tags:
        yield f"+{done.added:,} −{done.removed:,} intents, {done.tags:,} tags changed"
    else:
        yield "Nothing changed, nothing was written."
    yield from committed(done.commit)


def dry(dry_run: bool) -> Iterator[str]:
    """The line that says that nothing is written."""
    if dry_run:
        yield "Dry run: nothing is written."


def committed(commit: int | None) -> Iterator[str]:
    """The commit, and how to undo it."""
    if commit is not None:
        yield f"Commit {commit}. Undo with: sfactl data undo {commit}"


def _bearers(number: int) -> str:
    return count(number, "record")


def _tag(tag: str, value: str | None) -> str:
    return f"{tag}={value}" if value else tag


def _given(row: Given) -> str:
    until = f" until {row.expires_at:%Y-%m-%d %H:%M}" if row.expires_at else ""
    ended = "" if row.counts else " (no longer counts)"
    sure = f", confidence {row.confidence:g}" if row.confidence is not None else ""
    note = f": {shown(row.note)}" if row.note else ""
    said = (
        f"{row.source} by {row.author}" if row.source not in ("derived", "extracted") else f"{row.source} by {row.rule}"
    )
    return f"{_tag(row.tag, row.value)}  {said}{sure}, since {row.at:%Y-%m-%d %H:%M}{until}{ended}{note}"


def _fact(row: Fact) -> str:
    at = f"{row.at:%Y-%m-%d %H:%M}  " if row.at else ""
    return f"{at}{row.relation}  {shown(row.text)}"
