"""Draws are fair and know nothing of each other; and what a mail lacks for somebody stops the plan, not the mail."""

from __future__ import annotations

from collections import Counter
from itertools import product

import pytest
from scipy.stats import chisquare

from sfactl.api.errors import DataError

from .conftest import HEAD, TASK, TOUCH, Acme

LEADS = 8_000
SHARES = {"a": 1, "b": 2, "c": 7}


def split(name: str, following: str) -> str:
    """A split whose arms all lead on to the same step."""
    arms = ", ".join(f'{{ name = "{arm}", share = {n}, next = "{following}" }}' for arm, n in SHARES.items())
    return f'[[steps]]\nname = "{name}"\naction = "split"\narms = [{arms}]\n'


@pytest.fixture(scope="module")
def drawn(tmp_path_factory: pytest.TempPathFactory) -> dict[tuple[str, str], dict[int, str]]:
    """By strategy and step: the arm that each lead took, ``held`` for the control group."""
    acme = Acme(tmp_path_factory.mktemp("draws") / "acme")
    with acme.session() as session, session.write("leads") as tx:
        tx.upsert("leads", f"select n as lead_id, 'new' as status from range(1, {LEADS + 1}) as r(n)")
        tx.commit()
    found = {}
    for name in ("spring", "autumn"):
        acme.strategy("[holdout]\npercent = 20\n", split("first", "second"), split("second", "call"), TASK, name=name)
        for (lead, step), said in acme.walked(name).items():
            if step in ("entry", "first", "second"):
                arm = "held" if said.startswith("hold") else said.partition("arm ")[2][:1]
                found.setdefault((name, step), {})[lead] = arm or "in"
    return found


def test_shares_are_kept(drawn: dict[tuple[str, str], dict[int, str]]) -> None:
    for (_, step), arms in drawn.items():
        wanted = {"held": 0.2, "in": 0.8} if step == "entry" else {a: n / 10 for a, n in SHARES.items()}
        counts = Counter(arms.values())
        assert set(counts) == set(wanted)
        expected = [share * len(arms) for share in wanted.values()]
        assert chisquare([counts[arm] for arm in wanted], expected).pvalue > 0.001


def test_one_draw_says_nothing_about_another(drawn: dict[tuple[str, str], dict[int, str]]) -> None:
    """Who is held back here is not held back there; who has arm a first has no better chance of a second."""
    for one, other in product(drawn.values(), repeat=2):
        both = sorted(one.keys() & other.keys())
        if one is other or len(both) < LEADS / 2:
            continue
        pairs = Counter((one[n], other[n]) for n in both)
        mine, theirs = Counter(one[n] for n in both), Counter(other[n] for n in both)
        if len(mine) == 1 or len(theirs) == 1:
            continue
        cells = list(product(mine, theirs))
        expected = [mine[a] * theirs[b] / len(both) for a, b in cells]
        spent = len(mine) + len(theirs) - 2
        assert chisquare([pairs[cell] for cell in cells], expected, ddof=spent).pvalue > 0.0001


def test_a_missing_value_refuses_the_plan(acme: Acme) -> None:
    acme.leads(1, 2)
    acme.leads(3, first_name=None)
    acme.strategy(TOUCH)
    with pytest.raises(DataError, match=r"lead\.first_name is missing for lead 3"):
        acme.plan()
    assert acme.select("select count(*) from plans") == [(0,)]
    acme.strategy(TOUCH, head=HEAD.replace("status = 'new'", "status = 'new' and first_name is not null"))
    assert acme.run().accepted == 2
    letters = "".join(p.read_text(encoding="utf-8") for p in (acme.folder / "outbox" / "new").glob("*"))
    assert "None" not in letters
