"""What can be done with campaigns and messages."""

from sfactl.campaigns.usecases.applying import apply, resume
from sfactl.campaigns.usecases.checking import check, preview
from sfactl.campaigns.usecases.domains import check_domain
from sfactl.campaigns.usecases.looking import campaigns, items, status
from sfactl.campaigns.usecases.messages import messages, suppress, unsuppress
from sfactl.campaigns.usecases.pausing import pause, unpause
from sfactl.campaigns.usecases.plans import approve, difference, plan
from sfactl.campaigns.usecases.resolving import resolve, resolve_file
from sfactl.campaigns.usecases.retrying import retry
from sfactl.campaigns.usecases.senders import senders
from sfactl.campaigns.usecases.stopping import standstill, start, stop
from sfactl.campaigns.usecases.webhooks import headers_in, sign, verify_once

__all__ = [
    "apply",
    "approve",
    "campaigns",
    "check",
    "check_domain",
    "difference",
    "headers_in",
    "items",
    "messages",
    "pause",
    "plan",
    "preview",
    "resolve",
    "resolve_file",
    "resume",
    "retry",
    "senders",
    "sign",
    "standstill",
    "start",
    "status",
    "stop",
    "suppress",
    "unpause",
    "unsuppress",
    "verify_once",
]
