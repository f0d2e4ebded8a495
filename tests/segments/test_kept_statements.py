"""A statement that was kept from an earlier build is the one that a compilation at the new time would make."""

from __future__ import annotations

import json
import subprocess
import sys
from dataclasses import replace
from datetime import datetime, timedelta
from pathlib import Path
from tempfile import TemporaryDirectory

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from sfactl.config.settings import Settings
from sfactl.engine.conditions import CompiledMany, Condition, compile_many
from sfactl.schemas import Schemas
from sfactl.segments import usecases
from sfactl.segments.usecases import kept
from sfactl.session import FixedClock, Session, open_session
from sfactl.workspace import Workspace

NOW = datetime(2026, 11, 21, 9)
PLAIN = (
    "country = 'TW' and employees > 5",
    "count(touchpoints) filter (where kind = 'visit' and within('5 days')) >= 2",
    "count(touchpoints) filter (where kind = 'call' and within('90 days')) >= 2",
    "not has(touchpoints) filter (where within('1 year') and kind = 'visit')",
    "within('7 days', created_at) or within('2 months', first_contact_on)",
    "budget > 10.50 and first_contact_on >= date '2026-01-31'",
    "sum(orders.amount) filter (where within('1 month')) > 50",
    "has(orders) filter (where within('2 years'))",
)


class Counting:
    """A compilation that counts how often it is asked."""

    def __init__(self, texts: tuple[str, ...], zone: str = "UTC") -> None:
        self.conditions = [Condition(name=f"c{n}", text=text) for n, text in enumerate(texts)]
        self.schemas = Schemas({}, zone=zone)
        self.asked = 0

    def __call__(self, now: datetime) -> CompiledMany:
        self.asked += 1
        return compile_many(self.conditions, schemas=self.schemas, now=now, members_only=True, as_segments=True)


@pytest.fixture(scope="module")
def workspace(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("kept") / "ws"
    Workspace.create(folder).close()
    return folder


def opened(folder: Path, at: datetime = NOW, **options: object) -> Session:
    return open_session(folder, settings=Settings(), command="t", actor="t", clock=FixedClock(at), **options)  # type: ignore[arg-type]


def asked(folder: Path, counting: Counting, at: datetime = NOW, **options: object) -> CompiledMany:
    with opened(folder, at, **options) as session:
        return kept.statement(session, [c.text for c in counting.conditions], {"names": len(PLAIN)}, counting)


@settings(max_examples=40)
@given(
    first=st.datetimes(datetime(2020, 1, 1), datetime(2030, 1, 1)),
    days=st.integers(0, 800),
    seconds=st.integers(0, 86_400),
    zone=st.sampled_from(["UTC", "Asia/Taipei", "America/New_York"]),
    texts=st.sets(st.sampled_from(PLAIN), min_size=1),
)
def test_a_kept_statement_is_what_a_new_one_would_be(
    first: datetime, days: int, seconds: int, zone: str, texts: set[str]
) -> None:
    counting = Counting(tuple(sorted(texts)), zone)
    later = first + timedelta(days=days, seconds=seconds)
    with TemporaryDirectory() as place:
        path = Path(place) / "cache" / "x.json"
        kept._keep(path, "k", counting(first), counting(first + kept.PROBE), first)
        if path.exists():  # where two windows begin at one moment by chance it is not kept
            again = kept._bound(json.loads(path.read_text())["statement"], later)
            # How far back it looks is asked by simulations, which keep no statements.
            assert again == replace(counting(later), since={})


def test_a_second_build_compiles_nothing(workspace: Path) -> None:
    counting = Counting(PLAIN)
    one = asked(workspace, counting)
    assert counting.asked == 2
    two = asked(workspace, counting, NOW + timedelta(days=3, hours=5))
    assert counting.asked == 2
    assert (one.sql, one.windows, one.columns) == (two.sql, two.windows, two.columns)
    assert one.params != two.params


@pytest.mark.parametrize(
    ("texts", "why"),
    [
        (("within('1 month', created_at)", "within('30 days', created_at)"), "either may be the longer one"),
        (("created_at < now() - interval '3 days'",), "time may change anything"),
        (("days_since(created_at) > 3",), "time may change anything"),
        (("within('7 days', created_at)", "created_at >= timestamp '2026-11-14 09:00:00'"), "one value, two meanings"),
    ],
    ids=lambda value: value if isinstance(value, str) else "",
)
def test_what_is_not_certain_is_not_kept(tmp_path: Path, texts: tuple[str, ...], why: str) -> None:
    folder = tmp_path / "ws"
    Workspace.create(folder).close()
    counting = Counting(texts)
    asked(folder, counting)
    before = counting.asked
    assert asked(folder, counting) == counting(NOW), why
    assert counting.asked > before + 1, why


@pytest.mark.parametrize("damage", ["", "{", '{"key": 1}', "[]", "null", "\x00"])
def test_a_damaged_copy_is_no_error(tmp_path: Path, damage: str) -> None:
    folder = tmp_path / "ws"
    Workspace.create(folder).close()
    counting = Counting(PLAIN)
    whole = asked(folder, counting)
    (path,) = (folder / ".sfactl" / "cache").iterdir()
    assert path.stat().st_mode & 0o077 == 0
    path.write_text(damage)
    assert asked(folder, counting) == whole


def test_a_dry_run_keeps_nothing(tmp_path: Path) -> None:
    folder = tmp_path / "ws"
    Workspace.create(folder).close()
    asked(folder, Counting(PLAIN), dry_run=True)
    assert not (folder / ".sfactl" / "cache").exists()


AGAIN = """
import sys
from datetime import datetime
from pathlib import Path
from sfactl.config.settings import Settings
from sfactl.segments.usecases import build
from sfactl.session import FixedClock, open_session
with open_session(Path(sys.argv[1]), settings=Settings(), command="t", actor="t", clock=FixedClock(datetime(2026, 12, 1))) as session:
    print(build(session).segments[0].joined, "sqlglot" in sys.modules)
"""


def test_a_changed_file_is_compiled_and_an_unchanged_one_needs_no_parser(tmp_path: Path) -> None:
    folder = tmp_path / "ws"
    Workspace.create(folder).close()
    (folder / "segments").mkdir()
    file = folder / "segments" / "big.toml"
    file.write_text('schema = 1\nwhere = "employees > 5"\n')
    with opened(folder) as session:
        with session.write("leads") as tx:
            tx.upsert("leads", "select n as lead_id, n as employees from range(10) t(n)")
            tx.commit()
        assert usecases.build(session).segments[0].joined == 4
        file.write_text('schema = 1\nwhere = "employees > 6"\n')
        assert usecases.build(session).segments[0].left == 1
        with session.write("leads") as tx:
            tx.upsert("leads", "select 99 as lead_id, 99 as employees")
            tx.commit()
    said = subprocess.run([sys.executable, "-c", AGAIN, str(folder)], capture_output=True, text=True, check=True)
    assert said.stdout.split() == ["1", "False"]
