"""``lead enrich``, killed again and again: facts and fields are there together or not at all, and the next run heals."""

from __future__ import annotations

import os
import random
import time
from pathlib import Path

import pytest

from sfactl.config.settings import Settings
from sfactl.session import open_session
from sfactl.testkit import Commands
from sfactl.workspace import Workspace
from sfactl.workspace.verify import verify

pytestmark = pytest.mark.crash

LEADS, KILLS = 300, int(os.environ.get("SFACTL_KILLS", "0")) or 8
PROVIDER = """
schema = 1
use = "file"
file = "companies.csv"
key = "domain"
[columns]
industry = "Industry"
employees = "Employees"
"""


def state(folder: Path) -> tuple[int, int, int]:
    """Leads that were filled, facts, and leads with a fact that are not filled or the other way round."""
    with open_session(folder, settings=Settings(), command="t", actor="t", quiet=True) as session:
        assert not verify(session.workspace).problems
        with session.query() as query:
            row = query.one(
                "select (select count(*) from leads where industry is not null), (select count(*) from enrichments),"
                " (select count(*) from leads l where (industry is not null) <> exists"
                "  (select 1 from enrichments where entity_id = l.lead_id))"
            )
    assert row is not None
    return row  # type: ignore[return-value]


def test_a_killed_run_leaves_all_or_nothing(tmp_path: Path) -> None:
    folder = tmp_path / "ws"
    Workspace.create(folder).close()
    (folder / "sfactl.toml").write_text("schema = 1\n")
    (folder / "enrichers").mkdir()
    (folder / "enrichers" / "companies.toml").write_text(PROVIDER)
    rows = [f"c{n}.example,Machines,{n + 1}" for n in range(LEADS)]
    (folder / "companies.csv").write_text("domain,Industry,Employees\n" + "\n".join(rows) + "\n")
    with open_session(folder, settings=Settings(), command="t", actor="t", quiet=True) as session:
        with session.write("leads") as tx:
            tx.upsert("leads", f"select n as lead_id, 'a@c' || n || '.example' as email from range({LEADS}) t(n)")
            tx.commit()
    chance = random.Random(5)
    kills = done = 0
    with Commands() as sfactl:
        while kills < KILLS:
            refs = [f"lead:{n}" for n in range(done, min(done + 20, LEADS))]
            running = sfactl.start("-w", folder, "lead", "enrich", *refs, "--provider", "companies")
            time.sleep(chance.uniform(0.05, 0.6))
            answer = running.kill()
            assert answer.code <= 0, answer.err
            kills += answer.code < 0
            filled, facts, torn = state(folder)
            assert torn == 0
            assert facts == 2 * filled
            assert filled in (done, done + len(refs)) if answer.code < 0 else filled == done + len(refs)
            done = filled
        last = sfactl.run("-w", folder, "lead", "enrich", "--all", "--provider", "companies")
        assert last.code == 0, last.err
    assert state(folder) == (LEADS, 2 * LEADS, 0)
