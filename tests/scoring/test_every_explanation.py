"""A hundred thousand leads: what explains each score adds up to it, to the last hundredth."""

from __future__ import annotations

from collections.abc import Iterable
from decimal import Decimal
from itertools import groupby
from pathlib import Path

from sfactl.scoring import usecases
from sfactl.scoring.files import read_score
from sfactl.scoring.model import Score
from sfactl.scoring.reasons import Entry, add_up, reasons_statement
from sfactl.scoring.usecases.strategies import plan_at
from sfactl.session import Session
from sfactl.workspace import Workspace
from tests.learning_world import NOW, session_in

LEADS = 100_000
HARD = """schema = 1
decimals = 2
floor = -20
ceiling = 60
groups = { web = { cap = 15 } }
rules = [
  { name = "visit", on = "touchpoints", where = "kind = 'visit'", points = 3.57, group = "web", decay = { half_life = "9 days" } },
  { name = "form", on = "touchpoints", where = "kind = 'form_submit'", points = 8, cap = 20, decay = { linear = "60 days" } },
  { name = "once", on = "touchpoints", where = "kind = 'call'", points = 5, limit = "first" },
  { name = "days", on = "touchpoints", points = 1.25, limit = "daily", group = "web" },
  { name = "left", on = "touchpoints", where = "kind = 'unsubscribe'", points = -30 },
  { name = "abroad", where = "country <> 'TW'", points = -7.03 },
]
"""
TOUCHES = 80_000
COUNTRIES = "['TW', 'JP', 'DE', null]"
TITLES = "['Purchasing Manager', 'Student', '經理', null]"
INDUSTRIES = "['machinery', 'Education', 'farming', null]"
KINDS = "['visit', 'visit', 'form_submit', 'call', 'unsubscribe', 'email_click']"
PAGES = "['/pricing', 'quote-request', '/news', 'catalogue']"


def one_of(choice: str, salt: int) -> str:
    """SQL that draws one of a list, the same one each time."""
    return f"list_extract({choice}, 1 + cast(hash(n, {salt}) % len({choice}) as integer))"


def fill(session: Session) -> None:
    """Leads that differ in what scores ask about; most did something, some much, at times of a second's fineness."""
    with session.write("leads") as tx:
        tx.upsert(
            "leads",
            f"select n as lead_id, 'new' as status, 'c' || n as company, {one_of(COUNTRIES, 1)} as country,"
            f" {one_of(TITLES, 2)} as title, {one_of(INDUSTRIES, 3)} as industry,"
            " cast(hash(n, 4) % 400 as bigint) as employees, 'u' || n || '@x.example' as email"
            f" from range(1, {LEADS + 1}) as r(n)",
        )
        tx.append(
            "touchpoints",
            "select 'e' || n as event_id, 1 + cast(least(hash(n, 5), hash(n, 6)) % 100000 as bigint) as lead_id,"
            f" {one_of(KINDS, 7)} as kind, {one_of(PAGES, 8)} as content,"
            " timestamp '2026-11-21 09:00:00' - to_seconds(cast(hash(n, 9) % 10368000 as bigint)) as \"at\""
            f" from range({TOUCHES}) as r(n)",
        )
        tx.commit()


def units_of(score: Score, entries: Iterable[Entry]) -> int:
    """What an explanation comes to, in the smallest amounts of its score."""
    return int(sum((reason.points for reason in add_up(score, entries)), Decimal(0)) * score.unit)


def test_every_explanation_adds_up_to_its_score(tmp_path: Path) -> None:
    Workspace.create(tmp_path).close()
    (tmp_path / "scores").mkdir()
    (tmp_path / "scores" / "hard.toml").write_text(HARD, encoding="utf-8")
    score = read_score(tmp_path / "scores" / "hard.toml")
    with session_in(tmp_path) as session:
        fill(session)
        usecases.run(session)
        with session.query() as query:
            plan = plan_at(session, NOW)
            statement = reasons_statement(plan, score, one=False)
            columns = 'lead_id, rule_no, cast(units as bigint) as units, "at", detail'
            rows = query.rows(f"select {columns} from ({statement}) order by lead_id", plan.params)
            units = f"cast(round(points * {score.unit}) as bigint)"
            stored = dict(query.rows(f"select lead_id, {units} from scores"))
    assert len(stored) == LEADS
    explained = dict.fromkeys(stored, units_of(score, ()))
    for lead, found in groupby(rows, key=lambda row: row[0]):
        entries = [Entry(rule=rule, units=amount, at=at, detail=why) for _, rule, amount, at, why in found]
        explained[lead] = units_of(score, entries)
    assert explained == stored
    assert len(set(explained.values())) > 1000, "a test in which many get the same shows little"
