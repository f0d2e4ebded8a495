"""Read layer files. Each kind has a layer of its own name even without a file, with the shipped settings."""

from __future__ import annotations

from pathlib import Path
from typing import TypeVar

from sfactl.api.errors import ConfigError, NotFound, UserError
from sfactl.api.rfm import Ranking
from sfactl.config.objects import build, read_folder
from sfactl.segments.layer_names import FOLDER, KINDS, Kind
from sfactl.segments.layers import CodedRanking, Layer, LifecycleRules, PreferenceRules

SETTINGS: dict[Kind, type] = {
    "rfm": Ranking,
    "rfa": CodedRanking,
    "lifecycle": LifecycleRules,
    "preference": PreferenceRules,
}
"""What ``[settings]`` is read into."""

T = TypeVar("T")


def read_layers(folder: Path) -> dict[str, Layer]:
    """All layers of the workspace ``folder`` that have a file, by name. Raises `ConfigError`."""
    layers = read_folder(Layer, folder / FOLDER)
    for layer in layers.values():
        if layer.name in KINDS and layer.name != layer.kind:
            raise ConfigError(f"{_file(layer)}: kind: a layer of kind {layer.kind!r} may not be called {layer.name!r}")
        if layer.classes and layer.kind not in ("rfm", "rfa"):
            raise ConfigError(f"{_file(layer)}: classes: a layer of kind {layer.kind!r} has its own")
        settings: object = settings_of(layer, SETTINGS[layer.kind])
        if isinstance(settings, Ranking):
            _check_classes(layer, settings)
    return layers


def chosen(layers: dict[str, Layer], kind: Kind, name: str | None) -> Layer:
    """The layer ``name`` of ``kind``; without a name the only one, or the one called like the kind."""
    own = {known: layer for known, layer in layers.items() if layer.kind == kind}
    own.setdefault(kind, Layer(name=kind, kind=kind))
    if name is not None and name not in own:
        if name in layers:
            raise UserError(f"layer {name!r} is of kind {layers[name].kind!r}, not {kind!r}")
        from sfactl.engine.conditions.source import nearest  # late: what only reads names does not pay for the parser

        raise NotFound(
            f"there is no layer {name!r}.{nearest(name, own)}", hint=f"Layers of kind {kind}: {', '.join(own)}"
        )
    written = [known for known in own if known in layers]
    if name is None and kind not in written and len(written) > 1:
        raise UserError(f"there are several layers of kind {kind!r}: {', '.join(written)}", hint="Name one.")
    return own[name or (written[0] if len(written) == 1 else kind)]


def settings_of(layer: Layer, cls: type[T]) -> T:
    """The settings of ``layer``. Raises `ConfigError` with file and key."""
    return build(cls, layer.settings, where=_file(layer), path="settings")


def _check_classes(layer: Layer, ranking: Ranking) -> None:
    names = [rule.name for rule in layer.classes]
    for number, rule in enumerate(layer.classes):
        if rule.name in names[:number]:
            raise ConfigError(f"{_file(layer)}: classes[{number}].name: {rule.name!r} is there twice")
        for axis in ("recency", "frequency", "third"):
            ends, most = getattr(rule, axis), ranking.classes(axis)
            if ends and ends[1] > most:
                raise ConfigError(
                    f"{_file(layer)}: classes[{number}].{axis}: {ends[1]}, but there are {most} classes of {axis}"
                )


def _file(layer: Layer) -> str:
    return f"{FOLDER}/{layer.name}.toml"
