"""What a mailing to many owes its readers in the head: a way out that is signed, the name of the list, no robot's answer."""

from __future__ import annotations

from email.message import EmailMessage
from urllib.parse import parse_qs, urlsplit

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sfactl.api.errors import ConfigError
from sfactl.campaigns import usecases
from sfactl.campaigns.letterhead import Letterhead, ways_of
from sfactl.campaigns.mail import feedback_id
from sfactl.campaigns.model import Campaign, Step
from sfactl.engine.links import Signer
from tests.campaigns.conftest import CAMPAIGN, Acme

COLLECT = 'schema = 1\n[workspace]\nname = "Acme"\n[collect]\nurl = "https://go.acme.example"\n'
MAILTO = 'unsubscribe = "mailto:u@acme.example?subject={key}"'
KEY = "w1.spring.invite.8841.1"


def sent(acme: Acme, *, campaign: str = CAMPAIGN, settings: str = COLLECT) -> EmailMessage:
    acme.write("sfactl.toml", f"{settings}\n[topics.news]\n")
    acme.write("campaigns/spring.toml", campaign)
    acme.leads({"lead_id": 1})
    assert acme.run().accepted == 1
    return acme.outbox()["u1@example.com"]


def links(mail: EmailMessage) -> list[str]:
    return [part.strip(" <>") for part in str(mail["List-Unsubscribe"]).split(",")]


def test_one_click_at_the_collector_and_a_letter_as_second_way(acme: Acme) -> None:
    mail = sent(acme, campaign=CAMPAIGN.replace("[[steps]]", 'topic = "news"\n[[steps]]'))
    https, mailto = links(mail)
    assert mail["List-Unsubscribe-Post"] == "List-Unsubscribe=One-Click"
    assert mail["List-Id"] == "<news.acme.example>"
    assert mail["Auto-Submitted"] == "auto-generated"
    assert mail["Precedence"] is None
    [subject] = parse_qs(urlsplit(mailto).query)["subject"]
    with acme.session() as session:
        link = session.links.read("unsubscribe", https.removeprefix("https://go.acme.example/u/"))
        assert session.links.read("unsubscribe", subject) == link
        row = session.query().one("select message_key from messages")
    assert (link.lead_id, link.campaign, link.step, link.target, (link.message_key,)) == (
        1,
        "spring",
        "invite",
        "news",
        row,
    )


@pytest.mark.parametrize(
    ("said", "collector", "first", "one_click"),
    [
        pytest.param(MAILTO, False, "mailto:u@acme.example", False, id="letter"),
        pytest.param("", True, "https://go.acme.example/u/", True, id="collector"),
        pytest.param(
            'unsubscribe = "https://acme.example/out/{key}"', True, "https://acme.example/out/", True, id="own"
        ),
        pytest.param("", False, None, False, id="none"),
        pytest.param('class = "transactional"', True, None, False, id="transactional"),
    ],
)
def test_where_a_reader_unsubscribes(
    acme: Acme, said: str, collector: bool, first: str | None, one_click: bool
) -> None:
    settings = COLLECT if collector else COLLECT.partition("[collect]")[0]
    mail = sent(acme, campaign=CAMPAIGN.replace(MAILTO, said), settings=settings)
    if first is None:
        assert mail["List-Unsubscribe"] is None
    else:
        [only] = links(mail)
        assert only.startswith(first)
    assert (mail["List-Unsubscribe-Post"] is not None) is one_click


@pytest.mark.parametrize("name", ["unsubscribe", "preferences", "confirm"])
def test_a_template_can_print_only_links_that_there_are(acme: Acme, name: str) -> None:
    acme.write("templates/invite.toml", f'schema = 1\nsubject = "s"\ntext = "{{{{ message.{name} }}}}"\n')
    acme.leads({"lead_id": 1})
    acme.write("campaigns/spring.toml", CAMPAIGN.replace(MAILTO, ""))
    with pytest.raises(ConfigError, match=f"prints message.{name}") as caught:
        acme.plan()
    assert "[collect]" in (caught.value.hint or "")
    with acme.session() as session:
        [found] = usecases.check(session)
    assert found.severity == "error"
    acme.write("sfactl.toml", COLLECT)
    assert acme.run().accepted == 1
    path = {"unsubscribe": "u", "preferences": "p", "confirm": "d"}[name]
    assert f"https://go.acme.example/{path}/" in acme.outbox()["u1@example.com"].get_content()


def test_a_plan_does_not_hold_the_links_and_a_message_written_again_has_them_again(acme: Acme) -> None:
    acme.write("sfactl.toml", COLLECT)
    acme.leads({"lead_id": 1})
    first = acme.plan()
    with acme.session() as session:
        shown = [usecases.preview(session, "spring", 1) for _ in range(2)]
    assert shown[0] == shown[1]
    assert "List-Id: <spring.acme.example>" in shown[0][0].headers
    (acme.folder / ".sfactl" / "link.key").unlink()
    assert acme.plan().plan_id == first.plan_id


@given(name=st.from_regex(r"[^\W_][\w-]{0,80}", fullmatch=True), topic=st.sampled_from(["", "news", "電子報"]))
def test_a_header_is_never_longer_than_a_line_may_be(name: str, topic: str) -> None:
    campaign = Campaign(
        name=name,
        summary="",
        where="true",
        sender="s",
        sent_as="a@b.example",
        topic=topic,
        unsubscribe="mailto:u@acme.example?subject={key}",
        steps=(Step(name="invite", template="t"),),
    )
    head = Letterhead(name="Acme", collector="https://go.acme.example", signer=Signer(["secret"]))
    value = ways_of(campaign, "invite", KEY.replace("spring", name), 8841, head).headers()["List-Unsubscribe"]
    assert value.isascii()
    assert value.startswith("<https://")
    assert len(value) <= 998 - len("List-Unsubscribe: ")


FEEDBACK = COLLECT + '[touch]\nfeedback_id = "acme-news"\n'


def test_complaints_can_be_counted_by_campaign_where_the_workspace_has_a_name_for_it(acme: Acme) -> None:
    """Campaign, step, class and our name; nothing about the reader."""
    assert sent(acme, settings=FEEDBACK)["Feedback-ID"] == "spring:invite:marketing:acme-news"


def test_without_a_name_there_is_no_feedback_id(acme: Acme) -> None:
    """It is no header that a message owes anybody."""
    assert sent(acme)["Feedback-ID"] is None


NAMES = st.from_regex(r"[^\W_][\w-]{0,80}", fullmatch=True)


@given(name=NAMES, step=NAMES)
def test_a_feedback_id_has_four_fields_of_plain_letters(name: str, step: str) -> None:
    """Whatever a campaign is called."""
    campaign = Campaign(
        name=name, summary="", where="true", sender="s", sent_as="a@b.example", steps=(Step(name=step, template="t"),)
    )
    value = feedback_id(campaign, step, "acme-news")
    assert value.isascii()
    assert [0 < len(part) <= 60 for part in value.split(":")] == [True] * 4


@pytest.mark.parametrize("said", ["acme", "a" * 16, "ac me", "acmé-news", "acme:news"])
def test_a_name_that_gmail_would_not_count_is_refused(acme: Acme, said: str) -> None:
    """At once, with the key."""
    acme.write("sfactl.toml", COLLECT + f'[touch]\nfeedback_id = "{said}"\n')
    with pytest.raises(ConfigError, match="feedback_id"), acme.session():
        pass
