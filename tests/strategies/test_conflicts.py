"""What strategies say in vain is found in their files; who is left out or caught twice is counted as plain code does."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime
from pathlib import Path

import pyarrow as pa
import pytest

from sfactl.config.settings import Settings
from sfactl.session import FixedClock, Session, open_session
from sfactl.strategies.usecases import covering, sampling
from sfactl.workspace import Workspace

CALL = '[[steps]]\nname = "call"\naction = "task"\ntask = { kind = "call", title = "x" }\n'
NOW = datetime(2026, 6, 1)


@pytest.fixture
def session(tmp_path: Path) -> Iterator[Session]:
    Workspace.create(tmp_path).close()
    for name in ("strategies", "segments", "journeys"):
        (tmp_path / name).mkdir()
    settings = Settings()
    with open_session(
        tmp_path, settings=settings, command="test", actor="me", clock=FixedClock(NOW), quiet=True
    ) as session:
        yield session


def strategy(session: Session, name: str, where: str, *, head: str = "", body: str = "", steps: str = CALL) -> None:
    path = session.folder / "strategies" / f"{name}.toml"
    path.write_text(f'schema = 1\nsummary = "x"\nowner = "amy"\nwhere = """{where}"""\n{head}\n{body}\n{steps}')


def segment(session: Session, name: str, where: str) -> None:
    (session.folder / "segments" / f"{name}.toml").write_text(f'schema = 1\nwhere = """{where}"""\n')


def found(session: Session) -> dict[str, list[tuple[str, tuple[str, ...]]]]:
    answer: dict[str, list[tuple[str, tuple[str, ...]]]] = {}
    for c in covering.find_conflicts(session, with_data=False):
        answer.setdefault(c.where.removeprefix("strategies/"), []).append((c.kind, c.terms))
    return answer


def test_what_is_right_is_left_alone(session: Session) -> None:
    segment(session, "big", "employees > 200")
    segment(session, "banned", "note = 'stop'")
    strategy(
        session, "good", "member_of('big') and country in ('TW', 'JP')",
        head='blacklist = "banned"', body="[goal]\nwhere = \"has(orders)\"\n[exit]\nwhere = \"status = 'disqualified'\"",
    )  # fmt: skip
    assert found(session) == {}


def test_contradictions_name_their_terms(session: Session) -> None:
    segment(session, "big", "employees > 200")
    strategy(session, "bad", "status = 'new' and employees > 200 and email is not null and employees < 50")
    strategy(session, "deep", "member_of('big') and employees < 50")
    strategy(session, "goal", "employees > 100", body='[goal]\nwhere = "employees is not null"')
    strategy(session, "list", "member_of('big')", head='blacklist = "big"')
    strategy(session, "any", "country = 'TW' or country is distinct from 'TW'")
    assert found(session) == {
        "bad.toml: where": [("never", ("employees > 200", "employees < 50"))],
        "deep.toml: where": [("never", ("member_of('big')", "employees < 50"))],
        "goal.toml: goal.where": [
            ("never", ("employees > 100", "not (employees is not null)  (strategies/goal.toml: goal.where)"))
        ],
        "list.toml: blacklist": [
            ("never", ("member_of('big')", "not (member_of('big'))  (strategies/list.toml: blacklist)"))
        ],
        "any.toml: where": [("always", ())],
    }


STEPS = """
[[steps]]
name = "new"
action = "branch"
where = "status = 'new'"
then = "small"
otherwise = "old"
[[steps]]
name = "old"
action = "stop"
[[steps]]
name = "small"
action = "branch"
where = "employees < 100"
then = "gift"
otherwise = "rest"
[[steps]]
name = "gift"
action = "task"
task = { title = "x" }
[[steps]]
name = "rest"
action = "wait"
for = "3 days"
[[steps]]
name = "again"
action = "branch"
where = "employees < 100"
then = "last"
otherwise = "last"
[[steps]]
name = "last"
action = "stop"
"""


def test_branches_that_are_settled_before(session: Session) -> None:
    """After a wait anything may hold; before it, what was asked holds still."""
    strategy(session, "ways", "status = 'new' and employees >= 100", steps=STEPS)
    assert found(session) == {
        "ways.toml: steps.new.otherwise": [
            ("excluded", ("status = 'new'", "not (status = 'new')  (strategies/ways.toml: steps.new.where)"))
        ],
        "ways.toml: steps.small.then": [
            ("excluded", ("employees >= 100", "employees < 100  (strategies/ways.toml: steps.small.where)"))
        ],
        "ways.toml: steps.old": [("unreachable", ())],
        "ways.toml: steps.gift": [("unreachable", ())],
    }


def test_shadows_and_doubles(session: Session) -> None:
    strategy(session, "sun", "employees > 100", head='exclusive = "g"\npriority = 90')
    strategy(session, "shade", "employees > 200 and country = 'TW'", head='exclusive = "g"\npriority = 10')
    strategy(session, "free", "employees > 200 and country = 'TW'")
    strategy(session, "above", "employees > 300", head='exclusive = "g"\npriority = 95')
    assert found(session) == {"shade.toml: where": [("duplicate", ()), ("shadowed", ())]}


def test_a_file_that_does_not_compile_is_a_finding(session: Session) -> None:
    strategy(session, "wrong", "emplyees > 5")
    (broken,) = covering.find_conflicts(session)
    assert (broken.kind, broken.severity) == ("broken", "error")
    assert 'Did you mean "employees"?' in broken.message


def test_coverage_counts_as_plain_code_does(session: Session) -> None:
    draw = session.random("coverage")
    sizes = [draw.choice([None, 5, 50, 500]) for _ in range(200)]
    with session.write("leads", "touchpoints") as tx:
        ids = list(range(1, 201))
        tx.upsert("leads", pa.table({"lead_id": ids, "employees": pa.array(sizes, pa.int64())}))
        tx.append(
            "touchpoints",
            pa.table(
                {
                    "event_id": ["a", "b"], "lead_id": [1, 2], "kind": ["demo", "call"],
                    "at": pa.array([datetime(2026, 5, 1)] * 2, pa.timestamp("us")),
                }
            ),
        )  # fmt: skip
        tx.commit()
    nodes = "".join(
        f'[[nodes]]\nname = "{k}"\nreached = "min(touchpoints.at) filter (where kind = \'{k}\')"\n'
        for k in ("call", "demo")
    )
    (session.folder / "journeys/j.toml").write_text(f"schema = 1\n{nodes}")
    strategy(session, "all-big", "employees >= 50", head='exclusive = "g"')
    strategy(session, "huge", "employees >= 500", head='exclusive = "g"', body='[goal]\nwhere = "lead_id > 150"')
    strategy(session, "nobody", "employees > 1000")
    strategy(session, "old", "employees > 1", head='state = "archived"')
    cover = covering.coverage(session)
    big = {i for i, n in zip(ids, sizes, strict=True) if n and n >= 50}
    huge = {i for i, n in zip(ids, sizes, strict=True) if n == 500 and i <= 150}
    assert (cover.leads, cover.by_none, cover.idle) == (200, 200 - len(big), ("nobody",))
    assert [(n.node, n.leads) for n in cover.nodes] == [("call", 1), ("demo", 1), ("(no node yet)", 198)]
    (overlap,) = cover.overlaps
    assert (overlap.one, overlap.other, overlap.kind, overlap.leads) == ("all-big", "huge", "settled", len(big & huge))
    assert overlap.sample == tuple(sorted(big & huge)[:5])
    rest = cover.nodes[-1]
    assert rest.by_none == len(set(range(3, 201)) - big)
    assert rest.sample == tuple(sorted(set(range(3, 201)) - big)[:5])


def test_a_rule_with_too_few_samples_falls_back_and_says_so(session: Session) -> None:
    with session.write("models") as tx:
        rows = [("propensity", 1, "retired", 900), ("propensity", 2, "champion", 80), ("rich", 1, "champion", 500)]
        columns = zip(("score", "version", "state", "leads"), zip(*rows, strict=True), strict=True)
        tx.upsert("models", pa.table({name: list(values) for name, values in columns}))
        tx.commit()
    (session.folder / "scores").mkdir()
    for score in ("propensity", "rich"):
        (session.folder / f"scores/{score}.toml").write_text("schema = 1\n")
    strategy(session, "a", "score.propensity > 0.5", head="min_samples = 200\nfallback = \"country = 'TW'\"")
    strategy(session, "b", "score.propensity > 0.5", head="min_samples = 200")
    strategy(session, "c", "score.propensity > 0.5 and score.rich > 0")
    strategy(session, "d", "country = 'TW'")
    verdicts = {(s.strategy, s.score): s.verdict for s in sampling.lint(session, min_samples=100)}
    assert verdicts == {
        ("a", "propensity"): "falls back",
        ("b", "propensity"): "too few",
        ("c", "propensity"): "too few",
        ("c", "rich"): "ok",
    }
    first = sampling.lint(session)[0]
    assert first.message.endswith("fewer than 200: the fallback decides who enters: country = 'TW'")
    assert sampling.lint(session)[2].verdict == "ok"
