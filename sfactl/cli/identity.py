"""``sfactl identity``: who is who, and why."""

from __future__ import annotations

from collections.abc import Iterator
from importlib import import_module, util
from typing import TYPE_CHECKING

import click

from sfactl.cli import options
from sfactl.cli.app import App, Output, pass_app
from sfactl.cli.tables import cut, pad, terminal_width, width

if TYPE_CHECKING:
    from sfactl.identity.model import MatchExplanation


@click.group()
def group() -> None:
    """Who is who: why records are held for the same, or not."""


@group.command()
@click.argument("a", metavar="A")
@click.argument("b", metavar="B")
@click.option("--anew", is_flag=True, help="Weigh today's data, although a plan lists the two.")
@options.as_of
@options.output
@pass_app
def explain(app: App, a: str, b: str, *, anew: bool, as_of: str | None, output: Output) -> None:
    """Weigh two records, A and B, field by field (lead:12, account:3, contact:4; a bare number is a lead).

    Every line says in bits how much speaks for (+) or against (-) their being the same: one bit doubles the odds. The
    lines add up to the weight, and the weight is the probability. Where a plan lists the two, it is the plan that is
    explained, with the data that it saw.

    \b
    Example:
      sfactl identity explain lead:12 lead:845
    """
    from sfactl.identity.usecases.explain import explain as explained

    result = explained(app.session(as_of=as_of), a, b, anew=anew)
    output.emit(result, human=lambda: explained_lines(result))


def explained_lines(result: MatchExplanation) -> Iterator[str]:
    """An explanation for people."""
    yield f"{result.entity}:{result.a} {result.label_a}"
    yield f"{result.entity}:{result.b} {result.label_b}"
    names = max(width(t.field) for t in result.terms)
    levels = max(width(t.level) for t in result.terms)
    room = max(10, ((terminal_width() or 110) - names - levels - 20) // 2)
    for term in result.terms:
        both = ""
        if term.value_a is not None or term.value_b is not None:
            left, right = (cut(v or "–", room) for v in (term.value_a, term.value_b))
            both = f"{left}  |  {right}"
        yield f"  {term.bits:+9.3f}  {pad(term.field, names)}  {pad(term.level, levels)}  {both}".rstrip()
    yield f"  = {result.weight:+7.3f}  bits, a probability of {result.probability:.1%}; {_verdict(result)}"
    if result.plan_id:
        yield f"  As plan {result.plan_id} saw them at commit {result.as_of_commit}; --anew weighs today's data."
    if not result.found:
        yield "  No key brings these two together: a plan would not have compared them."


def _verdict(result: MatchExplanation) -> str:
    if result.decided is not None:
        return f"but decided by hand to be {'the same' if result.decided == 'same' else 'different'}"
    if result.decision == "merge":
        return f"to be merged (from {result.threshold:.0%} on)"
    return f"to be reviewed (from {result.review:.0%} on)" if result.decision == "review" else "left apart"


if util.find_spec("sfactl.cli.identity_review") is not None:
    import_module("sfactl.cli.identity_review").register(group)
