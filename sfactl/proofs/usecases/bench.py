"""What all trials of a run share: the session, the files they test, and the made-up world of each clock time."""

from __future__ import annotations

import os
from collections.abc import Callable, Mapping, Sequence
from functools import cached_property
from typing import TYPE_CHECKING, TypeVar

from sfactl.config.tags import known_tags
from sfactl.engine.duck import Limits, Query
from sfactl.proofs.model import Row, Trial
from sfactl.proofs.world import world, world_of
from sfactl.schemas import Schemas

if TYPE_CHECKING:
    from sfactl.session import Session

T = TypeVar("T")


class Bench:
    """The workbench of one run. Use it as a context manager."""

    def __init__(self, session: Session, room: int = 1) -> None:
        """``room`` is more than the greatest number of a trial."""
        self.session = session
        self.room = room
        self._queries: dict[object, Query] = {}

    @property
    def schemas(self) -> Schemas:
        """The datasets of the workspace, with its custom fields."""
        return self.session.workspace.schemas

    @cached_property
    def tags(self) -> set[str] | None:
        """The tags that conditions may ask for; None where they are not checked."""
        found = known_tags(self.session.folder)
        return None if found is None else set(found)

    @cached_property
    def scores(self) -> set[str]:
        """The scores that conditions may ask for."""
        return self._names("scores")

    @cached_property
    def segments(self) -> set[str]:
        """The segments that conditions may ask for."""
        return self._names("segments")

    def types(self, dataset: str) -> Mapping[str, str]:
        """The SQL types of the columns of a dataset; of leads where none is named."""
        name = dataset or "leads"
        return self.schemas[name].types if name in self.schemas else {}

    def world(self, trials: Sequence[Trial]) -> Query:
        """The query on the rows of ``trials``; the same trials share one."""
        return self._kept(("trials", *(trial.number for trial in trials)), lambda: world(trials, *self._ground))

    def surroundings(self, key: object, rows: dict[str, Sequence[Row]]) -> Query:
        """The query on ``rows``, kept under ``key``."""
        return self._kept(("rows", key), lambda: world_of(rows, *self._ground))

    def close(self) -> None:
        """Let go of all worlds."""
        for query in self._queries.values():
            query.close()
        self._queries.clear()

    def __enter__(self) -> Bench:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    @property
    def limits(self) -> Limits:
        """How much of the machine a made-up world may take: it is small, and threads would only wait for each other."""
        return Limits(memory=self.session.settings.engine.memory_limit, threads=1, small=True)

    @property
    def cores(self) -> int:
        """How many worlds may be at work at once."""
        return self.session.settings.engine.threads or os.cpu_count() or 1

    @property
    def _ground(self) -> tuple[Schemas, Limits]:
        return self.schemas, self.limits

    def _kept(self, key: object, make: Callable[[], Query]) -> Query:
        if key not in self._queries:
            self._queries[key] = make()
        return self._queries[key]

    def _names(self, folder: str) -> set[str]:
        return {path.stem for path in (self.session.folder / folder).glob("*.toml")}
