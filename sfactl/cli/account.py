"""``sfactl account``: the companies that buy."""

from __future__ import annotations

import click

from sfactl.cli import account_profile, customer_text, lead_merge, options
from sfactl.cli.app import App, Output, pass_app


@click.group()
def group() -> None:
    """Accounts: companies and households, made when a lead is converted."""


@group.command("list")
@click.option("--owner", metavar="REP", help="Only the accounts of this rep.")
@options.limit(0)
@options.as_of
@options.output
@pass_app
def list_(app: App, *, owner: str | None, limit: int, as_of: str | None, output: Output) -> None:
    """List accounts with their contacts and deals.

    \b
    Example:
      sfactl account list --owner mei
    """
    from sfactl.opportunities.usecases import customers

    output.emit(customers.list_accounts(app.session(as_of=as_of), owner=owner, limit=limit))


@group.command()
@click.argument("ref", metavar="REF")
@options.as_of
@options.output
@pass_app
def show(app: App, *, ref: str, as_of: str | None, output: Output) -> None:
    """Show an account with its contacts, deals and the leads it came from.

    \b
    Example:
      sfactl account show account:12
    """
    from sfactl.opportunities.usecases import customers

    found = customers.show_account(app.session(as_of=as_of), ref)
    output.emit(found, human=lambda: customer_text.shown(found, "account", "name"))


lead_merge.register(group, "account")


account_profile.register(group)
