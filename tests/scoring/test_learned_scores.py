"""Scores that learn, from training to the stored score and its explanation, on a made-up past with planted leaks."""

from __future__ import annotations

import shutil
from collections.abc import Callable
from datetime import timedelta
from decimal import Decimal
from pathlib import Path
from typing import Any

import pyarrow as pa
import pytest

from sfactl.api.errors import ConfigError, DataError, NotFound, PolicyError, UserError
from sfactl.scoring import usecases
from sfactl.scoring.usecases.model_store import stored, write_models
from tests.learning_world import LEADS, NOW, OPEN, build, build_backfilled, closed_at, session_in, won


@pytest.fixture(scope="module")
def world(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return build(tmp_path_factory.mktemp("learning") / "ws")


@pytest.fixture
def folder(world: Path, tmp_path: Path) -> Path:
    return Path(shutil.copytree(world, tmp_path / "ws"))


def rewrite(folder: Path, *changes: tuple[str, str], score: str = "buyer") -> None:
    path = folder / "scores" / f"{score}.toml"
    text = path.read_text(encoding="utf-8")
    for old, new in changes:
        assert old in text
        text = text.replace(old, new)
    path.write_text(text, encoding="utf-8")


def points(folder: Path, score: str = "buyer") -> dict[int, float]:
    with session_in(folder) as session, session.query() as query:
        return dict(query.rows("select lead_id, points from scores where score = $score", {"score": score}))


def test_a_training_refuses_what_came_after_and_keeps_a_champion(folder: Path) -> None:
    with session_in(folder) as session:
        result = usecases.train(session, "buyer")
    assert (result.leads, result.won) == (LEADS - OPEN, sum(won(n) for n in range(1, LEADS - OPEN + 1)))
    assert (result.version, result.state, result.known, result.untimed) == (1, "champion", LEADS - OPEN, 0)
    assert result.split.startswith("by time")
    refused = {one.feature: one for one in result.refused}
    assert refused["contract_no"].kind == refused["survey"].kind == refused["converted"].kind == "late"
    assert "written after the outcome in" in refused["contract_no"].evidence
    assert set(result.features) >= {"country", "source", "size", "visits"}
    assert result.metrics is not None
    assert result.metrics.auc.value > 0.65
    assert result.metrics.brier.value < result.metrics.brier_base


def test_the_run_and_every_explanation_agree(folder: Path) -> None:
    with session_in(folder) as session:
        usecases.train(session, "buyer")
        ran = usecases.run(session, ["buyer"]).scores[0]
        assert (ran.leads, ran.note) == (LEADS, "model 1 of 2026-11-21")
        found = points(folder)
        assert len(set(found.values())) > 5
        for lead in range(1, LEADS + 1, 13):
            (one,) = usecases.explain(session, lead, ["buyer"]).scores
            assert one.agrees
            assert sum((r.points for r in one.reasons), Decimal(0)) == one.points == Decimal(str(found[lead]))
            assert one.reasons[0].name == "base rate"
        assert usecases.run(session, ["buyer"]).commit is None


def test_the_same_data_make_the_same_bytes_and_no_second_model(folder: Path, world: Path, tmp_path: Path) -> None:
    other = Path(shutil.copytree(world, tmp_path / "other"))
    texts = []
    for one in (folder, other):
        with session_in(one) as session:
            usecases.train(session, "buyer")
            with session.query() as query:
                texts.append(stored(query)[0]["parameters"])
    assert texts[0] == texts[1]
    with session_in(folder, NOW + timedelta(days=1)) as session:
        again = usecases.train(session, "buyer")
        assert (again.kept, again.version, again.commit) == (False, 1, None)


def test_events_after_the_outcome_do_not_count(folder: Path, world: Path, tmp_path: Path) -> None:
    """An invoice a day after the close, and ten visits, change neither what is learned nor the backtest of rules."""
    with session_in(folder) as session:
        before = usecases.train(session, "buyer"), usecases.backtest(session, ["intent"])
    other = Path(shutil.copytree(world, tmp_path / "other"))
    later = [
        {"event_id": f"late{n}-{k}", "at": closed_at(n) + timedelta(days=k), "kind": "visit", "lead_id": n}
        for n in range(1, 200)
        for k in range(4)
    ]
    with session_in(other) as session, session.write() as tx:
        tx.append("touchpoints", pa.Table.from_pylist(later))
        tx.commit()
    with session_in(other) as session:
        after = usecases.train(session, "buyer"), usecases.backtest(session, ["intent"])
    assert before[0].hash == after[0].hash
    assert before[1].scores == after[1].scores


def test_a_rule_score_is_backtested_as_it_was_at_the_time(folder: Path) -> None:
    """Every lead's points in the backtest are those of an explanation as of the end of the day of its outcome."""
    from sfactl.scoring import files
    from sfactl.scoring.usecases.backtesting import _bench, _points
    from sfactl.scoring.usecases.history import Lookback

    # Without invoices, nothing happens after the close of a lead.
    rewrite(folder, ("points = 50", "points = 1"), ("kind = 'invoice'", "kind = 'call'"), score="intent")
    with session_in(folder) as session, session.query() as query:
        score = files.read_scores(folder)["intent"]
        bench, _ = _bench(session, query, Lookback(session, query, score), [score], None, 0.25)
        found = dict(zip(bench.lead_ids.tolist(), _points(bench, score).tolist(), strict=True))
    for lead in range(1, 280, 17):
        day = closed_at(lead).replace(hour=23, minute=59, second=59, microsecond=999_999)
        with session_in(folder, day) as session:
            (one,) = usecases.explain(session, lead, ["intent"]).scores
        assert float(one.points) == pytest.approx(found[lead])


def test_a_backtest_compares_every_strategy(folder: Path) -> None:
    with session_in(folder) as session:
        result = usecases.backtest(session, ["buyer", "intent", "fit"], against="fit")
    assert [one.score for one in result.scores] == ["buyer", "intent", "fit"]
    by_name = {one.score: one for one in result.scores}
    assert by_name["buyer"].metrics.leads == by_name["fit"].metrics.leads == result.leads - result.learned_from
    assert by_name["fit"].difference is None
    compared = by_name["buyer"].difference
    assert compared is not None
    assert compared.value == pytest.approx(by_name["buyer"].metrics.auc.value - by_name["fit"].metrics.auc.value)
    assert {one.feature for one in by_name["buyer"].refused} >= {"contract_no", "survey"}
    # The invoice alone would tell who was won; it came after the outcome.
    assert by_name["intent"].metrics.auc.value < 0.9


def test_as_of_and_valid_at_look_back(folder: Path) -> None:
    with session_in(folder, as_of="1") as session, pytest.raises(UserError, match="0 leads have an outcome"):
        usecases.backtest(session, ["fit"])
    day = closed_at(60)
    with session_in(folder) as session:
        result = usecases.backtest(session, ["fit"], valid_at=day.isoformat(), split="random")
    assert result.leads == sum(closed_at(n) <= day for n in range(1, LEADS - OPEN + 1))


def test_too_few_outcomes_fall_back_to_the_rule_score_and_say_so(folder: Path) -> None:
    rewrite(folder, ("min_samples = 100", "min_samples = 1000"))
    with session_in(folder) as session:
        result = usecases.train(session, "buyer")
        assert not result.kept
        assert result.note == "not trained: 300 leads with an outcome, 1,000 needed"
        usecases.run(session, ["fit"])
        (ran,) = usecases.run(session, ["buyer"]).scores
        assert ran.note == "rule score fit instead: nothing is learned yet"
        assert points(folder) == points(folder, "fit")
        (one,) = usecases.explain(session, 3, ["buyer"]).scores
        assert one.agrees
        assert one.note == ran.note
        tested = usecases.backtest(session, ["buyer"]).scores[0]
        assert "rule score fit instead: 300 leads" in tested.note


def test_without_model_and_fallback_a_score_is_left_out(folder: Path) -> None:
    rewrite(folder, ('fallback = "fit"\n', ""))
    with session_in(folder) as session:
        result = usecases.run(session)
        assert [one.name for one in result.skipped] == ["buyer"]
        assert "sfactl score train buyer" in result.skipped[0].reason
        assert [ran.name for ran in result.scores] == ["fit", "intent"]
        with pytest.raises(UserError, match="nothing is learned yet"):
            usecases.run(session, ["buyer"])
        assert [one.score for one in usecases.explain(session, 3).scores] == ["fit", "intent"]


def damaged(row: dict[str, Any]) -> dict[str, Any]:
    return {**row, "parameters": '{"format": 1, "won'}


BROKEN: dict[str, tuple[Callable[[dict[str, Any]], dict[str, Any]], str]] = {
    "damaged parameters": (damaged, "its JSON cannot be read"),
    "made by a newer version": (lambda row: {**row, "made_by": "99.1.0"}, "was made by frequency 99.1.0"),
    "a field that is gone": (
        lambda row: {**row, "features": row["features"].replace('"size"', '"sized"')},
        "the field sized that model 1 learned from is gone",
    ),
    "a field of another type": (
        lambda row: {**row, "features": row["features"].replace('"type":"number"', '"type":"text"')},
        "was text when model 1 was learned",
    ),
}


@pytest.mark.parametrize(("change", "says"), BROKEN.values(), ids=BROKEN.keys())
def test_a_model_that_cannot_be_used_is_named_and_the_rule_score_stands_in(
    folder: Path, change: Callable[[dict[str, Any]], dict[str, Any]], says: str
) -> None:
    with session_in(folder) as session:
        usecases.train(session, "buyer")
        with session.write("models") as tx:
            write_models(tx, [change(dict(stored(tx.query)[0]))])
            tx.commit()
        (ran,) = usecases.run(session, ["buyer"]).scores
        assert ran.note.startswith("rule score fit instead:")
        assert says in ran.note
        assert usecases.models(session)[0].state == "champion"


def test_a_worse_challenger_needs_force_which_is_recorded(folder: Path) -> None:
    with session_in(folder) as session:
        usecases.train(session, "buyer", split="random")
    rewrite(folder, ("[measures]", 'features = ["source"]\n\n[measures]'), ("kind = 'visit'", "kind = 'none'"))
    with session_in(folder) as session:
        assert usecases.train(session, "buyer", split="random").state == "challenger"
        with pytest.raises(PolicyError, match="model 2 is worse than the champion 1"):
            usecases.promote(session, "buyer", 2)
        forced = usecases.promote(session, "buyer", 2, force=True, reason="the old one is too dear")
        assert (forced.forced, forced.before) == (True, 1)
        rows = {row.version: row for row in usecases.models(session, "buyer")}
        assert (rows[2].state, rows[1].state) == ("champion", "retired")
        assert rows[2].note == "forced: the old one is too dear"
        back = usecases.promote(session, "buyer", 1)
        assert not back.forced
        assert back.difference is not None
        assert back.difference.value > 0
        with pytest.raises(NotFound, match="has no model 9"):
            usecases.promote(session, "buyer", 9)


WRONG = {
    "an unknown feature": ("min_samples", 'features = ["contry"]\nmin_samples', 'Did you mean "country"'),
    "the outcome as a feature": ("min_samples", 'features = ["status"]\nmin_samples', "comes with the outcome"),
    "a measure over deals": (
        "count(touchpoints) filter (where kind = 'visit' and within('60 days'))",
        "count(opportunities)",
        "come with the outcome",
    ),
    "a measure over stored scores": (
        "count(touchpoints) filter (where kind = 'visit' and within('60 days'))",
        "score.fit",
        "today only",
    ),
    "a measure that hides a field": ("visits = ", "country = ", "a lead has a field of that name"),
    "no such fallback": ('fallback = "fit"', 'fallback = "fitt"', "there is no score 'fitt'"),
    "a text as outcome": ("[measures]", '[outcome]\nfield = "country"\n\n[measures]', "an outcome is yes/no"),
    "no date": ("[measures]", '[outcome]\nat = "size"\n\n[measures]', "neither a date nor a time"),
    "a wrong condition": ("[measures]", "[outcome]\nwon = \"contry = 'TW'\"\n\n[measures]", 'unknown field "contry"'),
    "what is allowed and declared": (
        "min_samples",
        'allow = ["size"]\nknown_after_outcome = ["size"]\nmin_samples',
        "both in allow",
    ),
}


@pytest.mark.parametrize(("old", "new", "says"), WRONG.values(), ids=WRONG.keys())
def test_a_wrong_file_is_told_by_check(folder: Path, old: str, new: str, says: str) -> None:
    rewrite(folder, (old, new))
    with session_in(folder) as session:
        (problem,) = usecases.check(session, [folder / "scores" / "buyer.toml"]).problems
    assert says in problem


@pytest.mark.parametrize(
    ("outcome", "says"),
    [
        ("won = \"country = 'ZZ'\"", "not trained: 0 won leads, 20 needed"),
        ("won = \"status = 'converted'\"\nlost = \"country = 'ZZ'\"", "not trained: 0 lost leads, 20 needed"),
    ],
    ids=["none won", "none lost"],
)
def test_one_outcome_alone_teaches_nothing(folder: Path, outcome: str, says: str) -> None:
    rewrite(folder, ("[measures]", f"[outcome]\n{outcome}\n\n[measures]"))
    with session_in(folder) as session:
        assert usecases.train(session, "buyer").note.startswith(says)


def test_a_yes_no_field_without_a_time_is_split_at_random_and_measures_are_refused(folder: Path) -> None:
    rewrite(folder, ("[measures]", "[outcome]\nwon = \"full_name like '%1'\"\n\n[measures]"))
    with session_in(folder) as session, session.write("opportunities") as tx:
        tx.delete("opportunities", "select opportunity_id from opportunities")
        tx.commit()
    with session_in(folder) as session:
        result = usecases.train(session, "buyer", test_share=0.4)
        assert result.untimed == result.leads == LEADS
        assert result.split.startswith("at random")
        assert {one.feature: one.evidence for one in result.refused}["visits"].startswith("the outcome has no time")
        with pytest.raises(UserError, match="have no time"):
            usecases.train(session, "buyer", split="time")


def test_only_what_learns_can_be_trained(folder: Path) -> None:
    with session_in(folder) as session:
        with pytest.raises(ConfigError, match="does not learn"):
            usecases.train(session, "fit")
        with pytest.raises(NotFound, match="no score 'buyr'"):
            usecases.train(session, "buyr")


def test_no_feature_left_is_an_error(folder: Path) -> None:
    rewrite(folder, ("min_samples", 'features = ["contract_no"]\nmin_samples'), ("visits = ", "# "))
    with session_in(folder) as session, pytest.raises(DataError, match="no feature is left"):
        usecases.train(session, "buyer")


def test_a_dry_run_writes_nothing(folder: Path) -> None:
    with session_in(folder, dry_run=True) as session:
        head = session.workspace.head()
        result = usecases.train(session, "buyer")
        assert result.kept
        assert session.workspace.head() == head
        assert usecases.models(session) == ()


def test_dates_after_the_outcome_are_evidence_where_history_tells_nothing(tmp_path: Path) -> None:
    """All leads were imported after their outcome; the survey and its date are filled together, after the close."""
    folder = build_backfilled(tmp_path / "ws")
    with session_in(folder) as session:
        result = usecases.train(session, "buyer")
    assert result.known == 0
    refused = {one.feature: one for one in result.refused}
    assert refused["survey"].kind == "late"
    assert "by surveyed_on, dated after the outcome in" in refused["survey"].evidence
    assert refused["converted"].kind == "suspected"
    assert set(result.features) >= {"country", "source", "size", "visits"}


def test_leads_can_be_looked_at_some_time_before_the_outcome(folder: Path) -> None:
    """Visits come 3, 5, 7 … days before the close: a fortnight before, most of them have not happened yet."""
    rewrite(folder, ("[measures]", '[outcome]\nbefore = "14 days"\n\n[measures]'))
    with session_in(folder) as session:
        early = usecases.backtest(session, ["buyer"]).scores[0].metrics.auc.value
    rewrite(folder, ("14 days", "1 day"))
    with session_in(folder) as session:
        late = usecases.backtest(session, ["buyer"]).scores[0].metrics.auc.value
    assert early < late


def test_a_lead_without_features_gets_the_base_rate(folder: Path) -> None:
    with session_in(folder) as session:
        usecases.train(session, "buyer")
        with session.write("leads") as tx:
            tx.upsert("leads", pa.table({"lead_id": [9999]}))
            tx.commit()
        usecases.run(session, ["buyer"])
        (one,) = usecases.explain(session, 9999, ["buyer"]).scores
        assert one.agrees
        assert {reason.name for reason in one.reasons} <= {"base rate", "visits"}
