"""``sfactl contact``: the people at accounts."""

from __future__ import annotations

import click

from sfactl.cli import customer_text, lead_merge, options
from sfactl.cli.app import App, Output, pass_app


@click.group()
def group() -> None:
    """Contacts: people at accounts, made when a lead is converted."""


@group.command("list")
@click.option("--owner", metavar="REP", help="Only the contacts of this rep.")
@options.limit(0)
@options.as_of
@options.output
@pass_app
def list_(app: App, *, owner: str | None, limit: int, as_of: str | None, output: Output) -> None:
    """List contacts.

    \b
    Example:
      sfactl contact list --format csv
    """
    from sfactl.opportunities.usecases import customers

    output.emit(customers.list_contacts(app.session(as_of=as_of), owner=owner, limit=limit))


@group.command()
@click.argument("ref", metavar="REF")
@options.as_of
@options.output
@pass_app
def show(app: App, *, ref: str, as_of: str | None, output: Output) -> None:
    """Show a contact with the account and the deals.

    \b
    Example:
      sfactl contact show contact:7
    """
    from sfactl.opportunities.usecases import customers

    found = customers.show_contact(app.session(as_of=as_of), ref)
    output.emit(found, human=lambda: customer_text.shown(found, "contact", "full_name"))


lead_merge.register(group, "contact")
