"""``sfactl campaign test``: send a campaign's messages to oneself; registered by ``campaign``."""

from __future__ import annotations

import click

from sfactl.cli import options
from sfactl.cli.app import App, Output, pass_app


def register(group: click.Group) -> None:
    """Add the command to ``group``."""
    group.add_command(send_test)


@click.command("test")
@click.argument("name")
@click.option("--to", metavar="ADDRESS", required=True, help="Where the test goes: an e-mail address, or a phone.")
@click.option("--as", "lead", type=int, metavar="LEAD", default=None, help="Write it as for this lead.")
@click.option("--step", metavar="STEP", default="", help="Only the message of this step.")
@click.option("--again", is_flag=True, help="Send it once more, although the same was sent before.")
@options.dry_run
@options.output
@pass_app
def send_test(
    app: App, name: str, *, to: str, lead: int | None, step: str, again: bool, dry_run: bool, output: Output
) -> None:
    """Send the messages of campaign NAME to ADDRESS, to see them arrive. A test counts for nobody.

    Without --as it is written as for the first lead of the audience. The links work and change nothing.

    \b
    Example:
      sfactl campaign test spring-webinar --to me@acme.example
      sfactl campaign test spring-webinar --to me@acme.example --as 8841 --again
    """
    from sfactl.campaigns import usecases
    from sfactl.cli.message_lines import sample_lines

    result = usecases.send_test(app.session(dry_run=dry_run), name, to=to, lead_id=lead, step=step, again=again)
    output.emit(result, human=lambda: sample_lines(result), exit_code=3 if result.failed else 0)
