"""Simulate a strategy on the past, alone or beside an edited wording. Reads the workspace; writes and sends nothing."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from contextlib import contextmanager
from collections.abc import Iterator
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from pathlib import Path
from typing import TYPE_CHECKING

from sfactl.api.errors import NotFound, UserError
from sfactl.campaigns.usecases.scene import place_of
from sfactl.config.objects import read_toml
from sfactl.engine.duck import Query
from sfactl.session import Session
from sfactl.simulation.counting import way
from sfactl.simulation.model import History, Simulation, Way
from sfactl.simulation.taking import Taker
from sfactl.simulation.ticks import Tick
from sfactl.simulation.usecases.past import Past, history_of, opened
from sfactl.simulation.usecases.running import run
from sfactl.strategies.book import Book, open_book, under_header, versions_in_flight
from sfactl.strategies.files import StrategyFile, check_strategy, parse_strategy, read_names, version
from sfactl.strategies.stepping import prefix_of

if TYPE_CHECKING:
    import pyarrow as pa
