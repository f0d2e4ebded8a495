"""Funnels of one's own: funnels/NAME.toml says which stages there are, in which order, and who has come to each.

The first stage is all leads. Who meets a later stage counts for all before it, so that no stage has more leads than the
one before.
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from sfactl.api.errors import ConfigError
from sfactl.config.objects import read_folder
from sfactl.insight.model import OUTCOMES

FOLDER = "funnels"


@dataclass(frozen=True, slots=True, kw_only=True)
class LayoutStage:
    """One stage: those who came to ``stage`` of the standard funnel (or ``won``), or who meet the condition ``where``.

    The first stage has neither.
    """

    name: str
    stage: str = ""
    where: str = ""

    def __post_init__(self) -> None:
        """Refuse what says two things, or a standard stage that is none."""
        if self.stage and self.where:
            raise ValueError(f"stage {self.name!r}: write stage or where, not both")
        if self.stage and self.stage not in OUTCOMES:
            raise ValueError(f"stage {self.name!r}: there is no {self.stage!r}; choose from {', '.join(OUTCOMES)}")


@dataclass(frozen=True, slots=True, kw_only=True)
class FunnelLayout:
    """The stages of one funnel, from the top."""

    name: str
    stages: tuple[LayoutStage, ...]
    summary: str = ""

    def __post_init__(self) -> None:
        """Refuse a funnel without stages, with one twice, or with a later stage that says nothing."""
        names = [s.name for s in self.stages]
        if not names:
            raise ValueError("stages: there is none")
        for name in names:
            if names.count(name) > 1:
                raise ValueError(f"stage {name!r} is there twice")
        if self.stages[0].stage or self.stages[0].where:
            raise ValueError(f"stage {names[0]!r}: the first stage is all leads and has neither stage nor where")
        for stage in self.stages[1:]:
            if not stage.stage and not stage.where:
                raise ValueError(f"stage {stage.name!r}: write stage or where")


def read_layout(workspace: Path, name: str) -> FunnelLayout:
    """The funnel ``name`` of the workspace. Raises `ConfigError`, also where there is none."""
    found = read_folder(FunnelLayout, workspace / FOLDER)
    if name not in found:
        raise ConfigError(
            f"--layout: there is no funnel {name!r}",
            hint=f"Funnels: {', '.join(found)}" if found else f"Write one: {FOLDER}/{name}.toml",
        )
    return found[name]
