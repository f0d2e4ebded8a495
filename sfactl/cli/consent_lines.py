"""How consents read at the prompt."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import TYPE_CHECKING

from sfactl.cli.tables import pad
from sfactl.cli.times import local
from sfactl.cli.words import count

if TYPE_CHECKING:
    from sfactl.consent.usecases.lists import ListImport
    from sfactl.consent.usecases.looking import Shown
    from sfactl.consent.usecases.recording import Recorded
    from sfactl.consent.usecases.setting_up import SetUp
    from sfactl.consent.words import Rejected

_SHOWN = 10


def shown_lines(found: Iterable[Shown], zone: str) -> Iterator[str]:
    """Where each lead stands with each topic."""
    for one in found:
        who = " · ".join(part for part in (one.name, one.email, one.phone) if part)
        yield f"lead:{one.lead_id} {who}" if one.lead_id is not None else f"{who}: no lead has this address"
        for s in one.standings:
            mark = "✓" if s.may else "✗"
            since = f"   {local(s.since, zone)}  {s.by}" if s.since else ""
            yield f"  {mark} {pad(s.topic or s.title, 22)} {pad(s.why, 24)} {pad(s.basis, 20)}{since}".rstrip()
        for entry in one.listed:
            yield f"  on the list: {entry.value} ({entry.scope}, {entry.reason}) since {local(entry.at, zone)}"
        if one.lead_id is None and not one.listed:
            yield "  not on the list either"


def recorded_lines(done: Recorded, who: str, word: str, topic: str) -> Iterator[str]:
    """One person's word."""
    verb = "Dry run: " if done.dry_run else ""
    about = f"mail about {topic}" if topic else "mail of any kind"
    if done.leads:
        named = ", ".join(f"lead:{n}" for n in done.leads)
        said = "already recorded" if done.known and not done.new else "recorded"
        yield f"{verb}{said}: {who} ({named}) {word} {about}."
    elif done.listed:
        yield f"{verb}{who} is nobody we know; the address is on the list now ({topic or 'all'})."
    else:
        yield f"{verb}{who} is nobody we know, and was on the list already ({topic or 'all'})."
    if done.lifted:
        yield f"Taken off the list: {count(done.lifted, 'address')} of theirs."
    if done.commit:
        yield f"Commit {done.commit}. Undo with: sfactl data undo {done.commit}"


def imported_lines(done: Recorded, name: str) -> Iterator[str]:
    """What became of a file of consents."""
    begin = "Dry run: " if done.dry_run else ""
    parts = [f"{done.new:,} new", f"{done.known:,} known", f"{len(done.rejected):,} rejected"]
    parts += [f"{count(done.listed, 'address')} of strangers listed"] if done.listed else []
    parts += [f"{count(done.lifted, 'address')} taken off the list"] if done.lifted else []
    yield f"{begin}{name}: {count(done.rows, 'row')} · {' · '.join(parts)}"
    yield from _rejected(done.rejected)
    if done.commit:
        yield f"Commit {done.commit}. Undo with: sfactl data undo {done.commit}"


def list_lines(done: ListImport) -> Iterator[str]:
    """What became of a list of addresses."""
    begin = "Dry run: " if done.dry_run else ""
    what = [count(done.addresses, "address")] if done.addresses else []
    what += [f"{done.hashes:,} hashes" if done.hashes != 1 else "1 hash"] if done.hashes else []
    found = " and ".join(what) or "no address"
    where = f"{done.new:,} new on the list ({done.scope}, {done.reason})"
    yield f"{begin}{done.file}: {found} · {where} · {done.known:,} known"
    yield f"  {count(done.leads, 'lead')} of ours {'is' if done.leads == 1 else 'are'} meant"
    yield from _rejected(done.rejected)
    if done.commit:
        yield f"Commit {done.commit}. Undo with: sfactl data undo {done.commit}"


def set_up_lines(done: SetUp) -> Iterator[str]:
    """The files of a confirmation, and what is still to be done."""
    for path in done.written:
        yield f"{'Would write' if done.dry_run else 'Wrote'} {path}"
    for path in done.kept:
        yield f"Kept {path}, which was there"
    for number, command in enumerate(done.missing):
        yield f"{'Then:  ' if number else 'Still: '} {command}"


def _rejected(rows: tuple[Rejected, ...]) -> Iterator[str]:
    for r in rows[:_SHOWN]:
        yield f"  row {r.row}: {r.reason}"
    if len(rows) > _SHOWN:
        yield f"  … {len(rows) - _SHOWN:,} more; see them with --format json"
