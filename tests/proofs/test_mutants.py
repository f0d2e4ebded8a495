"""Planted mistakes: which there are, which are one and the same, which no test can notice, which are noticed."""

from __future__ import annotations

from collections.abc import Mapping
from decimal import Decimal
from pathlib import Path

import pytest

from sfactl.config.settings import Settings
from sfactl.engine.conditions.source import Source
from sfactl.engine.periods import parse_period
from sfactl.proofs.mutants.conditions import condition_mutants
from sfactl.proofs.mutants.periods import nearby
from sfactl.proofs.mutants.scores import score_mutants
from sfactl.proofs.usecases.running import Options, run
from sfactl.schemas import Schemas
from sfactl.scoring.model import Grade, Rule, Score
from sfactl.session import open_session
from tests.proofs.proving import PRESET, preset, proved

SCHEMAS = Schemas()


def types(dataset: str) -> Mapping[str, str]:
    name = dataset or "leads"
    return SCHEMAS[name].types if name in SCHEMAS else {}


def changes(text: str) -> dict[str, str]:
    return {mutant.change: mutant.rule for mutant in condition_mutants(Source(text=text), types)}


CONDITIONS = {
    "a bound of whole numbers: > 9 and >= 10 are one": (
        "employees >= 10",
        {"employees >= 10 → employees > 10", "employees >= 10 → employees < 10", "employees >= 10: 10 → 9"},
    ),
    "a bound of amounts": (
        "budget > 10.5",
        {
            "budget > 10.5 → budget >= 10.5",
            "budget > 10.5 → budget <= 10.5",
            "budget > 10.5: 10.5 → 10.6",
            "budget > 10.5: 10.5 → 10.4",
        },
    ),
    "equality": ("country = 'TW'", {"country = 'TW' → country <> 'TW'"}),
    "a window": (
        "has(orders) filter (where within('30 days'))",
        {
            "within('30 days') → not within('30 days')",
            "within('30 days') → within('31 days')",
            "within('30 days') → within('29 days')",
            "has(orders) filter (where within('30 days')) → has(orders)",
            "has(orders) filter (where within('30 days')) → not has(orders) filter (where within('30 days'))",
        },
    ),
    "connectives and terms": (
        "email is null and phone is null",
        {
            "and → or before phone is null",
            "left out: email is null",
            "left out: phone is null",
            "email is null → not email is null",
            "phone is null → not phone is null",
        },
    ),
    "lists": (
        "country in ('TW', 'JP')",
        {
            "country in ('TW', 'JP'): left out 'TW'",
            "country in ('TW', 'JP'): left out 'JP'",
            "country in ('TW', 'JP') → not country in ('TW', 'JP')",
        },
    ),
    "not": ("not tag('vip')", {"not tag('vip') → tag('vip')"}),
    "sequences": (
        "has(tasks) filter (where followed_by(orders, '3 days'))",
        {
            "followed_by: '3 days' → '4 days'",
            "followed_by: '3 days' → '2 days'",
            "followed_by(orders, '3 days') → not followed_by(orders, '3 days')",
            "has(tasks) filter (where followed_by(orders, '3 days')) → has(tasks)",
            "has(tasks) filter (where followed_by(orders, '3 days'))"
            " → not has(tasks) filter (where followed_by(orders, '3 days'))",
        },
    ),
    "aggregates": (
        "min(orders.at) < '2026-01-01'",
        {
            "min(orders.at) < '2026-01-01' → min(orders.at) <= '2026-01-01'",
            "min(orders.at) < '2026-01-01' → min(orders.at) >= '2026-01-01'",
            "min(orders.at) → max(orders.at)",
        },
    ),
}


@pytest.mark.parametrize(("text", "expected"), CONDITIONS.values(), ids=CONDITIONS.keys())
def test_mutants_of_a_condition(text: str, expected: set[str]) -> None:
    assert set(changes(text)) == expected


def test_a_changed_pair_keeps_together() -> None:
    found = changes("a = 1 or b = 2 and c = 3")
    assert found["and → or before c = 3"] == "a = 1 OR (b = 2 OR c = 3)"


@pytest.mark.parametrize("path", sorted(PRESET.glob("segments/*.toml")), ids=lambda path: path.stem)
def test_every_mutant_differs(path: Path) -> None:
    from sfactl.segments.files import read_segment

    source = Source(text=read_segment(path).where)
    mutants = condition_mutants(source, types)
    texts = [mutant.rule for mutant in mutants]
    assert len(set(texts)) == len(texts)
    assert source.parse().sql(dialect="duckdb") not in texts
    assert all(mutant.missing and mutant.change for mutant in mutants)


@pytest.mark.parametrize(
    ("period", "moved"),
    [
        ("30 days", ["31 days", "29 days"]),
        ("2 weeks", ["15 days", "13 days"]),
        ("1 year", ["1 year 1 month", "11 months"]),
        ("4 hours", ["5 hours", "3 hours"]),
        ("1 day", ["1 day 1 hour", "23 hours"]),
        ("1 month", ["2 months"]),
        ("1 month 2 days", ["1 month 3 days", "1 month 1 day"]),
    ],
)
def test_periods_near_by(period: str, moved: list[str]) -> None:
    assert [str(found) for found, _ in nearby(parse_period(period))] == moved


def test_grades_that_no_score_can_tell_apart_are_proved_so() -> None:
    rules = (Rule(name="a", points=Decimal(10), where="email is not null"),)
    grades = (Grade(at_least=Decimal(10), grade="A"), Grade(at_least=Decimal(0), grade="B"))
    score = Score(name="s", decimals=0, floor=Decimal(0), rules=rules, grades=grades)
    proofs = {f"{m.place} {m.change}": m.equivalent for m in score_mutants(score, types) if "grades" in m.place}
    assert {place: proof.split(",")[0] for place, proof in proofs.items()} == {
        "grades.A.at_least 10 → 11": "",
        "grades.A.at_least 10 → 9": "every score is a multiple of 10",
        "grades.B.at_least 0 → 1": "",
        "grades.B.at_least 0 → -1": "no score is below the floor of 0",
    }


@pytest.fixture(scope="module")
def shipped(tmp_path_factory: pytest.TempPathFactory) -> Path:
    import shutil

    folder = preset(tmp_path_factory.mktemp("shipped") / "ws")
    shutil.copytree(PRESET / "tests", folder / "tests", dirs_exist_ok=True)
    return folder


def test_the_preset_passes_its_own_tests_and_they_see_nearly_everything(shipped: Path) -> None:
    report = proved(shipped, options=Options(coverage=True))
    assert report.failures == ()
    assert report.invalid == ()
    assert report.coverage is not None
    assert report.coverage.untested == ()
    unseen = [item for item in report.coverage.items if not item.seen]
    # Where entry and exit ask the same, nobody is ever inside to leave by it.
    assert {(item.rule.partition(" ")[0], item.what) for item in unseen} <= {("strategy", "leaves")}
    assert report.coverage.percent >= 97


def test_the_tests_of_the_preset_notice_mistakes(shipped: Path) -> None:
    paths = [shipped / "tests" / f"{name}.toml" for name in ("segments", "scores", "prices", "assignment", "winback")]
    with open_session(shipped, settings=Settings(), command="test", actor="tester") as session:
        mutation = run(session, paths, Options(mutate=True, most_mutants=40)).mutation
    assert mutation is not None
    assert len(mutation.mutants) == 40
    assert mutation.percent >= 80
    assert "by --mutants 40" in mutation.left_out[0]


def test_a_survivor_asks_for_the_case_that_is_missing(shipped: Path) -> None:
    text = (
        'schema = 1\nclock = 2026-11-23T09:00:00\n[[tests]]\nname = "it"\nsegment = "new-inbound"\n'
        'given.lead = { direction = "inbound", created_at = "1 day ago" }\nexpect.member = true\n'
    )
    mutation = proved(shipped, text, Options(mutate=True)).mutation
    (shipped / "tests" / "own.toml").unlink()
    assert mutation is not None
    survived = {mutant.change: mutant.missing for mutant in mutation.mutants if mutant.state == "survived"}
    assert survived["within('7 days') → within('8 days')"] == (
        "A case in which it happened exactly 8 days ago would tell."
    )
    killed = [mutant for mutant in mutation.mutants if mutant.state == "killed"]
    assert {mutant.killed_by for mutant in killed} == {"tests/own.toml · it"}
    assert all(mutant.file == "segments/new-inbound.toml" for mutant in mutation.mutants)
