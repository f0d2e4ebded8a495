"""Attribution: published examples, sums that hold exactly, the axioms, and what is odd about real ways."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Sequence
from datetime import datetime, timedelta
from decimal import Decimal
from fractions import Fraction
from itertools import combinations, pairwise
from math import comb
from pathlib import Path

import duckdb
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from sfactl.api.errors import UserError
from sfactl.config.settings import Settings
from sfactl.engine.duck import statement
from sfactl.insight import usecases
from sfactl.insight.attribution import MODELS, RULES, Question, Step, removal_effects, share_out
from sfactl.session import FixedClock, Session, open_session

Way = tuple[Sequence[str], bool]
NOON = datetime(2026, 3, 1, 12)


def steps_of(ways: Sequence[Way]) -> list[Step]:
    """The steps of ways, counted one by one."""
    steps = []
    for names, hit in ways:
        steps.append(Step(from_name=None, to_name=names[0], steps=1))
        steps += [Step(from_name=a, to_name=b, steps=1) for a, b in pairwise(names)]
        steps.append(Step(from_name=names[-1], to_name=None, steps=1, converted=int(hit)))
    return steps


def converting(ways: Sequence[Way], removed: str | None = None) -> float:
    """The chance to convert when going step by step, by repeated multiplication; who comes to ``removed`` is lost."""
    go: dict[str, dict[str, float]] = defaultdict(lambda: defaultdict(float))
    for s in steps_of(ways):
        go[s.from_name or "^"][s.to_name or ("$" if s.converted else "0")] += s.steps
    at, arrived = {"^": 1.0}, 0.0
    for _ in range(3_000):
        onward: dict[str, float] = defaultdict(float)
        for name, chance in at.items():
            for to, n in go[name].items():
                if to not in ("0", removed):
                    onward[to] += chance * n / sum(go[name].values())
        arrived += onward.pop("$", 0.0)
        at = {name: chance for name, chance in onward.items() if chance > 1e-15}
    return arrived


@pytest.mark.parametrize(
    ("ways", "effects", "shares"),
    [
        pytest.param(
            [(["google"], True)] * 2 + [(["mail"], True), (["google", "mail"], True), (["google"], False)],
            {"google": 0.75, "mail": 0.5},
            {"google": 0.6, "mail": 0.4},
            id="two channels, four conversions: 2.4 and 1.6",
        ),
        pytest.param(
            [(["c1", "c2", "c3"], True), (["c1"], False), (["c2", "c3"], False)],
            {"c1": 0.5, "c2": 1.0, "c3": 1.0},
            {"c1": 0.2, "c2": 0.4, "c3": 0.4},
            id="three channels, one conversion in three",
        ),
    ],
)
def test_published_removal_effects(ways: list[Way], effects: dict[str, float], shares: dict[str, float]) -> None:
    found = removal_effects(steps_of(ways))
    assert {r.name: r.effect for r in found} == pytest.approx(effects)
    assert {r.name: r.share for r in found} == pytest.approx(shares)


WAYS = st.lists(
    st.tuples(st.lists(st.sampled_from("abcd"), min_size=1, max_size=5), st.booleans()), min_size=1, max_size=8
)


@given(WAYS)
@settings(max_examples=20)
def test_a_removal_effect_is_what_is_lost_without_the_name(ways: list[Way]) -> None:
    whole = converting(ways)
    for removal in removal_effects(steps_of(ways)):
        lost = (whole - converting(ways, removal.name)) / whole if whole else 0.0
        assert removal.effect == pytest.approx(lost, abs=1e-6)


@given(st.integers(0, 10**15), st.dictionaries(st.text(max_size=3), st.floats(0, 1), min_size=1, max_size=30))
@settings(max_examples=60)
def test_units_are_shared_out_exactly(units: int, shares: dict[str, float]) -> None:
    parts = share_out(units, shares)
    assert sum(parts.values()) == (units if sum(shares.values()) else 0)
    assert all(part >= 0 for part in parts.values())


Credit = dict[str, dict[str, int]]


def credited(
    ways: Sequence[Way], *, units: int = 10**6, gap: timedelta = timedelta(days=1), turned: bool = False
) -> Credit:
    """What the statement gives to each name by model."""
    con = duckdb.connect(config={"threads": 1})
    touches = [
        f"({lead}, {int(hit)}, '{name}', timestamp '{NOON + gap * place}', {place}, {len(names)})"
        for lead, (names, hit) in enumerate(ways)
        for place, name in enumerate(names, 1)
    ]
    rows = ", ".join(touches[::-1] if turned else touches)
    con.execute(f"create table path as from (values {rows}) t(lead_id, hit, name, touched_at, place, length)")
    converted = ", ".join(f"({lead}, '', {units if hit else -1})" for lead, (_, hit) in enumerate(ways))
    con.execute(f"create table units as from (values {converted}) t(lead_id, currency, units) where units >= 0")
    answer: Credit = {model: {} for model in RULES}
    sql = f"select model, name, sum(units)::bigint from ({statement('insight', 'credit')}) group by all"
    for model, name, credit in con.execute(sql, {"model": "all", "half_life_s": 7 * 86_400}).fetchall():
        answer[model][name] = credit
    con.close()
    return answer


def coalition_shapley(ways: Sequence[Way]) -> dict[str, Fraction]:
    """The Shapley value by going through all coalitions; one is worth the conversions of ways within it."""
    players = sorted({name for names, _ in ways for name in names})

    def worth(members: tuple[str, ...]) -> int:
        return sum(hit and set(names) <= set(members) for names, hit in ways)

    return {
        player: sum(
            (
                Fraction(worth((*members, player)) - worth(members), len(players) * comb(len(players) - 1, size))
                for size in range(len(players))
                for members in combinations([p for p in players if p != player], size)
            ),
            Fraction(0),
        )
        for player in players
    }


@given(WAYS)
@settings(max_examples=8)
def test_every_model_shares_out_all_and_shapley_is_the_value_of_the_game(ways: list[Way]) -> None:
    credit = credited(ways)
    hits = [names for names, hit in ways if hit]
    for model in RULES:
        assert sum(credit[model].values()) == len(hits) * 10**6
    exact = coalition_shapley(ways)
    for name, value in exact.items():
        assert credit["shapley"].get(name, 0) / 10**6 == pytest.approx(float(value), abs=len(ways) * 1e-6)
    for model in ("linear", "shapley"):
        assert credited([(names[::-1], hit) for names, hit in ways])[model] == credit[model], "order does not matter"
    assert credited([(names[::-1], hit) for names, hit in ways])["first"] == credit["last"]
    assert credited(ways, turned=True) == credit, "nor does that of the rows"


def test_a_dummy_gets_nothing_and_twins_get_the_same() -> None:
    credit = credited([(["a", "b"], True), (["b", "a"], True), (["dummy"], False), (["dummy", "a"], False)])
    assert "dummy" not in credit["shapley"]
    assert credit["shapley"]["a"] == credit["shapley"]["b"] == 10**6


def test_the_airport_game_has_its_published_shares() -> None:
    # Littlechild and Owen (1973): runways of length 8, 11, 13 and 18 cost their users 2, 3, 4 and 9.
    users = ["a", "b", "c", "d"]
    ways: list[Way] = [(users, True)] * 8 + [(users[1:], True)] * 3 + [(users[2:], True)] * 2 + [(users[3:], True)] * 5
    assert credited(ways)["shapley"] == pytest.approx(
        {"a": 2 * 10**6, "b": 3 * 10**6, "c": 4 * 10**6, "d": 9 * 10**6}, abs=len(ways)
    )


def test_each_model_as_its_name_says() -> None:
    credit = credited([(["a", "b", "c", "a"], True)], units=100, gap=timedelta(days=7))
    assert credit["first"] == {"a": 100, "b": 0, "c": 0}
    assert credit["last"] == {"a": 100, "b": 0, "c": 0}
    assert credit["linear"] == {"a": 50, "b": 25, "c": 25}
    assert credit["position"] == {"a": 80, "b": 10, "c": 10}
    assert credit["decay"] == {"a": 60, "b": 13, "c": 27}  # 9/15, 2/15 and 4/15
    assert sorted(credit["shapley"].values()) == [33, 33, 34]
    assert {m: sum(c.values()) for m, c in credited([(["x"], True)], units=7).items()} == dict.fromkeys(RULES, 7)


@pytest.fixture(scope="module")
def ways(written: Callable[..., Path]) -> Path:
    """Leads whose ways are odd: none at all, only after the outcome, deals in two currencies, at one instant."""
    day = timedelta(days=1)
    lead = [{"lead_id": n, "source": "expo", "created_at": NOON, "first_contact_on": NOON.date()} for n in range(1, 8)]
    touches = [(1, 1, "web"), (1, 3, "email"), (1, 9, "phone"), (2, 9, "web"), (4, 1, "web"), (4, 1, None), (5, 2, "web"),
               (6, 1, "email"), (6, 2, "web"), (99, 1, "web")]  # fmt: skip
    won = [(1, "USD", "10.01"), (2, "USD", "5"), (3, "JPY", "1001"), (4, "JPY", "100"), (4, "USD", "0.02")]
    return written(
        {
            "leads": lead,
            "touchpoints": [
                {"event_id": f"t{i}", "at": NOON + day * d, "kind": "visit", "lead_id": n, "channel": c}
                for i, (n, d, c) in enumerate(touches)
            ]
            + [{"event_id": "u", "at": NOON, "kind": "unsubscribe", "lead_id": 1, "channel": "email"}],
            "opportunities": [
                {
                    "opportunity_id": i,
                    "lead_id": n,
                    "category": "won",
                    "currency": currency,
                    "amount": Decimal(amount),
                    "created_at": NOON,
                    "closed_at": NOON + 5 * day,
                }
                for i, (n, currency, amount) in enumerate(won)
            ],
        }
    )


@pytest.fixture
def odd(ways: Path) -> Session:
    return open_session(
        ways, settings=Settings(), command="t", actor="t", clock=FixedClock(datetime(2027, 1, 1)), quiet=True
    )


def test_odd_ways_lose_nothing(odd: Session) -> None:
    with odd:
        sheet = usecases.attribution(odd)
        credit = {row["channel"]: row for row in sheet.table.to_pylist()}
        assert credit["no touch"]["first"] == credit["no touch"]["markov"] == 2, "leads 2 and 3: touched later or never"
        assert sheet.total is not None
        assert {m: sheet.total[m] for m in MODELS} == dict.fromkeys(MODELS, usecases.source(odd).total.hits)
        assert "1 touches belong to no lead" in sheet.warnings[0]
        assert credit["phone"]["markov"] == 0 if "phone" in credit else True
        assert credit["unknown"]["last"] + credit["web"]["last"] + credit["email"]["last"] == 2


def test_money_is_shared_out_to_the_minor_unit_in_each_currency(odd: Session) -> None:
    with odd:
        rows = usecases.attribution(odd, Question(value="amount")).table.to_pylist()
        for model in MODELS:
            for currency, total in (("USD", Decimal("15.03")), ("JPY", Decimal(1101))):
                assert sum(row[model] for row in rows if row["currency"] == currency) == total
        assert all(row["shapley"] == int(row["shapley"]) for row in rows if row["currency"] == "JPY")


def test_credit_is_the_sum_of_the_rows_behind_it(odd: Session) -> None:
    value = "amount"
    with odd:
        for row in usecases.attribution(odd, Question(value=value)).table.to_pylist():
            for model in ("decay", "markov"):
                behind = usecases.attribution_drill(odd, f"{row['channel']}/{model}", Question(value=value)).to_pylist()
                same = [r["credit"] for r in behind if r["currency"] == row.get("currency", "")]
                assert sum(same) == row[model], (row["channel"], model)


def test_a_window_forgets_what_was_long_before(odd: Session) -> None:
    with odd:
        rows = {r["channel"]: r for r in usecases.attribution(odd, Question(window="2 days")).table.to_pylist()}
        assert rows["email"]["first"] == 1
        assert rows["no touch"]["first"] == 3


@pytest.mark.parametrize("by", ["source", "campaign", "content"])
def test_the_whole_is_the_same_however_it_is_named(session: Session, by: str) -> None:
    total = usecases.source(session, to="opportunity").total.hits
    sheet = usecases.attribution(session, Question(by=by, to="opportunity"))
    assert sheet.total is not None
    assert [sheet.total[m] for m in MODELS] == [total] * len(MODELS)


def test_by_source_it_agrees_with_the_report_on_sources(session: Session) -> None:
    won = {p.part: p.share.hits for p in usecases.source(session).parts}
    credit = {r["source"]: r["linear"] for r in usecases.attribution(session, Question(by="source")).table.to_pylist()}
    untouched = credit.pop("no touch", 0)
    assert all(part <= won[source] for source, part in credit.items())
    assert sum(credit.values()) + untouched == sum(won.values())


def test_nothing_to_share_out(empty: Session) -> None:
    assert usecases.attribution(empty).table.num_rows == 0


@pytest.mark.parametrize(
    ("call", "says"),
    [
        (lambda s: usecases.attribution(s, Question(model="shaply")), "Did you mean 'shapley'"),
        (lambda s: usecases.attribution(s, Question(by="chanel")), "Did you mean 'channel'"),
        (lambda s: usecases.attribution(s, Question(to="sql", value="amount")), "have no amount"),
        (lambda s: usecases.attribution_drill(s, "web/shaply"), "Did you mean 'shapley'"),
        (lambda s: usecases.attribution_drill(s, "wbe/shapley"), "Did you mean 'web'"),
        (lambda s: usecases.attribution(s, Question(half_life="0 days")), "no time at all"),
    ],
    ids=["model", "dimension", "amount", "drilled model", "drilled name", "half-life"],
)
def test_wrong_names_in_attribution(odd: Session, call: Callable[[Session], object], says: str) -> None:
    with odd, pytest.raises(UserError, match=says):
        call(odd)
