"""What can be done with campaigns and messages."""

from sfactl.campaigns.usecases.applying import apply, resume
from sfactl.campaigns.usecases.checking import check
from sfactl.campaigns.usecases.looking import campaigns, items, status
from sfactl.campaigns.usecases.messages import messages, suppress, unsuppress
from sfactl.campaigns.usecases.pausing import pause, unpause
from sfactl.campaigns.usecases.plans import approve, difference, plan
from sfactl.campaigns.usecases.previewing import preview
from sfactl.campaigns.usecases.resolving import resolve, resolve_file
from sfactl.campaigns.usecases.sampling import send_test
from sfactl.campaigns.usecases.stopping import standstill, start, stop
from sfactl.campaigns.usecases.templates import check_templates, preview_template, templates

__all__ = [
    "apply",
    "approve",
    "campaigns",
    "check",
    "check_templates",
    "difference",
    "items",
    "messages",
    "pause",
    "plan",
    "preview",
    "preview_template",
    "resolve",
    "resolve_file",
    "resume",
    "send_test",
    "standstill",
    "start",
    "status",
    "stop",
    "suppress",
    "templates",
    "unpause",
    "unsuppress",
]
