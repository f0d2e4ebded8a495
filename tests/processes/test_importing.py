"""Event logs come in once and whole, equal to independent code; dates that read two ways are refused."""

from __future__ import annotations

import csv
import itertools
from collections import Counter, defaultdict
from collections.abc import Callable, Sequence
from datetime import datetime
from pathlib import Path

import pytest

from sfactl.api.errors import DataError, UserError
from sfactl.processes import usecases
from sfactl.processes.usecases import Form
from sfactl.session import Session
from tests.process_world import activity

UTC = Form(zone="UTC")


def written(path: Path, rows: Sequence[Sequence[str]], head: str = "case,activity,time") -> Path:
    with path.open("w", newline="", encoding="utf-8") as file:
        file.write(head + "\n")
        csv.writer(file).writerows(rows)
    return path


def some(form: str, *, days: int = 28) -> list[tuple[str, str, str]]:
    """Thirty cases of three events each, their dates written as ``form`` says."""
    return [
        (str(case), name, datetime(2026, 1 + case % 6, (case * 5 + place * 3) % days + 1, 9 + place).strftime(form))
        for case in range(30)
        for place, name in enumerate("abc")
    ]


def test_the_same_file_twice_adds_nothing(session: Session, tmp_path: Path) -> None:
    path = written(tmp_path / "log.csv", [*some("%Y-%m-%d %H:%M:%S"), ("0", "a", "2026-01-01 09:00:00")])
    first = usecases.import_log(session, path, process="p", form=UTC)
    again = usecases.import_log(session, path, process="p", form=UTC)
    assert (first.new, first.known, first.doubles) == (91, 0, 1)
    assert (again.new, again.known, again.commit) == (0, 91, None)
    more = written(tmp_path / "more.csv", [*some("%Y-%m-%d %H:%M:%S"), ("new", "a", "2026-01-01 09:00:00")])
    assert usecases.import_log(session, more, process="p", form=UTC).new == 1


def test_a_dry_run_writes_nothing(opened: Callable[..., Session], tmp_path: Path) -> None:
    path = written(tmp_path / "log.csv", some("%Y-%m-%d"))
    assert usecases.import_log(opened(dry_run=True), path, process="p", form=UTC).new == 90
    with opened().query() as query:
        assert query.rows("select count(*) from process_events") == [(0,)]


def test_doubles_can_be_taken_for_one(session: Session, tmp_path: Path) -> None:
    path = written(tmp_path / "log.csv", [("1", "a", "2026-01-20")] * 3)
    assert usecases.import_log(session, path, process="p", form=UTC, distinct=True).new == 1


READ = {
    "iso": ("%Y-%m-%d %H:%M:%S", "", "year-month-day"),
    "iso with T": ("%Y-%m-%dT%H:%M:%S.250", "", "year-month-day"),
    "points": ("%d.%m.%Y %H:%M", "", "day-month-year"),
    "American": ("%m/%d/%Y %I:%M %p", "", "month-day-year"),
    "Chinese": ("%Y年%m月%d日 %H:%M", "", "year-month-day"),
    "stated": ("%Y-%d-%m %H:%M", "ydm", "year-day-month"),
}


@pytest.mark.parametrize("name", READ)
def test_orders_of_dates(session: Session, tmp_path: Path, name: str) -> None:
    form, dates, said = READ[name]
    rows = some(form)
    path = written(tmp_path / "log.csv", rows)
    assert usecases.import_log(session, path, process="p", form=Form(zone="UTC", dates=dates)).dates == said
    with session.query() as query:
        found = query.rows('select case_id, activity, "at" from process_events')
    assert {(c, a, at.replace(microsecond=0)) for c, a, at in found} == {
        (c, a, datetime.strptime(t, form).replace(second=0)) for c, a, t in rows
    }


REFUSED = {
    "day in the middle": (some("%Y-%d-%m"), "dates are none when read as year-month-day"),
    "no day beyond 12": (some("%Y-%m-%d", days=12), "none of .* different dates has a day after the 12th"),
    "either": (some("%d/%m/%Y", days=12), "may be day-month-year or month-day-year"),
    "two digits": (some("%d/%m/%y"), "is not a date with a year of four digits"),
    "both ends": ([*some("%Y-%m-%d"), *some("%d/%m/%Y")], "have the year first and 90 have it last"),
    "swapped by a spreadsheet": (
        [
            (str(c), str(n), f"2026-{m:02}-{d:02}" if d > 12 else f"2026-{d:02}-{m:02}")
            for c in range(30)
            for n, (m, d) in enumerate([(3, 2), (3, 5), (3, 20), (4, 1), (4, 11), (4, 14)])
        ],
        "rows lie before the row above in their case",
    ),
}  # fmt: skip


@pytest.mark.parametrize("name", REFUSED)
def test_dates_that_read_two_ways_are_refused(session: Session, tmp_path: Path, name: str) -> None:
    rows, message = REFUSED[name]
    path = written(tmp_path / "log.csv", rows)
    with pytest.raises(UserError, match=message) as refused:
        usecases.import_log(session, path, process="p", form=UTC)
    assert refused.value.hint
    with session.query() as query:
        assert query.rows("select count(*) from process_events") == [(0,)]


def test_rows_that_are_no_events_are_counted(session: Session, tmp_path: Path) -> None:
    path = tmp_path / "log.csv"
    path.write_text(
        "case;activity;time\n1;a;2020-01-21\n;b;2020-01-22\n2;;2020-01-23\n3;c;never\n4;d\n5;e;2020-02-30\n"
    )
    found = usecases.import_log(session, path, process="p", form=UTC)
    assert (found.rows, found.new, found.rejected) == (6, 1, 5)
    assert {r.reason: (r.rows, r.first_row) for r in found.reasons} == {
        "no case": (1, 3), "no activity": (1, 4), "no time that can be read": (2, 5),
        "cells that do not fit the header": (1, 6),
    }  # fmt: skip


@pytest.mark.parametrize(
    ("content", "message"),
    [
        (b"", "is empty"),
        (b"case,activity\n1,2\n", "which column is the time"),
        ("case,activity,time\n1,\u00e9,2020-01-21\n".encode("latin-1"), "is not utf-8"),
        (b"case,case,time\n1,2,3\n", "more than once"),
    ],
    ids=["empty", "no time", "encoding", "doubled"],
)
def test_files_that_are_no_logs(session: Session, tmp_path: Path, content: bytes, message: str) -> None:
    path = tmp_path / "log.csv"
    path.write_bytes(content)
    with pytest.raises((DataError, UserError), match=message):
        usecases.import_log(session, path, process="p", form=UTC)


def test_a_real_log_equals_plain_code(session: Session, folder: Path, shared_data: Path) -> None:
    """Help desk tickets: directly-follows counts, times and fitness against a loop over the file."""
    path = shared_data / "helpdesk_event_log/helpdesk.csv"
    with path.open() as file:
        rows = [(r["CaseID"], r["ActivityID"], r["CompleteTimestamp"]) for r in csv.DictReader(file)]
    result = usecases.import_log(session, path, process="p", form=UTC)
    assert (result.new, result.cases) == (len(rows), len({r[0] for r in rows}))
    names = sorted({r[1] for r in rows})
    traces = defaultdict(list)
    for case, name, at in rows:
        traces[case].append((datetime.fromisoformat(at), names.index(name), name))
    steps: Counter[tuple[str, str]] = Counter()
    total = 0.0
    for trace in traces.values():
        trace.sort()
        steps.update((a[2], b[2]) for a, b in itertools.pairwise(trace))
        total += (trace[-1][0] - trace[0][0]).total_seconds()
    common = {pair for pair, times in steps.items() if times >= 100}
    text = 'schema = 1\nquiet = "1 day"\n' + "".join(
        activity(name, start=name == "1", end=name == "6", next=[b for a, b in sorted(common) if a == name])
        for name in names
    )
    (folder / "processes/p.toml").write_text(text)
    found = usecases.conformance(session, "p")
    good = sum(times for pair, times in steps.items() if pair in common)
    good += sum(trace[0][2] == "1" for trace in traces.values())
    good += sum(trace[-1][2] == "6" for trace in traces.values())
    assert found.steps == len(rows) + len(traces)
    assert found.fitness == pytest.approx(good / found.steps, abs=1e-12)
    assert found.total_us == round(total * 1_000_000)
    assert {s.what: s.times for s in found.times} == {f"{a} → {b}": n for (a, b), n in steps.items()}
