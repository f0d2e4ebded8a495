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


@pytest.mark.parametrize(
    ("text", "said"),
    [
        pytest.param(
            "{% for a in 'x' * 99999 %}{% for b in 'x' * 99999 %}{% endfor %}{% endfor %}", "too", id="nested"
        ),
        pytest.param("{% for a in 'x' * 40000 %}" + "long " * 100 + "{% endfor %}", "too large", id="literal-in-loop"),
        pytest.param(
            "{% set n %}{% for a in 'x' * 30000 %}" + "long " * 9 + "{% endfor %}{% endset %}", "too", id="set"
        ),
        pytest.param("{{ 'x' * 9999999999 }}", "too large", id="repeat"),
        pytest.param("{{ '%9999999999d' % 1 }}", "too wide", id="percent"),
        pytest.param("{{ '%*d' | format(999999999, 1) }}", "too wide", id="format"),
        pytest.param("{{ 9 ** 9 ** 9 ** 9 }}", "power", id="power"),
        pytest.param("{{ 999999999999 * 999999999999 }}", "too large", id="product"),
        pytest.param("{{ 1.5 | round(999999999, 'ceil') }}", "12 places", id="round"),
        pytest.param("{{ ('a' * 9999) | replace('a', 'b' * 9999) }}", "too large", id="replace"),
        pytest.param("{{ ('a' * 9999) | list | join('b' * 9999) }}", "too large", id="join"),
        pytest.param("{% macro m(x) %}{{ m(x ~ x) }}{% endmacro %}{{ m('abc') }}", "too", id="macro-that-doubles"),
        pytest.param("{% macro m(x) %}{{ m(x) }}{{ m(x) }}{% endmacro %}{{ m('a') }}", "too often", id="macro-endless"),
        pytest.param("{{ lead.company.center(999999999) }}", "cannot be called", id="center"),
        pytest.param("{{ lead.company.ljust(999999999) }}", "cannot be called", id="method"),
        pytest.param("{{ ['x'] | map('center', 999999999) | first }}", "No filter named", id="filter-by-name"),
        pytest.param("{{ lead.company.format(1) }}", "cannot be called", id="str-format"),
        pytest.param("{% for a in lead.company %}{{ a }}{% endfor %}", "too", id="huge-value"),
    ],
)
def test_what_would_not_end_is_stopped_early(text: str, said: str) -> None:
    with pytest.raises(DataError, match=r"template t \(en\): ") as caught:
        render(text, company="x" * 60_000)
    assert said in str(caught.value)


@pytest.mark.parametrize("key", ["text", "html"])
def test_output_has_a_largest_size(key: str) -> None:
    with pytest.raises(DataError, match="too large"):
        render(**{key: "{{ lead.company }}" * 20}, company="x" * 60_000)
    with pytest.raises(DataError, match="the subject has 60,000 characters"):
        render(subject="{{ lead.company }}", company="x" * 60_000)


@pytest.mark.parametrize(
    "text",
    [
        pytest.param("{{ [lead.first_name] }}", id="list"),
        pytest.param("{{ [lead.first_name] | join }}", id="joined"),
        pytest.param("{{ {'a': lead.first_name}.a }}", id="dict"),
        pytest.param("{{ 'Hi ' ~ lead.first_name }}", id="concat"),
        pytest.param("{{ 'Hi %s' % lead.first_name }}", id="percent"),
        pytest.param("{{ 'Hi %s' | format(lead.first_name) }}", id="format"),
        pytest.param("{{ none }}", id="none"),
        pytest.param("{{ 'Hi ' ~ none }}", id="none-joined"),
        pytest.param("{% for i in [1, 2] %}{% if i == 2 %}{{ lead.first_name }}{% endif %}{% endfor %}", id="loop"),
        pytest.param("{% for c in lead.first_name %}{{ c }}{% endfor %}", id="looped-over"),
        pytest.param("{% macro m(x) %}{{ x }}{% endmacro %}{{ m(lead.first_name) }}", id="macro"),
        pytest.param("{% set x = lead.first_name %}{{ x }}", id="set"),
        pytest.param("{{ {'a': 1}.get('b') }}", id="get"),
        pytest.param("{{ lead.first_name | default(lead.company) }}", id="fallback-missing-too"),
    ],
)
@pytest.mark.parametrize("value", [None, "\u3000", "\u200b"], ids=["null", "wide-blank", "zero-width"])
def test_nothing_missing_is_printed_by_any_detour(text: str, value: object) -> None:
    with pytest.raises(DataError):
        render(text, first_name=value, company=None)


@pytest.mark.parametrize(
    ("text", "said"),
    [
        pytest.param("{{ lead.company | safe }}", "always escaped", id="safe"),
        pytest.param("{% autoescape false %}{{ lead.company }}{% endautoescape %}", "always escaped", id="autoescape"),
        pytest.param("{{ [1, 2] | random }}", "unknown filter 'random'", id="random"),
        pytest.param("{% for lead in [1] %}{{ lead.x }}{% endfor %}", "'lead' is taken", id="shadow"),
        pytest.param("{% for x in [[1]] recursive %}{{ loop(x) }}{% endfor %}", "cannot call itself", id="recursive"),
        pytest.param("{{ lead.company is blank }}", "unknown test 'blank'", id="test"),
        pytest.param("{{ " + "(" * 3000 + "1" + ")" * 3000 + " }}", "nested too deeply", id="nested"),
        pytest.param("x" * 500_001, "more than 500,000", id="long"),
    ],
)
def test_what_a_template_may_not_do(text: str, said: str) -> None:
    with pytest.raises(ConfigError, match=r"t\.toml: en\.text") as caught:
        compiled(text)
    assert said in str(caught.value)


def test_a_fallback_on_another_field_is_no_demand_for_it() -> None:
    wording = compiled("{{ lead.first_name | default(lead.company) }}").wordings["en"]
    assert wording.branches
    assert render("{{ lead.first_name | default(lead.company) }}", first_name="Mei", company=None).text == "Mei"


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        pytest.param("{{ '-' * 10 }}", "-" * 10, id="rule"),
        pytest.param("{{ '%.2f' | format(lead.budget) }}", "12.50", id="format"),
        pytest.param("{{ lead.company.split()[0] | upper }}", "ACME", id="method"),
        pytest.param(
            "{% for w in lead.company.split() %}{{ loop.index }}/{{ loop.length }} {% endfor %}", "1/2 2/2 ", id="loop"
        ),
        pytest.param("{{ lead.company | replace('A', 'O') | truncate(6, true, '…', 0) }}", "Ocme …", id="filters"),
        pytest.param("{% macro hi(n) %}Hi {{ n }}{% endmacro %}{{ hi(lead.company) }}", "Hi Acme Ltd", id="macro"),
    ],
)
def test_what_templates_are_for_works(text: str, shown: str) -> None:
    assert render(text, company="Acme Ltd", budget=12.5).text == shown
