"""``sfactl template``: the texts of messages, by themselves."""

from __future__ import annotations

from pathlib import Path

import click

from sfactl.cli import options
from sfactl.cli.app import App, Output, pass_app


@click.group()
def group() -> None:
    """Texts of messages: check them and see them as a reader would."""


@group.command("list")
@options.output
@pass_app
def list_(app: App, output: Output) -> None:
    """List templates, their languages, and which campaigns and strategies send them.

    \b
    Example:
      sfactl template list
    """
    from sfactl.campaigns import usecases

    output.emit(usecases.templates(app.session()))


@group.command()
@click.argument("names", nargs=-1, metavar="[NAME]...")
@click.option("--strict", is_flag=True, help="Warnings count as errors.")
@options.output
@pass_app
def check(app: App, names: tuple[str, ...], strict: bool, output: Output) -> None:
    """Check templates: unknown fields, endless loops, dead links, images without text, size, a way out.

    \b
    Example:
      sfactl template check
      sfactl template check welcome --strict
    """
    from sfactl.campaigns import usecases
    from sfactl.cli.message_lines import finding_lines

    found = usecases.check_templates(app.session(), names)
    bad = {"error", "warning"} if strict else {"error"}
    output.emit(
        found,
        human=lambda: finding_lines(found) or ["There are no templates."],
        exit_code=2 if any(f.severity in bad for f in found) else 0,
    )


@group.command()
@click.argument("name")
@click.option("--as", "lead", type=int, metavar="LEAD", required=True, help="The lead who reads it.")
@click.option("--language", metavar="TAG", default="", help="This wording instead of the one for the lead.")
@options.html_page
@options.as_of
@options.output
@pass_app
def preview(
    app: App, name: str, *, lead: int, language: str, html: Path | None, as_of: str | None, output: Output
) -> None:
    """Show template NAME as LEAD would get it. Sends nothing.

    \b
    Example:
      sfactl template preview welcome --as 8841
      sfactl template preview welcome --as 8841 --html welcome.html
    """
    from sfactl.campaigns import usecases
    from sfactl.cli import message_lines as lines

    shown = usecases.preview_template(app.session(as_of=as_of), name, lead, language=language)
    if html:
        lines.write_page(html, [shown])
    output.emit(shown, human=lambda: lines.preview_lines([shown]))
