"""Templates by themselves, previews, and tests to oneself that count for nobody."""

from __future__ import annotations

import pytest

from sfactl.api.errors import DataError, NotFound, PolicyError, UserError
from sfactl.campaigns import usecases
from sfactl.campaigns.usecases.sampling import SampleResult
from sfactl.engine.links import NOBODY
from tests.campaigns.conftest import CAMPAIGN, Acme

TWO = (
    CAMPAIGN
    + '[caps]\nmessages = 1\nwithin = "7 days"\n\n[[steps]]\nname = "call"\nchannel = "sms"\ntemplate = "invite"\n'
)


@pytest.fixture
def ready(acme: Acme) -> Acme:
    """Two leads, a campaign by mail, and a template in two languages."""
    acme.write(
        "templates/invite.toml",
        'schema = 1\nsubject = "Hi {{ lead.first_name }}"\ntext = "{{ message.unsubscribe }}"\n'
        '[languages.ja]\nsubject = "{{ lead.first_name }}様"\ntext = "こんにちは"\n',
    )
    acme.leads({"lead_id": 7, "language": "ja"}, {"lead_id": 8, "email": None})
    return acme


def send(acme: Acme, to: str = "me@acme.example", *, dry_run: bool = False, **options: object) -> SampleResult:
    with acme.session(dry_run=dry_run) as session:
        return usecases.send_test(session, "spring", to=to, **options)  # type: ignore[arg-type]


def test_a_test_is_sent_once_and_counts_for_nobody(ready: Acme) -> None:
    [rehearsed] = send(ready, dry_run=True).messages
    assert (rehearsed.outcome, rehearsed.before, ready.outbox()) == (None, "", {})
    [first] = send(ready).messages
    assert (first.step, first.subject, first.outcome) == ("invite", "[Test] N7様", "accepted")
    [same] = send(ready).messages
    assert (same.outcome, same.before) == (None, "accepted")
    assert send(ready, again=True).messages[0].outcome == "accepted"
    assert send(ready, again=True).messages[0].outcome == "accepted"
    assert len(list((ready.folder / "outbox/new").iterdir())) == 3
    assert send(ready, lead_id=8).messages[0].outcome == "accepted"
    with ready.session() as session, session.query() as query:
        assert query.one("select count(*) from messages") == (0,)
        assert query.one("select count(*) from touchpoints") == (0,)
        assert usecases.messages(session).num_rows == 0
    assert ready.verdicts(ready.plan()) == {(7, "invite"): "send", (8, "invite"): "skip: no address"}


def test_the_links_of_a_test_belong_to_nobody(ready: Acme) -> None:
    send(ready, lead_id=8)
    mail = ready.outbox()["me@acme.example"]
    token = str(mail["List-Unsubscribe"]).strip("<>").partition("subject=")[2]
    assert token in mail.get_content()
    with ready.session() as session:
        assert session.links.read("unsubscribe", token).lead_id == NOBODY


def test_whom_a_test_goes_to(ready: Acme) -> None:
    ready.rows("suppressions", [{"kind": "email", "value": "dead@acme.example", "scope": "all", "reason": "bounce"}])
    with pytest.raises(PolicyError, match="suppressed"):
        send(ready, "Dead@acme.example")
    with pytest.raises(UserError, match="no step of spring sends to"):
        send(ready, "+886900000000")
    with pytest.raises(NotFound, match="no step 'nope'"):
        send(ready, step="nope")
    with pytest.raises(NotFound, match="no lead 99"):
        send(ready, lead_id=99)
    with ready.session() as session:
        usecases.stop(session, reason="fire")
    with pytest.raises(PolicyError, match="all sending is stopped"):
        send(ready)


def test_a_test_that_cannot_be_written_names_the_reader(ready: Acme) -> None:
    ready.leads({"lead_id": 9, "first_name": None})
    with pytest.raises(DataError, match="lead 9, step invite: template invite"):
        send(ready, lead_id=9)


def test_a_preview_of_a_template_in_any_language(ready: Acme) -> None:
    with ready.session() as session:
        own = usecases.preview_template(session, "invite", 7)
        other = usecases.preview_template(session, "invite", 7, language="en")
        assert (own.subject, own.language, other.subject) == ("N7様", "ja", "Hi N7")
        assert own.verdict == "as spring"
        assert own.sender == "Acme <news@acme.example>"
        assert usecases.preview_template(session, "invite", 8).recipient == ""
        with pytest.raises(UserError, match="no wording in 'fr'"):
            usecases.preview_template(session, "invite", 7, language="fr")
        with pytest.raises(NotFound, match="no template 'nope'"):
            usecases.preview_template(session, "nope", 7)
        [step] = usecases.preview(session, "spring", 7, step="invite")
        assert (step.subject, step.verdict) == ("N7様", "send")


def test_templates_are_checked_without_anybody(ready: Acme) -> None:
    ready.write("templates/loop.toml", "schema = 1\nsubject = 's'\ntext = \"{% for a in 'x' * 90000 %}{% endfor %}\"\n")
    ready.write("templates/typo.toml", "schema = 1\nsubject = 's'\ntext = '{{ lead.frist_name }}'\n")
    ready.write("templates/broken.toml", "schema = 1\nsubject = \n")
    ready.write("templates/spare.toml", "schema = 1\nsubject = 's'\ntext = '{{ workspace.address }}'\n")
    with ready.session() as session:
        found = usecases.check_templates(session)
        listed = {line.template: line.used_by for line in usecases.templates(session)}
    said = {(f.template, f.severity): f.message for f in found}
    assert "loops too often" in said["loop", "error"]
    assert "first_name" in said["typo", "error"]
    assert ("broken", "error") in said
    assert "nothing uses it" in said["spare", "ok"]
    assert "no postal address" in said["invite", "warning"]
    assert ("sfactl.toml", "warning") in said
    assert listed["invite"] == "campaign spring"
    assert listed["spare"] == ""


def test_an_endless_template_stops_the_plan(ready: Acme) -> None:
    endless = "{% for a in 'x' * 9999 %}{% for b in 'x' * 9999 %}.{% endfor %}{% endfor %}"
    ready.write("templates/invite.toml", f'schema = 1\nsubject = "s"\ntext = "{endless}"\n')
    with pytest.raises(DataError, match=r"template invite \(en\): it loops too often .* for lead 7"):
        ready.plan()
