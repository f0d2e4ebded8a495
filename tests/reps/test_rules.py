"""assignment.toml in a workspace: territories, skills, ties, limits, absences; plans that differ; files that cannot be."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime, timedelta
from typing import Any

import pyarrow as pa
import pytest

from sfactl.api.errors import ConditionError, ConfigError, Conflict, NotFound, PolicyError, UserError
from sfactl.reps import usecases
from sfactl.session import Session

RULES = """schema = 1
stages = ["sql", "mql"]

[[rules]]
name = "known"
method = "sticky"

[[rules]]
name = "big"
where = "employees >= 500"
to = { teams = ["key"] }
method = "round-robin"
fallback = { reps = ["boss"] }

[[rules]]
name = "rest"
method = "balanced"

[territories.north]
countries = ["TW"]
postal_codes = ["1", "2"]
where = "region is null"

[territories.mid]
industries = ["metal"]
employees = [50, 499]

[skills]
japanese = "language = 'ja'"
"""


@pytest.fixture
def sales(session: Session) -> Session:
    (session.folder / "assignment.toml").write_text(RULES)
    for rep, fields in {
        "boss": {"weight": "0"},
        "kay": {"team": "key", "capacity": "1"},
        "nia": {"territories": "north", "skills": "laser"},
        "jo": {"skills": "japanese, laser", "territories": "north,mid"},
    }.items():
        usecases.add(session, rep, fields)
    return session


def rows(session: Session, dataset: str, *given: dict[str, Any]) -> None:
    with session.write(dataset) as tx:
        tx.upsert(dataset, pa.Table.from_pylist(list(given), schema=session.workspace.schemas[dataset].arrow()))
        tx.commit()


def lead(lead_id: int, **fields: Any) -> dict[str, Any]:
    return {"lead_id": lead_id, "status": "sql", "created_at": datetime(2026, 5, 1), **fields}


def owners(session: Session) -> dict[int, tuple[str | None, str | None]]:
    with session.query() as query:
        return {
            n: (owner, rule)
            for n, owner, rule in query.rows(
                "select l.lead_id, l.owner, a.rule from leads l left join assignments a on a.entity_id = l.lead_id"
            )
        }


def test_rules_territories_and_skills_find_the_one_who_fits(sales: Session) -> None:
    rows(
        sales,
        "leads",
        lead(1, country="TW", postal_code="106"),
        lead(2, country="TW", postal_code="106", language="ja"),
        lead(3, employees=60, industry="metal", language="ja"),
        lead(4, employees=900),
        lead(5, employees=900),
        lead(6, country="TW", postal_code="106", region="x", language="ja"),
    )
    done = usecases.run(sales)
    # Lead 5 is big too: boss takes no turns, so nobody of the fallback can, and the last rule's reps have territories.
    assert {n: o for n, (o, _) in owners(sales).items()} == {1: "nia", 2: "jo", 3: "jo", 4: "kay", 5: None, 6: None}
    assert [(r.rule, r.leads) for r in done.rules] == [("known", 0), ("big", 1), ("rest", 3)]
    said = {r["lead_id"]: r["reason"] for r in usecases.queue(sales).to_pylist()}
    assert said[5] == "its only active rep is at capacity"
    explained = usecases.explain(sales, 6)
    assert explained.reason.startswith("nobody can take it: 1 lacks skill japanese · 1 outside of mid, north · ")
    why = {c.rep_id: c.why_not for c in explained.chances}
    assert why == {
        "boss": "weight 0",
        "jo": "outside of mid, north",
        "kay": "lacks skill japanese",
        "nia": "outside of north",
    }
    assert [(r.rule, r.holds) for r in explained.rules] == [
        ("known", True),
        ("big", False),
        ("big (fallback)", False),
        ("rest", True),
    ]


def test_a_lead_goes_to_who_it_is_tied_to(sales: Session) -> None:
    usecases.change(sales, "kay", {"capacity": ""})
    rows(sales, "accounts", {"account_id": 7, "tax_id": "t", "owner": "kay"})
    rows(sales, "contacts", {"contact_id": 7, "email": "A@x.com", "owner": "kay"})
    rows(sales, "leads", lead(90, phone="+1", owner="kay"), lead(91, company_key="acme", owner="kay"))
    rows(sales, "leads", lead(92, email="r@x.com", owner="kay"), lead(93, company_key="old", owner="gone"))
    ties: dict[int, tuple[dict[str, Any], str | None]] = {
        1: ({"tax_id": "t"}, "owns its account"),
        2: ({"email": "a@x.com"}, "knows the person"),
        3: ({"phone": "+1", "company_key": "acme"}, "knows the person"),
        4: ({"company_key": "acme"}, "has the same company"),
        5: ({"referrer": "R@x.com"}, "has who referred it"),
        6: ({"referrer": "lead:92"}, "has who referred it"),
        7: ({"company_key": "old"}, None),
    }
    rows(sales, "leads", *(lead(n, country="DE", **fields) for n, (fields, _) in ties.items()))
    planned = {r["lead_id"]: (r["rule"], r["reason"]) for r in usecases.planned_owners(sales).to_pylist()}
    for n, (_, reason) in ties.items():
        assert planned[n][0] == ("known" if reason else "rest")
        assert planned[n][1].startswith(reason or "fewest open leads"), n
    assert usecases.run(sales).given == 7
    explained = usecases.explain(sales, 1)
    assert (explained.owner, explained.rule, explained.strategy) == ("kay", "known", "sticky")


def two_reps(session: Session, **fields: str) -> Session:
    tied = '[[rules]]\nname = "known"\nmethod = "sticky"\n\n[[rules]]\nname = "rest"\nmethod = "balanced"\n'
    (session.folder / "assignment.toml").write_text(f"schema = 1\n{tied}")
    for rep in ("a", "b"):
        usecases.add(session, rep, fields)
    return session


def test_leads_of_one_customer_in_one_round_go_to_one_rep(session: Session) -> None:
    two_reps(session)
    chain = [lead(2, phone="+1"), lead(5, phone="+1", tax_id="t"), lead(7, tax_id="t")]
    rows(session, "leads", *(lead(n, company_key="acme") for n in (1, 4, 6)), *chain, lead(3), lead(8))
    planned = {
        r["lead_id"]: (r["rep_id"], r["rule"], r["reason"]) for r in usecases.planned_owners(session).to_pylist()
    }
    for customer in ((1, 4, 6), (2, 5, 7)):
        assert len({planned[n][0] for n in customer}) == 1
        assert [planned[n][1] for n in customer] == ["rest", "known", "known"]
    assert planned[4][2].startswith("has the same company")
    assert {rep for rep, _, _ in planned.values()} == {"a", "b"}
    assert usecases.run(session).given == 8
    explained = usecases.explain(session, 4)
    assert (explained.owner, explained.rule) == (planned[1][0], "known")
    assert [c.rep_id for c in explained.chances if c.rule == "known"] == [explained.owner]


def test_a_customer_that_does_not_fit_one_rep_is_shared_and_nobody_waits(session: Session) -> None:
    two_reps(session, capacity="2")
    rows(session, "leads", *(lead(n, company_key="acme") for n in range(1, 6)))
    done = usecases.run(session)
    assert (done.given, done.waiting) == (4, 1)
    assert sorted(rep or "" for rep, _ in owners(session).values()) == ["", "a", "a", "b", "b"]


def test_who_is_away_or_has_enough_for_today_gets_nothing(sales: Session, open_sales: Callable[..., Session]) -> None:
    usecases.change(sales, "nia", {"daily_limit": "2", "territories": "", "time_zone": "Asia/Taipei"})
    usecases.away(sales, "kay", begin="2026-05-04", end="2026-05-05", reason="leave")
    rows(sales, "leads", *(lead(n) for n in range(1, 6)))
    assert usecases.run(sales).given == 2
    assert "away until 2026-05-06 00:00" in {c.why_not for c in usecases.explain(sales, 5).chances}
    assert usecases.run(sales).given == 0
    sales.clock.at = datetime(2026, 5, 4, 16)  # type: ignore[attr-defined]  # midnight in Taipei
    assert usecases.run(sales).given == 2
    usecases.back(sales, "kay")
    assert usecases.run(sales).given == 1
    assert owners(sales)[5][0] == "kay"
    assert usecases.absences(sales).num_rows == 0


def test_all_away_or_nobody_there(session: Session) -> None:
    rows(session, "leads", lead(1))
    assert [w.reason for w in usecases.plan(session).reasons] == ["no active rep"]
    usecases.add(session, "a", {})
    usecases.away(session, "a", begin="2026-05-01", end="2026-05-31")
    assert [w.reason for w in usecases.plan(session).reasons] == ["nobody can take it: 1 away"]


def test_only_who_is_at_work_where_the_rule_says_so(session: Session) -> None:
    (session.folder / "calendars").mkdir()
    (session.folder / "calendars" / "office.toml").write_text('schema = 1\n[hours]\nmonday = ["09:00-17:00"]\n')
    (session.folder / "assignment.toml").write_text(
        'schema = 1\ncalendar = "office"\n[[rules]]\nname = "now"\nat_work = true\n'
    )
    usecases.add(session, "berlin", {"time_zone": "Europe/Berlin"})  # 11:00 there
    usecases.add(session, "taipei", {"time_zone": "Asia/Taipei"})  # 17:00
    rows(session, "leads", lead(1), lead(2))
    usecases.run(session)
    assert {o for o, _ in owners(session).values()} == {"berlin"}
    session.clock.advance(timedelta(hours=9))  # type: ignore[attr-defined]
    rows(session, "leads", lead(3))
    assert {c.rep_id: c.why_not for c in usecases.explain(session, 3).chances} == {
        "berlin": "not at work before 2026-05-11 07:00",
        "taipei": "not at work before 2026-05-11 01:00",
    }


def test_an_absence_is_refused_where_it_cannot_be(sales: Session) -> None:
    usecases.away(sales, "kay", begin="2026-05-10", end="2026-05-12")
    assert usecases.away(sales, "kay", begin="2026-05-10", end="2026-05-12").commit is None
    with pytest.raises(PolicyError, match="kay is away from 2026-05-10 00:00 to 2026-05-13 00:00 UTC already"):
        usecases.away(sales, "kay", begin="2026-05-12", end="2026-05-14")
    with pytest.raises(UserError, match="--to 2026-05-19 is not after --from 2026-05-20"):
        usecases.away(sales, "kay", begin="2026-05-20", end="2026-05-19")
    with pytest.raises(UserError, match="'Friday' is not a day or a time"):
        usecases.away(sales, "kay", begin="Friday", end="2026-05-19")
    with pytest.raises(NotFound, match="there is no rep 'key'"):
        usecases.away(sales, "key", begin="2026-05-20", end="2026-05-21")


def test_plans_differ_and_apply_does_one_or_says_what_moved(sales: Session) -> None:
    usecases.change(sales, "kay", {"capacity": ""})
    rows(sales, "leads", lead(1), lead(2))
    first = usecases.plan(sales)
    assert first.since is None
    rows(sales, "leads", lead(3), lead(2, status="converted"))
    usecases.add(sales, "al", {})
    second = usecases.plan(sales)
    assert second.since is not None
    assert (second.since.plan_id, second.since.new, second.since.gone, second.since.moved) == (first.plan_id, 1, 1, 1)
    assert [(m.lead_id, m.before, m.after) for m in second.since.moves] == [
        (1, "kay", "al"),
        (2, "kay", None),
        (3, None, "kay"),
    ]
    usecases.away(sales, "al", begin="2026-05-04", end="2026-05-05")
    with pytest.raises(Conflict, match=r"1 lead differs: lead:1 al → kay") as caught:
        usecases.apply(sales, second.plan_id)
    assert caught.value.exit_code == 5
    with pytest.raises(Conflict, match="the data moved since plan"):
        usecases.apply(sales, first.plan_id)
    usecases.back(sales, "al")
    sales.clock.advance(timedelta(seconds=1))  # type: ignore[attr-defined]
    done = usecases.apply(sales, second.plan_id[:6])
    assert (done.plan_id, done.given) == (second.plan_id, 2)
    again = usecases.apply(sales, second.plan_id)
    assert (again.given, again.applied_at) == (0, sales.now())
    with pytest.raises(NotFound, match="there is no plan 'beef'"):
        usecases.apply(sales, "beef")


@pytest.mark.parametrize(
    ("text", "message"),
    [
        pytest.param(
            'to = { reps = ["kai"] }', "rules.x.to.reps: there is no rep 'kai'. Did you mean 'kay'?", id="rep"
        ),
        pytest.param(
            'to = { teams = ["kee"] }', "rules.x.to.teams: there is no team 'kee'. Did you mean 'key'?", id="team"
        ),
        pytest.param('to = { skills = ["lazer"] }', "there is no skill 'lazer'. Did you mean 'laser'?", id="skill"),
        pytest.param('to = { territories = ["nord"] }', "there is no territory 'nord'", id="territory"),
        pytest.param('fallback = { reps = ["bos"] }', "rules.x.fallback.reps: there is no rep 'bos'", id="fallback"),
        pytest.param('fallback = "quene"', "rules[0].fallback: 'quene' is not one of next, queue", id="fallback word"),
        pytest.param(
            "where = \"contry = 'TW'\"", 'rules.x.where, position 1: unknown field "contry" of lead', id="field"
        ),
        pytest.param("where = \"member_of('hot')\"", "hot", id="segment"),
        pytest.param(
            'method = "random"', "'random' is not one of round-robin, weighted, balanced, sticky", id="method"
        ),
        pytest.param('wher = "true"', "rules[0].wher: unknown key. Did you mean 'where'?", id="key"),
        pytest.param(
            '[sla]\nfirst_response = "1 hour"\ncalendar = "offic"', "sla.calendar: there is no calendar", id="calendar"
        ),
        pytest.param("[territories.t]\nemployees = [500, 50]", "territories.t: employees: [500, 50]", id="sizes"),
        pytest.param("[territories.t]", "territories.t: says nothing", id="empty territory"),
        pytest.param(
            "[skills]\nx = \"langage = 'ja'\"", 'skills.x, position 1: unknown field "langage"', id="skill field"
        ),
        pytest.param('[[rules]]\nname = "x"', "rules: 'x' is there twice", id="twice"),
    ],
)
def test_a_file_that_cannot_be_names_file_key_and_nearest_name(read_only: Session, text: str, message: str) -> None:
    (read_only.folder / "assignment.toml").write_text(
        f'schema = 1\n[[rules]]\nname = "x"\n{text}\n[territories.north]\ncountries = ["TW"]\n[territories.mid]\ncountries = ["JP"]\n'
    )
    (found,) = usecases.check(read_only).problems
    assert "assignment.toml" in found
    assert message in found
    with pytest.raises((ConfigError, ConditionError)):
        usecases.planned_owners(read_only)


def test_check_finds_every_mistake_and_the_preset_has_none(sales: Session) -> None:
    (sales.folder / "assignment.toml").write_text(
        'schema = 1\n[[rules]]\nname = "x"\nwhere = "a = 1"\n[[rules]]\nname = "y"\nwhere = "b = 1"\nto = { teams = ["z"] }\n'
    )
    assert len(usecases.check(sales).problems) == 6  # two reps name territories that are no longer there, three times
    (sales.folder / "assignment.toml").unlink()
    for rep in ("nia", "jo"):
        usecases.change(sales, rep, {"territories": ""})
    assert usecases.check(sales).problems == ()
    rows(sales, "leads", lead(1))
    assert usecases.run(sales).given == 1


@pytest.mark.parametrize(
    ("fields", "message"),
    [
        ({"weight": "-1"}, "weight '-1' is not a whole number"),
        ({"capacity": "-1"}, "capacity '-1'"),
        ({"daily_limit": "many"}, "daily_limit 'many'"),
        ({"skills": "o'clock"}, 'skills: "o\'clock" is not a short name'),
        ({"time_zone": "Mars/Base"}, "time_zone 'Mars/Base'"),
    ],
)
def test_a_rep_that_cannot_be_is_refused(read_only: Session, fields: dict[str, str], message: str) -> None:
    with pytest.raises(UserError) as caught:
        usecases.change(read_only, "kay", fields)
    assert message in caught.value.message
