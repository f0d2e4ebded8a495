"""What a use case is handed: the workspace, the settings, the plugins, a clock, a seed and who is acting.

Nothing else reads the clock, draws a random number, or decides what "as of" means.
"""

from __future__ import annotations

import copy
import os
import sys
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from datetime import UTC, date, datetime, time, timedelta
from functools import cached_property
from pathlib import Path
from types import TracebackType
from typing import TYPE_CHECKING, Any, Protocol
from uuid import uuid4

from sfactl.api.errors import UserError
from sfactl.config.settings import Settings
from sfactl.engine.duck import Limits, Query
from sfactl.schemas import Schemas
from sfactl.workspace.workspace import PRIVATE, Workspace

if TYPE_CHECKING:
    import random
    from zoneinfo import ZoneInfo

    from sfactl.engine.links import Signer
    from sfactl.host import Host
    from sfactl.workspace import Ledger, Transaction
    from sfactl.workspace.fence import Fence

NOW_VARIABLE = "SFACTL_NOW"


class Clock(Protocol):
    """Tells the time."""

    def now(self) -> datetime:
        """Now, naive UTC."""
        ...


class SystemClock:
    """The machine's clock."""

    def now(self) -> datetime:
        """Now, naive UTC."""
        return datetime.now(UTC).replace(tzinfo=None)


class FixedClock:
    """A clock that stands still until it is moved: for tests, simulations and made-up worlds."""

    def __init__(self, at: datetime) -> None:
        self.at = at

    def now(self) -> datetime:
        """The time it was set to, naive UTC."""
        return self.at

    def advance(self, by: timedelta) -> None:
        """Move it forward."""
        self.at += by


class Session:
    """One command's, or one script's, view of a workspace. Use it as a context manager, or `close` it."""

    def __init__(
        self,
        workspace: Workspace,
        *,
        settings: Settings,
        clock: Clock,
        command: str,
        actor: str,
        seed: int = 0,
        dry_run: bool = False,
        as_of: str | None = None,
        quiet: bool = False,
        plugins_disabled: Sequence[str] = (),
    ) -> None:
        self.workspace = workspace
        self.folder = workspace.folder
        self.settings = settings
        self.clock = clock
        self.command = command
        self.actor = actor
        self.seed = seed
        self.dry_run = dry_run
        self.as_of = as_of
        self.quiet = quiet
        self.run_id = uuid4().hex
        self.fence: Fence | None = None
        self._plugins_disabled = tuple(plugins_disabled)

    def over(self, folder: Path) -> Session:
        """The same data with the rules of another folder, so that files can be checked before they are put in place.

        Nothing may be written through it, and it is closed with this one.
        """
        other = copy.copy(self)
        other.folder = folder
        other.dry_run = True
        return other

    @cached_property
    def host(self) -> Host:
        """The plugins; found on first use."""
        from sfactl.host import Host

        return Host(
            disabled=self._plugins_disabled,
            folder=self.folder,
            tenant=self.workspace.id,
            now=self.now,
            on_note=self.note,
        )

    @cached_property
    def ledger(self) -> Ledger:
        """The ledger of outside effects, on this session's clock."""
        return self.workspace.ledger(self.now, self.fence)

    @property
    def zone(self) -> ZoneInfo:
        """The workspace's time zone."""
        from zoneinfo import ZoneInfo

        return ZoneInfo(self.settings.workspace.time_zone)

    @cached_property
    def links(self) -> Signer:
        """Signs and reads the links in messages. Raises `ConfigError` where a secret of ``[collect]`` is not there."""
        from sfactl.engine.links import Signer
        from sfactl.host.secrets import resolve

        said = self.settings.collect
        given = said.link_secret
        own = resolve(given, self.folder) if given else self.workspace.link_secret(dry_run=self.dry_run)
        former = [resolve(said.former_secret, self.folder)] if said.former_secret else []
        return Signer([*former, own])

    def now(self) -> datetime:
        """The time of this run, naive UTC."""
        return self.clock.now()

    def today(self) -> date:
        """Today in the workspace's time zone."""
        return self.now().replace(tzinfo=UTC).astimezone(self.zone).date()

    def random(self, *parts: object) -> random.Random:
        """Random numbers that depend only on the seed and on ``parts``."""
        import random
        from hashlib import blake2b

        text = "\x1f".join([str(self.seed), *map(str, parts)])
        return random.Random(int.from_bytes(blake2b(text.encode(), digest_size=16).digest()))  # noqa: S311

    def query(self, as_of: str | int | None = None) -> Query:
        """A query on the data as it was known at ``as_of`` (default: the command's ``--as-of``, else now)."""
        return self.workspace.query(self.seq(as_of if as_of is not None else self.as_of))

    def seq(self, as_of: str | int | None) -> int | None:
        """The commit that ``as_of`` means; None for now.

        A number is a commit. A date is the end of that day, a time that moment, in the workspace's zone unless it says
        another. Raises `UserError`.
        """
        if as_of is None or isinstance(as_of, int):
            return as_of
        if as_of.isdigit() and len(as_of) < 8:
            return int(as_of)
        return self.workspace.seq_at(self.moment(as_of))

    def moment(self, text: str) -> datetime:
        """The naive UTC time of a date (its last microsecond) or of a time. Raises `UserError`."""
        try:
            if len(text) == 10:
                next_day = datetime.combine(date.fromisoformat(text) + timedelta(days=1), time(), self.zone)
                return next_day.astimezone(UTC).replace(tzinfo=None) - timedelta(microseconds=1)
            at = datetime.fromisoformat(text)
        except ValueError:
            raise UserError(
                f"{text!r} is not a commit number, a date or a time",
                hint="Write 1043, 2026-11-21 or 2026-11-21T09:00.",
            ) from None
        return (at if at.tzinfo else at.replace(tzinfo=self.zone)).astimezone(UTC).replace(tzinfo=None)

    def as_of_time(self) -> datetime:
        """The time for which this command computes: ``--as-of``, else now. A commit number means its own time."""
        if self.as_of is None:
            return self.now()
        if self.as_of.isdigit() and len(self.as_of) < 8:
            return self.workspace.commit_time(int(self.as_of)) or self.now()
        return self.moment(self.as_of)

    @contextmanager
    def write(self, *datasets: str, reason: str | None = None, key: str | None = None) -> Iterator[Transaction]:
        """Change ``datasets`` in one atomic commit, holding their locks; none for a blind append.

        ``key`` makes a repeat a no-op (then ``tx.repeated`` is the earlier commit). A dry run collects and measures,
        but its commit writes nothing.
        """
        from sfactl.workspace.transaction import Author

        author = Author(
            actor=self.actor,
            command=self.command,
            run_id=self.run_id,
            at=self.now(),
            reason=reason,
            fence=self.fence,
        )
        with self.workspace.transaction(author, *datasets, key=key, dry_run=self.dry_run) as tx:
            yield tx
        if tx.committed is not None and tx.committed.seq is not None:
            from sfactl.workspace.compaction import tidy

            tidy(self.workspace, author)

    def reserve(self, kind: str, n: int = 1) -> int:
        """The first of ``n`` fresh numbers for ``kind``; gaps are fine."""
        return self.workspace.reserve(kind, n, dry_run=self.dry_run)

    def note(self, text: str) -> None:
        """Tell the person at the prompt something that is not a result."""
        if not self.quiet:
            print(text, file=sys.stderr)

    def progress(self, what: str, total: int | None = None) -> Progress:
        """Progress of work that may take over a second; shown on a terminal only."""
        return Progress(what, total, shown=not self.quiet and sys.stderr.isatty())

    def notify(self, hook: str, summary: Mapping[str, Any]) -> None:
        """Tell the plugins; never in a dry run. What a plugin does wrong is recorded, not raised."""
        if not self.dry_run:
            self.host.notify(hook, dict(summary))

    @contextmanager
    def part(self, command: str, *, run_id: str, fence: Fence) -> Iterator[Session]:
        """A session on the same workspace that writes as ``command`` of the run ``run_id``, under ``fence`` only."""
        made = Session(
            self.workspace,
            settings=self.settings,
            clock=self.clock,
            command=command,
            actor=self.actor,
            seed=self.seed,
            quiet=True,
            plugins_disabled=self._plugins_disabled,
        )
        made.run_id, made.fence = run_id, fence
        try:
            yield made
        finally:
            if "host" in vars(made):
                made.host.close()

    def close(self) -> None:
        """Close the workspace, and the plugins' connections if any plugin was asked."""
        if "host" in vars(self):
            self.host.close()
        self.workspace.close()

    def __enter__(self) -> Session:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()


class Progress:
    """A line on stderr that is rewritten in place, at most ten times a second."""

    def __init__(self, what: str, total: int | None, *, shown: bool) -> None:
        self._what = what
        self._total = total
        self._shown = shown
        self._done = 0
        self._drawn = 0.0

    def advance(self, n: int = 1) -> None:
        """``n`` more are done."""
        import time as clock

        self._done += n
        if self._shown and clock.monotonic() - self._drawn > 0.1:
            self._drawn = clock.monotonic()
            share = f" of {self._total:,}" if self._total else ""
            sys.stderr.write(f"\r\x1b[K{self._what} {self._done:,}{share}")
            sys.stderr.flush()

    def __enter__(self) -> Progress:
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, tb: TracebackType | None) -> None:
        if self._shown and self._drawn:
            sys.stderr.write("\r\x1b[K")
            sys.stderr.flush()


def open_session(
    folder: Path,
    *,
    settings: Settings,
    command: str,
    actor: str,
    dry_run: bool = False,
    as_of: str | None = None,
    clock: Clock | None = None,
    seed: int = 0,
    quiet: bool = False,
    plugins_disabled: Sequence[str] = (),
) -> Session:
    """Open the workspace in ``folder`` for one command. Raises `NotFound` or `StorageError`."""
    private = folder.resolve() / PRIVATE
    limits = Limits(
        memory=settings.engine.memory_limit,
        threads=settings.engine.threads,
        spill=None if dry_run else private / "tmp",
    )
    workspace = Workspace.open(
        folder, schemas=Schemas(settings.fields, zone=settings.workspace.time_zone), limits=limits
    )
    return Session(
        workspace,
        settings=settings,
        clock=clock or environment_clock(),
        command=command,
        actor=actor or os.environ.get("USER", "unknown"),
        seed=seed,
        dry_run=dry_run,
        as_of=as_of,
        quiet=quiet,
        plugins_disabled=plugins_disabled,
    )


def environment_clock() -> Clock:
    """The machine's clock, or the one that SFACTL_NOW (an ISO time, UTC unless it says another zone) sets."""
    said = os.environ.get(NOW_VARIABLE)
    if not said:
        return SystemClock()
    try:
        at = datetime.fromisoformat(said)
    except ValueError:
        raise UserError(f"{NOW_VARIABLE}: {said!r} is not an ISO time") from None
    return FixedClock(at.astimezone(UTC).replace(tzinfo=None) if at.tzinfo else at)
