"""The command ``assign sla``: which assigned leads got their first response in time."""

from __future__ import annotations

import click


def register(group: click.Group) -> None:
    """Add the command to the group ``assign``."""
