"""A conversion that is killed at any moment leaves all of it or nothing, and the next one goes on from there."""

from __future__ import annotations

import random
import subprocess
import sys
from datetime import datetime
from pathlib import Path

import pyarrow as pa
import pytest

from sfactl.config.settings import Settings
from sfactl.session import FixedClock, Session, open_session
from sfactl.workspace import Workspace

LEADS, BATCH, KILLS = 400, 5, 20

CONVERT = """
import sys
from pathlib import Path
from sfactl.config.settings import Settings
from sfactl.leads.conversion_usecases import convert
from sfactl.session import open_session

session = open_session(Path(sys.argv[1]), settings=Settings(), command="lead convert", actor="mei", quiet=True)
first, last, batch = map(int, sys.argv[2:])
print("ready", flush=True)
for start in range(first, last, batch):
    done = convert(session, [str(n) for n in range(start, min(start + batch, last))])
    print("done", start, done.converted, flush=True)
"""

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


def run(folder: Path, *numbers: int) -> subprocess.Popen[str]:
    command = [sys.executable, "-c", CONVERT, str(folder), *map(str, numbers)]
    return subprocess.Popen(command, stdout=subprocess.PIPE, text=True)


@pytest.mark.crash
def test_a_killed_conversion_leaves_all_or_nothing(folder: Path) -> None:
    chance = random.Random(7)
    converted, acknowledged, kills = 0, 0, 0
    while kills < KILLS:
        with run(folder, converted, LEADS, BATCH) as process:
            assert process.stdout is not None
            said = process.stdout.readline()
            assert said == "ready\n"
            try:
                # Between the first statement and a little more than a batch takes.
                process.wait(timeout=chance.uniform(0.0, 0.6))
            except subprocess.TimeoutExpired:
                process.kill()
                kills += 1
            rest = process.stdout.read()
        now = check(folder)
        acknowledged += sum(int(line.split()[2]) for line in rest.splitlines() if line.startswith("done"))
        assert now >= converted, "what was converted stays so"
        assert now >= acknowledged, "what was acknowledged was done"
        converted = now
        assert converted < LEADS, "there is always something left to be killed in"
    with run(folder, 0, LEADS, 100) as process:
        process.communicate()
    assert process.returncode == 0
    assert check(folder) == LEADS
