"""``sfactl score train``, ``models`` and ``promote``: scores that learn from who was won and lost."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING

import click

from sfactl.cli import options
from sfactl.cli.app import App, Output, pass_app
from sfactl.cli.score_metrics import figures, reliable, within
from sfactl.cli.tables import table

if TYPE_CHECKING:
    from sfactl.scoring.answers import Backtest, Promoted, Trained
    from sfactl.scoring.guard import Refused
    from sfactl.scoring.metrics import Interval

SPLITS = click.Choice(("time", "random"))


@click.command()
@click.argument("name")
@click.option("--split", type=SPLITS, default=None, help="How leads are held out [default: time where it is known].")
@click.option(
    "--test-share",
    type=click.FloatRange(0, 1, min_open=True, max_open=True),
    default=0.25,
    show_default=True,
    help="Share of the leads that are held out to measure on.",
)
@click.option("--valid-at", metavar="WHEN", default=None, help="Only what had happened by then, as known now.")
@options.as_of
@options.dry_run
@options.fail_empty
@options.output
@pass_app
def train(
    app: App,
    name: str,
    *,
    split: str | None,
    test_share: float,
    valid_at: str | None,
    as_of: str | None,
    dry_run: bool,
    fail_empty: bool,
    output: Output,
) -> None:
    """Let score NAME learn from the leads whose outcome is known.

    Fields that were written after the outcome are refused, with the evidence. The first model is used at once, later
    ones wait for: sfactl score promote.

    \b
    Example:
      sfactl score train buyer --dry-run
      sfactl score train buyer --split random
    """
    from sfactl.scoring import usecases

    session = app.session(dry_run=dry_run, as_of=as_of)
    result = usecases.train(session, name, split=split, test_share=test_share, valid_at=valid_at)  # type: ignore[arg-type]
    output.emit(result, human=lambda: _trained(result), exit_code=4 if fail_empty and not result.kept else 0)


@click.command()
@click.argument("names", nargs=-1)
@click.option("--split", type=SPLITS, default=None, help="How leads are held out [default: time where it is known].")
@click.option(
    "--test-share",
    type=click.FloatRange(0, 1, min_open=True, max_open=True),
    default=0.25,
    show_default=True,
    help="Share of the leads that are held out to measure on.",
)
@click.option("--valid-at", metavar="WHEN", default=None, help="Only what had happened by then, as known now.")
@click.option("--against", metavar="SCORE", default=None, help="Compare the AUC with that of another score.")
@options.as_of
@options.output
@pass_app
def backtest(
    app: App,
    names: tuple[str, ...],
    *,
    split: str | None,
    test_share: float,
    valid_at: str | None,
    against: str | None,
    as_of: str | None,
    output: Output,
) -> None:
    """Measure the scores NAMES, or all, on leads whose outcome is known.

    Each lead is looked at as it was known before its outcome. Scores that learn are learned anew from the leads that
    are not held out.

    \b
    Example:
      sfactl score backtest intent buyer --against fit
      sfactl score backtest buyer --split time --test-share 0.3 --format json
    """
    from sfactl.scoring import usecases

    session = app.session(as_of=as_of)
    result = usecases.backtest(
        session,
        names,
        split=split,  # type: ignore[arg-type]
        test_share=test_share,
        valid_at=valid_at,
        against=against,
    )
    output.emit(result, human=lambda: _tested(result))


@click.command()
@click.argument("name", required=False)
@options.as_of
@options.output
@pass_app
def models(app: App, name: str | None, *, as_of: str | None, output: Output) -> None:
    """List what scores have learned: the models of score NAME, or of all.

    \b
    Example:
      sfactl score models buyer
    """
    from sfactl.scoring import usecases

    output.emit(usecases.models(app.session(as_of=as_of), name))


@click.command()
@click.argument("name")
@click.argument("version", type=click.IntRange(min=1))
@click.option("--force", is_flag=True, help="Even if it is worse than the one in use; this is recorded.")
@click.option("--reason", metavar="TEXT", default=None, help="Why, for the record.")
@options.dry_run
@options.output
@pass_app
def promote(
    app: App, name: str, version: int, *, force: bool, reason: str | None, dry_run: bool, output: Output
) -> None:
    """Use model VERSION of score NAME from now on.

    It is compared with the model in use on leads that neither learned from; a worse one is refused.

    \b
    Example:
      sfactl score promote buyer 2
    """
    from sfactl.scoring import usecases

    result = usecases.promote(app.session(dry_run=dry_run), name, version, force=force, reason=reason)
    output.emit(result, human=lambda: _promoted(result))


def _promoted(result: Promoted) -> Iterator[str]:
    if result.dry_run:
        yield "Dry run: nothing is written."
    compared = ""
    if result.difference is not None and result.auc is not None and result.auc_before is not None:
        compared = f": AUC {result.auc:.3f} against {result.auc_before:.3f} on {result.leads:,} leads"
    forced = ", forced" if result.forced else ""
    yield f"Model {result.version} of {result.score} is champion{compared}{forced}."
    if result.before is not None:
        yield f"Model {result.before} is retired. Back to it: sfactl score promote {result.score} {result.before}"
    if result.commit is not None:
        yield f"Commit {result.commit}. Now run: sfactl score run {result.score}"


def _tested(result: Backtest) -> Iterator[str]:
    yield f"{result.leads:,} leads with an outcome, {result.won:,} won; {result.known:,} known before it"
    yield f"Split {result.split}; {result.learned_from:,} to learn from"
    rows: list[list[object]] = []
    for one in result.scores:
        m = one.metrics
        row: list[object] = [one.score, within(m.auc), f"{m.brier.value:.4f}", f"{m.log_loss:.3f}"]
        row += [f"{m.lift_10.value:.1f}", f"{m.lift_20.value:.1f}", f"{m.ks:.2f}"]
        if result.against:
            row.append(_signed(one.difference))
        rows.append(row)
    base = result.scores[0].metrics
    if result.scores:
        rows.append(
            ["(base rate)", "0.500", f"{base.brier_base:.4f}", f"{base.log_loss_base:.3f}", "1.0", "1.0", "0.00"]
        )
        rows[-1] += [""] if result.against else []
    names = ["score", "AUC (95 %)", "Brier", "log loss", "lift 10 %", "lift 20 %", "KS"]
    yield from table([*names, f"AUC − {result.against}"] if result.against else names, rows)
    for one in result.scores:
        if one.note:
            yield f"{one.score}: {one.note}"
        told = tuple(refused for refused in one.refused if refused.kind != "unusable")
        yield from _refused(f"{one.score} refused", told)
    if len(result.scores) == 1:
        yield ""
        yield from reliable(result.scores[0].metrics.reliability)


def _signed(interval: Interval | None) -> str:
    if interval is None:
        return "–"
    return f"{interval.value:+.3f} ({interval.low:+.3f} to {interval.high:+.3f})"


def _trained(result: Trained) -> Iterator[str]:
    if result.dry_run:
        yield "Dry run: nothing is written."
    counts = f"{result.won:,} won and {result.leads - result.won:,} lost"
    yield f"{result.score}: {result.leads:,} leads with an outcome, {counts}{_period(result)}"
    if result.metrics is None:
        yield f"{result.note[0].upper()}{result.note[1:]}."
        return
    if result.untimed:
        left = f", {result.left_out:,} of them left out" if result.left_out else ""
        yield f"  {result.untimed:,} outcomes have no time{left}; {result.known:,} leads were known before theirs"
    yield f"  Split {result.split}"
    yield f"  Learned from {len(result.features)}: {', '.join(result.features)}"
    yield from _refused("Refused", result.refused)
    yield from _refused("Allowed although suspected", result.allowed)
    yield from figures(result.metrics)
    if result.note:
        yield f"{result.note[0].upper()}{result.note[1:]}."
        return
    commit = f", commit {result.commit}" if result.commit is not None else ""
    yield f"Model {result.version} is {result.state}{commit}."
    if result.state == "challenger":
        yield f"Compare: sfactl score backtest {result.score}"
        yield f"Use it:  sfactl score promote {result.score} {result.version}"


def _period(result: Trained) -> str:
    if result.first_at is None or result.last_at is None:
        return ""
    return f", {result.first_at:%Y-%m-%d} to {result.last_at:%Y-%m-%d}"


def _refused(title: str, refused: tuple[Refused, ...]) -> Iterator[str]:
    useless = [one for one in refused if one.kind == "unusable"]
    told = [one for one in refused if one.kind != "unusable"]
    if useless:
        yield f"  Nothing to learn from {len(useless)}: {', '.join(one.feature for one in useless)}"
    if not told:
        return
    yield f"  {title} {len(told)}:"
    rows: list[list[object]] = [[one.feature, one.kind, one.evidence] for one in told]
    for line in table(["feature", "why", "evidence"], rows):
        yield f"    {line}"
    hint = next((one for one in told if one.kind in ("late", "suspected", "identifier")), None)
    if hint is not None and title.lower().endswith("refused"):
        yield f"    To use {hint.feature}: {hint.remedy}"
