"""The workspace whose due jobs the crash tests run, day by day."""

from __future__ import annotations

from datetime import datetime, timedelta
from pathlib import Path

from sfactl.config.layers import load_settings
from sfactl.runs.model import Summary
from sfactl.runs.usecases import run_due
from sfactl.session import FixedClock, Session, open_session

from . import campaign_world

FIRST = datetime(2026, 11, 23, 9)

RUN = """
schema = 1
[engine]
threads = 1
[run.jobs.scores]
schedule = "0 9 * * *"
[run.jobs.segments]
schedule = "0 9 * * *"
[run.jobs.qualify]
schedule = "0 9 * * *"
[run.campaigns.spring]
schedule = "0 9 * * *"
"""

CALLS = """
schema = 1
summary = "Call everybody every day"
schedule = "0 9 * * *"
owner = "anna"
where = "status is not null"
[entry]
again = "1 hour"
[[steps]]
name = "call"
action = "task"
task = { kind = "call", title = "Call", due = "1 day" }
"""


def make(folder: Path, *, leads: int) -> None:
    """A workspace with scores, a segment, qualification, a strategy and a campaign that are due each day."""
    campaign_world.make(folder, leads=leads, sender='use = "maildir"\n')
    campaign = folder / "campaigns/spring.toml"
    campaign.write_text(campaign.read_text().replace("status = 'new'", "status is not null"))
    for name in ("scores", "segments", "strategies"):
        (folder / name).mkdir(exist_ok=True)
    (folder / "sfactl.toml").write_text(RUN)
    (folder / "strategies/calls.toml").write_text(CALLS)
    (folder / "scores/age.toml").write_text(
        'schema = 1\nsummary = "Odd"\n[[rules]]\nname = "odd"\nwhere = "lead_id % 2 = 1"\npoints = 10\n'
    )
    (folder / "segments/odd.toml").write_text('schema = 1\nsummary = "Odd"\nwhere = "score.age >= 10"\n')
    (folder / "qualification.toml").write_text(
        'schema = 1\n[mql]\nwhere = "member_of(\'odd\')"\n[sql]\nscore = "age"\npass_mark = 10\nrequired = []\n'
    )


def day(folder: Path, n: int) -> None:
    """Let the campaign write to everybody on day ``n`` again."""
    campaign_world.rotate(folder, n + 1)
    campaign = folder / "campaigns/spring.toml"
    campaign.write_text(campaign.read_text().replace("status = 'new'", "status is not null"))


def opened(folder: Path, n: int) -> Session:
    """A session at nine o'clock of day ``n``."""
    return open_session(
        folder,
        settings=load_settings(folder, env=None, environ={}, no_plugins=()),
        command="run --due",
        actor="worker",
        clock=FixedClock(FIRST + timedelta(days=n)),
        quiet=True,
    )


def run(folder: Path, n: int) -> Summary:
    """Do what is due on day ``n``."""
    with opened(folder, n) as session:
        return run_due(session)
