"""What a tag may be called, how long it lasts, and in which order rules that ask for tags are derived. Pure."""

from __future__ import annotations

import difflib
import unicodedata
from collections.abc import Collection, Iterable, Mapping, Sequence
from datetime import UTC, datetime, timedelta
from graphlib import CycleError, TopologicalSorter

from sqlglot import exp

from sfactl.api.errors import ConfigError, UserError
from sfactl.config.tags import LONGEST, TagRule
from sfactl.engine.conditions.aggregates import folded_tag
from sfactl.engine.conditions.source import Source
from sfactl.engine.periods import PeriodError, parse_period

DERIVED, EXTRACTED = "derived", "extracted"
COMPUTED = (DERIVED, EXTRACTED)
"""Sources that only sfactl itself writes; all others are people's."""


def tag_of(text: str) -> tuple[str, str | None]:
    """The tag and the value in ``tag`` or ``tag=value``. Raises `UserError`."""
    name, has_value, value = text.partition("=")
    folded = folded_tag(name)
    if not folded:
        raise UserError(f"{text!r} is not a tag", hint="Write a tag, or TAG=VALUE for one that has values.")
    if len(folded) > LONGEST:
        raise UserError(f"the tag {folded[:30]!r}… has {len(folded)} characters; {LONGEST} are the most")
    if any(unicodedata.category(char) == "Cc" for char in folded):
        raise UserError(f"the tag {folded!r} has characters that cannot be shown")
    return folded, " ".join(value.split()) or None if has_value else None


def source_of(text: str) -> str:
    """The name of a source of tags given by hand. Raises `UserError`."""
    name = folded_tag(text)
    if name in COMPUTED:
        raise UserError(f"tags of source {name!r} are made by rules alone", hint="Take another name, such as rep.")
    if not name or len(name) > LONGEST:
        raise UserError(f"{text!r} is not the name of a source")
    return name


def check_known(names: Iterable[str], known: Collection[str] | None, *, where: str = "") -> None:
    """Raise `UserError` with the nearest name for a tag that the closed vocabulary ``known`` does not hold."""
    for name in names:
        if known is None or name in known:
            continue
        near = difflib.get_close_matches(name, known, 1)
        hint = f"Did you mean {near[0]!r}?" if near else "Declare it in tags.toml under manual."
        raise UserError(f"{where}{name!r} is no tag of this workspace", hint=hint)


def expiry(text: str | None, now: datetime) -> datetime | None:
    """When a tag given ``now`` ends: after a period (``90 days``), at the end of a day, or at a time.

    Raises `UserError` for what is neither, and for an end that has passed.
    """
    if text is None or not text.strip():
        return None
    said = text.strip()
    try:
        ends = datetime.fromisoformat(said)
    except ValueError:
        return after(said, now)
    if len(said) == 10:
        ends += timedelta(days=1)
    if ends.tzinfo is not None:
        ends = ends.astimezone(UTC).replace(tzinfo=None)
    if ends <= now:
        raise UserError(f"the tag would have expired before it is set: {said} is not after {now:%Y-%m-%d %H:%M}")
    return ends


def after(period: str, now: datetime, *, where: str = "") -> datetime:
    """``now`` plus a period such as ``90 days``. Raises `UserError`; `ConfigError` where the file ``where`` has it."""
    try:
        ends = parse_period(period).after(now)
    except PeriodError as err:
        raise (ConfigError(f"{where}: {err}") if where else UserError(str(err))) from None
    if ends <= now:
        said = f"{period!r} is no time at all"
        raise ConfigError(f"{where}: {said}") if where else UserError(said)
    return ends


def in_ranks(rules: Mapping[str, tuple[TagRule, str]]) -> list[list[str]]:
    """The rules in ranks: each asks with ``tag('…')`` only for tags of ranks before it. A circle is a `ConfigError`."""
    givers: dict[str, list[str]] = {}
    for name, (rule, _) in rules.items():
        givers.setdefault(folded_tag(rule.tag or name), []).append(name)
    asked = {name: _tags_in(Source(text=rule.where, where=place)) for name, (rule, place) in rules.items()}
    graph = {name: [giver for tag in tags for giver in givers.get(tag, ())] for name, tags in asked.items()}
    sorter = TopologicalSorter(graph)
    try:
        sorter.prepare()
    except CycleError as err:
        circle: Sequence[str] = list(reversed(err.args[1]))
        raise ConfigError(f"{rules[circle[0]][1]}: tags depend on each other: {' → '.join(circle)}") from None
    ranks: list[list[str]] = []
    while sorter.is_active():
        ready = sorted(sorter.get_ready())
        ranks.append(ready)
        sorter.done(*ready)
    return ranks


def _tags_in(source: Source) -> list[str]:
    calls = (call for call in source.parse().find_all(exp.Anonymous) if str(call.this).lower() == "tag")
    return [
        folded_tag(str(call.expressions[0].this))
        for call in calls
        if call.expressions and isinstance(call.expressions[0], exp.Literal)
    ]
