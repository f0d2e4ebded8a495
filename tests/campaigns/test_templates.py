"""Templates: what is missing is never printed, HTML is escaped, and nothing escapes from the sandbox."""

from __future__ import annotations

from typing import Any

import pytest

from sfactl.api.errors import ConfigError, DataError
from sfactl.campaigns.model import Template, Wording
from sfactl.campaigns.templates import CompiledTemplate, Rendered, compile_template

KNOWN = {"lead": {"first_name", "company", "values", "budget"}, "rep": {"name"}}


def compiled(text: str = "x", subject: str = "s", html: str = "") -> CompiledTemplate:
    return compile_template(Template(name="t", subject=subject, text=text, html=html), KNOWN, where="t.toml")


def render(text: str = "x", subject: str = "s", html: str = "", **lead: Any) -> Rendered:
    return compiled(text, subject, html).wordings["en"].render({"lead": lead, "rep": {"name": "Lin"}})


@pytest.mark.parametrize("value", [None, "", " \t"], ids=["null", "empty", "blank"])
@pytest.mark.parametrize(
    "text",
    [
        "Hi {{ lead.first_name }}",
        "Hi {{ lead['first_name'] }}",
        "Hi {{ lead.first_name | upper }}",
        "Hi {{ lead.first_name ~ '!' }}",
        "{% if true %}{{ lead.first_name }}{% endif %}",
        "{{ lead.first_name or lead.company }}",
    ],
)
def test_a_missing_field_is_never_printed(text: str, value: object) -> None:
    with pytest.raises(DataError, match=r"template t \(en\): lead\.(first_name|company) is missing"):
        render(text, first_name=value, company=value)


@pytest.mark.parametrize(
    "text",
    [
        "Hi {{ lead.first_name | default('you') }}",
        "Hi {{ lead.first_name or 'you' }}",
        "Hi {% if lead.first_name %}{{ lead.first_name }}{% else %}you{% endif %}",
        "Hi {{ lead.first_name if lead.first_name is defined else 'you' }}",
    ],
)
def test_a_template_may_say_what_to_do_instead(text: str) -> None:
    assert render(text, first_name=None).text == "Hi you"
    assert render(text, first_name="Mei").text == "Hi Mei"


def test_html_is_escaped_and_text_is_not() -> None:
    said = render("{{ lead.company }}", html="<b>{{ lead.company }}</b>", company="A & B <script>")
    assert (said.text, said.html) == ("A & B <script>", "<b>A &amp; B &lt;script&gt;</b>")


def test_a_subject_with_a_line_break_is_refused() -> None:
    with pytest.raises(DataError, match="line break"):
        render(subject="Hi {{ lead.company }}", company="A\r\nBcc: all@example.com")


def test_a_field_may_be_called_like_a_method() -> None:
    assert render("{{ lead.values }}", values=3).text == "3"


@pytest.mark.parametrize(
    "text",
    [
        "{{ lead.first_name.__class__ }}",
        "{{ ''.__class__.__mro__ }}",
        "{{ lead.first_name.__init__.__globals__ }}",
        "{{ '%s'.format.__globals__ }}",
    ],
)
def test_nothing_leaves_the_sandbox(text: str) -> None:
    with pytest.raises(DataError):
        render(text, first_name="Mei")


@pytest.mark.parametrize(
    ("text", "said"),
    [
        pytest.param("{{ lead.frist_name }}", "Did you mean 'first_name'?", id="field"),
        pytest.param("{{ leed.company }}", "Did you mean 'lead'?", id="object"),
        pytest.param("{{ company }}", "write lead.company", id="bare-field"),
        pytest.param("{{ lead }}", "write lead.FIELD", id="bare-object"),
        pytest.param("{{ cycler }}", "cannot be used by itself", id="global"),
        pytest.param("{{ lead.company | uper }}", "Did you mean 'upper'?", id="filter"),
        pytest.param("{{ lead.company", "unexpected end", id="syntax"),
        pytest.param("{% include 'other' %}", "cannot include", id="include"),
        pytest.param("\n\n{{ lead.frist_name }}", "en.text: line 3", id="place"),
    ],
)
def test_mistakes_are_found_before_any_recipient_is(text: str, said: str) -> None:
    with pytest.raises(ConfigError, match=r"t\.toml: en\.text") as caught:
        compiled(text)
    assert said in str(caught.value)


@pytest.mark.parametrize(
    ("text", "required", "decisive", "branches"),
    [
        pytest.param("{{ lead.company }}", {"company"}, set(), False, id="plain"),
        pytest.param("{{ lead.company | upper }}", {"company"}, set(), False, id="filter"),
        pytest.param("{{ lead.company | default('x') }}", set(), set(), False, id="default"),
        pytest.param("{{ lead.company | upper | default('x') }}", {"company"}, set(), True, id="late-default"),
        pytest.param("{% if lead.budget > 9 %}{{ lead.company }}{% endif %}", None, {"budget"}, True, id="if"),
        pytest.param("{% set c = lead.company %}{% if c %}{{ c }}{% endif %}", None, {"company"}, True, id="set"),
    ],
)
def test_what_a_wording_needs(text: str, required: set[str] | None, decisive: set[str], branches: bool) -> None:
    wording = compiled(text).wordings["en"]
    if required is not None:
        assert {f for _, f in wording.required} == required
    assert {f for _, f in wording.decisive} >= decisive if branches else not wording.decisive
    assert wording.branches is branches


@pytest.mark.parametrize(
    ("language", "chosen"),
    [
        pytest.param("zh-TW", "zh-TW", id="exact"),
        pytest.param("zh_tw", "zh-TW", id="spelling"),
        pytest.param("zh", "zh-TW", id="without-region"),
        pytest.param("ja-JP", "ja", id="region-unknown"),
        pytest.param("fr", "en", id="fallback"),
        pytest.param(None, "en", id="nothing-known"),
    ],
)
def test_the_wording_follows_the_person(language: str | None, chosen: str) -> None:
    other = {name: Wording(subject="s", text="t") for name in ("ja", "zh-TW")}
    template = Template(name="t", subject="s", text="t", languages=other)
    assert compile_template(template, KNOWN, where="t.toml").language_for(language) == chosen
