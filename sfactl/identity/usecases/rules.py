"""The survivorship rules of a workspace: ``[survivorship.lead]``, ``.account`` and ``.contact`` in identity.toml."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING

from sfactl.api.errors import ConfigError
from sfactl.config.objects import build, check_version, read_toml
from sfactl.identity.survivorship import Survivorship, check_rules
from sfactl.schemas.references import ENTITIES

if TYPE_CHECKING:
    from sfactl.session import Session

FILE = "identity.toml"
TABLE = "survivorship"


def check(session: Session) -> list[str]:
    """What is wrong with the rules of the workspace, one message an entity."""
    found = []
    for entity in ENTITIES:
        try:
            read_rules(session, entity)
        except ConfigError as err:
            found.append(err.message)
    return list(dict.fromkeys(found))


def read_rules(session: Session, entity: str) -> Mapping[str, str]:
    """The workspace's own rules for ``entity``, field → rule. Raises `ConfigError` with file and key."""
    path = session.folder / FILE
    if not path.is_file():
        return {}
    raw = read_toml(path)
    check_version(raw, where=FILE)
    read = build(Survivorship, raw.get(TABLE, {}), where=FILE, path=TABLE)
    rules: Mapping[str, str] = getattr(read, entity)
    dataset = session.workspace.schemas[ENTITIES[entity][0]]
    check_rules(dataset, entity, rules, where=f"{FILE}: {TABLE}.{entity}")
    return rules
