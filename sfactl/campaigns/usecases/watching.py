"""Look, before each batch of a run, whether it may go on and whether the gate must be passed again."""

from __future__ import annotations

from collections.abc import Callable
from datetime import timedelta

from sfactl.campaigns.model import Campaign
from sfactl.campaigns.usecases.scene import GATES, expires_at, halted_by, moved_since
from sfactl.session import Session

GATE_HOLDS = timedelta(minutes=1)
"""How long a passed gate is good for: a window may have closed since."""


class Watch:
    """Watches from commit ``seq`` on, when the gate was passed. ``stop`` says why a run ends, if it does.

    ``overstepped`` says which limit of what may come back is overstepped.
    """

    def __init__(self, session: Session, campaign: Campaign, seq: int, overstepped: Callable[[], str]) -> None:
        self.stop = ""
        self.moved = False
        self._session = session
        self._campaign = campaign
        self._seq = seq
        self._since = session.now()
        self._end = expires_at(session, campaign)
        self._first = True
        self._overstepped = overstepped
        self._asked_at = -1

    def go_on(self) -> bool:
        """Whether the next batch may leave. Else the run stops, or the gate is to be passed again (``moved``)."""
        if not self.keep_waiting():
            return False
        head = self._session.workspace.head()
        stale = self._session.now() - self._since > GATE_HOLDS
        # The first batch has just passed. Without this a steady stream of commits could hold a run for ever.
        changed = not self._first and head != self._seq and moved_since(self._session, self._seq) & GATES
        self.moved = stale or bool(changed)
        self._seq = head
        self._first = False
        return not self.moved

    def keep_waiting(self) -> bool:
        """Whether it is worth waiting for the next batch; False once the run has to stop."""
        head = self._session.workspace.head()
        if self._end is not None and self._session.now() >= self._end:
            self.stop = "the campaign has ended"
        elif head != self._asked_at:
            self.stop = halted_by(self._session, self._campaign.name)
            self._asked_at = head
        self.stop = self.stop or self._overstepped()
        return not self.stop
