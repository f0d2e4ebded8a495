"""A runner's number in the line of runners: what is written under it is refused once there is a newer one."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from sfactl.api.errors import Conflict

if TYPE_CHECKING:
    import sqlite3


@dataclass(frozen=True, slots=True, kw_only=True)
class Fence:
    """The token of one runner of ``scope``; tokens only rise."""

    scope: str
    token: int

    def check(self, db: sqlite3.Connection) -> None:
        """Refuse to go on where another runner has taken over; asked inside the transaction that writes.

        Raises `Conflict`.
        """
        row = db.execute("select token from fences where scope = ?", (self.scope,)).fetchone()
        if row is None or row[0] != self.token:
            raise Conflict(f"another runner has taken over {self.scope}", hint="Run the command again.")


def next_token(db: sqlite3.Connection, scope: str, run_id: str) -> int:
    """Take the next token of ``scope`` for the run; all earlier ones are worth nothing from now on."""
    db.execute(
        "insert into fences values (?, 1, ?) on conflict (scope) do update"
        " set token = token + 1, run_id = excluded.run_id",
        (scope, run_id),
    )
    (token,) = db.execute("select token from fences where scope = ?", (scope,)).fetchone()
    return int(token)
