"""What a journey file may say: nodes in their order, and the data by which a customer is found to have come to each."""

from __future__ import annotations

import difflib
from dataclasses import dataclass
from pathlib import Path

from sfactl.api.errors import NotFound, UserError
from sfactl.config.objects import read_object
from sfactl.engine.conditions.source import nearest
from sfactl.engine.periods import Period, parse_period

FOLDER = "journeys"


@dataclass(frozen=True, slots=True, kw_only=True)
class Node:
    """One node of a journey.

    ``reached`` is an expression about a lead that answers a time or a day, such as ``min(orders.at)``; the customer has
    come to the node at that time, ``after`` so long, if ``where`` holds. With ``needs`` it counts only where that
    earlier node had been come to by then. Who stays longer than ``stay`` is overdue.
    """

    name: str
    reached: str
    title: str = ""
    summary: str = ""
    where: str = ""
    after: str = ""
    needs: str = ""
    stay: str = ""

    def __post_init__(self) -> None:
        for text in (self.after, self.stay):
            if text:
                parse_period(text)

    @property
    def shift(self) -> Period:
        """How long after the time of ``reached``."""
        return parse_period(self.after) if self.after else Period()

    @property
    def longest(self) -> Period | None:
        """How long a customer may stay."""
        return parse_period(self.stay) if self.stay else None


@dataclass(frozen=True, slots=True, kw_only=True)
class Journey:
    """A file ``journeys/NAME.toml``: nodes in the order in which customers come to them."""

    name: str
    nodes: tuple[Node, ...]
    summary: str = ""

    def __post_init__(self) -> None:
        names = [node.name for node in self.nodes]
        if not names:
            raise ValueError("no nodes")
        for place, node in enumerate(self.nodes):
            if names.count(node.name) > 1:
                raise ValueError(f"node {node.name!r} is there twice")
            if node.needs and node.needs not in names[:place]:
                near = difflib.get_close_matches(node.needs, names[:place], 1)
                hint = f" Did you mean {near[0]!r}?" if near else ""
                raise ValueError(f"node {node.name!r}: needs: there is no earlier node {node.needs!r}.{hint}")


def paths(folder: Path) -> list[Path]:
    """The journey files of the workspace ``folder``, by name."""
    return sorted((folder / FOLDER).glob("*.toml"))


def read_journey(path: Path) -> Journey:
    """The journey in the file ``path``. Raises `ConfigError`."""
    return read_object(Journey, path, inject={"name": path.stem})


def chosen(folder: Path, name: str) -> Journey:
    """The journey ``name``, or the only one there is. Raises `NotFound`, `UserError` where it must be named."""
    known = [path.stem for path in paths(folder)]
    if not name and len(known) == 1:
        name = known[0]
    if not name:
        if known:
            raise UserError(f"which journey? Say --journey {' or --journey '.join(known)}")
        raise NotFound("there is no journey", hint=f"Write {FOLDER}/NAME.toml; the preset b2b has one of eight nodes.")
    if name not in known:
        near = nearest(name, known).strip()
        raise NotFound(f"there is no journey {name!r}", hint=near or f"Write {FOLDER}/{name}.toml")
    return read_journey(folder / FOLDER / f"{name}.toml")


def node_named(journey: Journey, name: str) -> int:
    """The place of the node ``name``, from 1. Raises `NotFound` with the nearest name."""
    names = [node.name for node in journey.nodes]
    if name not in names:
        raise NotFound(f"journey {journey.name} has no node {name!r}", hint=nearest(name, names).strip() or None)
    return names.index(name) + 1
