"""Tests of strategies: moments, chance, what comes later, and cases that do not see each other."""

from __future__ import annotations

from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sfactl.proofs.fixtures import LEAD, STRIDE
from sfactl.proofs.lanes import BUCKETS, Draw, drawn, lanes, together
from sfactl.proofs.model import Trial
from sfactl.proofs.usecases.running import Options
from tests.proofs.proving import NOW, preset, proved

STRATEGY = """schema = 1
summary = "Ask, wait, look"
owner = "amy"
where = "status = 'new'"
[holdout]
percent = 10
[entry]
limit = 1
[goal]
where = "has(orders)"
[exit]
after = "10 days"
[touch]
sender = "outbox"
from = "Acme <hello@acme.example>"
unsubscribe = "mailto:no@acme.example"
[touch.caps]
messages = 1
within = "7 days"
[[steps]]
name = "hello"
action = "touch"
template = "welcome"
[[steps]]
name = "arms"
action = "split"
arms = [{ name = "a", share = 50, next = "pause" }, { name = "b", share = 50, next = "boss" }]
[[steps]]
name = "pause"
action = "wait"
for = "2 days"
next = "end"
[[steps]]
name = "boss"
action = "approval"
task = { title = "May we?" }
"""

HEAD = """schema = 1
clock = 2026-11-24T10:00:00
strategy = "ask"
[defaults.leads]
status = "new"
email = "ren@kato.example"
"""


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    made = preset(tmp_path_factory.mktemp("walking") / "ws")
    (made / "strategies" / "ask.toml").write_text(STRATEGY, encoding="utf-8")
    return made


CASES = """[[tests]]
name = "ways"
cases = [
  { id = "first arm", then = [
    { at = "now", sends = ["hello"], step = "arms", state = "active" },
    { at = "in 1 day", moves = ["arms → pause"], waits.pause = "for 2 days" },
    { at = "in 3 days", moves = ["pause → end"], state = "finished" },
  ] },
  { id = "yes", given.arms.arms = "b", then = [
    { at = "now", sends = ["hello"] },
    { at = "in 1 day", tasks = ["boss"], step = "boss" },
    { at = "in 3 days", decide = "approved", state = "finished", reason = "finished" },
  ] },
  { id = "the same address is another person", expect = { sends = ["hello"], skips = {} } },
  { id = "control", given.control = true, expect = { sends = [], state = "control" } },
  { id = "later orders are not known yet", given.orders = [{ at = "in 2 days" }], then = [
    { at = "now", state = "active" }, { at = "in 1 day", state = "active" }, { at = "in 3 days", state = "goal" },
  ] },
  { id = "later opt-outs are not known yet", given.touchpoints = [{ kind = "unsubscribe", at = "in 1 day" }], expect.sends = ["hello"] },
  { id = "opted out", given.touchpoints = [{ kind = "unsubscribe", at = "1 day ago" }], expect.skips.hello = "unsubscribed" },
  { id = "a refused message goes on", given.refused = ["hello"], expect = { sends = ["hello"], step = "arms" } },
  { id = "inside already", given.enrolments = [{ strategy = "ask", step = "pause", since = "2 days ago" }], expect.state = "finished" },
  { id = "too long", given.enrolments = [{ strategy = "ask", step = "pause", since = "now", entered_at = "10 days ago" }], expect.reason = "too long" },
  { id = "not asked", given.lead.status = "sql", expect = { state = "outside", moves = [] } },
]
"""


def test_the_ways_through_a_strategy(folder: Path) -> None:
    report = proved(folder, HEAD + CASES, Options(coverage=True))
    assert [(f.case, f.differences, f.explanation) for f in report.failures] == []
    assert report.invalid == ()
    assert report.passed == report.cases == 11
    assert report.coverage is not None
    assert [(item.what, item.way) for item in report.coverage.items if not item.seen] == [("step boss", "refused")]


def test_a_failure_tells_what_was_decided_run_by_run(folder: Path) -> None:
    text = HEAD + '[[tests]]\nname = "it"\nthen = [{ at = "now", sends = [] }, { at = "in 1 day", tasks = ["boss"] }]\n'
    (failure,) = proved(folder, text).failures
    assert [(d.what, d.expected, d.actual) for d in failure.differences] == [
        ("now: sends", "nothing", "hello"),
        ("in 1 day: tasks", "boss", "nothing"),
    ]
    assert [line.partition("  ")[2] for line in failure.explanation] == [
        "entry · enter → hello",
        "hello · send",
        "arms · pass arm a → pause",
        "pause · wait for 2 days",
    ]


def test_who_never_entered_is_told_who_does(folder: Path) -> None:
    text = HEAD + '[[tests]]\nname = "it"\ngiven.lead.status = "sql"\nexpect.state = "active"\n'
    (failure,) = proved(folder, text).failures
    assert failure.hint == "It never entered. Those enter for whom this holds: status = 'new'"


def test_mistakes_in_a_strategy_are_noticed(folder: Path) -> None:
    text = HEAD + '[[tests]]\nname = "it"\nexpect.sends = ["hello"]\n'
    mutation = proved(folder, text, Options(mutate=True)).mutation
    assert mutation is not None
    state = {f"{mutant.place}: {mutant.change}": mutant.state for mutant in mutation.mutants}
    assert state["where, position 1: status = 'new' → status <> 'new'"] == "killed"
    assert state["goal.where, position 1: has(orders) → not has(orders)"] == "killed"
    assert state["steps.hello: the step is left out"] == "killed"
    assert state["goal: the goal is left out"] == "survived"
    assert state["exit.after: 10 days → 11 days"] == "survived"
    assert state["steps.pause, for: 2 days → 3 days"] == "survived"


def trial(number: int, email: str = "a@b.example", **rows: object) -> Trial:
    lead = {"lead_id": number * STRIDE + LEAD, "email": email}
    own = {name: tuple(found) for name, found in rows.items()}  # type: ignore[call-overload]
    return Trial(
        number=number,
        file="t.toml",
        test="t",
        case=str(number),
        kind="strategy",
        subject="s",
        clock=NOW,
        rows={"leads": (lead,), **own},
    )


def test_addresses_are_made_their_own_or_kept_apart() -> None:
    trials = [trial(1), trial(2), trial(3, "c@d.example")]
    assert [[t.number for t in lane] for lane in lanes(trials, apart=False)] == [[1, 2, 3]]
    assert [[t.number for t in lane] for lane in lanes(trials, apart=True)] == [[1, 3], [2]]
    emails = [row["email"] for row in together(trials, apart=False)["leads"]]
    assert emails == ["c1.a@b.example", "c2.a@b.example", "c3.c@d.example"]


def test_rows_of_nobody_are_shared_where_they_are_the_same() -> None:
    mei, sam = {"rep_id": "mei", "weight": 1}, {"rep_id": "sam", "weight": 1}
    trials = [trial(1, reps=[mei]), trial(2, reps=[mei]), trial(3, reps=[sam])]
    found = lanes(trials, apart=False)
    assert [[t.number for t in lane] for lane in found] == [[1, 2], [3]]
    assert together(found[0], apart=False)["reps"] == [mei]


@given(st.integers(1, 500), st.integers(1, 3), st.floats(0.02, 0.98))
def test_a_lead_draws_what_it_must(number: int, rotation: int, share: float) -> None:
    below = Draw(salt="s.holdout.", lower=0, upper=share * BUCKETS)
    above = Draw(salt="s.split.", lower=share * BUCKETS, upper=BUCKETS)
    found = drawn(trial(number), [below, above], rotation, 1000)
    lead_id = found.rows["leads"][0]["lead_id"]
    assert lead_id == found.number * STRIDE + LEAD
    assert found.number % 1000 == number % 1000
    assert below.fits(lead_id, rotation)
    assert above.fits(lead_id, rotation)
