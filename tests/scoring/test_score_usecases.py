"""Run, show and explain scores on a stored workspace, with the preset's rules and with a plugin's strategy."""

from __future__ import annotations

import json
from collections.abc import Callable
from datetime import timedelta
from decimal import Decimal
from pathlib import Path

import pyarrow as pa
import pytest

from sfactl.api.errors import NotFound, PluginError, UserError
from sfactl.api.records import SqlScore
from sfactl.scoring import usecases
from sfactl.scoring.plugin import sfactl_scoring_strategies
from sfactl.scoring.strategy import RulesSettings, RulesStrategy
from sfactl.session import FixedClock, Session

pytestmark = pytest.mark.usefixtures("leads")


def points(session: Session, score: str) -> dict[int, float]:
    with session.query() as query:
        return dict(query.rows("select lead_id, points from scores where score = $score", {"score": score}))


def test_a_run_scores_every_lead_and_a_second_writes_nothing(session: Session) -> None:
    first = usecases.run(session)
    assert [(ran.name, ran.leads, ran.new) for ran in first.scores] == [("fit", 12, 12), ("intent", 12, 12)]
    assert sum(g.leads for g in first.scores[1].grades) == 12
    assert usecases.run(session).commit is None
    assert session.workspace.head() == first.commit


def test_the_explanation_adds_up_to_the_stored_score_of_every_lead(session: Session) -> None:
    usecases.run(session)
    stored = {name: points(session, name) for name in ("fit", "intent")}
    for lead in range(1, 13):
        for one in usecases.explain(session, lead).scores:
            assert sum((r.points for r in one.reasons), Decimal(0)) == one.points
            assert float(one.points) == stored[one.score][lead]
            assert one.agrees


def test_points_fade_and_only_what_changed_is_stored(session: Session, clock: FixedClock) -> None:
    usecases.run(session)
    before = points(session, "intent")
    clock.advance(timedelta(days=20))
    moved = usecases.explain(session, 12, ["intent"]).scores[0]
    assert not moved.agrees
    assert moved.was_right
    second = {ran.name: ran for ran in usecases.run(session).scores}
    after = points(session, "intent")
    assert second["intent"].down == sum(1 for lead in before if after[lead] < before[lead]) > 0
    assert (second["fit"].new, second["fit"].up, second["fit"].down) == (0, 0, 0)


def test_every_change_is_an_event_and_events_lead_to_the_stored_value(session: Session, clock: FixedClock) -> None:
    for _ in range(3):
        usecases.run(session)
        clock.advance(timedelta(days=7))
    with session.query() as query:
        rows = query.rows("select lead_id, previous, points from score_events where score = 'intent' order by \"at\"")
    latest: dict[int, float | None] = {}
    for lead, previous, value in rows:
        assert latest.get(lead) == previous or (previous == 0 and lead not in latest)
        latest[lead] = value
    assert latest == {lead: value for lead, value in points(session, "intent").items() if lead in latest}


def test_the_same_event_delivered_twice_is_one_entry(session: Session) -> None:
    usecases.run(session)
    before = points(session, "intent")
    with session.write() as tx:
        known = tx.query.table("select * from touchpoints where lead_id = 12")
        tx.query.register("delivered", known)
        tx.append(
            "touchpoints",
            "select * from delivered as d where not exists "
            "(select 1 from touchpoints as t where t.event_id = d.event_id)",
        )
        tx.commit()
    assert usecases.run(session).changed is False
    assert points(session, "intent") == before


def test_as_of_explains_the_past(session: Session, opened: Callable[..., Session], clock: FixedClock) -> None:
    usecases.run(session)
    then = points(session, "intent")[12]
    clock.advance(timedelta(days=90))
    usecases.run(session)
    past = usecases.explain(opened(as_of="2026-11-21T09:00"), 12, ["intent"]).scores[0]
    assert (float(past.points), past.stored, past.agrees) == (then, then, True)


def test_a_lead_that_is_gone_loses_its_scores(session: Session) -> None:
    usecases.run(session)
    with session.write("leads") as tx:
        tx.delete("leads", pa.table({"lead_id": [3]}))
        tx.commit()
    assert [ran.gone for ran in usecases.run(session).scores] == [1, 1]
    assert 3 not in points(session, "fit")


def test_show_list_and_matrix(session: Session) -> None:
    assert usecases.show(session, 12) == ()
    usecases.run(session)
    assert [s.score for s in usecases.show(session, 12)] == ["fit", "intent"]
    assert [(s.name, s.leads) for s in usecases.list_scores(session)] == [("fit", 12), ("intent", 12)]
    matrix = usecases.count_matrix(session, "fit", "intent")
    assert sum(sum(row.leads) for row in matrix.rows) == 12
    assert matrix.grades == ("A", "B", "C", "–")


def test_a_run_can_count_the_matrix_of_what_it_computes(opened: Callable[..., Session]) -> None:
    dry = usecases.run(opened(dry_run=True), ["intent", "fit"], with_matrix=True).matrix
    session = opened()
    assert dry == usecases.run(session, with_matrix=True).matrix == usecases.count_matrix(session, "fit", "intent")
    with pytest.raises(UserError, match="needs two scores with grades, not 1"):
        usecases.run(session, ["fit"], with_matrix=True)


def test_what_is_not_there_is_said(session: Session) -> None:
    with pytest.raises(NotFound, match="no score 'intend'"):
        usecases.run(session, ["intend"])
    with pytest.raises(NotFound, match="no lead 77"):
        usecases.explain(session, 77)


def test_check_names_every_mistake(session: Session, folder: Path) -> None:
    assert usecases.check(session).problems == ()
    rule = '[[rules]]\nname = "a"\npoints = 1\n'
    (folder / "scores" / "x.toml").write_text(f'schema = 1\n{rule}on = "touchpoint"\n', encoding="utf-8")
    (folder / "scores" / "y.toml").write_text(f"schema = 1\n{rule}where = \"contry = 'x'\"\n", encoding="utf-8")
    (folder / "scores" / "z.toml").write_text('schema = 1\nstrategy = "none-such"\n', encoding="utf-8")
    problems = usecases.check(session).problems
    assert (
        problems[0]
        == 'scores/x.toml: rule \'a\': on: unknown relation "touchpoint" of lead. Did you mean "touchpoints"?'
    )
    assert problems[1].startswith("scores/y.toml: rule 'a': where, position 1: unknown field \"contry\"")
    assert "none-such" in problems[2]


def test_a_tag_that_nothing_declares_is_a_mistake_in_a_score_too(session: Session, folder: Path) -> None:
    rule = 'schema = 1\n[[rules]]\nname = "a"\npoints = 1\nwhere = "tag(\'{}\')"\n'
    file = folder / "scores" / "x.toml"
    file.write_text(rule.format("vipp"), encoding="utf-8")
    assert usecases.check(session).problems == ()
    (folder / "tags.toml").write_text('schema = 1\nmanual = ["vip"]\n', encoding="utf-8")
    (problem,) = usecases.check(session).problems
    assert "scores/x.toml: rule 'a': where" in problem
    assert "vipp" in problem
    file.write_text(rule.format("VIP"), encoding="utf-8")
    assert usecases.check(session).problems == ()


class Recent:
    """A strategy in SQL: two reasons a lead."""

    def statement(self) -> SqlScore:
        return SqlScore(
            sql="""select lead_id, 'recency' as rule, 1.0 / 3 as points, 'a third' as detail, max("at") as "at"
                   from touchpoints where "at" <= $now group by lead_id
                   union all select lead_id, 'size', employees * $weight, null, null from leads""",
            params={"weight": 0.5},
        )


class Counted:
    """A strategy in Python."""

    query = "select lead_id, count(*) as n from touchpoints group by lead_id"

    def score(self, table: pa.Table) -> pa.Table:
        rows = [(lead, "count", float(n), f"{n} events") for lead, n in zip(*table.to_pydict().values(), strict=True)]
        return pa.table({k: [r[i] for r in rows] for i, k in enumerate(("lead_id", "rule", "points", "detail"))})


class Failing:
    """A strategy that raises."""

    query = "select lead_id from leads"

    def score(self, table: pa.Table) -> pa.Table:
        raise ZeroDivisionError("no luck")


def use(session: Session, folder: Path, monkeypatch: pytest.MonkeyPatch, strategy: object, **more: object) -> None:
    """Let the score ``own`` use ``strategy`` as if a plugin offered it."""
    lines = [f"{key} = {json.dumps(value)}" for key, value in more.items()]
    text = "\n".join(["schema = 1", 'strategy = "own"', *lines])
    (folder / "scores" / "own.toml").write_text(text, encoding="utf-8")

    class Found:
        version = "1.2"
        label = "sfactl-scoring-own 1.2"

    monkeypatch.setattr(type(session.host), "make", lambda *_a, **_k: strategy)
    monkeypatch.setattr(type(session.host), "find", lambda *_a, **_k: Found())


@pytest.mark.parametrize(("strategy", "expected"), [(Recent(), 60.33), (Counted(), 12.0)], ids=["sql", "table"])
def test_a_plugins_strategy_is_stored_and_explained(
    session: Session, folder: Path, monkeypatch: pytest.MonkeyPatch, strategy: object, expected: float
) -> None:
    use(session, folder, monkeypatch, strategy, ceiling=100)
    usecases.run(session, ["own"])
    assert points(session, "own")[12] == expected
    one = usecases.explain(session, 12, ["own"]).scores[0]
    assert float(one.points) == expected == float(sum((r.points for r in one.reasons), Decimal(0)))
    assert one.agrees
    assert usecases.show(session, 12)[0].strategy == "own 1.2"


def test_bounds_hold_for_a_plugins_strategy(session: Session, folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    use(session, folder, monkeypatch, Counted(), ceiling=10, floor=3)
    usecases.run(session, ["own"])
    assert {lead: points(session, "own")[lead] for lead in (1, 5, 12)} == {1: 3.0, 5: 5.0, 12: 10.0}
    for lead in (1, 5, 12):
        one = usecases.explain(session, lead, ["own"]).scores[0]
        assert (float(one.points), one.agrees) == (points(session, "own")[lead], True)


def test_a_plugin_that_fails_is_named(session: Session, folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    use(session, folder, monkeypatch, Failing())
    with pytest.raises(PluginError, match=r"sfactl-scoring-own 1\.2: scoring strategy 'own' failed: no luck"):
        usecases.run(session, ["own"])
    assert points(session, "own") == {}


def test_the_built_in_rules_are_an_offer_whose_reasons_add_up(session: Session, folder: Path) -> None:
    (folder / "sfactl.toml").write_text("schema = 1\n", encoding="utf-8")
    usecases.run(session)
    offer = next(iter(sfactl_scoring_strategies()))
    made = session.host.make("scoring_strategy", offer.name, {"score": "intent"}, where="test")
    assert isinstance(made, RulesStrategy)
    statement = made.statement()
    with session.query() as query:
        found = dict(
            query.rows(f"select lead_id, sum(points) from ({statement.sql}) group by lead_id", statement.params)
        )
    assert {k: v for k, v in found.items() if v} == {k: v for k, v in points(session, "intent").items() if v}
    assert RulesSettings(score="x").score == "x"
