"""What reports look at, as options: the days, what was known or had happened by when, and a cell to drill into."""

from __future__ import annotations

import functools
from collections.abc import Callable
from dataclasses import dataclass
from datetime import date
from typing import TYPE_CHECKING, Any, TypeVar

import click

from sfactl.cli import options
from sfactl.cli.app import App
from sfactl.cli.kinds import DAY

if TYPE_CHECKING:
    from sfactl.insight.model import Scope
    from sfactl.session import Session

F = TypeVar("F", bound=Callable[..., Any])


@dataclass(frozen=True, slots=True, kw_only=True)
class Asked:
    """The options as given."""

    since: date | None = None
    until: date | None = None
    as_of: str | None = None
    valid_at: str | None = None

    def open(self, app: App) -> tuple[Session, Scope]:
        """The session and the scope that these options mean."""
        from sfactl.insight.model import Scope

        session = app.session(as_of=self.as_of)
        valid_at = session.moment(self.valid_at) if self.valid_at else None
        return session, Scope(since=self.since, until=self.until, valid_at=valid_at)


def period(*names: str, what: str = "leads first met") -> Callable[[F], F]:
    """``--from DAY`` and ``--until DAY`` (and further ``names`` for it), both included."""

    def add(command: F) -> F:
        until = click.option(
            "--until", *names, "until", type=DAY, metavar="DAY", help=f"Only {what} until DAY, DAY included."
        )
        return click.option("--from", "since", type=DAY, metavar="DAY", help=f"Only {what} from DAY on.")(
            until(command)
        )

    return add


def valid_at(command: F) -> F:
    """``--valid-at``: what had happened by then, as known now."""
    return click.option(
        "--valid-at", metavar="WHEN", default=None, help="Only what had happened by a date or time, as known now."
    )(command)


def scoped(*names: str, what: str = "leads first met") -> Callable[[F], F]:
    """``--from``, ``--until``, ``--as-of`` and ``--valid-at``, handed to the command as one `Asked` named ``asked``."""

    def add(command: F) -> F:
        @functools.wraps(command)
        def with_scope(
            *args: Any,
            since: date | None,
            until: date | None,
            as_of: str | None,
            valid_at: str | None,
            **kw: Any,
        ) -> Any:
            return command(*args, asked=Asked(since=since, until=until, as_of=as_of, valid_at=valid_at), **kw)

        decorated: Any = with_scope
        return period(*names, what=what)(options.as_of(valid_at(decorated)))  # type: ignore[no-any-return]

    return add


def drill(cells: str) -> Callable[[F], F]:
    """``--drill CELL``: the rows behind one number."""
    return click.option("--drill", "cell", default="", metavar="CELL", help=f"List the rows behind a cell: {cells}.")
