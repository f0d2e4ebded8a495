"""What can be read of campaigns: the mail itself, the log of a lead, previews, suppressions."""

from __future__ import annotations

import pytest

from sfactl.api.errors import NotFound
from sfactl.campaigns import usecases
from sfactl.cli.campaign_lines import status_lines

from .conftest import CAMPAIGN, FRIDAY, Acme, leads


def test_the_mail_carries_what_bulk_mail_owes(acme: Acme) -> None:
    acme.write(
        "campaigns/spring.toml",
        CAMPAIGN.replace("mailto:u@acme.example?subject={key}", "https://acme.example/u/{key}").replace(
            "sender =", 'reply_to = "sales@acme.example"\nsender ='
        ),
    )
    acme.write("templates/invite.toml", 'schema = 1\nsubject = "您好"\ntext = "{{ message.unsubscribe }}"\n')
    leads(acme, 2)
    acme.run()
    one, two = acme.outbox()["u1@example.com"], acme.outbox()["u2@example.com"]
    link = one.get_content().strip()
    assert one["Subject"] == "您好"
    assert one["Reply-To"] == "sales@acme.example"
    assert one["Auto-Submitted"] == "auto-generated"
    assert one["List-Unsubscribe"].strip() == f"<{link}>"
    assert one["List-Unsubscribe-Post"] == "List-Unsubscribe=One-Click"
    assert one["Date"].datetime.replace(tzinfo=None) == FRIDAY
    assert link.startswith("https://acme.example/u/")
    assert two.get_content().strip() != link
    assert one["Message-ID"] != two["Message-ID"]


def test_messages_are_counted_by_step_and_state(acme: Acme) -> None:
    leads(acme, 2)
    acme.run()
    with acme.session() as session:
        result = usecases.status(session, "spring")
        assert [line.campaign for line in usecases.campaigns(session)] == ["spring"]
    assert [(c.step, c.state, c.messages) for c in result.messages] == [("invite", "accepted", 2)]


def test_the_state_tells_what_came_back_and_whom_it_did_not_reach(acme: Acme) -> None:
    leads(acme, 3)
    acme.leads({"lead_id": 4, "email": None})
    acme.run()
    came = [("reply", 1), ("email_open", 1), ("email_open", 1), ("email_open", 2)]
    acme.rows(
        "touchpoints",
        [
            {"event_id": f"e{n}", "at": FRIDAY, "kind": kind, "lead_id": lead, "campaign": "spring", "step": "invite"}
            | {"direction": "inbound"}
            for n, (kind, lead) in enumerate(came)
        ],
    )
    with acme.session() as session:
        result = usecases.status(session, "spring")
    assert [(r.kind, r.people, r.times) for r in result.returns] == [("email_open", 2, 3), ("reply", 1, 1)]
    assert [(u.step, u.action, u.reason, u.people) for u in result.undone] == [("invite", "skip", "no address", 1)]
    text = "\n".join(status_lines(result, "Asia/Taipei"))
    assert "2 email_open, 3 times" in text
    assert "1 skip: no address" in text


def test_preview_shows_what_one_lead_would_get_and_why_not(acme: Acme) -> None:
    leads(acme, 2)
    acme.leads({"lead_id": 3, "status": "sql"})
    with acme.session() as session:
        [mine] = usecases.preview(session, "spring", 1)
        [other] = usecases.preview(session, "spring", 3)
        with pytest.raises(NotFound):
            usecases.preview(session, "spring", 99)
    assert (mine.subject, mine.recipient, mine.verdict) == ("Hi N1", "u1@example.com", "send")
    assert other.verdict == "not in the audience"
    assert not acme.outbox()


@pytest.mark.parametrize(
    ("address", "stored"),
    [
        pytest.param("Wang@Example.com", ("email", "wang@example.com"), id="email"),
        pytest.param("+886 912 345 678", ("phone", "+886912345678"), id="phone"),
    ],
)
def test_suppressing_is_idempotent_and_can_be_taken_back(acme: Acme, address: str, stored: tuple[str, str]) -> None:
    with acme.session() as session:
        first = usecases.suppress(session, address, reason="complaint")
        second = usecases.suppress(session, address)
        back = usecases.unsuppress(session, address)
        again = usecases.unsuppress(session, address)
    assert ((first.kind, first.value), first.changed, second.changed) == (stored, True, False)
    assert (back.changed, again.changed) == (True, False)
