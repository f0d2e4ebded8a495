"""``sfactl case``: what customers want settled."""

from __future__ import annotations

import click

from sfactl.cli import case_ack, case_import, case_lines, case_mail, options
from sfactl.cli.app import App, Output, pass_app

STATES = ("unsettled", "open", "waiting", "resolved", "closed", "all")
priority_option = click.option("--priority", default="", metavar="WORD", help="How pressing it is.")
category_option = click.option("--category", default="", metavar="WORD", help="Kind of case.")


@click.group()
def group() -> None:
    """Cases: complaints, questions and requests of customers, from the day they come to the day they are settled.

    Statuses, the moves between them, and of what customers are told, stand in cases.toml.
    """


@group.command("open")
@click.argument("subject", default="")
@click.option("--from-mail", "mails", multiple=True, metavar="PATH", help="Open from mail: files, or a mailbox's name.")
@click.option("--from-forms", is_flag=True, help="Open from what was posted into the forms in cases.toml.")
@click.option("--lead", default="", metavar="REF", help="Whose case it is: a number or an e-mail address.")
@click.option("--channel", default="phone", show_default=True, help="How it came in: phone, email, web, visit …")
@click.option("--text", default="", help="What the customer said.")
@category_option
@priority_option
@click.option("--owner", default="", metavar="REP", help="Who works on it [default: the lead's rep].")
@click.option("--address", default="", metavar="TEXT", help="Number or address that it came from.")
@click.option("--at", default="", metavar="WHEN", help="When it came in [default: now].")
@click.option("--source", default="", metavar="NAME", help="Whose number --key is [default: manual].")
@click.option("--key", default="", metavar="TEXT", help="Its number there; the same case is opened once.")
@options.dry_run
@options.output
@pass_app
def open_(
    app: App,
    /,
    *,
    subject: str,
    mails: tuple[str, ...],
    from_forms: bool,
    dry_run: bool,
    output: Output,
    **said: str,
) -> None:
    """Open a case about SUBJECT, or from what customers wrote by mail or into forms.

    From mails (.eml, maildir, mbox, or a mailbox of the workspace): what is an answer about a case goes to that case,
    and takes it up again where it was settled. What robots wrote, what came back, mail to many and our own mail open
    nothing; a mail that was read before adds nothing.

    \b
    Example:
      sfactl case open "Laser does not start" --lead 8841 --priority high
      sfactl case open "Wrong invoice" --channel web --lead 12 --key T-771
      sfactl case open --from-mail ~/Maildir
    """
    from sfactl.cases import usecases

    if mails or from_forms:
        if subject or said["lead"] or said["text"] or (mails and from_forms):
            raise click.UsageError("Subject, customer and text come from the mails, or from the forms.")
        session = app.session(dry_run=dry_run)
        case_mail.read(session, mails, output) if mails else case_mail.posted(session, output)
        return
    done = usecases.open_case(app.session(dry_run=dry_run), subject, **said)
    output.emit(done, human=lambda: case_lines.opened(done))


@group.command("list")
@click.option("--status", default="", help="Only in this status.")
@click.option("--state", type=click.Choice(STATES), default="unsettled", show_default=True, help="Only in this state.")
@click.option("--owner", default="", metavar="REP", help="Only this rep's.")
@click.option("--unowned", is_flag=True, help="Only those that nobody works on.")
@click.option("--lead", default="", metavar="REF", help="Only of this lead: a number or an e-mail address.")
@category_option
@priority_option
@click.option("--channel", default="", help="Only those that came in by it.")
@options.limit(50)
@options.as_of
@options.fail_empty
@options.output
@pass_app
def list_(
    app: App,
    *,
    status: str,
    state: str,
    owner: str,
    unowned: bool,
    lead: str,
    category: str,
    priority: str,
    channel: str,
    limit: int,
    as_of: str | None,
    fail_empty: bool,
    output: Output,
) -> None:
    """List cases, those opened last on top; age_h is the hours until they were resolved, or until now.

    \b
    Example:
      sfactl case list --unowned
      sfactl case list --state all --lead 8841 --format csv
    """
    from sfactl.cases import usecases

    found = usecases.list_cases(
        app.session(as_of=as_of),
        status=status,
        state=state,
        owner=owner,
        unowned=unowned,
        lead=lead,
        category=category,
        priority=priority,
        channel=channel,
    )
    exit_code = 4 if fail_empty and not found.num_rows else 0
    output.emit(found.slice(0, limit) if limit else found, exit_code=exit_code)


@group.command()
@click.argument("case")
@options.as_of
@options.output
@pass_app
def show(app: App, case: str, *, as_of: str | None, output: Output) -> None:
    """Show CASE: what it is about, all that happened, what its customer was told, and where it may go.

    \b
    Example:
      sfactl case show 12
    """
    from sfactl.cases import usecases

    session = app.session(as_of=as_of)
    found = usecases.show(session, case)
    output.emit(found, human=lambda: case_lines.shown_case(found, session.settings.workspace.time_zone))


@group.command("set")
@click.argument("cases", nargs=-1, required=True, metavar="CASE...")
@click.option("--status", help="Move it there; cases.toml says which moves there are.")
@click.option("--owner", metavar="REP", help="Give it to this rep.")
@click.option("--priority", metavar="WORD", help="How pressing it is.")
@click.option("--category", metavar="WORD", help="Kind of case.")
@click.option("--subject", metavar="TEXT", help="What it is about.")
@click.option("--lead", metavar="REF", help="Whose case it is.")
@click.option("--resolution", metavar="TEXT", help="What settled it.")
@click.option("--note", metavar="TEXT", help="A word of ours on it.")
@click.option("--reason", default="", metavar="TEXT", help="Why.")
@options.dry_run
@options.output
@pass_app
def set_(
    app: App, /, *, cases: tuple[str, ...], reason: str, dry_run: bool, output: Output, **said: str | None
) -> None:
    """Change cases: move them, give them to somebody, say what settled them. All are changed, or none.

    \b
    Example:
      sfactl case set 12 --status waiting --reason "spare part is on its way"
      sfactl case set 12 --status resolved --resolution "fuse replaced"
      sfactl case set 12 14 --owner mei
    """
    from sfactl.cases import usecases

    wanted = {name: value for name, value in said.items() if value is not None}
    done = usecases.change(app.session(dry_run=dry_run), cases, wanted, reason=reason)
    output.emit(done, human=lambda: case_lines.changed(done))


case_import.register(group)
case_ack.register(group)
