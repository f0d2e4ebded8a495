"""Pipelines: the stages of a deal, how likely each wins, what must be known to enter or leave, and where to go next.

One file ``stages/NAME.toml`` is one pipeline; the order of ``[[stages]]`` is the order of the pipeline. This module
decides whether a move is allowed and which fields it misses. It refuses a stage that is not written down.
"""

from __future__ import annotations

import difflib
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal

from sfactl.api.errors import NotFound, PolicyError
from sfactl.config.objects import read_object

Category = Literal["open", "won", "lost"]

DEFAULT = "opportunity"
"""The pipeline of a deal where nobody names another."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Stage:
    """One stage.

    ``enter`` names the fields that must be filled to come in. ``leave`` names the exit criteria: the fields that must
    be filled to go on to a later open stage or to a won one (not to go back, nor to lose). ``moves`` names the stages
    that may follow; empty means any stage from an open one, and none from a won or lost one. ``effort_h`` is the hours
    of work that a deal in it still takes, where the deal does not say; 0 where nobody knows.
    """

    name: str
    probability: float
    category: Category = "open"
    summary: str = ""
    enter: tuple[str, ...] = ()
    leave: tuple[str, ...] = ()
    moves: tuple[str, ...] = ()
    effort_h: float = 0.0

    def __post_init__(self) -> None:
        if not 0 <= self.probability <= 1:
            raise ValueError(f"stage {self.name!r}: probability {self.probability} is not between 0 and 1")
        if self.effort_h < 0:
            raise ValueError(f"stage {self.name!r}: effort_h {self.effort_h:g} is below 0")
        certain = {"won": 1.0, "lost": 0.0}.get(self.category)
        if certain is not None and self.probability != certain:
            raise ValueError(
                f"stage {self.name!r}: a {self.category} stage has probability {certain:g}, not {self.probability}"
            )


@dataclass(frozen=True, slots=True, kw_only=True)
class Pipeline:
    """Stages in their order, and the reasons for which a deal may be lost (empty: any text)."""

    name: str
    stages: tuple[Stage, ...]
    summary: str = ""
    loss_reasons: tuple[str, ...] = ()

    def __post_init__(self) -> None:
        names = [s.name for s in self.stages]
        for name in names:
            if names.count(name) > 1:
                raise ValueError(f"stage {name!r} is there twice")
        for category in ("open", "won", "lost"):
            if not self.of(category):
                raise ValueError(f"no stage has category {category!r}; every pipeline needs one")
        for stage in self.stages:
            for target in stage.moves:
                if target not in names:
                    raise ValueError(f"stage {stage.name!r}: moves: unknown stage {target!r}.{_near(target, names)}")

    @property
    def first(self) -> Stage:
        """The stage in which a deal begins: the first open one."""
        return self.of("open")[0]

    def of(self, category: str) -> tuple[Stage, ...]:
        """The stages of one category, in order."""
        return tuple(s for s in self.stages if s.category == category)

    def order(self, name: str) -> int:
        """The place of a stage, from 0."""
        return self.stages.index(self.stage(name))

    def stage(self, name: str) -> Stage:
        """The stage called ``name``. Raises `NotFound` with the nearest name."""
        for stage in self.stages:
            if stage.name == name:
                return stage
        names = [s.name for s in self.stages]
        raise NotFound(
            f"pipeline {self.name}: there is no stage {name!r}.{_near(name, names)}",
            hint=f"Stages of {self.name}: {', '.join(names)}",
        )

    def check_move(self, old: str, new: str, row: Mapping[str, Any]) -> Stage:
        """The stage ``new``, if a deal with the values ``row`` may go there from ``old``.

        Raises `PolicyError` naming the rule that forbids it, or the fields that are still empty.
        """
        source, target = self.stage(old), self.stage(new)
        if source.name == target.name:
            raise PolicyError(f"the deal is in stage {old} already")
        if not source.moves and source.category != "open":
            raise PolicyError(f"{self.name}: a deal in {old} is closed ({source.category}) and moves nowhere")
        if source.moves and new not in source.moves:
            raise PolicyError(
                f"{self.name}: no move from {old} to {new}",
                hint=f"From {old} a deal may go to: {', '.join(source.moves)}",
            )
        needed = self.required(source, target)
        if missing := [field for field in needed if is_empty(row.get(field))]:
            rule = f"enter {new}" if set(missing) & set(target.enter) else f"leave {old}"
            raise PolicyError(
                f"{self.name}: to {rule}, {', '.join(missing)} must be filled",
                hint="Give it with the move: " + " ".join(f"--set {field}=…" for field in missing),
            )
        return target

    def required(self, source: Stage | None, target: Stage) -> tuple[str, ...]:
        """The fields that a move from ``source`` (None: a new deal) to ``target`` needs, each once, in stated order."""
        onward = (
            source is not None
            and target.category != "lost"
            and (target.category == "won" or self.order(target.name) > self.order(source.name))
        )
        leave = source.leave if source is not None and onward else ()
        return tuple(dict.fromkeys((*leave, *target.enter)))

    def check_loss_reason(self, reason: str) -> str:
        """``reason``, if the pipeline knows it or knows none. Raises `PolicyError` with the nearest one."""
        if self.loss_reasons and reason not in self.loss_reasons:
            raise PolicyError(
                f"{self.name}: unknown loss reason {reason!r}.{_near(reason, self.loss_reasons)}",
                hint=f"Loss reasons: {', '.join(self.loss_reasons)}",
            )
        return reason


STANDARD = Pipeline(
    name=DEFAULT,
    summary="New business, for a workspace that has no stages folder",
    stages=(
        Stage(name="qualification", probability=0.1),
        Stage(name="needs", probability=0.25),
        Stage(name="proposal", probability=0.5),
        Stage(name="negotiation", probability=0.75),
        Stage(name="won", probability=1.0, category="won"),
        Stage(name="lost", probability=0.0, category="lost"),
    ),
)
"""What a workspace without a ``stages`` folder uses."""


def read_pipelines(workspace: Path) -> dict[str, Pipeline]:
    """All pipelines of a workspace by name; `STANDARD` alone where the folder ``stages`` has no file.

    Raises `ConfigError` naming file and key.
    """
    files = sorted((workspace / "stages").glob("*.toml"))
    if not files:
        return {STANDARD.name: STANDARD}
    return {f.stem: read_object(Pipeline, f, inject={"name": f.stem}) for f in files}


def pipeline_of(pipelines: Mapping[str, Pipeline], name: str | None) -> Pipeline:
    """The pipeline called ``name``; None means `DEFAULT`, or the only one there is. Raises `NotFound`."""
    if name is None and DEFAULT not in pipelines and len(pipelines) == 1:
        return next(iter(pipelines.values()))
    wanted = name or DEFAULT
    if wanted in pipelines:
        return pipelines[wanted]
    raise NotFound(
        f"there is no pipeline {wanted!r}.{_near(wanted, pipelines)}",
        hint=f"Pipelines: {', '.join(pipelines)} (files in stages/)",
    )


def is_empty(value: Any) -> bool:
    """Nothing, or a text of blanks: a field that is not filled."""
    return value is None or (isinstance(value, str) and not value.strip())


def _near(name: str, names: Iterable[str]) -> str:
    found = difflib.get_close_matches(name, list(names), 1)
    return f" Did you mean {found[0]!r}?" if found else ""
