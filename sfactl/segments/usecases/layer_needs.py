"""Which layers segments ask for, and how to have them ready before the segments are built."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import TYPE_CHECKING

from sfactl.segments import files
from sfactl.segments.layer_names import KINDS, Kind
from sfactl.segments.model import Segment

if TYPE_CHECKING:
    from sfactl.segments.layers import LayerRun
    from sfactl.session import Session


def refresh(session: Session, names: Sequence[str] = ()) -> tuple[LayerRun, ...]:
    """Run every layer that the segments ``names`` (default: all), or those they depend on, ask for."""
    asked = _asked(session, names)
    if not asked:
        return ()
    from sfactl.segments.layer_files import read_layers
    from sfactl.segments.usecases import layering  # late: most workspaces ask for none

    kinds: dict[str, Kind] = {kind: kind for kind in KINDS}
    kinds |= {name: layer.kind for name, layer in read_layers(session.folder).items()}
    return tuple(layering.run(session, kinds[name], name) for name in sorted(asked) if name in kinds)


def never_run(session: Session, names: Sequence[str] = ()) -> tuple[str, ...]:
    """The layers that the segments ask for and that hold nobody yet: their terms are unknown for every customer."""
    asked = _asked(session, names)
    if not asked:
        return ()
    with session.query() as query:
        stored = {row[0] for row in query.rows("select distinct layer from layers")}
    return tuple(sorted(asked - stored))


def _asked(session: Session, names: Sequence[str]) -> set[str]:
    # Most workspaces ask for none, and a rebuild must not pay for reading its files twice.
    texts = (path.read_bytes() for path in (session.folder / files.FOLDER).glob("*.toml"))
    if not any(b"layer" in text.lower() for text in texts):
        return set()
    segments = files.read_segments(session.folder)
    return _layers_in(files.with_used(segments, names) if names else segments.values())


def _layers_in(segments: Iterable[Segment]) -> set[str]:
    found: set[str] = set()
    for segment in segments:
        if "layer" not in segment.where.lower():
            continue  # the parser is not free
        from sqlglot import exp

        from sfactl.engine.conditions.scope import LAYER
        from sfactl.engine.conditions.source import Source

        tree = Source(text=segment.where, where=f"{files.FOLDER}/{segment.name}.toml: where").parse()
        for column in tree.find_all(exp.Column):
            parts = [part.name for part in column.parts]
            if len(parts) > 1 and parts[0].lower() == LAYER:
                found.add(parts[1])
    return found
