"""Read strategy files strictly, name the version of what they say, and check all that they refer to.

Errors name the file, the key and the nearest name. A version is a hash of what decides about a customer's way; the
header (state, owner, priority, schedule, limits of approval) counts at once for everybody and is no part of it.
"""

from __future__ import annotations

import hashlib
import json
import tomllib
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime
from functools import lru_cache
from pathlib import Path

from sfactl.api.errors import ConfigError, NotFound
from sfactl.campaigns.files import CampaignFiles, assemble
from sfactl.campaigns.model import Campaign
from sfactl.campaigns.model import Step as CampaignStep
from sfactl.campaigns.windows import known_zone
from sfactl.config.objects import build, check_version, read_toml, said
from sfactl.config.tags import known_tags
from sfactl.engine.conditions import Condition, compile_many
from sfactl.engine.periods import PeriodError, parse_period
from sfactl.schemas import Schemas
from sfactl.segments.files import read_segments, score_names
from sfactl.segments.layer_names import layer_names
from sfactl.segments.model import Segment
from sfactl.strategies.model import Strategy, conditions_of, near, periods_of

FOLDER = "strategies"
HEADER = (
    "name",
    "summary",
    "state",
    "owner",
    "priority",
    "exclusive",
    "schedule",
    "blacklist",
    "approve_above",
    "max_effects",
    "expires_at",
    "max_age",
    "misfire",
    "minutes_saved",
)
"""What counts at once, also for those who follow an older version."""


@dataclass(frozen=True, slots=True, kw_only=True)
class StrategyFile:
    """A strategy with the text it was read from and its version."""

    strategy: Strategy
    version: str
    text: str
    path: Path

    @property
    def name(self) -> str:
        """The strategy's name."""
        return self.strategy.name


@dataclass(frozen=True, slots=True, kw_only=True)
class Names:
    """What the conditions of a workspace may ask for."""

    folder: Path
    schemas: Schemas
    segments: Mapping[str, Segment]
    scores: frozenset[str]
    tags: frozenset[str] | None
    layers: frozenset[str]


def strategy_path(folder: Path, name: str) -> Path:
    """Where the strategy ``name`` is written."""
    return folder / FOLDER / f"{name}.toml"


def strategy_names(folder: Path) -> list[str]:
    """Names of all strategies, sorted."""
    return sorted(p.stem for p in (folder / FOLDER).glob("*.toml"))


def read_strategy(folder: Path, name: str) -> StrategyFile:
    """Read ``strategies/NAME.toml``; conditions and names in it are not looked at yet (see `check_strategy`).

    Raises `NotFound` or `ConfigError`.
    """
    path = strategy_path(folder, name)
    if not path.is_file():
        known = strategy_names(folder)
        hint = near(name, known).strip() if known else "Strategies are files strategies/NAME.toml in the workspace."
        raise NotFound(f"there is no strategy {name!r}", hint=hint)
    read_toml(path)  # its errors name line and column of the file
    text = path.read_text(encoding="utf-8-sig")
    for other in ("campaign", "survey"):
        if (folder / f"{other}s" / f"{name}.toml").is_file():
            raise ConfigError(f"{path}: there is a {other} {name!r} too; messages are told apart by these names")
    strategy = parse_strategy(text, name, where=str(path))
    return StrategyFile(strategy=strategy, version=version(strategy), text=text, path=path)


def read_strategies(folder: Path) -> dict[str, StrategyFile]:
    """All strategies of the workspace ``folder`` by name."""
    return {name: read_strategy(folder, name) for name in strategy_names(folder)}


def parse_strategy(text: str, name: str, *, where: str) -> Strategy:
    """The strategy that ``text`` describes; ``where`` starts the messages. Raises `ConfigError`."""
    return _parsed(text, name, where)


@lru_cache(maxsize=256)
def _parsed(text: str, name: str, where: str) -> Strategy:
    raw = tomllib.loads(text)
    check_version(raw, where=where)
    del raw["schema"]
    strategy = build(Strategy, raw, where=where, inject={"name": name})
    for key, period_text in periods_of(strategy):
        try:
            period = parse_period(period_text)
            if key == "touch.caps.within" or key.endswith(".due"):
                _ = period.fixed_days
        except PeriodError as err:
            raise ConfigError(f"{where}: {key}: {err.message}") from None
    return strategy


def version(strategy: Strategy) -> str:
    """The hash that names what decides about a customer's way."""
    raw = {key: value for key, value in said(strategy).items() if key not in HEADER}
    text = json.dumps(raw, sort_keys=True, default=str, ensure_ascii=False)
    return hashlib.sha256(text.encode()).hexdigest()


def read_names(folder: Path, schemas: Schemas) -> Names:
    """What conditions may ask for in the workspace ``folder``."""
    return Names(
        folder=folder,
        schemas=schemas,
        segments=read_segments(folder),
        scores=frozenset(score_names(folder)),
        tags=known_tags(folder),
        layers=layer_names(folder),
    )


def senders_of(strategy: Strategy) -> list[str]:
    """The senders that its touches go through, sorted."""
    return sorted({strategy.sender_of(step) for step in strategy.of("touch")})


def touches(file: StrategyFile, names: Names, sender: str) -> CampaignFiles:
    """The touches through ``sender`` as the gate of campaigns and a delivery read them. Raises `ConfigError`."""
    strategy, touch = file.strategy, file.strategy.touch
    steps = tuple(
        CampaignStep(name=s.name, template=s.template, channel=s.channel, window=s.window)
        for s in strategy.of("touch")
        if strategy.sender_of(s) == sender
    )
    campaign = Campaign(
        name=strategy.name,
        summary=strategy.summary,
        steps=steps,
        where="true",
        sender=sender,
        sent_as=touch.sent_as,
        reply_to=touch.reply_to,
        unsubscribe=touch.unsubscribe,
        topic=touch.topic,
        track=touch.track,
        message_class=touch.message_class,
        window=touch.window,
        caps=touch.caps,
        exit_on=strategy.exit.on if strategy.exit else (),
        expires_at=strategy.expires_at,
    )
    return assemble(names.folder, campaign, file.path, names.schemas)


def check_strategy(file: StrategyFile, names: Names, *, now: datetime) -> None:
    """Check the conditions, segments, templates and zones that the strategy names. Raises `ConfigError`."""
    strategy = file.strategy
    for key, segment in (("segment", strategy.segment), ("blacklist", strategy.blacklist)):
        if segment and segment not in names.segments:
            raise ConfigError(f"{file.path}: {key}: there is no segment {segment!r}.{near(segment, names.segments)}")
    compile_many(
        as_conditions(conditions_of(strategy), file.path),
        schemas=names.schemas,
        now=now,
        segments=names.segments,
        scores=names.scores,
        tags=names.tags,
        layers=names.layers,
    )
    for step in strategy.of("touch"):
        template = names.folder / "templates" / f"{step.template}.toml"
        if not template.is_file():
            known = [p.stem for p in template.parent.glob("*.toml")]
            said = f"there is no template {step.template!r}.{near(step.template, known)}"
            raise ConfigError(f"{file.path}: steps.{step.name}.template: {said}")
        window = step.window or strategy.touch.window
        if window and window.tz not in ("contact", "workspace") and not known_zone(window.tz):
            raise ConfigError(f"{file.path}: steps.{step.name}.window.tz: {window.tz!r} is no IANA zone")
    for sender in senders_of(strategy):
        touches(file, names, sender)


def as_conditions(pairs: Iterable[tuple[str, str]], path: Path) -> list[Condition]:
    """Conditions to compile, by key."""
    return [Condition(name=key, text=text, where=f"{path}: {key}") for key, text in pairs]
