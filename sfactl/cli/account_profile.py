"""``sfactl account profile``: what is known about an account, who says so, and since when."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING

import click

from sfactl.cli import options
from sfactl.cli.app import App, Output, pass_app
from sfactl.cli.tables import cut, pad, terminal_width, width
from sfactl.cli.values import shown
from sfactl.cli.words import count

if TYPE_CHECKING:
    from sfactl.portrait.facts import Fact, Profile


def register(group: click.Group) -> None:
    """Add the command to the group ``account``."""
    group.add_command(profile)


@click.command()
@click.argument("ref", metavar="REF")
@options.as_of
@options.output
@pass_app
def profile(app: App, *, ref: str, as_of: str | None, output: Output) -> None:
    """Show what is known about an account, each fact with its source and date; of contradicting facts all.

    \b
    Example:
      sfactl account profile account:12
    """
    from sfactl.portrait.usecases.profile import profile as found_profile

    found = found_profile(app.session(as_of=as_of), ref)
    output.emit(found, human=lambda: (cut(line, terminal_width() or 10_000) for line in _lines(found)))


def _lines(found: Profile) -> Iterator[str]:
    clash = f" · {count(found.contradictions, 'contradiction')}" if found.contradictions else ""
    yield f"{found.name or 'Unnamed'} · {found.ref}{clash}"
    room = max((width(known.field) for known in found.known), default=0)
    for known in found.known:
        if not known.contradicts:
            first, *others = known.facts
            also = f"; also {', '.join(_source(fact) for fact in others)}" if others else ""
            yield f"  {pad(known.field.replace('_', ' '), room)}  {shown(first.value)}  {_source(first)}{also}"
            continue
        values = max(width(shown(fact.value)) for fact in known.facts)
        for number, fact in enumerate(known.facts):
            name = pad("" if number else known.field.replace("_", " "), room)
            yield f"≠ {name}  {pad(shown(fact.value), values)}  {_source(fact)}"
    for title, facts in (("Situation and needs", found.situation), ("Tags", found.tags), ("Intents", found.intents)):
        if facts:
            yield title
            for fact in facts:
                label = f"{fact.field.replace('_', ' ')}: " if facts is found.situation else ""
                yield f"  {label}{shown(fact.value)}  {_source(fact)}"
    if found.people:
        yield "People"
        for person in found.people:
            said = " · ".join(shown(v) for v in (person.name, person.title, person.email, person.phone) if v)
            yield f"  {said}  {person.ref}"
    if found.said:
        yield "Said lately"
        for fact in found.said:
            yield f"  {fact.at:%Y-%m-%d}  {fact.field}: {shown(fact.value)}"


def _source(fact: Fact) -> str:
    at = f"{fact.at:%Y-%m-%d}" if fact.at else "no date"
    actor = f" by {shown(fact.actor)}" if fact.actor else ""
    return f"{fact.source}, {at}{actor}"
