"""``sfactl touch``: messages sent and held, touchpoints, and addresses that must not be written to."""

from __future__ import annotations

from importlib import import_module

import click

from sfactl.cli import options
from sfactl.cli.app import App, Output, pass_app


@click.group()
def group() -> None:
    """Touchpoints and messages: what was sent, what is held, who must not be written to."""


@group.command("list")
@click.option(
    "--state",
    type=click.Choice(["accepted", "handed", "refused", "unknown", "sending", "planned", "dead"]),
    default=None,
    help="Only messages in this state; dead are those that were refused, or tried out.",
)
@click.option("--campaign", metavar="NAME", default=None, help="Only messages of this campaign.")
@options.limit(50)
@options.as_of
@options.output
@pass_app
def list_(app: App, state: str | None, campaign: str | None, limit: int, as_of: str | None, output: Output) -> None:
    """List messages, newest first: sent, refused, held as unknown, or on their way.

    \b
    Example:
      sfactl touch list --state unknown
      sfactl touch list --campaign spring-webinar --limit 10
    """
    from sfactl.campaigns import usecases

    found = usecases.messages(app.session(as_of=as_of), state=state or "", campaign=campaign or "", limit=limit)
    output.emit(found)


@group.command()
@click.argument("address")
@click.option("--reason", default="manual", show_default=True, help="unsubscribe, bounce, complaint, manual …")
@click.option("--scope", default="all", show_default=True, metavar="CAMPAIGN", help="all, or one campaign.")
@options.dry_run
@options.output
@pass_app
def suppress(app: App, address: str, reason: str, scope: str, dry_run: bool, output: Output) -> None:
    """Never write to ADDRESS (e-mail or phone) again. Runs under way heed it before their next batch.

    \b
    Example:
      sfactl touch suppress wang@example.com --reason complaint
    """
    from sfactl.campaigns import usecases

    result = usecases.suppress(app.session(dry_run=dry_run), address, reason=reason, scope=scope)
    verb = "is suppressed now" if result.changed else "was suppressed already"
    output.emit(result, human=lambda: [f"{result.value} {verb} ({result.scope})."])


@group.command()
@click.argument("address")
@click.option("--scope", default="all", show_default=True, metavar="CAMPAIGN", help="all, or one campaign.")
@options.dry_run
@options.output
@pass_app
def unsuppress(app: App, address: str, scope: str, dry_run: bool, output: Output) -> None:
    """Take ADDRESS off the list. A person's own unsubscribe stays in force.

    \b
    Example:
      sfactl touch unsuppress wang@example.com
    """
    from sfactl.campaigns import usecases

    result = usecases.unsuppress(app.session(dry_run=dry_run), address, scope=scope)
    verb = "may be written to again" if result.changed else "was not suppressed"
    output.emit(result, human=lambda: [f"{result.value} {verb} ({result.scope})."])


_PARTS = (
    "touch_resolve",
    "touch_import",
    "touch_bounces",
    "touch_replies",
    "touch_fetch",
    "touch_why",
    "touch_senders",
    "touch_stop",
    "touch_retry",
    "touch_domain",
    "touch_events",
    "touch_sign",
)
for _part in _PARTS:
    import_module(f"sfactl.cli.{_part}").register(group)
