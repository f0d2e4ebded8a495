"""Calendars as files: what they may say, and what they refuse with file, key and value."""

from __future__ import annotations

from datetime import date, datetime, timedelta
from pathlib import Path
from zoneinfo import ZoneInfo

import pytest

from sfactl.api.errors import ConfigError
from sfactl.config.calendars import read_calendars

TAIPEI = ZoneInfo("Asia/Taipei")


def written(folder: Path, text: str) -> Path:
    (folder / "calendars").mkdir()
    (folder / "calendars" / "office.toml").write_text("schema = 1\n" + text)
    return folder


def test_a_calendar_is_local_unless_it_says_a_zone(tmp_path: Path) -> None:
    text = '[hours]\nmonday = ["13:30-18:00", "09:00-12:00"]\n[days]\n"2026-05-05" = ["10:00-11:00"]\n'
    office = read_calendars(written(tmp_path, text))["office"]
    found = office.calendar(TAIPEI)
    assert [str(h) for h in found.hours_of(date(2026, 5, 4))] == ["09:00-12:00", "13:30-18:00"]
    assert found.opens(datetime(2026, 5, 4)) == datetime(2026, 5, 4, 1)
    assert found.opens(datetime(2026, 5, 4, 12)) == datetime(2026, 5, 5, 2)


def test_make_up_days_have_the_hours_of_the_first_weekday_with_any(tmp_path: Path) -> None:
    text = 'country = "CN"\ntime_zone = "Asia/Shanghai"\n[hours]\ntuesday = ["08:00-09:00"]\n'
    china = read_calendars(written(tmp_path, text))["office"].calendar(TAIPEI)
    assert [str(h) for h in china.hours_of(date(2026, 2, 14))] == ["08:00-09:00"]
    assert china.hours_of(date(2026, 2, 17)) == ()
    assert china.between(datetime(2026, 2, 13), datetime(2026, 2, 24)) == timedelta(hours=1)


@pytest.mark.parametrize(
    ("text", "message"),
    [
        pytest.param("[hours]\n", "hours: no weekday has any working time", id="no time at all"),
        pytest.param('[hours]\nmonday = []\n[days]\n"2026-01-01" = ["09:00-10:00"]\n', "no weekday", id="only days"),
        pytest.param('[hours]\nmonday = ["18:00-09:00"]\n', "ends before it begins", id="end before start"),
        pytest.param('[hours]\nmonday = ["09:00-09:00"]\n', "ends before it begins", id="empty period"),
        pytest.param('[hours]\nmonday = ["09:00-25:00"]\n', "'09:00-25:00' is not a period", id="25 o'clock"),
        pytest.param('[hours]\nmonday = ["nine to five"]\n', "'nine to five' is not a period", id="words"),
        pytest.param('[hours]\nmonday = ["09:00-12:00", "11:00-13:00"]\n', "overlap", id="overlap"),
        pytest.param(
            '[hours]\nwednsday = ["09:00-12:00"]\n', "hours.wednsday: unknown key. Did you mean 'wednesday'", id="day"
        ),
        pytest.param('time_zone = "Asia/Taipeh"\n[hours]\nmonday = ["09:00-12:00"]\n', "'Asia/Taipeh'", id="zone"),
        pytest.param('country = "XX"\n[hours]\nmonday = ["09:00-12:00"]\n', "country: no holidays", id="country"),
        pytest.param(
            'country = "DE"\nsubdivision = "BB2"\n[hours]\nmonday = ["09:00-12:00"]\n',
            "DE has no 'BB2'. Did you mean 'BB'",
            id="part",
        ),
        pytest.param(
            'subdivision = "BY"\n[hours]\nmonday = ["09:00-12:00"]\n', "needs a country", id="part of nothing"
        ),
        pytest.param(
            '[hours]\nmonday = ["09:00-12:00"]\n[days]\n"2026-02-30" = []\n', "days: '2026-02-30'", id="no such day"
        ),
    ],
)
def test_what_cannot_be_is_refused_with_its_place(tmp_path: Path, text: str, message: str) -> None:
    with pytest.raises(ConfigError, match=r"office\.toml") as caught:
        read_calendars(written(tmp_path, text))
    assert message in caught.value.message
