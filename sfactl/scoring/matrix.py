"""Grades by points, and the matrix of two scores' grades: pure functions of the numbers."""

from __future__ import annotations

from collections.abc import Mapping
from decimal import Decimal

from sfactl.scoring.model import Score

UNGRADED = "–"


def grade_of(score: Score, points: Decimal | float) -> str | None:
    """The grade of ``points``: that of the highest ``at_least`` it reaches, or None below all of them."""
    reached = [grade for grade in score.grades if points >= grade.at_least]
    return max(reached, key=lambda grade: grade.at_least).grade if reached else None


def cell(one: str | None, other: str | None) -> str:
    """The cell of the matrix, such as A1: first the letter, then the number."""
    parts = [one or UNGRADED, other or UNGRADED]
    if parts[0].isdigit() and not parts[1].isdigit():
        parts.reverse()
    return "".join(parts)


def grade_order(score: Score) -> list[str]:
    """The grades of a score from the best down, with the ungraded last."""
    best_first = sorted(score.grades, key=lambda grade: -grade.at_least)
    return [*(grade.grade for grade in best_first), UNGRADED]


def grid(
    rows: Score, columns: Score, counts: Mapping[tuple[str | None, str | None], int]
) -> list[tuple[str, list[int]]]:
    """The matrix as rows of counts: one row for each grade of ``rows``, one column for each grade of ``columns``."""
    counted = {(one or UNGRADED, other or UNGRADED): number for (one, other), number in counts.items()}
    across = grade_order(columns)
    return [(down, [counted.get((down, name), 0) for name in across]) for down in grade_order(rows)]
