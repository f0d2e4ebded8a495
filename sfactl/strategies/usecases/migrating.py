"""Bring files to the form that sfactl writes today: campaigns become strategies, older schemas the newest."""

from __future__ import annotations

import difflib
from dataclasses import dataclass
from itertools import takewhile

from sfactl.api.errors import NotFound
from sfactl.campaigns.model import Campaign
from sfactl.config.objects import SCHEMA, read_object
from sfactl.session import Session
from sfactl.strategies.files import parse_strategy, read_strategy, strategy_names, strategy_path
from sfactl.strategies.migrating import as_strategy
from sfactl.strategies.model import near


@dataclass(frozen=True, slots=True, kw_only=True)
class Migrated:
    """What became of one file: the lines that differ, and whether they were written."""

    strategy: str
    file: str
    became: str
    diff: tuple[str, ...]
    written: bool


def migrate(session: Session, name: str, *, owner: str = "") -> Migrated:
    """Rewrite ``campaigns/NAME.toml`` as ``strategies/NAME.toml``; a strategy of the newest schema stays as it is.

    Raises `ConfigError` for what a strategy cannot say, `NotFound` where there is neither.
    """
    old, new = session.folder / "campaigns" / f"{name}.toml", strategy_path(session.folder, name)
    if new.is_file():
        read_strategy(session.folder, name)
        return Migrated(
            strategy=name, file=f"strategies/{name}.toml", became=f"schema {SCHEMA}", diff=(), written=False
        )
    if not old.is_file():
        known = [*strategy_names(session.folder), *(p.stem for p in old.parent.glob("*.toml"))]
        raise NotFound(f"there is neither a strategy nor a campaign {name!r}", hint=near(name, known).strip())
    campaign = read_object(Campaign, old, inject={"name": name})
    before = old.read_text(encoding="utf-8-sig").splitlines()
    heading = "".join(f"{line}\n" for line in takewhile(lambda line: line.startswith("#"), before))
    text = heading + as_strategy(campaign, owner=owner, where=str(old))
    parse_strategy(text, name, where=str(new))
    said = (f"campaigns/{name}.toml", f"strategies/{name}.toml")
    diff = tuple(difflib.unified_diff(before, text.splitlines(), *said, lineterm=""))
    if not session.dry_run:
        new.parent.mkdir(exist_ok=True)
        new.write_text(text, encoding="utf-8")
        old.unlink()
    return Migrated(strategy=name, file=said[0], became=said[1], diff=diff, written=not session.dry_run)
