"""One runner at a time: the dead are taken over, the silent too, and who wakes again is refused."""

from __future__ import annotations

import os
import threading
import time
from collections.abc import Callable
from contextlib import AbstractContextManager
from datetime import datetime

import pytest

from sfactl.api.errors import Conflict, LockBusy
from sfactl.session import Session
from sfactl.workspace import Effect
from sfactl.workspace.runner import Runner, only_runner

SINCE = datetime(2026, 11, 23, 9)


def running(
    session: Session, *, takeover_s: float = 60, stuck_s: float = 3600, wait_s: float = 0
) -> AbstractContextManager[Runner]:
    return only_runner(
        session.workspace.manifest,
        session.workspace.private / "locks",
        run_id="r",
        actor="mei",
        since=SINCE,
        takeover_s=takeover_s,
        stuck_s=stuck_s,
        wait_s=wait_s,
    )


def test_a_second_runner_is_told_who_is_at_work(session: Session, open_again: Callable[..., Session]) -> None:
    with running(session) as first:
        first.at("scores")
        with pytest.raises(
            LockBusy, match=rf"run 1 of mei on \S+ \(process {os.getpid()}\) since 2026-11-23 .*, at scores"
        ):
            with running(open_again()):
                pass
    with running(open_again()) as second:
        assert (second.token, second.taken_over) == (2, "")


def test_a_runner_waits_for_the_one_before(session: Session, open_again: Callable[..., Session]) -> None:
    other, inside, done = open_again(), threading.Event(), threading.Event()

    def work() -> None:
        with running(other):
            inside.set()
            done.wait(10)

    thread = threading.Thread(target=work)
    thread.start()
    inside.wait(10)
    threading.Timer(0.1, done.set).start()
    with running(session, wait_s=10) as second:
        assert second.token == 2
    thread.join()


def test_a_silent_runner_is_taken_over_and_refused_when_it_wakes(
    session: Session, open_again: Callable[..., Session]
) -> None:
    late = open_again()
    with running(session) as first:
        session.fence = first.fence
        with session.write() as tx:
            tx.set_cursor("before", {"n": 1})
            tx.commit()
        about = session.workspace.private / "locks" / "run-1.json"
        os.utime(about, (0, 0))
        with running(late) as second:
            assert second.token == 2
            assert "gave no sign of life" in second.taken_over
            with pytest.raises(Conflict, match="another runner has taken over"), session.write() as tx:
                tx.set_cursor("after", {"n": 1})
                tx.commit()
            with (
                pytest.raises(Conflict, match="another runner"),
                session.ledger.lease("campaign:c", run_id="r") as lease,
            ):
                lease.claim([Effect(key="a", kind="message", payload_hash="h")])
            late.fence = second.fence
            with late.write() as tx:
                tx.set_cursor("after", {"n": 2})
                tx.commit()
    assert late.workspace.cursor("after") == {"n": 2}
    assert late.ledger.rows() == []
    assert list((late.workspace.private / "locks").glob("run-*")) == []


def test_a_lease_taken_before_the_takeover_claims_nothing_after_it(
    session: Session, open_again: Callable[..., Session]
) -> None:
    with running(session) as first:
        session.fence = first.fence
        with session.ledger.lease("campaign:c", run_id="r") as lease:
            assert lease.claim([Effect(key="a", kind="message", payload_hash="h")]) == ["a"]
            os.utime(session.workspace.private / "locks" / "run-1.json", (0, 0))
            with running(open_again()), pytest.raises(Conflict, match="another runner"):
                lease.claim([Effect(key="b", kind="message", payload_hash="h")])


def test_a_runner_gives_signs_of_life(session: Session) -> None:
    with running(session, takeover_s=0.1):
        about = session.workspace.private / "locks" / "run-1.json"
        os.utime(about, (0, 0))
        until = time.monotonic() + 30
        while about.stat().st_mtime == 0:
            assert time.monotonic() < until
            time.sleep(0.01)


def test_a_runner_that_is_at_one_job_for_too_long_gives_none(
    session: Session, open_again: Callable[..., Session]
) -> None:
    with running(session, takeover_s=0.1, stuck_s=0), running(open_again(), takeover_s=0.1, wait_s=30) as second:
        assert second.token == 2


def test_a_third_runner_respects_the_one_who_took_over(session: Session, open_again: Callable[..., Session]) -> None:
    with running(session):
        os.utime(session.workspace.private / "locks" / "run-1.json", (0, 0))
        with running(open_again()) as second:
            with pytest.raises(LockBusy, match="run 2"), running(open_again()):
                pass
            assert second.token == 2
