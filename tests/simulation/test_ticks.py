"""When runs take place."""

from __future__ import annotations

from datetime import datetime
from zoneinfo import ZoneInfo

import pytest

from sfactl.api.errors import UserError
from sfactl.simulation.ticks import every

TAIPEI, BERLIN = ZoneInfo("Asia/Taipei"), ZoneInfo("Europe/Berlin")
CASES = {
    "days begin in the morning": ("1 day", datetime(2026, 9, 6, 16), TAIPEI, True, ["09-07 01:00", "09-08 01:00"]),
    "a time is kept": ("1 day", datetime(2026, 9, 7, 3, 30), TAIPEI, False, ["09-07 03:30", "09-08 03:30"]),
    "hours follow the start": ("12 hours", datetime(2026, 9, 7), TAIPEI, True, ["09-07 00:00", "09-07 12:00"]),
    "days follow the wall clock": ("1 day", datetime(2026, 10, 23, 22), BERLIN, True, ["10-24 07:00", "10-25 08:00"]),
    "months keep to the calendar": ("1 month", datetime(2026, 1, 31, 1), TAIPEI, False, ["01-31 01:00", "02-28 01:00"]),
}


@pytest.mark.parametrize(("period", "start", "zone", "whole", "first"), CASES.values(), ids=CASES.keys())
def test_runs_of_a_period(period: str, start: datetime, zone: ZoneInfo, whole: bool, first: list[str]) -> None:
    found = every(period, start, datetime(2026, 12, 1), zone, whole_day=whole)
    assert [f"{tick.at:%m-%d %H:%M}" for tick in found[:2]] == first


def test_period_of_no_length_is_refused() -> None:
    with pytest.raises(UserError, match="no length"):
        every("0 days", datetime(2026, 1, 1), datetime(2026, 1, 2), TAIPEI, whole_day=True)
