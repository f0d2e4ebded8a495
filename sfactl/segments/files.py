"""Read segment files and put them in the order in which they depend on each other."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path

from sfactl.api.errors import ConfigError, NotFound
from sfactl.config.objects import read_object
from sfactl.engine.conditions import Condition
from sfactl.segments.model import Segment

FOLDER = "segments"


def read_segments(folder: Path) -> dict[str, Segment]:
    """All segments of the workspace ``folder`` by name."""
    return {path.stem: read_segment(path) for path in sorted((folder / FOLDER).glob("*.toml"))}


def read_segment(path: Path) -> Segment:
    """The segment in the file ``path``. Raises `ConfigError`."""
    return read_object(Segment, path, inject={"name": path.stem})


def named(segments: Mapping[str, Segment], name: str) -> Segment:
    """The segment ``name``; raises `NotFound` with the nearest name."""
    if name not in segments:
        from sfactl.engine.conditions.source import nearest

        near = nearest(name, segments).strip()
        raise NotFound(f"there is no segment {name!r}", hint=near or "See: sfactl segment list")
    return segments[name]


def as_conditions(segments: Iterable[Segment]) -> list[Condition]:
    """The segments as conditions to compile."""
    return [Condition(name=s.name, text=s.where, where=f"{FOLDER}/{s.name}.toml: where") for s in segments]


def with_used(segments: Mapping[str, Segment], names: Sequence[str]) -> list[Segment]:
    """The segments ``names`` and all that they depend on, in the order of ``segments``."""
    wanted, open_names = set(names), list(names)
    while open_names:
        segment = named(segments, open_names.pop())
        if "member_of" not in segment.where.lower():
            continue
        from sfactl.engine.conditions.compile import segments_in  # late: few segments ask for others
        from sfactl.engine.conditions.source import Source

        tree = Source(text=segment.where, where=f"{FOLDER}/{segment.name}.toml: where").parse()
        for used in segments_in(tree):
            if used in segments and used not in wanted:
                wanted.add(used)
                open_names.append(used)
    return [segment for name, segment in segments.items() if name in wanted]


def score_names(folder: Path) -> set[str]:
    """The scores that a condition may ask for."""
    return {path.stem for path in (folder / "scores").glob("*.toml")}


def check_names(paths: Sequence[Path]) -> None:
    """Raise `ConfigError` for a file that is not a TOML file."""
    for path in paths:
        if path.suffix != ".toml":
            raise ConfigError(f"{path}: a segment is a file NAME.toml")
