"""The rules of ``next_actions.toml``: which action is suggested for which lead, why, and until when. Pure.

The first rule that holds decides; ``[default]`` is for whom none holds, so that every qualified lead has one action.
"""

from __future__ import annotations

import difflib
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from pathlib import Path

from sfactl.api.errors import ConfigError, UserError
from sfactl.config.objects import read_object
from sfactl.engine.periods import PeriodError, parse_period

FILE = "next_actions.toml"
STAGES = ("new", "mql", "sql", "disqualified", "converted")
OVERRIDE = "override"
DEFAULT = "default"
ACTIONS: Mapping[str, tuple[str, ...]] = {
    "call": ("call",),
    "visit": ("meeting", "demo"),
    "letter": ("letter", "mail"),
    "email": ("email", "email_sent", "reply"),
    "message": ("message", "wecom", "chat"),
    "task": (),
}
"""Every built-in action, and the kinds of touchpoint that tell that it was done."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Action:
    """An action of the workspace's own: the kinds of touchpoint that tell that it was done."""

    taken_by: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Fallback:
    """What is suggested where no rule holds."""

    action: str
    why: str
    due: str = "5 days"
    again_after: str = "7 days"


@dataclass(frozen=True, slots=True, kw_only=True)
class ActionRule:
    """One rule: ``action`` is suggested where ``where`` holds, because of ``why``, to be done within ``due``.

    ``stages`` says for leads of which stages it is (by default those of the file). Once taken up, the rule rests for
    ``again_after``.
    """

    id: str
    where: str
    action: str
    why: str
    due: str = "3 days"
    stages: tuple[str, ...] | None = None
    again_after: str = "7 days"


@dataclass(frozen=True, slots=True, kw_only=True)
class ActionFile:
    """``next_actions.toml``. Every lead in ``stages`` gets exactly one action."""

    default: Fallback
    stages: tuple[str, ...] = ("mql", "sql")
    rules: tuple[ActionRule, ...] = ()
    actions: Mapping[str, Action] = field(default_factory=dict)


def read_actions(folder: Path) -> ActionFile:
    """The rules of the workspace. Raises `ConfigError` naming the key."""
    path = folder / FILE
    if not path.exists():
        raise ConfigError(f"{path}: no such file", hint="It says what to do next; the preset b2b has one to copy.")
    file = read_object(ActionFile, path)
    known = known_actions(file)
    ids = [rule.id for rule in file.rules]
    for place, rule in enumerate(file.rules):
        where = f"{FILE}: rules[{place}]"
        if ids.count(rule.id) > 1 or rule.id in (OVERRIDE, DEFAULT):
            raise ConfigError(f"{where}.id: {rule.id!r} is taken already")
        _check(rule.action, known, f"{where}.action", "action")
        for stage in rule.stages or ():
            _check(stage, STAGES, f"{where}.stages", "stage of a lead")
        _periods(rule, where)
    _check(file.default.action, known, f"{FILE}: default.action", "action")
    _periods(file.default, f"{FILE}: default")
    for stage in file.stages:
        _check(stage, STAGES, f"{FILE}: stages", "stage of a lead")
    return file


def known_actions(file: ActionFile) -> dict[str, tuple[str, ...]]:
    """Every action with the kinds of touchpoint that tell that it was done."""
    return {**ACTIONS, **{name: action.taken_by for name, action in file.actions.items()}}


def check_action(name: str, file: ActionFile) -> None:
    """Raise `UserError` with the nearest name for an action that nobody knows."""
    known = known_actions(file)
    if name not in known:
        near = difflib.get_close_matches(name, known, 1)
        hint = f"Did you mean {near[0]!r}?" if near else f"Actions: {', '.join(known)}. More in {FILE} under [actions]."
        raise UserError(f"there is no action {name!r}", hint=hint)


def due_at(period: str, now: datetime) -> datetime:
    """When what is suggested ``now`` should be done."""
    return parse_period(period).after(now)


def rest_from(period: str, now: datetime) -> datetime:
    """A rule that was taken up after this moment still rests."""
    return parse_period(period).before(now)


def _periods(rule: ActionRule | Fallback, where: str) -> None:
    for key, text in (("due", rule.due), ("again_after", rule.again_after)):
        try:
            parse_period(text)
        except PeriodError as err:
            raise ConfigError(f"{where}.{key}: {err}") from None


def _check(name: str, known: Mapping[str, object] | tuple[str, ...], where: str, what: str) -> None:
    if name not in known:
        near = difflib.get_close_matches(name, list(known), 1)
        hint = f" Did you mean {near[0]!r}?" if near else f" There are: {', '.join(known)}."
        raise ConfigError(f"{where}: there is no {what} {name!r}.{hint}")
