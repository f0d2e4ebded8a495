"""Reports against a world whose fate is known: the numbers must be the world's own."""

from __future__ import annotations

from datetime import date
from decimal import Decimal
from math import isclose, prod

import pyarrow.compute as pc
import pytest

from sfactl.api.errors import UserError
from sfactl.demo.world import Tables
from sfactl.insight import tables, usecases
from sfactl.insight.model import AGES, PARTS, STAGES, Funnel, Scope
from sfactl.session import Session


def counts(funnel: Funnel) -> list[int]:
    return [s.leads for s in funnel.stages]


def test_funnel_is_the_worlds_own(session: Session, world: Tables) -> None:
    truth = world.table(
        "select count(*), sum((accepts or intent > -0.3)::int), sum(accepts::int), sum(converts::int),"
        " sum((quotes and (wins or person_no % 10 <> 9))::int), sum(wins::int),"
        " sum((wins and pays in ('on time', 'late'))::int) from truth"
    )
    assert counts(usecases.funnel(session).funnels[0]) == [int(column[0].as_py()) for column in truth.columns]


def test_conversions_multiply_to_the_end_to_end_rate(session: Session) -> None:
    funnel = usecases.funnel(session).funnels[0]
    assert counts(funnel) == sorted(counts(funnel), reverse=True)
    assert isclose(prod(s.of_previous or 0 for s in funnel.stages), funnel.end_to_end or -1, rel_tol=1e-12)


@pytest.mark.parametrize("by", PARTS)
def test_parts_add_up_to_the_whole(session: Session, by: str) -> None:
    whole = counts(usecases.funnel(session).funnels[0])
    parts = [counts(f) for f in usecases.funnel(session, by=by).funnels]
    assert [sum(column) for column in zip(*parts, strict=True)] == whole


def test_periods_part_the_leads(session: Session) -> None:
    before = counts(usecases.funnel(session, scope=Scope(until=date(2026, 5, 31))).funnels[0])
    after = counts(usecases.funnel(session, scope=Scope(since=date(2026, 6, 1))).funnels[0])
    assert [a + b for a, b in zip(before, after, strict=True)] == counts(usecases.funnel(session).funnels[0])


@pytest.mark.parametrize("stage", STAGES)
def test_drilled_rows_are_as_many_as_the_cell_says(session: Session, stage: str) -> None:
    for funnel in usecases.funnel(session, by="source").funnels:
        rows = usecases.drill(session, stage, by="source", part=funnel.part)
        assert len(rows) == counts(funnel)[STAGES.index(stage)]
        assert set(rows["source"].to_pylist()) <= {funnel.part}
        assert pc.count_distinct(rows["lead_id"]).as_py() == len(rows)


def test_sources_are_the_worlds_own(session: Session, world: Tables) -> None:
    rows = world.table(
        "select source, count(*) as leads, sum(wins::int)::bigint as won from person join truth using (person_no) group by source"
    ).to_pylist()
    report = usecases.source(session)
    assert {(p.part, p.share.of, p.share.hits) for p in report.parts} == {
        (r["source"], r["leads"], r["won"]) for r in rows
    }
    assert [p.share.low for p in report.parts] == sorted((p.share.low for p in report.parts), reverse=True)
    assert report.total.of == sum(r["leads"] for r in rows)


def test_source_to_a_stage_agrees_with_the_funnel(session: Session) -> None:
    funnels = {f.part: counts(f) for f in usecases.funnel(session, by="source").funnels}
    for part in usecases.source(session, to="quote").parts:
        assert part.share.hits == funnels[part.part][STAGES.index("quote")]


def test_scores_are_judged_by_what_was_known_before_the_decision(session: Session) -> None:
    scores = {s.score: s for s in usecases.score(session).scores}
    assert set(scores) == {"fit", "intent"}
    for score in scores.values():
        assert score.bands[-1].high < 999
        assert score.auc is not None
        assert 0.6 < score.auc < 0.95
        assert sum(b.share.of for b in score.bands) == 1_970
        rates = [b.share.rate or 0 for b in score.bands]
        assert rates[-1] > rates[0]


def test_auc_is_the_share_of_pairs_in_the_right_order(session: Session, world: Tables) -> None:
    pairs = world.table(
        "with s as (select round(100 * fit) as points, converts from truth)"
        " select avg(case when a.points > b.points then 1.0 when a.points = b.points then 0.5 else 0 end) as auc"
        " from s a join s b on a.converts and not b.converts"
    )["auc"][0].as_py()
    fit = next(s for s in usecases.score(session).scores if s.score == "fit")
    assert isclose(fit.auc or 0, pairs, rel_tol=1e-9)


def test_campaign_counts_messages_answers_and_control(session: Session, world: Tables) -> None:
    (result,) = usecases.campaign(session).campaigns
    people = world.world.people
    sent = [n for n in range(people) if n % 4 == 1 and n % 20 != 7]
    assert result.accepted + result.refused + result.unknown == len(sent) == result.outcome.of
    assert result.refused == sum(n % 97 == 1 for n in sent)
    assert result.control.of == sum(n % 20 == 7 for n in range(people))
    assert result.clicked.hits < result.opened.hits < result.opened.of


def test_pipeline_adds_up_in_the_order_of_its_stages(session: Session, world: Tables) -> None:
    stages = usecases.pipeline(session).stages
    assert [s.stage for s in stages] == ["qualification", "needs", "negotiation", "won", "lost"]
    total = world.table("select sum(list_value)::bigint as v, count(*) as n from truth where converts").to_pylist()[0]
    assert sum(s.amount for s in stages) == total["v"]
    assert sum(s.deals for s in stages) == total["n"]
    assert all(s.weighted == s.amount * Decimal(str(s.probability)) for s in stages)


def test_ageing_adds_up_to_what_was_not_paid(session: Session, world: Tables) -> None:
    owed = world.table(
        "select sum(case pays when 'never' then list_value when 'part' then list_value / 2 end)::decimal(18, 4) as v from truth where wins"
    )["v"][0].as_py()
    report = usecases.ageing(session)
    assert [a.age for a in report.ages] == list(AGES)
    assert sum(a.amount for a in report.ages) == owed


def test_money_is_ordered_and_paid(session: Session, world: Tables) -> None:
    (usd,) = usecases.money(session).turnover
    ordered = world.table("select sum(list_value)::bigint as v from truth where wins")["v"][0].as_py()
    owed = sum(a.amount for a in usecases.ageing(session).ages)
    assert (usd.currency, usd.ordered, usd.paid) == ("USD", ordered, ordered - owed)


def test_an_empty_workspace_has_an_empty_funnel(empty: Session) -> None:
    funnel = usecases.funnel(empty).funnels[0]
    assert counts(funnel) == [0] * len(STAGES)
    assert funnel.end_to_end is None
    assert usecases.source(empty).parts == ()
    assert usecases.score(empty).scores == ()


def test_every_report_is_a_flat_table_with_its_commit(session: Session) -> None:
    flat = [
        tables.funnel(usecases.funnel(session)),
        tables.funnel_by_part(usecases.funnel(session, by="month")),
        tables.outcomes(usecases.source(session)),
        tables.scores(usecases.score(session)),
        tables.campaigns(usecases.campaign(session)),
        tables.turnover(usecases.money(session)),
        tables.pipeline(usecases.pipeline(session)),
        tables.ages(usecases.ageing(session)),
    ]
    for table in flat:
        assert len(table) > 0
        assert set(table["commit"].to_pylist()) == {1}


@pytest.mark.parametrize(
    ("call", "message"),
    [
        (lambda s: usecases.funnel(s, by="colour"), "--by: there is no 'colour'"),
        (lambda s: usecases.source(s, to="cash"), "--to: there is no 'cash'"),
        (lambda s: usecases.drill(s, "cash"), "--drill: there is no 'cash'"),
        (lambda s: usecases.funnel(s, scope=Scope(since=date(2026, 2, 1), until=date(2026, 1, 1))), "later than"),
    ],
    ids=["part", "outcome", "stage", "period"],
)
def test_what_does_not_exist_is_named(session: Session, call: object, message: str) -> None:
    with pytest.raises(UserError, match=message):
        call(session)  # type: ignore[operator]
