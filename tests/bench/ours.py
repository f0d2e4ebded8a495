"""Work of ours that no single command does, each in a process of its own: ``python -m tests.bench.ours WHAT …``."""

from __future__ import annotations

import json
import sys
import time
from datetime import datetime
from pathlib import Path
from tempfile import TemporaryDirectory

from tests.bench.bare import latency


def commits(folder: str, count: str) -> None:
    """Append one event in one commit, again and again."""
    import pyarrow as pa

    from sfactl.config.settings import Settings
    from sfactl.session import open_session
    from sfactl.workspace import Workspace

    spent = []
    with TemporaryDirectory(dir=folder) as place:
        Workspace.create(Path(place)).close()
        with open_session(Path(place), settings=Settings(), command="bench", actor="bench") as session:
            for n in range(int(count)):
                row = pa.table({"event_id": [str(n)], "at": [datetime(2026, 1, 1)], "kind": ["visit"], "lead_id": [1]})
                started = time.perf_counter()
                with session.write() as tx:
                    tx.append("touchpoints", row)
                    tx.commit()
                spent.append(time.perf_counter() - started)
    print(json.dumps(latency(spent)))


def lead_file(path: str, leads: str) -> None:
    """A lead file of the made-up world."""
    from sfactl.demo.world import World, made

    with made(World(leads=int(leads), events=0, seed=42)) as tables:
        tables.write_leads(Path(path))


def touch_leads(folder: str, leads: str) -> None:
    """Change so many leads, spread over all of them."""
    from sfactl.config.settings import Settings
    from sfactl.session import open_session

    with open_session(Path(folder), settings=Settings(), command="bench", actor="bench") as session:
        with session.write("leads") as tx:
            tx.upsert(
                "leads",
                "select * replace (employees + 500 as employees) from leads where lead_id % 100 = 7 limit $leads",
                {"leads": int(leads)},
            )
            tx.commit()


def returned_mail(folder: str, workspace: str, mails: str) -> None:
    """Mailboxes of returned mail to the leads of a workspace."""
    from tests.bench.works.bounces import write

    write(Path(folder), Path(workspace), int(mails))


if __name__ == "__main__":
    {"commits": commits, "lead-file": lead_file, "touch-leads": touch_leads, "returned-mail": returned_mail}[
        sys.argv[1]
    ](*sys.argv[2:])
