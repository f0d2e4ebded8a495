"""Log, feeds, decisions, switching, migrating and looking at strategies."""

from __future__ import annotations

from decimal import Decimal
from pathlib import Path

import pytest

from sfactl.api.errors import ConfigError, NotFound, PolicyError, UserError
from sfactl.config.objects import build, read_toml
from sfactl.strategies import usecases
from sfactl.strategies.files import parse_strategy
from sfactl.strategies.model import Strategy

from .conftest import HEAD, TASK, TOUCH, WAIT, Acme

APPROVAL = '[[steps]]\nname = "boss"\naction = "approval"\ntask = { title = "May we?" }\n'
PUSH = '[[steps]]\nname = "tell"\naction = "push"\nfeed = "marketing"\nwhat = "orders"\n'


def test_the_word_of_an_approval_sends_the_lead_on(acme: Acme) -> None:
    acme.leads(1, 2)
    acme.strategy(APPROVAL, TASK)
    acme.run()
    with acme.session() as session:
        assert usecases.decide(session, "winback", "lead:1", approved=True).result == "approved"
        assert usecases.decide(session, "winback", "u2@example.com", approved=False).result == "refused"
        with pytest.raises(PolicyError, match="was given already: refused"):
            usecases.decide(session, "winback", "2", approved=True)
    acme.leads(3, status="lost")
    with acme.session() as session, pytest.raises(NotFound, match="asks nobody about lead 3"):
        usecases.decide(session, "winback", "3", approved=True)
    acme.run(days=1)
    assert acme.select("select lead_id, step from tasks where kind = 'call'") == [(1, "call")]
    assert acme.standing() == {1: ("call", "finished", "finished"), 2: ("boss", "finished", "finished")}


def test_a_feed_agrees_with_the_orders_after_corrections(acme: Acme) -> None:
    acme.leads(1)
    order = {"lead_id": 1, "at": acme.clock.now(), "status": "open", "currency": "TWD"}
    acme.rows("orders", *({"order_id": n, "amount": 100 * n} | order for n in (1, 2, 3)))
    acme.strategy(PUSH)
    acme.run()
    acme.rows("orders", {"order_id": 2, "amount": 200} | order | {"status": "cancelled"})
    acme.rows("orders", {"order_id": 3, "amount": 350} | order)
    with acme.session() as session:
        before = usecases.feed_totals(session, "marketing")
        assert [(t.told, t.now, t.orders) for t in before.totals] == [(Decimal(600), Decimal(450), 3)]
        assert usecases.feed_totals(session, "marketing", correct=True).corrections == 2
        after = usecases.feed_totals(session, "marketing", correct=True)
        assert (after.corrections, after.agrees) == (0, True)
        rows = usecases.feed_rows(session, "marketing")
        assert sum(rows.column("amount").to_pylist()) == Decimal(450)
        with pytest.raises(NotFound, match="marketin"):
            usecases.feed_totals(session, "marketin")


def test_switching_those_inside_to_the_newest_version(acme: Acme) -> None:
    acme.leads(1)
    acme.strategy(WAIT, TASK)
    acme.run()
    acme.strategy(WAIT.replace("breathe", "rest").replace("3 days", "1 day"), TASK)
    with acme.session() as session:
        with pytest.raises(UserError, match="1 leads stand at 'breathe'"):
            usecases.switch(session, "winback", steps={})
        [moved] = usecases.switch(session, "winback", steps={"breathe": "rest"})
        assert (moved.step, moved.to_step, moved.leads) == ("breathe", "rest", 1)
        assert usecases.switch(session, "winback", steps={}) == ()
        assert [v.inside for v in usecases.versions(session, "winback")] == [1, 0]
    assert acme.run(days=1).tasks == 1


def test_why_a_lead_gets_nothing(acme: Acme) -> None:
    acme.leads(1, status="lost", employees=5)
    acme.leads(2)
    acme.write("segments/never.toml", "schema = 1\nwhere = \"status = 'lost'\"\n")
    both = HEAD.replace(
        "where = \"status = 'new'\"", 'where = "status = \'new\' and employees > 3"\nblacklist = "never"'
    )
    acme.strategy(WAIT, TASK, head=both)
    with acme.session() as session:
        [why] = usecases.log(session, "1", why=True).why
    assert [(g.text, g.holds, g.actual) for g in why.grounds] == [
        ("status = 'new'", False, "lost"),
        ("employees > 3", True, "5"),
        ("not blacklisted by never", False, ""),
    ]
    assert (why.standing, why.decisions) == ("never in", ())


def test_status_and_drawing_count_who_stands_where(acme: Acme) -> None:
    acme.leads(1, 2, 3)
    acme.strategy(WAIT, TASK, head=HEAD.replace("owner", "minutes_saved = 6\nowner"))
    acme.run()
    acme.leads(2, status="won")
    with acme.session() as session:
        shown = usecases.show(session, "winback")
        assert [(b.step, b.leads) for b in shown.steps] == [("breathe", 3), ("call", 0)]
        [line] = usecases.strategies(session)
        assert (line.state, line.inside) == ("active", 3)
        usecases.pause(session, "winback")
        assert usecases.strategies(session)[0].state == "paused by mei"
    with pytest.raises(PolicyError, match="is paused by mei"):
        acme.run(days=3)
    with acme.session() as session:
        usecases.unpause(session, "winback")
    acme.run()
    with acme.session() as session:
        status = usecases.status(session, "winback")
    assert [(o.state, o.leads) for o in status.outcomes] == [("finished", 3)]
    assert (status.effects, status.minutes) == (3, 18)


def test_checks_name_what_is_wrong(acme: Acme) -> None:
    acme.strategy(TOUCH.replace("hello", "hallo"))
    acme.strategy(TOUCH, name="loud")
    acme.strategy(TOUCH, name="lost", head=HEAD.replace('"outbox"', '"inbox"'))
    acme.strategy(TASK, name="right")
    with acme.session() as session:
        found = {(f.strategy, f.severity): f.message for f in usecases.check(session)}
    assert "Did you mean 'hello'?" in found["winback", "error"]
    assert "there is no senders/inbox.toml" in found["lost", "error"]
    assert "touch.caps" in found["loud", "warning"]
    assert found["right", "ok"] == "steps call"


CAMPAIGN = """# Two mails and a call.
schema = 1
summary = "Spring"
where = "status = 'new'"
sender = "outbox"
from = "Acme <news@acme.example>"
holdout = 10
max_recipients = 9
[[steps]]
name = "invite"
template = "hello"
[[steps]]
name = "again"
template = "hello"
after = { step = "invite", wait = "5 days" }
where = "employees > 3"
[[steps]]
name = "call"
action = "task"
after = { step = "again", wait = "2 days" }
task = { title = "Call" }
"""


def test_a_campaign_becomes_a_strategy(acme: Acme) -> None:
    (acme.folder / "campaigns").mkdir()
    acme.write("campaigns/spring.toml", CAMPAIGN)
    with acme.session(dry_run=True) as session:
        assert not usecases.migrate(session, "spring", owner="sam").written
    assert not (acme.folder / "strategies/spring.toml").exists()
    with acme.session() as session:
        with pytest.raises(ConfigError, match="name one with --owner"):
            usecases.migrate(session, "spring")
        done = usecases.migrate(session, "spring", owner="sam")
        assert usecases.migrate(session, "spring").diff == ()
    assert "-holdout = 10" in done.diff
    text = (acme.folder / "strategies/spring.toml").read_text(encoding="utf-8")
    assert text.startswith("# Two mails and a call.\n")
    made = parse_strategy(text, "spring", where="spring")
    assert (made.holdout.percent, made.max_effects, made.owner) == (10, 9, "sam")
    assert {s.name: made.ways[s.name] for s in made.steps} == {
        "invite": (("", "before-again"),),
        "before-again": (("", "is-again"),),
        "is-again": (("then", "again"), ("otherwise", "end")),
        "again": (("", "before-call"),),
        "before-call": (("", "call"),),
        "call": (("", "end"),),
    }


PRESET = Path(__file__).resolve().parents[2] / "configs" / "b2b"


@pytest.mark.parametrize("name", sorted(p.stem for p in (PRESET / "strategies").glob("*.toml")))
def test_what_ships_reads_and_reads_again_the_same(name: str) -> None:
    path = PRESET / "strategies" / f"{name}.toml"
    made = parse_strategy(path.read_text(encoding="utf-8"), name, where=name)
    raw = read_toml(path)
    del raw["schema"]
    assert build(Strategy, raw, where=name, inject={"name": name}) == made
    assert made.ways


def test_the_journey_has_the_eight_nodes_in_order() -> None:
    text = (PRESET / "strategies/customer-journey.toml").read_text(encoding="utf-8")
    nodes = ["ice-breaking", "product-intro", "demo", "deal", "usage-follow-up", "customer-outcome"]
    nodes += ["key-node-marketing", "renewal"]
    steps = [s.name for s in parse_strategy(text, "customer-journey", where="").steps]
    assert [s for s in steps if s in nodes] == nodes
