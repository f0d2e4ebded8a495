"""What ``approvals.toml`` may say: who may approve what, by size, and whether anybody may approve what is their own.

Without the file everybody may approve everything; with it nobody approves a plan that they made, unless it says so.
"""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

from sfactl.config.objects import read_object

FILE = "approvals.toml"
TEAM = "team:"

What = Literal["campaign", "strategy", "decision"]
"""A campaign's plan, a strategy's plan, or the word that a step of a strategy waits for."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Rule:
    """Who may approve what has more than ``above`` effects: actors by name, or everybody of ``team:NAME``."""

    what: What
    by: tuple[str, ...]
    above: int = 0

    def __post_init__(self) -> None:
        if not self.by:
            raise ValueError('by: name at least one actor, or a team as "team:NAME"')
        if self.above < 0:
            raise ValueError(f"above: {self.above} is less than nothing")


@dataclass(frozen=True, slots=True, kw_only=True)
class Approvals:
    """``approvals.toml``.

    Of the rules for what is approved, the one with the highest ``above`` that its size exceeds counts.
    """

    rules: tuple[Rule, ...] = ()
    self_approval: bool = False

    def __post_init__(self) -> None:
        said = [(rule.what, rule.above) for rule in self.rules]
        for what, above in said:
            if said.count((what, above)) > 1:
                raise ValueError(f"rules: there are two for {what} above {above:,}")

    def refusal(self, what: What, size: int, *, actor: str, teams: Collection[str], author: str | None) -> str | None:
        """Why ``actor``, who is in ``teams``, may not approve what ``author`` made; None where they may."""
        if author is not None and author == actor and not self.self_approval:
            return f"{actor} made it, so somebody else must approve it"
        rule = max(
            (r for r in self.rules if r.what == what and (size > r.above or r.above == 0)),
            key=lambda r: r.above,
            default=None,
        )
        if rule is None or actor in rule.by or any(f"{TEAM}{team}" in rule.by for team in teams):
            return None
        above = f" above {rule.above:,}" if rule.above else ""
        return f"a {what}{above} is approved by {' or '.join(rule.by)}, not by {actor}"


def read_approvals(folder: Path) -> Approvals | None:
    """The rules of the workspace ``folder``; None without the file. Raises `ConfigError`."""
    path = folder / FILE
    return read_object(Approvals, path) if path.is_file() else None
