"""Applying a plan: exactly once each, frozen recipients, one gate again at the moment of sending."""

from __future__ import annotations

import shutil
from collections.abc import Callable
from datetime import timedelta

import pytest

from sfactl.api.errors import Conflict, LockBusy, PolicyError, TryLater
from sfactl.campaigns import usecases
from sfactl.campaigns.usecases import applying

from .conftest import CAMPAIGN, Acme, leads, row_and_files


def _die(*_: object) -> None:
    raise RuntimeError("the process ends here")


def test_everybody_gets_one_message_and_a_touchpoint(acme: Acme) -> None:
    leads(acme, 45)
    result = acme.run()
    assert (result.accepted, result.refused, result.left, result.state) == (45, 0, 0, "applied")
    assert len(acme.outbox()) == 45
    with acme.session() as session, session.query() as query:
        assert query.rows("select kind, count(*), count(distinct event_id) from touchpoints group by 1") == [
            ("email_sent", 45, 45)
        ]
        assert query.rows("select state, count(distinct message_key) from messages group by 1") == [("accepted", 45)]
        assert not session.ledger.rows()


def test_an_applied_plan_does_nothing_again(acme: Acme) -> None:
    leads(acme, 3)
    plan = acme.plan()
    acme.apply(plan.plan_id)
    again = acme.apply(plan.plan_id)
    assert (again.nothing, again.accepted) == (True, 0)
    assert acme.run().accepted == 0
    assert len(acme.outbox()) == 3


def test_a_dry_run_sends_nothing(acme: Acme) -> None:
    leads(acme, 3)
    plan = acme.plan()
    with acme.session(dry_run=True) as session:
        result = usecases.apply(session, plan.plan_id)
    assert (result.ready, result.accepted) == (3, 0)
    assert not acme.outbox()
    assert acme.apply(plan.plan_id).accepted == 3


@pytest.mark.parametrize(
    ("change", "differs"),
    [
        pytest.param(lambda a: a.leads({"lead_id": 4}), "1 recipient differs (lead 4)", id="one-more"),
        pytest.param(lambda a: a.leads({"lead_id": 2, "status": "sql"}), "(lead 2)", id="one-left"),
        pytest.param(lambda a: a.leads({"lead_id": 2, "email": "x@example.com"}), "(lead 2)", id="address"),
        pytest.param(lambda a: a.leads({"lead_id": 2, "first_name": "Else"}), "(lead 2)", id="printed-value"),
        pytest.param(
            lambda a: a.leads({"lead_id": 2, "email": "x@example.com"}, {"lead_id": 4}),
            "2 recipients differ (lead 2, lead 4)",
            id="two",
        ),
    ],
)
def test_data_that_moved_is_refused_with_the_difference(
    acme: Acme, change: Callable[[Acme], None], differs: str
) -> None:
    leads(acme, 3)
    plan = acme.plan()
    change(acme)
    with pytest.raises(Conflict, match="the data moved since this plan") as caught:
        acme.apply(plan.plan_id)
    assert differs in caught.value.message
    assert not acme.outbox()
    with acme.session() as session:
        assert usecases.difference(session, plan.plan_id).num_rows >= 1


def test_data_that_moved_without_changing_a_message_is_no_matter(acme: Acme) -> None:
    leads(acme, 3)
    plan = acme.plan()
    acme.leads({"lead_id": 2, "note": "called"}, {"lead_id": 9, "status": "sql"})
    acme.clock.advance(timedelta(hours=1))
    assert acme.apply(plan.plan_id).accepted == 3


def test_changed_files_are_refused(acme: Acme) -> None:
    leads(acme, 3)
    plan = acme.plan()
    acme.write("templates/invite.toml", 'schema = 1\nsubject = "Other"\ntext = "Other"\n')
    with pytest.raises(Conflict, match="files of campaign spring changed"):
        acme.apply(plan.plan_id)


def test_a_large_plan_needs_an_approval_of_itself(acme: Acme) -> None:
    acme.write("campaigns/spring.toml", CAMPAIGN.replace("sender =", "approve_above = 2\nsender ="))
    leads(acme, 3)
    plan = acme.plan()
    assert plan.needs_approval
    with pytest.raises(PolicyError, match="3 messages, more than 2"):
        acme.apply(plan.plan_id)
    with acme.session(actor="boss") as session:
        assert usecases.approve(session, plan.plan_id[:6]).approved_by == "boss"
    acme.leads({"lead_id": 4})
    other = acme.plan()
    assert other.needs_approval
    with pytest.raises(PolicyError):
        acme.apply(other.plan_id)
    acme.leads({"lead_id": 4, "status": "sql"})
    assert acme.apply(plan.plan_id).accepted == 3


def test_who_made_a_plan_or_may_not_approve_its_size_cannot_approve_it(acme: Acme) -> None:
    """The rules of approvals.toml bind whoever approves; the plan stays as it is."""
    acme.write("campaigns/spring.toml", CAMPAIGN.replace("sender =", "approve_above = 2\nsender ="))
    acme.write("approvals.toml", 'schema = 1\n[[rules]]\nwhat = "campaign"\nby = ["boss", "mei"]\n')
    leads(acme, 3)
    with acme.session(actor="mei") as session:
        plan = usecases.plan(session, "spring")
    for actor, why in (("mei", "somebody else must approve"), ("ken", "approved by boss or mei, not by ken")):
        with acme.session(actor=actor) as session, pytest.raises(PolicyError, match=why):
            usecases.approve(session, plan.plan_id)
    with pytest.raises(PolicyError, match="3 messages, more than 2"):
        acme.apply(plan.plan_id)
    with acme.session(actor="boss") as session:
        assert usecases.approve(session, plan.plan_id).approved_by == "boss"


def test_more_than_max_recipients_is_never_sent(acme: Acme) -> None:
    acme.write("campaigns/spring.toml", CAMPAIGN.replace("sender =", "max_recipients = 2\nsender ="))
    leads(acme, 3)
    plan = acme.plan()
    assert plan.obstacles
    with pytest.raises(PolicyError, match="max_recipients = 2"):
        acme.apply(plan.plan_id)


def test_a_late_run_of_an_ended_campaign_sends_nothing_and_says_so(acme: Acme) -> None:
    acme.write("campaigns/spring.toml", CAMPAIGN.replace("sender =", "expires_at = 2026-11-20T12:00:00\nsender ="))
    leads(acme, 3)
    plan = acme.plan()
    acme.clock.advance(timedelta(hours=5))
    with pytest.raises(PolicyError, match="the campaign ended on 2026-11-20 04:00 UTC"):
        acme.apply(plan.plan_id)


def test_a_copy_of_the_workspace_does_not_send(acme: Acme) -> None:
    leads(acme, 3)
    plan = acme.plan()
    copy = acme.folder.parent / "copy"
    shutil.copytree(acme.folder, copy)
    acme.folder = copy
    with pytest.raises(PolicyError, match="looks like a copy"):
        acme.apply(plan.plan_id)
    with acme.session() as session:
        session.workspace.adopt()
    assert acme.apply(plan.plan_id).accepted == 3


def test_a_sender_that_remembers_keys_settles_its_own_unknown(acme: Acme, monkeypatch: pytest.MonkeyPatch) -> None:
    leads(acme, 30)
    plan = acme.plan()
    with acme.session() as session:
        monkeypatch.setattr("sfactl.workspace.ledger.Lease.settle", _die)
        with pytest.raises(RuntimeError):
            usecases.apply(session, plan.plan_id)
        monkeypatch.undo()
    assert len(acme.outbox()) == 20
    with acme.session() as session:
        result = usecases.resume(session, plan.plan_id)
    assert (result.accepted, result.unknown, result.left) == (10, 0, 0)
    assert len(acme.outbox()) == 30
    with acme.session() as session, session.query() as query:
        assert query.rows("select count(*) from messages where state = 'accepted'") == [(30,)]


def test_a_run_past_the_window_waits_for_the_next_opening(acme: Acme) -> None:
    acme.write("campaigns/spring.toml", CAMPAIGN + 'window = { hours = "09:00-11:00" }\n')
    leads(acme, 3)
    plan = acme.plan()
    acme.clock.advance(timedelta(hours=2))
    late = acme.apply(plan.plan_id)
    assert (late.accepted, late.left, late.state) == (0, 3, "partly")
    assert [(r.reason, r.messages) for r in late.later] == [("outside window", 3)]
    acme.clock.advance(timedelta(hours=22))
    assert acme.apply(plan.plan_id).accepted == 3


def test_the_cap_holds_at_the_moment_of_sending(acme: Acme) -> None:
    acme.write(
        "campaigns/spring.toml", CAMPAIGN.replace("[[steps]]", '[caps]\nmessages = 1\nwithin = "7 days"\n[[steps]]')
    )
    acme.write("campaigns/summer.toml", CAMPAIGN)
    acme.write("templates/invite.toml", 'schema = 1\nsubject = "s"\ntext = "t"\n')
    leads(acme, 3)
    plan = acme.plan()
    with acme.session() as session:
        begun = applying._Run(session, *row_and_files(session, plan.plan_id))
        begun._begin()
    assert acme.run("summer").accepted == 3
    result = acme.apply(plan.plan_id)
    assert (result.accepted, [(r.reason, r.messages) for r in result.later]) == (0, [("capped (1 in 7 days)", 3)])


def test_a_second_runner_is_told(acme: Acme) -> None:
    leads(acme, 3)
    plan = acme.plan()
    with acme.session() as session, session.ledger.lease("campaign/spring", run_id="other"):
        with pytest.raises(LockBusy, match="another run is at work"):
            acme.apply(plan.plan_id)


def test_an_applied_plan_replaces_the_others(acme: Acme) -> None:
    leads(acme, 2)
    old = acme.plan()
    acme.leads({"lead_id": 3})
    acme.run()
    with pytest.raises(Conflict, match="replaced by a newer one"):
        acme.apply(old.plan_id)


def test_a_sender_that_is_not_ready_costs_nothing(acme: Acme) -> None:
    leads(acme, 2)
    plan = acme.plan()
    (acme.folder / "outbox").write_text("in the way")
    with pytest.raises(TryLater, match="sender outbox"):
        acme.apply(plan.plan_id)
    (acme.folder / "outbox").unlink()
    assert acme.apply(plan.plan_id).accepted == 2


def test_resume_of_what_was_never_begun_is_refused(acme: Acme) -> None:
    leads(acme, 2)
    plan = acme.plan()
    with acme.session() as session, pytest.raises(PolicyError, match="never begun"):
        usecases.resume(session, plan.plan_id)
