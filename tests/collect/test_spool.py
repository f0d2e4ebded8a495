"""What the spool says is kept is on the disk, whatever else happens to the file."""

from __future__ import annotations

import os
import resource
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from datetime import datetime
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from sfactl.collect import segments, spool
from sfactl.collect.model import Act, Post
from sfactl.collect.segments import adopt, read_line, reading
from sfactl.collect.spool import Spool, SpoolRefused
from sfactl.session import FixedClock
from tests.collect.conftest import records

NOW = datetime(2026, 11, 22, 9, 0, 0, 123456)
CLOCK = FixedClock(NOW)


def act(n: object, **more: object) -> Act:
    return Act(id=f"link:{n}", at=NOW, deed="click", message_key="k", lead_id=1, **more)  # type: ignore[arg-type]


def made(folder: Path, **more: object) -> Spool:
    return Spool(folder=folder, now=CLOCK.now, **more)  # type: ignore[arg-type]


text = st.text(max_size=30)


@given(
    record=st.builds(Act, id=text, at=st.datetimes(), deed=st.sampled_from(["open", "look"]), message_key=text,
                     lead_id=st.integers(0, 2**62), target=text, agent=text, ahead=st.booleans())
    | st.builds(Post, id=text, at=st.datetimes(), form=st.text(min_size=1, max_size=9),
                fields=st.dictionaries(text, text, max_size=3), asked=st.lists(text, max_size=2).map(tuple))
)  # fmt: skip
@settings(max_examples=60)
def test_a_record_reads_as_it_was_written(record: Act | Post) -> None:
    """In one line, whatever stands in it."""
    line = segments.line(record)
    assert line.count(b"\n") == 1
    assert read_line(line) == record


@given(cut=st.integers(1, 400), byte=st.integers(0, 255))
@settings(max_examples=60)
def test_damage_is_seen(cut: int, byte: int) -> None:
    """One other byte anywhere spoils the line, and a part of a line is none."""
    line = segments.line(act(1, target="https://a.example/" + "x" * 300))
    cut = min(cut, len(line) - 2)
    other = line[:cut] + bytes([byte]) + line[cut + 1 :]
    assert read_line(line[:cut]) is None
    assert other == line or read_line(other) is None or int(other[:8], 16) == int(line[:8], 16)


def test_many_threads_share_a_file(tmp_path: Path) -> None:
    """Each is told when what it said is there, and nothing is there twice."""
    kept = made(tmp_path)
    with ThreadPoolExecutor(16) as pool:
        told = list(pool.map(lambda n: kept.add([act(n % 200)]), range(400)))
    assert 200 <= sum(told) < 400
    assert {r.id for r in records(tmp_path)} == {f"link:{n}" for n in range(200)}
    assert len(list(tmp_path.iterdir())) == 1


def test_files_are_completed_by_size_and_age(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """So that they can be brought in; one that nothing was written to leaves no trace."""
    monkeypatch.setattr(spool, "SEGMENT_BYTES", 500)
    kept = made(tmp_path)
    for n in range(6):
        kept.add([act(n, target="x" * 200)])
    assert sorted(p.suffix for p in tmp_path.iterdir()) == [".jsonl"] * 3
    kept.segment_s = -1
    kept.add([act(7)])
    assert {p.suffix for p in tmp_path.iterdir()} == {".jsonl"}
    kept.complete_old()
    kept.close()
    assert len(records(tmp_path)) == 7


def test_a_file_in_use_is_nobody_elses(tmp_path: Path) -> None:
    """It is read, but only who has no writer is held for removal; what a killed writer left is adopted."""
    kept, dead = made(tmp_path), made(tmp_path)
    dead.add([act(1)])
    kept.add([act(2)])
    assert dead._segment is not None
    os.close(dead._segment.handle)  # as the system does for a process that was killed
    with reading(tmp_path) as chunk:
        assert sorted((f.ours, f.records[0].id) for f in chunk.files) == [(False, "link:2"), (True, "link:1")]
        with reading(tmp_path) as other:  # a second reader at the same time
            assert not any(f.ours for f in other.files)
    adopt(tmp_path)
    assert sorted(p.suffix for p in tmp_path.iterdir()) == [".jsonl", ".open"]


@contextmanager
def largest_file(size: int) -> Iterator[None]:
    """The system refuses to make any file larger than this, in the middle of a write."""
    soft, hard = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (size, hard))
    try:
        yield
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, (soft, hard))


def test_a_disk_that_refuses_loses_nothing(tmp_path: Path) -> None:
    """Who was refused is told so; what was kept before stays, and it goes on in a new file once there is room."""
    kept = made(tmp_path)
    kept.add([act(1)])
    size = next(tmp_path.iterdir()).stat().st_size
    with largest_file(size + 40), pytest.raises(SpoolRefused, match="large"):
        kept.add([act(2)])
    assert kept.add([act(3)]) == 1
    assert kept.add([act(2)]) == 1  # it was never kept, so it is new
    with reading(tmp_path) as chunk:
        assert [f.damaged for f in chunk.files] == [(), ()]
    assert sorted(r.id for r in records(tmp_path)) == ["link:1", "link:2", "link:3"]


def test_a_folder_that_is_gone_refuses(tmp_path: Path) -> None:
    """And works again when it is back."""
    kept = made(tmp_path / "x")
    with pytest.raises(SpoolRefused):
        kept.add([act(1)])
    (tmp_path / "x").mkdir()
    assert kept.add([act(1)]) == 1


def test_what_waits_has_a_limit(tmp_path: Path) -> None:
    """A flood fills the spool, never the disk; what was brought in makes room."""
    kept = made(tmp_path, most_bytes=1000)
    with pytest.raises(SpoolRefused, match="limit"):
        for n in range(100):
            kept.add([act(n)])
    kept.close()
    assert 0 < sum(p.stat().st_size for p in tmp_path.iterdir()) <= 1000
    for path in tmp_path.iterdir():
        path.unlink()
    assert kept.refusal() == ""
    assert kept.add([act("new")]) == 1
