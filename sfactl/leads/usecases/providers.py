"""Providers of outside data: the files in enrichers/, checked, and made ready to be asked."""

from __future__ import annotations

import difflib
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from sfactl.api.errors import ConfigError, NotFound
from sfactl.config.objects import build
from sfactl.leads.enriching import Distance, distance_problem, field_problem, read_place

if TYPE_CHECKING:
    from sfactl.host.model import Found
    from sfactl.session import Session

OURS = ("distance",)
"""Keys of an enricher's file that are the core's own."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Provider:
    """An enricher, made ready: its name, the offer it stands for, and the distance that is asked for."""

    name: str
    found: Found
    enricher: Any
    distance: Distance

    @property
    def where(self) -> str:
        """Its file, for messages."""
        return f"enrichers/{self.name}.toml"


def check(session: Session) -> Iterator[str]:
    """Mistakes of the files in enrichers/ that only the schemas can tell, or the files they name."""
    types = session.workspace.schemas["leads"].types
    for said, table in session.settings.enrichers.items():
        where = f"enrichers/{said}.toml"
        columns = table.get("columns", {}) if table["use"] == "file" else {}
        yield from (f"{where}: columns.{f}: {p}" for f in columns if (p := field_problem(f, types)))
        try:
            distance = _distance(table, where)
            if "distance" in table and (problem := distance_problem(distance, types)):
                yield f"{where}: distance.field: {problem}"
            if table["use"] == "file":
                from sfactl.leads.file_enricher import inside

                inside(session.folder, str(table.get("file", "")))
        except ConfigError as err:
            yield err.message if err.message.startswith(where) else f"{where}: {err.message}"


def provider_of(session: Session, said: str, distance_from: str | None) -> Provider:
    """The provider of the file ``said``, ready to be asked. Raises `NotFound`, `ConfigError`, `PluginError`."""
    tables = session.settings.enrichers
    if said not in tables:
        near = difflib.get_close_matches(said, list(tables), 1)
        hint = f"Did you mean {near[0]!r}?" if near else f'Write enrichers/{said}.toml, for instance with use = "file".'
        raise NotFound(f"there is no provider {said!r}", hint=hint)
    table, where = tables[said], f"enrichers/{said}.toml"
    types = session.workspace.schemas["leads"].types
    distance = _distance(table, where)
    if distance_from is not None:
        distance = Distance(start=read_place(distance_from), field=distance.field)
    if distance.start and (problem := distance_problem(distance, types)):
        raise ConfigError(f"{where}: distance.field: {problem}")
    found = session.host.find("enricher", table["use"])
    own = {k: v for k, v in table.items() if k not in OURS}
    try:
        enricher = session.host.make("enricher", table["use"], own, where=where)
    except ConfigError as err:
        if err.message.startswith(where):
            raise
        raise ConfigError(f"{where}: {err.message}", hint=err.hint) from None
    for f in own.get("columns", {}) if found.builtin else ():
        if problem := field_problem(f, types):
            raise ConfigError(f"{where}: columns.{f}: {problem}")
    return Provider(name=said, found=found, enricher=enricher, distance=distance)


def _distance(table: Mapping[str, Any], where: str) -> Distance:
    said = table.get("distance", {})
    if not isinstance(said, Mapping):
        raise ConfigError(f"{where}: distance: {said!r} is not a table; write [distance] from = [25.0330, 121.5654]")
    return build(Distance, said, where=where, path="distance")
