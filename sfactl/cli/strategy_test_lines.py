"""What ``sfactl strategy test`` says to people."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

from sfactl.cli.tables import pad, width
from sfactl.cli.words import count

if TYPE_CHECKING:
    from sfactl.proofs.model import Coverage, Failure, Mutation, Outcome, Report

SHOWN = 40
"""So many lines of one list; the rest is counted."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Bars:
    """What coverage and mutation score must reach, in percent."""

    coverage: float | None = None
    score: float | None = None

    def missed(self, report: Report) -> list[str]:
        """The bars that the report does not reach, in words."""
        found = []
        if report.coverage is not None and self.coverage is not None and report.coverage.percent < self.coverage:
            found.append(f"Coverage is {report.coverage.percent:.1f} %, {self.coverage:g} % was asked for.")
        if report.mutation is not None and self.score is not None and report.mutation.percent < self.score:
            found.append(f"The mutation score is {report.mutation.percent:.1f} %, {self.score:g} % was asked for.")
        return found


def listing(report: Report) -> tuple[Outcome, ...]:
    """One row for each case."""
    return report.outcomes


def told(report: Report, bars: Bars) -> Iterator[str]:
    """The report for people."""
    yield from _files(report)
    for failure in report.failures:
        yield ""
        yield from _failure(failure)
    if report.invalid:
        yield ""
        yield f"Cannot be run: {count(len(report.invalid), 'test')}"
        yield from _cut([f"  {invalid.message}" for invalid in report.invalid])
    if report.coverage is not None:
        yield ""
        yield from _coverage(report.coverage)
    if report.mutation is not None:
        yield ""
        yield from _mutation(report.mutation)
    yield ""
    yield _sum(report)
    yield from bars.missed(report)


def _files(report: Report) -> Iterator[str]:
    names = list(dict.fromkeys(outcome.file for outcome in report.outcomes))
    longest = max(map(width, names), default=0)
    for name in names:
        own = [outcome for outcome in report.outcomes if outcome.file == name]
        passed = sum(1 for outcome in own if outcome.passed)
        mark = "✓" if passed == len(own) else "✗"
        yield f"{mark} {pad(name, longest)}  {passed} of {count(len(own), 'case')} passed"


def _failure(failure: Failure) -> Iterator[str]:
    title = f"{failure.test} · {failure.case}" if failure.case else failure.test
    yield f"✗ {failure.file} · {title}"
    yield f"  {failure.rule} at {failure.clock:%Y-%m-%d %H:%M}"
    longest = max(width(difference.what) for difference in failure.differences)
    for difference in failure.differences:
        yield f"    {pad(difference.what, longest)}  expected {difference.expected}, but it is {difference.actual}"
    if failure.explanation:
        yield "  Because:"
        yield from _cut([f"    {line}" for line in failure.explanation])
    if failure.hint:
        yield f"  {failure.hint}"


def _coverage(coverage: Coverage) -> Iterator[str]:
    yield f"Coverage {coverage.percent:.1f} %: {coverage.seen} of {len(coverage.items)} ways were seen"
    rules = list(dict.fromkeys(item.rule for item in coverage.items))
    longest = max(map(width, rules), default=0)
    for rule in rules:
        own = [item for item in coverage.items if item.rule == rule]
        yield f"  {pad(rule, longest)}  {sum(1 for item in own if item.seen)} of {len(own)}"
        yield from _cut([f"    never {item.way}: {item.what}" for item in own if not item.seen])
    if coverage.untested:
        yield f"  No test is about: {', '.join(coverage.untested)}"


def _mutation(mutation: Mutation) -> Iterator[str]:
    told_apart = mutation.killed + mutation.survived
    told = count(told_apart, "planted mistake")
    yield f"Mutation score {mutation.percent:.1f} %: {mutation.killed} of {told} noticed"
    rules = list(dict.fromkeys(mutant.rule for mutant in mutation.mutants))
    longest = max(map(width, rules), default=0)
    for rule in rules:
        own = [mutant for mutant in mutation.mutants if mutant.rule == rule and mutant.state != "equivalent"]
        killed = sum(1 for mutant in own if mutant.state == "killed")
        yield f"  {pad(rule, longest)}  {killed} of {len(own)}"
        survivors = [mutant for mutant in own if mutant.state == "survived"]
        lines = [
            line
            for mutant in survivors
            for line in (
                f"    survived: {mutant.file}: {mutant.place}: {mutant.change}",
                *((f"      {mutant.missing}",) if mutant.missing else ()),
            )
        ]
        yield from _cut(lines)
    for mutant in mutation.mutants:
        if mutant.state == "equivalent":
            yield f"  not counted: {mutant.file}: {mutant.place}: {mutant.change} ({mutant.proof})"
    for line in mutation.left_out:
        yield f"  left out: {line}"


def _sum(report: Report) -> str:
    parts = [f"{count(report.cases, 'case')} of {count(report.tests, 'test')}: {report.passed:,} passed"]
    if report.failures:
        parts.append(f"{len(report.failures):,} failed")
    if report.invalid:
        parts.append(f"{len(report.invalid):,} could not be run")
    return f"{', '.join(parts)}."


def _cut(lines: Sequence[str]) -> Iterator[str]:
    yield from lines[:SHOWN]
    if len(lines) > SHOWN:
        yield f"    … and {len(lines) - SHOWN:,} more: see --format json"
