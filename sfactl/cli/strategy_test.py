"""``sfactl strategy test``: run the tests of a workspace's rules."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import click

from sfactl.cli import options
from sfactl.cli.app import App, Output, pass_app

if TYPE_CHECKING:
    from sfactl.cli import strategy_test_lines as lines
    from sfactl.proofs.model import Report


@click.command()
@click.argument("files", nargs=-1, type=click.Path(dir_okay=False, path_type=Path))
@click.option("-k", "only", metavar="NAME", default="", help="Only tests with NAME in their file, rule, name or case.")
@click.option("--coverage", is_flag=True, help="Say what of the rules no test saw.")
@click.option("--min-coverage", type=click.FloatRange(0, 100), metavar="PERCENT", help="Fail below this coverage.")
@click.option("--mutate", is_flag=True, help="Plant mistakes in the rules and count those that the tests notice.")
@click.option("--min-score", type=click.FloatRange(0, 100), metavar="PERCENT", help="Fail below this mutation score.")
@click.option(
    "--mutants", type=click.IntRange(min=0), default=0, metavar="N", help="Plant at most N, picked by --seed."
)
@click.option(
    "--junit", type=click.Path(dir_okay=False, path_type=Path), metavar="FILE", help="Write JUnit XML, for CI."
)
@options.output
@pass_app
def test(
    app: App,
    files: tuple[Path, ...],
    *,
    only: str,
    coverage: bool,
    min_coverage: float | None,
    mutate: bool,
    min_score: float | None,
    mutants: int,
    junit: Path | None,
    output: Output,
) -> None:
    """Run the tests in FILES, or all in the workspace's folder tests/, against the workspace's rules.

    A test is TOML: it gives a lead and what happened, a clock, and says what the rule should make of it. The data of
    the workspace is neither read nor changed. Leaves with 1 if a test fails, with 2 if one cannot be run.

    \b
    Example:
      sfactl strategy test
      sfactl strategy test tests/scores.toml -k pricing
      sfactl strategy test --coverage --min-coverage 90 --junit report.xml
      sfactl strategy test --mutate --min-score 80
    """
    from sfactl.cli import strategy_test_lines as lines
    from sfactl.proofs.usecases.running import Options, run

    if junit is not None and not junit.absolute().parent.is_dir():
        raise click.UsageError(f"--junit {junit}: there is no folder {junit.parent}")
    asked = Options(
        only=only,
        coverage=coverage or min_coverage is not None,
        mutate=mutate or min_score is not None or mutants > 0,
        most_mutants=mutants,
    )
    report = run(app.session(), files, asked)
    if junit is not None:
        from sfactl.cli.emit import write_file
        from sfactl.proofs.junit import junit_xml

        write_file(junit, junit_xml(report))
    bars = lines.Bars(coverage=min_coverage, score=min_score)
    output.emit(
        report if output.format == "json" else lines.listing(report),
        human=lambda: lines.told(report, bars),
        exit_code=_exit_code(report, bars),
    )


def _exit_code(report: Report, bars: lines.Bars) -> int:
    if report.invalid:
        return 2
    return 1 if report.failures or bars.missed(report) else 0


def register(group: click.Group) -> None:
    """Add the command to the group ``strategy``."""
    group.add_command(test)
