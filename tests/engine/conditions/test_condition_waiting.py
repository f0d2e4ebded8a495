"""The moment from which time alone makes somebody a member is the first at which plain asking finds them one."""

from __future__ import annotations

from datetime import date, datetime, timedelta
from typing import Any

import pyarrow as pa
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from sfactl.engine.conditions.inquiry import Inquiry, inquire
from sfactl.engine.conditions.trial import asked, copied
from sfactl.engine.conditions.waiting import first_moment
from sfactl.schemas import Schemas

NOW = datetime(2026, 11, 21, 9)
LATER = timedelta(microseconds=1)
HOUR = timedelta(hours=1)


def tables_of(
    inquiry: Inquiry, lead: dict[str, Any], schemas: Schemas, **rows: list[dict[str, Any]]
) -> dict[str, pa.Table]:
    """The copy of one lead's rows."""
    given = {"leads": [lead], **rows}
    return {
        name: pa.Table.from_pylist([{"lead_id": 1, **row} for row in given.get(name, [])], schemas[name].arrow())
        for name in inquiry.relations
    }


def found(text: str, lead: dict[str, Any], *, zone: str = "UTC", **rows: list[dict[str, Any]]) -> datetime | None:
    """From when the condition holds."""
    schemas = Schemas({}, zone=zone)
    ask = lambda at: inquire(text, schemas=schemas, now=at)  # noqa: E731
    return first_moment(ask, NOW, tables_of(ask(NOW), lead, schemas, **rows), 1)


def touch(hours_ago: float, kind: str = "visit") -> dict[str, Any]:
    """A touchpoint so long ago; below 0 it lies in the future."""
    return {"event_id": f"{hours_ago}{kind}", "kind": kind, "at": NOW - hours_ago * HOUR}


@pytest.mark.parametrize(
    ("text", "lead", "rows", "wanted"),
    [
        pytest.param("not has(touchpoints) filter (where within('3 days'))", {}, [touch(5), touch(50)],
                     NOW - 5 * HOUR + timedelta(days=3) + LATER, id="the last row leaves"),
        pytest.param("count(touchpoints) filter (where within('2 days')) = 1", {}, [touch(5), touch(20), touch(40)],
                     NOW - 20 * HOUR + timedelta(days=2) + LATER, id="all but one"),
        pytest.param("has(touchpoints)", {}, [touch(-7)], NOW + 7 * HOUR, id="a row of tomorrow comes"),
        pytest.param("created_at < now() and not within('1 month', created_at)", {"created_at": datetime(2026, 10, 31, 12)},
                     [], None, id="time may move more than rows tell"),
        pytest.param("not within('1 month', created_at)", {"created_at": datetime(2026, 10, 31, 12)}, [],
                     datetime(2026, 12, 1), id="months along the calendar"),
        pytest.param("has(touchpoints) filter (where within('2 days'))", {}, [touch(80)], None, id="never"),
        pytest.param("country = 'TW'", {"country": "DE"}, [], None, id="no time in it"),
    ],
)  # fmt: skip
def test_moments(text: str, lead: dict[str, Any], rows: list[dict[str, Any]], wanted: datetime | None) -> None:
    moment = found(text, lead, touchpoints=rows)
    if text.startswith("not within('1 month'"):
        # November has 30 days: on which moment of its last day or the next the month is over, asking decides.
        assert moment is not None
        assert datetime(2026, 11, 30, 12) < moment <= datetime(2026, 12, 1, 13)
    else:
        assert moment == wanted


def test_days_are_those_of_the_zone() -> None:
    lead = {"birth_date": date(2026, 11, 20)}
    moment = found("not within('3 days', birth_date)", lead, zone="Asia/Taipei")
    assert moment == datetime(2026, 11, 23, 16), "midnight of the 24th in Taipei"


TERMS = st.sampled_from(
    [
        "not has(touchpoints) filter (where within('2 days'))",
        "count(touchpoints) filter (where kind = 'form' and within('1 day')) = 1",
        "count(touchpoints) filter (where within('3 days')) < 2",
        "has(touchpoints) filter (where kind = 'visit')",
        "count(touchpoints) filter (where within('36 hours')) between 1 and 2",
        "country = 'TW'",
    ]
)


@settings(max_examples=12, deadline=None)
@given(
    terms=st.lists(TERMS, min_size=1, max_size=3),
    word=st.sampled_from([" and ", " or "]),
    rows=st.lists(st.tuples(st.integers(-20, 60), st.sampled_from(["visit", "form"])), max_size=4, unique=True),
)
def test_it_is_the_first_of_all_moments(terms: list[str], word: str, rows: list[tuple[int, str]]) -> None:
    text = word.join(terms)
    touches = [touch(hours, kind) for hours, kind in rows]
    schemas = Schemas({})
    ask = lambda at: inquire(text, schemas=schemas, now=at)  # noqa: E731
    tables = tables_of(ask(NOW), {"country": "DE"}, schemas, touchpoints=touches)
    with copied(tables) as connection:
        if asked(connection, ask(NOW), 1):
            return
        # Rows lie on whole hours: nothing turns but there, or right after.
        hours = sorted({e for r in touches for w in (0, 24, 36, 48, 72) if (e := _hours(r["at"]) + w) > 0})
        moments = [at for h in hours for at in (NOW + h * HOUR, NOW + h * HOUR + LATER)]
        wanted = next((at for at in moments if asked(connection, ask(at), 1)), None)
    assert found(text, {"country": "DE"}, touchpoints=touches) == wanted


def _hours(at: datetime) -> int:
    return round((at - NOW) / HOUR)
