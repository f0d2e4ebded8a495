"""The guard refuses planted leaks of every kind and leaves honest features alone, strong ones too."""

from __future__ import annotations

from typing import Any

import numpy as np
import pyarrow as pa
import pytest

from sfactl.scoring.guard import Late, Verdict, inspect

N = 1200
CHANCE = np.random.default_rng(5)
WON = CHANCE.random(N) < 0.3


def table(**columns: Any) -> pa.Table:
    return pa.table({"lead_id": np.arange(1, N + 1), **columns})


def judge(column: Any, won: np.ndarray = WON, **options: Any) -> Verdict:
    return inspect(table(field=column), ["field"], won, late=options.pop("late", {}), **options)


def normal(shift: float) -> np.ndarray:
    return np.random.default_rng(7).normal(size=N) + shift * WON


def some(values: np.ndarray, share: float) -> pa.Array:
    return pa.array(values, mask=np.random.default_rng(9).random(N) >= share)


def text(values: Any) -> pa.Array:
    return pa.array([None if value is None else str(value) for value in values])


def won_only(share: float) -> pa.Array:
    drawn = np.random.default_rng(3).random(N) < share
    return pa.array([float(n) if won and d else None for n, (won, d) in enumerate(zip(WON, drawn, strict=True))])


LEAKS = {
    "a copy of the outcome": text(np.where(WON, "signed", "no")),
    "a number that follows from it": pa.array(np.where(WON, 100.0, 0.0) + np.random.default_rng(1).random(N)),
    "filled for the won alone": won_only(0.4),
    "filled for the lost alone": text(["price" if not won and n % 3 == 0 else None for n, won in enumerate(WON)]),
    "empty for the won": pa.array([None if won else 1.0 + n % 5 for n, won in enumerate(WON)]),
    "a call that lasted": pa.array(np.where(WON, 300.0, 60.0) + 55 * np.random.default_rng(2).normal(size=N)),
}


@pytest.mark.parametrize("column", LEAKS.values(), ids=LEAKS.keys())
def test_planted_leaks_are_refused_with_evidence_and_remedy(column: pa.Array) -> None:
    (found,) = judge(column).refused
    assert found.kind == "suspected"
    assert found.evidence
    assert 'allow = ["field"]' in found.remedy
    allowed = judge(column, allow=["field"])
    assert (allowed.kept, allowed.refused, len(allowed.allowed)) == (("field",), (), 1)


HONEST = {
    "weak": normal(0.3),
    "good": normal(1.0),
    "strong": normal(1.5),
    "with gaps": some(normal(1.0), 0.6),
    "gaps that tell a little": pa.array(normal(0.5), mask=np.random.default_rng(4).random(N) < np.where(WON, 0.2, 0.6)),
    "categories": text(
        np.where(np.random.default_rng(6).random(N) < 0.5, WON * 3, np.random.default_rng(7).integers(0, 4, N))
    ),
    "a source that always converts, of few leads": text(
        ["referral" if won and n % 12 == 0 else f"web{n % 3}" for n, won in enumerate(WON)]
    ),
    "yes or no": pa.array((np.random.default_rng(8).random(N) < np.where(WON, 0.7, 0.2)).tolist()),
    "revenue, all different": pa.array(np.random.default_rng(8).lognormal(15, 2, N).round()),
}


@pytest.mark.parametrize("column", HONEST.values(), ids=HONEST.keys())
def test_honest_features_stay(column: Any) -> None:
    assert judge(column).refused == ()


@pytest.mark.parametrize(
    ("column", "kind", "says"),
    [
        (text(f"id-{n}" for n in range(N)), "identifier", "names leads"),
        (pa.array(np.random.default_rng(1).permutation(N) + 5000.0), "identifier", "number the leads"),
        (pa.nulls(N, pa.string()), "unusable", "always empty"),
        (pa.array([1.0] * N), "unusable", "always the same"),
        (text(["客戶"] * N), "unusable", "客戶"),
    ],
)
def test_what_nothing_can_be_learned_from(column: pa.Array, kind: str, says: str) -> None:
    (found,) = judge(column).refused
    assert found.kind == kind
    assert says in found.evidence


@pytest.mark.parametrize(
    ("late", "refused"),
    [
        (Late(won=11, won_known=100, lost=0, lost_known=100), True),
        (Late(won=10, won_known=100), False),
        (Late(won=4, won_known=4), False),
        (Late(lost=30, lost_known=60), True),
    ],
)
def test_values_written_after_the_outcome_are_evidence(late: Late, *, refused: bool) -> None:
    found = judge(pa.array(normal(0.3)), late={"field": [late]}).refused
    assert [one.kind for one in found] == (["late"] if refused else [])
    if refused:
        assert "after the outcome in" in found[0].evidence


def test_what_is_declared_cannot_be_allowed_away() -> None:
    (found,) = judge(pa.array(normal(0.3)), declared=["field"]).refused
    assert found.kind == "declared"


def test_what_is_filled_only_where_a_leak_is_goes_with_it() -> None:
    leak = text(["abc"[n % 3] if n % 2 else None for n in range(N)])
    grade = text([None if value is None else "AB"[n % 5 % 2] for n, value in enumerate(leak.to_pylist())])
    free = text([None if n % 3 else "AB"[n % 2] for n in range(N)])
    found = inspect(
        table(leak=leak, grade=grade, free=free), ["grade", "leak", "free"], WON, late={}, declared=["leak"]
    )
    assert [(one.feature, one.kind) for one in found.refused] == [("grade", "suspected"), ("leak", "declared")]
    assert "leads without leak" in found.refused[0].evidence
    assert found.kept == ("free",)


def test_few_leads_are_no_evidence() -> None:
    few = table(field=text(np.where(WON, "signed", "no"))).slice(0, 12)
    assert inspect(few, ["field"], WON[:12], late={}).refused == ()
