"""Rewrite a campaign as a strategy that does the same, step by step. Pure: a campaign in, the text of a file out.

What a strategy cannot say is refused, never dropped. Keys of messages stay what they were, so that nobody who got a
message from the campaign gets it again from the strategy.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import MISSING, fields
from typing import Any

import tomlkit

from sfactl.api.errors import ConfigError
from sfactl.campaigns.model import Campaign, Step, Task, Window
from sfactl.strategies.model import END


def as_strategy(campaign: Campaign, *, owner: str, where: str) -> str:
    """The text of ``strategies/NAME.toml``; ``owner`` is for tasks that name nobody. Raises `ConfigError`."""
    _check(campaign, owner, where)
    document = tomlkit.document()
    for key, value in _header(campaign, owner).items():
        document.add(key, tomlkit.string(value, multiline=True) if _long(value) else value)
    for name, table in (("holdout", _holdout(campaign)), ("touch", _touch(campaign))):
        if table:
            document.add(name, tomlkit.item(table))
    steps = tomlkit.aot()
    for step in _steps(campaign):
        table = tomlkit.table()
        for key, value in step.items():
            table.add(key, _inline(value) if isinstance(value, Mapping) else value)
        steps.append(table)
    document.add("steps", steps)
    return tomlkit.dumps(document)


def _check(campaign: Campaign, owner: str, where: str) -> None:
    if campaign.rotation > 1:
        raise ConfigError(
            f"{where}: rotation: a strategy counts from 1 how often each lead was in; a campaign that was turned to"
            f" {campaign.rotation} would write to some again"
        )
    if campaign.confirm:
        raise ConfigError(f"{where}: confirm: a confirmation is asked for by a campaign alone")
    if campaign.occasion:
        raise ConfigError(f"{where}: occasion: only a campaign has one; a strategy lets people in again with re_entry")
    before = ""
    for step in campaign.steps:
        if step.after and step.after.step != before:
            raise ConfigError(
                f"{where}: steps.{step.name}.after: it comes after {step.after.step!r}, not after the step before it; a"
                " strategy is one way, so put the steps in order first"
            )
        if step.task and not step.task.owner and not owner:
            raise ConfigError(f"{where}: steps.{step.name}.task.owner: name one with --owner, for leads without a rep")
        before = step.name


def _header(campaign: Campaign, owner: str) -> dict[str, Any]:
    said: dict[str, Any] = {"schema": 1, "summary": campaign.summary}
    if owner:
        said["owner"] = owner
    said |= {"where": campaign.where} if campaign.where else {"segment": campaign.segment}
    if campaign.blacklist:
        said["blacklist"] = campaign.blacklist
    said["approve_above"] = campaign.approve_above
    if campaign.max_recipients is not None:
        said["max_effects"] = campaign.max_recipients
    if campaign.expires_at is not None:
        said["expires_at"] = campaign.expires_at
    said |= {name: getattr(campaign, name) for name in ("max_age", "misfire") if name in _changed(campaign)}
    return said


def _changed(campaign: Campaign) -> set[str]:
    """The keys with a default that the campaign does not leave as it is."""
    return {f.name for f in fields(Campaign) if f.default is not MISSING and getattr(campaign, f.name) != f.default}


def _holdout(campaign: Campaign) -> dict[str, Any]:
    percent = int(campaign.holdout) if campaign.holdout == int(campaign.holdout) else campaign.holdout
    return {"percent": percent} if percent else {}


def _touch(campaign: Campaign) -> dict[str, Any]:
    texts = {
        "sender": campaign.sender,
        "from": campaign.sent_as,
        "reply_to": campaign.reply_to,
        "unsubscribe": campaign.unsubscribe,
        "topic": campaign.topic,
        "class": "" if campaign.marketing else campaign.message_class,
    }
    said: dict[str, Any] = {key: text for key, text in texts.items() if text}
    if campaign.track:
        said["track"] = list(campaign.track)
    if campaign.window:
        said["window"] = _window(campaign.window)
    if campaign.caps:
        said["caps"] = {"messages": campaign.caps.messages, "within": campaign.caps.within}
    return said


def _steps(campaign: Campaign) -> Iterator[dict[str, Any]]:
    for place, step in enumerate(campaign.steps):
        rest = campaign.steps[place + 1 :]
        # Whatever comes after this step in the campaign waits for it to be done, so it is left out with it.
        free = next((s for s in rest if s.after is None), None)
        if step.after and step.after.wait.split()[0] != "0":
            yield {"name": f"before-{step.name}", "action": "wait", "for": step.after.wait}
        if step.where:
            branch = {"name": f"is-{step.name}", "action": "branch", "where": step.where}
            yield branch | {"then": step.name, "otherwise": _first(free) if free else END}
        if step.task:
            yield {"name": step.name, "action": "task", "task": _task(step.task)}
        else:
            said: dict[str, Any] = {"name": step.name, "action": "touch", "template": step.template}
            said |= {"channel": step.channel}
            said |= {"window": _window(step.window)} if step.window else {}
            yield {key: value for key, value in said.items() if value}


def _first(step: Step) -> str:
    """The name of the first piece that a step of a campaign becomes."""
    if step.after and step.after.wait.split()[0] != "0":
        return f"before-{step.name}"
    return f"is-{step.name}" if step.where else step.name


def _task(task: Task) -> dict[str, Any]:
    said = {"kind": task.kind, "title": task.title, "owner": task.owner, "due": task.due}
    return {key: value for key, value in said.items() if value}


def _window(window: Window) -> dict[str, Any]:
    return {"days": list(window.days), "hours": window.hours, "tz": window.tz}


def _inline(values: Mapping[str, Any]) -> Any:
    table = tomlkit.inline_table()
    table.update(values)
    return table


def _long(value: object) -> bool:
    return isinstance(value, str) and "\n" in value
