"""Events that conditions can ask for are gathered once: which ones, and that nothing comes out otherwise."""

from __future__ import annotations

from datetime import datetime
from typing import TYPE_CHECKING

import pytest

from sfactl.engine.conditions import Condition, compile_many
from sfactl.schemas import core_schemas
from sfactl.simulation.gathering import rows_asked
from sfactl.simulation.usecases import Asked, past, people

if TYPE_CHECKING:
    from tests.simulation.conftest import Life

AT = datetime(2026, 9, 7, 1, 0)
CLICKED = "has(touchpoints) filter (where kind = 'email_click' and within('3 days'))"
MET = "count(touchpoints) filter (where kind = 'meeting' and value > 1) > 1"
EVER = "has(touchpoints) filter (where kind = 'meeting')"
SINCE = " and r.\"at\" >= timestamp '2026-09-02 01:00:00'"
FEW = 'select "at", "kind", "lead_id" from touchpoints as r where '


@pytest.mark.parametrize(
    ("texts", "told"),
    [
        pytest.param([CLICKED], FEW + "((r.\"kind\" = 'email_click'))" + SINCE, id="one kind, lately"),
        pytest.param([EVER], FEW + "((r.\"kind\" = 'meeting'))", id="one kind, ever"),
        pytest.param(
            [CLICKED, EVER],
            FEW + "((r.\"kind\" = 'email_click') or (r.\"kind\" = 'meeting'))",
            id="lately and ever",
        ),
        pytest.param(
            [CLICKED, MET],
            'select "at", "kind", "lead_id", "value" from touchpoints as r where '
            "((r.\"kind\" = 'email_click') or (r.\"kind\" = 'meeting'))",
            id="two conditions, and a column of one",
        ),
        pytest.param(
            [CLICKED, "status = 'new'"], FEW + "((r.\"kind\" = 'email_click'))" + SINCE, id="one asks for none"
        ),
        pytest.param(["has(touchpoints) filter (where within('3 days'))"], None, id="of any kind"),
        pytest.param([CLICKED, "count(touchpoints) > 1"], None, id="one asks for all"),
        pytest.param([f"{CLICKED} and created_at < today()"], None, id="today"),
        pytest.param(["status = 'new'"], None, id="nobody asks"),
        pytest.param([], None, id="no condition"),
    ],
)
def test_the_rows_that_conditions_can_ask_for(texts: list[str], told: str | None) -> None:
    schemas = core_schemas()
    compiled = [compile_many([Condition(name="c", text=text)], schemas=schemas, now=AT) for text in texts]
    assert rows_asked(compiled, schemas["touchpoints"]) == told


def test_gathered_events_are_all_that_matter(life: Life, monkeypatch: pytest.MonkeyPatch) -> None:
    asked = Asked(name="winback", start="2026-09-07", end="2026-09-14", every="2 days", history="happened")
    with life.session() as session:
        gathered = people(session, asked)
    monkeypatch.setattr(past, "MOST_EVENTS", 0)
    with life.session() as session:
        assert people(session, asked).equals(gathered)
    assert gathered.num_rows > 20
