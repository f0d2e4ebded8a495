"""The command ``report attribution``: which touches brought the conversions."""

from __future__ import annotations

import click

from sfactl.cli import options
from sfactl.cli.app import App, Output, pass_app
from sfactl.cli.report_lines import emit_sheet
from sfactl.cli.report_scope import Asked, drill, scoped


def register(group: click.Group) -> None:
    """Add the commands to the group ``report``."""
    group.add_command(attribution)


@click.command()
@click.option(
    "--model",
    default="all",
    show_default=True,
    metavar="MODEL",
    help="first, last, linear, decay, position, markov, shapley or all.",
)
@click.option("--by", default="channel", show_default=True, metavar="FIELD", help="channel, source, campaign, content.")
@click.option("--to", default="won", show_default=True, metavar="OUTCOME", help="won, or a stage of the funnel.")
@click.option(
    "--value", default="count", show_default=True, metavar="WHAT", help="Share out the count or the amount of deals."
)
@click.option("--window", default="", metavar="PERIOD", help="Only touches within PERIOD before the outcome.")
@click.option("--half-life", default="7 days", show_default=True, metavar="PERIOD", help="Of the model decay.")
@click.option(
    "--kinds", default="", metavar="A,B", help="Only these kinds of touches [default: all that can bring a lead on]."
)
@drill("NAME/MODEL; NAME may be all")
@scoped()
@options.output
@pass_app
def attribution(
    app: App,
    *,
    model: str,
    by: str,
    to: str,
    value: str,
    window: str,
    half_life: str,
    kinds: str,
    cell: str,
    asked: Asked,
    output: Output,
) -> None:
    """Share out the conversions among the touches that came before them, by seven models.

    first, last, linear: all to the first touch, to the last, even. decay: half as much for each half-life before the
    last. position: 40 % first, 40 % last, the rest between. markov: by how many conversions would be lost without the
    name. shapley: even among the different names of a way. Each model's credits add up to all conversions; those that
    no touch came before are credited to "no touch".

    \b
    Example:
      sfactl report attribution --to opportunity --window '90 days'
      sfactl report attribution --model shapley --value amount --drill web/shapley
    """
    from sfactl.insight import usecases
    from sfactl.insight.attribution import Question

    session, scope = asked.open(app)
    question = Question(model=model, by=by, to=to, value=value, window=window, half_life=half_life, kinds=kinds)
    if cell:
        output.emit(usecases.attribution_drill(session, cell, question, scope=scope))
        return
    sheet = usecases.attribution(session, question, scope=scope)
    emit_sheet(output, sheet, drill=f"sfactl report attribution --by {by} --to {to} --drill NAME/MODEL")
