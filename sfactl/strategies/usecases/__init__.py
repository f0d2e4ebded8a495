"""What can be done with strategies."""

from sfactl.strategies.usecases.applying import apply, resume
from sfactl.strategies.usecases.deciding import decide
from sfactl.strategies.usecases.feeding import rows as feed_rows
from sfactl.strategies.usecases.feeding import totals as feed_totals
from sfactl.strategies.usecases.history import log
from sfactl.strategies.usecases.looking import check, items, samples, show, status, strategies, versions
from sfactl.strategies.usecases.migrating import migrate
from sfactl.strategies.usecases.pausing import pause, unpause
from sfactl.strategies.usecases.plans import approve, difference, plan
from sfactl.strategies.usecases.switching import switch
from sfactl.strategies.usecases.trying import preview, send_test

__all__ = [
    "apply",
    "approve",
    "check",
    "decide",
    "difference",
    "feed_rows",
    "feed_totals",
    "items",
    "log",
    "migrate",
    "pause",
    "plan",
    "preview",
    "resume",
    "samples",
    "send_test",
    "show",
    "status",
    "strategies",
    "switch",
    "unpause",
    "versions",
]
