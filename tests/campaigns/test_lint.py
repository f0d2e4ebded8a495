"""What is held against a message: facts only, each once, for the right kind of message."""

from __future__ import annotations

import pytest

from sfactl.campaigns.letterhead import SAYS
from sfactl.campaigns.lint import Written, remarks, sender_remarks
from sfactl.campaigns.model import Campaign, Step, Template, Wording
from sfactl.campaigns.templates import compile_template

OUT = "https://go.example.com/u/t"
KNOWN = {"lead": {"company"}, "workspace": {"name", "address"}, "message": SAYS}
FOOT = " {{ workspace.address }} {{ message.unsubscribe }}"


def rules(
    text: str = "Hello", subject: str = "Hi", html: str = "", *, marketing: bool = True, channel: str = "email"
) -> list[str]:
    template = Template(name="t", subject=subject, text=text + FOOT, html=html and html + FOOT)
    return found(template, marketing=marketing, channel=channel)


def found(template: Template, *, language: str = "en", marketing: bool = True, channel: str = "email") -> list[str]:
    compiled = compile_template(template, KNOWN, where="t.toml")
    values = {"lead": {"company": "A & B"}, "workspace": {"address": "Way 1"}, "message": {"unsubscribe": OUT + "&x"}}
    written = Written(
        template=template,
        compiled=compiled,
        language=language,
        rendered=compiled.wordings[language].render(values),
        channels=(channel,),
        marketing=marketing,
        ways=(OUT + "&x",),
    )
    return [f"{r.severity} {r.rule}" for r in remarks(written)]


@pytest.mark.parametrize(
    ("kind", "said", "rule"),
    [
        pytest.param("text", "Hello https://a.example", None, id="in-order"),
        pytest.param("html", "<a href='https://a.example'>x</a><img src='cid:a.png' alt=''>", None, id="html-in-order"),
        pytest.param("html", "<a href='#top'>x</a><a href='mailto:a@b.example'>x</a>", None, id="other-links"),
        pytest.param("subject", "線上研討會邀請" * 6, "warning subject", id="wide-subject"),
        pytest.param("subject", " ", "error subject", id="no-subject"),
        pytest.param("text", "Dear *|FNAME|*", "error unfilled", id="other-mailers-field"),
        pytest.param("text", "Dear {{ '{{ lead.company }}' }}", "error unfilled", id="braces"),
        pytest.param("text", "http://a.example", "warning links", id="http-in-text"),
        pytest.param("html", "<a href='http://a.example'>x</a>", "warning links", id="http"),
        pytest.param("html", "<a href='www.a.example'>x</a>", "error links", id="no-scheme"),
        pytest.param("html", "<a href=''>x</a>", "error links", id="empty-link"),
        pytest.param("html", "<img src='https://a.example/i.png'>", "warning html", id="no-alt"),
        pytest.param("html", "<img alt='' src='i.png'>", "error html", id="own-image"),
        pytest.param("html", "<img alt='' src='data:image/png;base64,AAAA'>", "warning html", id="data-image"),
        pytest.param("html", "<form><input></form>", "warning html", id="form"),
        pytest.param("html", "<p>" + "x" * 105_000, "warning html", id="clipped"),
    ],
)
def test_a_remark_for_each_fact(kind: str, said: str, rule: str | None) -> None:
    assert rules(**{kind: said}) == ([rule] if rule else [])


def test_a_message_of_marketing_owes_a_way_out_and_an_address() -> None:
    bare = Template(name="t", subject="s", text="x", html="<p>x</p>")
    assert found(bare) == ["warning way-out", "warning way-out", "warning address"]
    assert found(bare, marketing=False) == []
    assert found(bare, channel="sms") == []
    half = Template(name="t", subject="s", text="x" + FOOT, html="<p>x</p>")
    assert found(half) == ["warning way-out"]


def test_a_wording_without_the_part_that_others_have() -> None:
    other = {"ja": Wording(subject="s", text="x" + FOOT)}
    template = Template(name="t", subject="s", text="x" + FOOT, html="<p>x</p>" + FOOT, languages=other)
    assert found(template, language="ja") == ["warning parts"]


@pytest.mark.parametrize(
    ("sent_as", "table", "said"),
    [
        pytest.param("Acme <a@gmail.com>", {}, "gmail.com asks receivers", id="free-mail"),
        pytest.param("a@acme.example", {"dkim_domain": "other.example"}, "signed for other.example", id="other-domain"),
        pytest.param("a@news.acme.example", {"dkim_domain": "Acme.example"}, None, id="below"),
        pytest.param("a@acme.example", {}, None, id="unsigned"),
        pytest.param("a@acme.example", {"use": "smtp"}, "feedback_id: it counts only in mail", id="uncounted"),
        pytest.param("a@acme.example", {"use": "smtp", "dkim_selector": "s1"}, None, id="counted"),
    ],
)
def test_whose_name_mail_is_sent_in(sent_as: str, table: dict[str, object], said: str | None) -> None:
    step = Step(name="one", template="t")
    campaign = Campaign(name="c", summary="", where="true", sender="s", sent_as=sent_as, steps=(step,))
    remarked = list(sender_remarks(campaign, table, feedback_id="acme-news"))
    assert len(remarked) == (said is not None)
    assert said is None or said in remarked[0]
