"""``sfactl strategy``: what is done with customers who meet a condition, step by step."""

from __future__ import annotations

from importlib import import_module

import click


@click.group()
def group() -> None:
    """Strategies: what is done with customers who meet a condition, step by step."""


import_module("sfactl.cli.strategy_test").register(group)
