"""What can be done with campaigns and messages."""

from sfactl.campaigns.usecases.allowances import release, use_of_senders
from sfactl.campaigns.usecases.applying import apply, resume
from sfactl.campaigns.usecases.checking import check
from sfactl.campaigns.usecases.domains import check_domain, sign_mail
from sfactl.campaigns.usecases.looking import campaigns, items, status
from sfactl.campaigns.usecases.messages import messages, suppress, unsuppress
from sfactl.campaigns.usecases.pausing import pause, unpause
from sfactl.campaigns.usecases.plans import approve, difference, plan
from sfactl.campaigns.usecases.previewing import preview
from sfactl.campaigns.usecases.resolving import resolve, resolve_file
from sfactl.campaigns.usecases.retrying import retry
from sfactl.campaigns.usecases.sampling import send_test
from sfactl.campaigns.usecases.senders import senders
from sfactl.campaigns.usecases.stopping import standstill, start, stop
from sfactl.campaigns.usecases.templates import check_templates, preview_template, templates
from sfactl.campaigns.usecases.webhooks import headers_in, sign, verify_once

__all__ = [
    "apply",
    "approve",
    "campaigns",
    "check",
    "check_domain",
    "check_templates",
    "difference",
    "headers_in",
    "items",
    "messages",
    "pause",
    "plan",
    "preview",
    "preview_template",
    "release",
    "resolve",
    "resolve_file",
    "resume",
    "retry",
    "send_test",
    "senders",
    "sign",
    "sign_mail",
    "standstill",
    "start",
    "status",
    "stop",
    "suppress",
    "templates",
    "unpause",
    "unsuppress",
    "use_of_senders",
    "verify_once",
]
