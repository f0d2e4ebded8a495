"""The buying centre of a deal: kept once, carried along as the deal moves, and thanked by a campaign once each."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime, timedelta
from pathlib import Path

import pytest

from sfactl.api.errors import NotFound
from sfactl.campaigns import usecases as campaigns
from sfactl.config.layers import load_settings
from sfactl.opportunities.usecases import deals, roles
from sfactl.session import FixedClock, Session, open_session
from sfactl.workspace import Workspace

NOW = datetime(2026, 5, 4, 9)
LEADS = """select unnest([1, 2, 3, 4]) as lead_id, unnest(['Ann', 'Bo', 'Cy', 'Di']) as first_name,
    unnest(['a@x.example', 'b@x.example', 'c@x.example', 'd@x.example']) as email"""
CAMPAIGN = """schema = 1
summary = "Thank those who took part in a deal that was won"
where = "has(buying_roles) filter (where outcome = 'won' and within('14 days'))"
sender = "outbox"
from = "Acme <thanks@acme.example>"
[[steps]]
name = "thanks"
template = "thanks"
"""
STAGES = """schema = 1
[[stages]]
name = "offer"
probability = 0.5
[[stages]]
name = "won"
category = "won"
probability = 1.0
[[stages]]
name = "lost"
category = "lost"
probability = 0.0
"""


@pytest.fixture
def session(tmp_path: Path) -> Iterator[Session]:
    folder = tmp_path / "ws"
    Workspace.create(folder).close()
    files = {
        "sfactl.toml": "schema = 1\n",
        "campaigns/thanks.toml": CAMPAIGN,
        "templates/thanks.toml": 'schema = 1\nsubject = "Thank you"\ntext = "Dear {{ lead.first_name }}"\n',
        "senders/outbox.toml": 'schema = 1\nuse = "maildir"\n',
        "stages/sales.toml": STAGES,
    }
    for name, text in files.items():
        (folder / name).parent.mkdir(exist_ok=True)
        (folder / name).write_text(text, encoding="utf-8")
    settings = load_settings(folder, env=None, environ={}, no_plugins=())
    with open_session(folder, settings=settings, command="opp", actor="mei", clock=FixedClock(NOW)) as session:
        with session.write("leads") as tx:
            tx.upsert("leads", LEADS)
            tx.commit()
        for name in ("LX-300", "Filters"):
            deals.add(session, name, {})
        yield session


def centre(session: Session, ref: str) -> list[tuple[str, int, str]]:
    found = roles.roles(session, ref)
    return list(zip(*(found.column(c).to_pylist() for c in ("role", "lead_id", "outcome")), strict=True))


def test_a_role_is_kept_once(session: Session) -> None:
    """A repeat changes nothing; one person may have several roles."""
    assert roles.give_role(session, "opp:1", 1, "decider").changed
    again = roles.give_role(session, "opp:1", 1, "decider")
    assert (again.changed, again.commit) == (False, None)
    roles.give_role(session, "opp:1", 1, "buyer")
    assert centre(session, "opp:1") == [("buyer", 1, "open"), ("decider", 1, "open")]
    assert roles.take_role(session, "opp:1", 1, "buyer").changed
    assert centre(session, "opp:1") == [("decider", 1, "open")]


def test_what_is_not_there_is_told(session: Session) -> None:
    """A deal, or a role."""
    with pytest.raises(NotFound, match="there is no opportunity 99"):
        roles.give_role(session, "opp:99", 1, "decider")
    with pytest.raises(NotFound, match="lead 1 is no user in opp:1"):
        roles.take_role(session, "opp:1", 1, "user")


def test_roles_say_how_the_deal_stands(session: Session) -> None:
    """As it is won or lost; other deals stay as they are, and who joins later stands as the deal does."""
    roles.give_role(session, "opp:1", 1, "decider")
    roles.give_role(session, "opp:2", 2, "decider")
    deals.close(session, ["opp:1"], won=True)
    assert (centre(session, "opp:1"), centre(session, "opp:2")) == ([("decider", 1, "won")], [("decider", 2, "open")])
    deals.close(session, ["opp:2"], won=False, reason="price")
    roles.give_role(session, "opp:2", 3, "user")
    assert centre(session, "opp:2") == [("decider", 2, "lost"), ("user", 3, "lost")]


def test_each_participant_with_consent_is_thanked_once(session: Session) -> None:
    """Nobody suppressed or unsubscribed, nobody of a deal that is not won, and nobody twice for two roles."""
    for lead, role in ((1, "decider"), (1, "user"), (2, "buyer"), (3, "user")):
        roles.give_role(session, "opp:1", lead, role)  # type: ignore[arg-type]
    roles.give_role(session, "opp:2", 4, "decider")
    deals.close(session, ["opp:1"], won=True)
    campaigns.suppress(session, "b@x.example", reason="manual", scope="all")
    with session.write() as tx:
        tx.append(
            "touchpoints",
            "select 'u1' as event_id, cast($at as timestamp) as \"at\", 'unsubscribe' as kind, 3 as lead_id",
            {"at": NOW - timedelta(days=1)},
        )
        tx.commit()
    plan = campaigns.plan(session, "thanks")
    assert plan.sends == 1
    assert campaigns.apply(session, plan.plan_id).accepted == 1
    assert campaigns.plan(session, "thanks").sends == 0
    with session.query() as query:
        assert query.rows("select lead_id from messages") == [(1,)]
