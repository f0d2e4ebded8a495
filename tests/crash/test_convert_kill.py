"""A conversion that is killed at any moment leaves all of it or nothing, and the next one goes on from there."""

from __future__ import annotations

import random
import time
from datetime import datetime
from pathlib import Path

import pyarrow as pa
import pytest

from sfactl.config.settings import Settings
from sfactl.session import FixedClock, Session, open_session
from sfactl.testkit import Commands
from sfactl.workspace import Workspace

LEADS, BATCH, KILLS = 400, 5, 20

INVARIANTS = {
    "a converted lead has its account, contact and opportunity": """
        select l.lead_id from leads l
        left join accounts a on a.account_id = l.account_id
        left join contacts c on c.contact_id = l.contact_id and c.account_id = l.account_id
        left join opportunities o on o.opportunity_id = l.opportunity_id and o.lead_id = l.lead_id
        where l.status = 'converted' and (a.account_id is null or c.contact_id is null or o.opportunity_id is null)
    """,
    "a lead that is not converted has none": """
        select l.lead_id from leads l where l.status <> 'converted'
            and (l.account_id is not null or l.opportunity_id is not null
                or l.lead_id in (select lead_id from opportunities)
                or l.lead_id in (select e.entity_id from stage_events e where e.entity = 'lead'))
    """,
    "nothing happened twice": """
        select lead_id from opportunities group by lead_id having count(*) > 1
        union all
        select e.entity_id from stage_events e where e.entity = 'lead' group by e.entity_id having count(*) > 1
    """,
    "no account or contact belongs to nobody": """
        select a.account_id from accounts a where a.account_id not in (select account_id from leads where account_id is not null)
        union all
        select c.contact_id from contacts c where c.contact_id not in (select contact_id from leads where contact_id is not null)
    """,
    "every move of a lead has one of its opportunity": """
        select e.entity_id from stage_events e where e.entity = 'lead' and e.cause not in (
            select 'opportunity:' || d.entity_id from stage_events d where d.entity = 'opportunity')
    """,
}


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    Workspace.create(tmp_path / "ws").close()
    (tmp_path / "ws" / "sfactl.toml").write_text("schema = 1\n")
    rows = [
        {"lead_id": n, "status": "sql", "email": f"p{n}@c{n % 20}.example.com", "company_key": f"c{n % 20}"}
        for n in range(LEADS)
    ]
    with opened(tmp_path / "ws") as session:
        with session.write("leads") as tx:
            tx.upsert("leads", pa.Table.from_pylist(rows, schema=session.workspace.schemas["leads"].arrow()))
            tx.commit()
    return tmp_path / "ws"


def opened(folder: Path) -> Session:
    clock = FixedClock(datetime(2026, 5, 4, 9))
    return open_session(folder, settings=Settings(), command="test", actor="test", clock=clock)


def check(folder: Path) -> int:
    """All invariants hold; answers how many leads are converted."""
    with opened(folder) as session, session.query() as query:
        for what, sql in INVARIANTS.items():
            assert query.rows(sql) == [], what
        row = query.one("select count(*) from leads where status = 'converted'")
        return int(row[0]) if row else 0


@pytest.mark.crash
def test_a_killed_conversion_leaves_all_or_nothing(folder: Path) -> None:
    chance = random.Random(7)
    converted, kills = 0, 0
    with Commands() as sfactl:
        while kills < KILLS:
            batch = range(converted, converted + BATCH)
            running = sfactl.start("-w", folder, "lead", "convert", *map(str, batch))
            # Between the first statement and a little more than a batch takes.
            time.sleep(chance.uniform(0.0, 0.5))
            answer = running.kill()
            code = answer.code
            assert code <= 0, answer.err
            kills += code < 0
            now = check(folder)
            assert now - converted in ((BATCH,) if code == 0 else (0, BATCH)), "all of it or nothing"
            converted = now
            assert converted < LEADS - BATCH, "there is always something left to be killed in"
        assert sfactl.run("-w", folder, "lead", "convert", *map(str, range(converted, LEADS))).code == 0
    assert check(folder) == LEADS
