"""``sfactl opp role``: who has what to say in a deal; registered by the group ``opportunity``."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING

import click

from sfactl.cli import options
from sfactl.cli.app import App, Output, pass_app

if TYPE_CHECKING:
    from sfactl.opportunities.usecases.roles import Role, RoleChanged
    from sfactl.session import Session

ROLES = ("initiator", "user", "influencer", "decider", "approver", "buyer", "gatekeeper")


def register(group: click.Group) -> None:
    """Add the commands to ``group``."""
    group.add_command(role_group)


@click.group("role")
def role_group() -> None:
    """The buying centre of a deal: who decides, who buys, who uses."""


@role_group.command()
@click.argument("ref", metavar="REF")
@click.argument("lead", metavar="LEAD")
@click.argument("role", type=click.Choice(ROLES))
@options.dry_run
@options.output
@pass_app
def add(app: App, ref: str, lead: str, role: Role, *, dry_run: bool, output: Output) -> None:
    """Say what a LEAD (a number or an e-mail address) has to say in a deal.

    \b
    Example:
      sfactl opp role add opp:12 wang@example.com decider
    """
    from sfactl.opportunities.usecases import roles

    session = app.session(dry_run=dry_run)
    done = roles.give_role(session, ref, _lead(session, lead), role)
    output.emit(done, human=lambda: _lines(done, "is"))


@role_group.command()
@click.argument("ref", metavar="REF")
@click.argument("lead", metavar="LEAD")
@click.argument("role", type=click.Choice(ROLES))
@options.dry_run
@options.output
@pass_app
def remove(app: App, ref: str, lead: str, role: Role, *, dry_run: bool, output: Output) -> None:
    """Say that a LEAD has no such role in a deal any more.

    \b
    Example:
      sfactl opp role remove opp:12 wang@example.com decider
    """
    from sfactl.opportunities.usecases import roles

    session = app.session(dry_run=dry_run)
    done = roles.take_role(session, ref, _lead(session, lead), role)
    output.emit(done, human=lambda: _lines(done, "is no longer"))


@role_group.command("list")
@click.argument("ref", metavar="REF")
@options.as_of
@options.output
@pass_app
def list_(app: App, ref: str, *, as_of: str | None, output: Output) -> None:
    """List the buying centre of a deal.

    \b
    Example:
      sfactl opp role list opp:12
    """
    from sfactl.opportunities.usecases import roles

    output.emit(roles.roles(app.session(as_of=as_of), ref))


def _lead(session: Session, ref: str) -> int:
    from sfactl.leads.named_leads import find_leads

    with session.query() as query:
        return find_leads(query, [ref])[0]


def _lines(done: RoleChanged, verb: str) -> Iterator[str]:
    if done.dry_run:
        yield "Dry run: nothing is written."
    before = "" if done.changed else " (as before)"
    yield f"Lead {done.lead_id} {verb} {done.role} in opp:{done.opportunity_id}{before}"
    if done.commit:
        yield f"Commit {done.commit}. Undo with: sfactl data undo {done.commit}"
