"""Tests of rules: what passes, what fails and why, what cannot be run."""

from __future__ import annotations

from pathlib import Path
from xml.etree import ElementTree as ET

import pytest

from sfactl.api.errors import NotFound
from sfactl.proofs.junit import junit_xml
from sfactl.proofs.model import Report
from sfactl.proofs.usecases.running import Options
from tests.proofs.proving import preset, proved

HEAD = """schema = 1
clock = 2026-11-23T09:00:00
[defaults.leads]
status = "new"
email = "a@b.example"
[fixtures.hot]
score = { intent = 50, fit = 30 }
touchpoints = [{ kind = "visit", at = "2 days ago", times = 3 }]
[fixtures.team]
reps = [{ rep_id = "mei", weight = 2 }, { rep_id = "sam" }]
[fixtures.nozzle]
products = [{ sku = "NOZ-1", name = "Nozzle", family = "parts" }]
"""


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return preset(tmp_path_factory.mktemp("proofs") / "ws")


def test_of(rule: str, body: str, head: str = HEAD) -> str:
    return f'{head}\n[[tests]]\nname = "it"\n{rule}\n{body}\n'


test_of.__test__ = False  # type: ignore[attr-defined]

PASSING = {
    "member": ('segment = "hot-b2b"', 'use = ["hot"]\nexpect.member = true'),
    "just below": ('segment = "hot-b2b"', 'use = ["hot"]\ngiven.score.intent = 49\nexpect.member = false'),
    "unknown": (
        'segment = "hot-b2b"',
        'given.touchpoints = [{ kind = "visit", times = 3 }]\nexpect.member = "unknown"',
    ),
    "an inline condition": ('condition = "count(orders) > 10"', "given.orders = [{ times = 11 }]\nexpect.holds = true"),
    "null is unknown": ("condition = \"country <> 'TW'\"", 'expect.holds = "unknown"'),
    "rows in the future are not seen": (
        'condition = "has(orders)"',
        'given.orders = [{ at = "in 1 day", amount = 5 }]\nexpect.holds = false',
    ),
    "exactly at the edge of a window": (
        "condition = \"has(orders) filter (where within('30 days'))\"",
        'given.orders = [{ at = "30 days ago" }]\nexpect.holds = true',
    ),
    "days apart": (
        "condition = \"min(orders.at) < '2026-11-20'\"",
        'given.orders = [{ at = "1 day ago", times = 4, every = "1 day" }]\nexpect.holds = true',
    ),
    "tags by name": ("condition = \"tag('vip')\"", 'given.tags = ["vip"]\nexpect.holds = true'),
    "points and reasons": (
        'score = "intent"',
        'given.touchpoints = [{ kind = "visit", content = "/pricing", times = 9 }]\n'
        'expect = { points = 24, grade = "B", reasons = { pricing = 24, "group web" = 0, visit = 0 } }',
    ),
    "the ceiling of a group": (
        'score = "intent"',
        'given.touchpoints = [{ kind = "email_click", times = 4 }]\n'
        'expect = { points = 20, reasons = { click = 24, "group email" = -4 } }',
    ),
    "the owner": ("assignment = true", 'use = ["team"]\ngiven.lead.status = "sql"\nexpect.owner = "mei"'),
    "the rep who knows the account": (
        "assignment = true",
        'use = ["team"]\ngiven.lead = { status = "sql", account_id = 7 }\n'
        'given.accounts = [{ account_id = 7, owner = "sam" }]\n'
        'expect = { owner = "sam", rule = "known", because = "owns its account" }',
    ),
    "nobody": (
        "assignment = true",
        'given.lead.status = "sql"\nexpect = { owner = "nobody", because = "no active rep" }',
    ),
    "a price with its steps": (
        'price = "NOZ-1"',
        'use = ["nozzle"]\ngiven.quantity = 100\nexpect = { amount = "947.70", book = "list", currency = "USD", '
        'steps = { "graduated:100+" = "-2.30" } }',
    ),
    "a price that cannot be": (
        'price = "NOZ-1"',
        'use = ["nozzle"]\ngiven.book = "dealr"\nexpect.error = "no price book"',
    ),
}


@pytest.mark.parametrize(("rule", "body"), PASSING.values(), ids=PASSING.keys())
def test_what_passes(folder: Path, rule: str, body: str) -> None:
    report = proved(folder, test_of(rule, body))
    assert [(f.differences, f.explanation) for f in report.failures] == []
    assert report.invalid == ()
    assert (report.passed, report.cases) == (1, 1)


def test_a_failure_shows_expected_actual_and_the_terms(folder: Path) -> None:
    text = test_of('segment = "hot-b2b"', 'use = ["hot"]\ngiven.score.intent = 49\nexpect.member = true')
    (failure,) = proved(folder, text).failures
    assert [(d.what, d.expected, d.actual) for d in failure.differences] == [("member", "true", "false")]
    assert [line[0] for line in failure.explanation] == ["✓", "✗", "✓", "✓"]
    assert failure.hint == "It would hold with score.intent 50 (1 more)."


def test_a_wrong_score_shows_its_reasons(folder: Path) -> None:
    text = test_of('score = "intent"', 'given.touchpoints = [{ kind = "email_click" }]\nexpect.points = 7')
    (failure,) = proved(folder, text).failures
    assert [(d.expected, d.actual) for d in failure.differences] == [("7", "6")]
    assert [line.split() for line in failure.explanation] == [
        ["+6", "intent.click", "2026-11-23", "09:00"],
        ["=", "6", "intent"],
    ]


INVALID = {
    "an unknown column": (
        'segment = "hot-b2b"',
        "given.lead.emial = 'x'\nexpect.member = true",
        "Did you mean 'email'?",
    ),
    "an unknown dataset": (
        'segment = "hot-b2b"',
        "given.touchpoint = []\nexpect.member = true",
        "Did you mean 'touchpoints'?",
    ),
    "an unknown segment": ('segment = "hot-b2c"', "expect.member = true", 'Did you mean "hot-b2b"?'),
    "an unknown fixture": ('segment = "hot-b2b"', 'use = ["hott"]\nexpect.member = true', "Did you mean 'hot'?"),
    "an unknown key": ('segment = "hot-b2b"', "given.lead.email = 'x'\nexpct.member = true", "Did you mean 'expect'?"),
    "an unknown expectation": ('score = "intent"', "expect.point = 5", "Did you mean 'points'?"),
    "an unknown rule": ('score = "intent"', "expect.reasons.pricng = 5", "Did you mean 'pricing'?"),
    "an unknown grade": ('score = "intent"', 'expect.grade = "Z"', "no grade 'Z'"),
    "nothing tested": ("", "expect.member = true", "nothing is tested"),
    "two things tested": ('segment = "hot-b2b"\nscore = "fit"', "expect.member = true", "segment and score"),
    "nothing expected": ('segment = "hot-b2b"', "", "nothing is expected"),
    "a number as text": ('segment = "hot-b2b"', "given.lead.email = 5\nexpect.member = true", "not text"),
    "text as a number": (
        'segment = "hot-b2b"',
        'given.lead.employees = "5"\nexpect.member = true',
        "not a whole number",
    ),
    "no time": ('segment = "hot-b2b"', 'given.orders = [{ at = "soon" }]\nexpect.member = true', "is not a time"),
    "a condition that does not parse": ('condition = "country ="', "expect.holds = true", "position"),
    "a price without a product": ('price = "NOZ-1"', "expect.amount = 5", "given.products: missing"),
    "memberships that are computed": (
        'segment = "hot-b2b"',
        'given.segments = ["reachable"]\nexpect.member = true',
        "segments are computed here",
    ),
    "two cases of one id": (
        'segment = "hot-b2b"',
        'cases = [{ id = "a", expect.member = true }, { id = "a", expect.member = true }]',
        "'a' is there twice",
    ),
    "an arm that is no table": ('strategy = "wake-up"', 'given.arms = "x"\nexpect.state = "active"', "is not a table"),
    "an unknown arm": (
        'strategy = "wake-up"',
        'given.arms.which-offer = "servce"\nexpect.state = "active"',
        "Did you mean 'service'?",
    ),
    "an unknown step": ('strategy = "wake-up"', 'expect.sends = ["offer-servce"]', "Did you mean 'offer-service'?"),
    "a moment before the clock": (
        'strategy = "wake-up"',
        'then = [{ at = "1 day ago", sends = [] }]',
        "is before the clock",
    ),
    "moments of a score": ('score = "fit"', 'then = [{ at = "now", sends = [] }]', "only a strategy"),
    "too many rows": ('segment = "hot-b2b"', "given.orders = [{ times = 100001 }]\nexpect.member = true", "times"),
}


@pytest.mark.parametrize(("rule", "body", "said"), INVALID.values(), ids=INVALID.keys())
def test_what_cannot_be_run(folder: Path, rule: str, body: str, said: str) -> None:
    report = proved(folder, test_of(rule, body))
    assert report.passed == 0
    (invalid,) = report.invalid
    assert said in invalid.message
    assert invalid.message.startswith("tests/own.toml")


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("", "schema"),
        ("schema = 1\nclock = 2026-01-01", "tests: there is none"),
        ("schema = 1\n[[tests]]\nname='a'\nsegment='hot-b2b'\nexpect.member=true", "clock: missing"),
        ("schema = 1\ntests = 5", "not a list of tables"),
        ("schema = ", "own.toml"),
        ("schema = 1\n[defaults.leeds]\na = 1\n[[tests]]\n", "'leads'"),
        ("schema = 1\n[defaults.leads]\nemial = 'x'\n[[tests]]\n", "'email'"),
    ],
    ids=["empty", "no tests", "no clock", "no list", "no toml", "unknown dataset", "unknown column"],
)
def test_a_file_that_cannot_be_read(folder: Path, text: str, said: str) -> None:
    (invalid,) = proved(folder, text or " ").invalid
    assert said in invalid.message


def many(folder: Path) -> Report:
    cases = ",\n".join(
        f'{{ id = "{n}", given.touchpoints = [{{ times = {n % 5} }}], expect.member = {"true" if n % 5 > 2 else "false"} }}'
        for n in range(50)
    )
    body = f"given.score = {{ intent = 50, fit = 30 }}\ncases = [\n{cases}\n]"
    head = HEAD + '[defaults.touchpoints]\nkind = "visit"\n'
    return proved(folder, test_of('segment = "hot-b2b"', body, head), Options(coverage=True))


def test_cases_do_not_see_each_other(folder: Path) -> None:
    report = many(folder)
    assert (report.passed, report.cases, report.tests) == (50, 50, 1)
    assert report.coverage is not None
    seen = {(item.what, item.way): item.seen for item in report.coverage.items}
    [busy] = {what for what, _ in seen if what.startswith("count(touchpoints)")}
    assert seen[busy, "true"] == 20
    assert seen["score.intent >= 50", "false"] == 0


def test_only_some(folder: Path) -> None:
    text = test_of('segment = "hot-b2b"', 'use = ["hot"]\nexpect.member = true')
    assert proved(folder, text, Options(only="hot-b2b")).cases == 1
    with pytest.raises(NotFound, match="no test has"):
        proved(folder, text, Options(only="cold"))


def test_junit(folder: Path) -> None:
    body = 'cases = [{ id = "a", expect.points = 0 }, { id = "b\\u0007", expect.points = 1 }, { id = "c", expct = 1 }]'
    report = proved(folder, test_of('score = "intent"', body))
    root = ET.fromstring(junit_xml(report))
    assert {key: root.get(key) for key in ("tests", "failures", "errors")} == {
        "tests": "3",
        "failures": "1",
        "errors": "1",
    }
    assert [case.get("name") for case in root.iter("testcase")][:2] == ["it · a", "it · b�"]
    (failure,) = root.iter("failure")
    assert failure.get("message") == "points: expected 1, but it is 0"


TODAY = """schema = 1
[[tests]]
name = "ordered today"
condition = "has(orders) filter (where date(at) = today()) and within('7 days', created_at)"
given.lead.created_at = "2 days ago"
given.orders = [{ at = "now" }]
expect.holds = true
[[tests.cases]]
id = "saved long ago"
clock = 2019-02-28T23:30:00
[[tests.cases]]
id = "and far ahead"
clock = 2061-12-31T00:00:00
[[tests.cases]]
id = "yesterday's order"
clock = 2026-11-23T09:00:00
given.orders = [{ at = "1 day ago" }]
expect.holds = false
"""


def test_today_is_the_clock_of_the_case_never_the_day_a_test_was_written(folder: Path) -> None:
    report = proved(folder, TODAY)
    assert (report.passed, report.failures, report.invalid) == (3, (), ())
