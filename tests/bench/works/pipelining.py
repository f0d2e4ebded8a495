"""SMTP commands in one go beside one by one, to a server that is some milliseconds away."""

from __future__ import annotations

import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager

from tests.bench.model import Bench, Measured, Place, Size
from tests.bench.process import BenchFailed

BATCH = 20
"""As a dispatcher claims them: the last of a batch has no next one to be announced with."""


def run(size: Size, place: Place) -> Iterator[Measured]:
    from sfactl.testkit import SmtpSink  # late: the plugin may not be installed, and the testkit needs pytest

    messages = BATCH if place.quick else 100
    with SmtpSink(place.folder / "far", pipelining=True) as sink:
        for way_ms in (10,) if place.quick else (0, 10, 40):
            with far(sink.port, way_ms) as port:
                bare = seconds(port, messages, pipelining=False)
                ours = seconds(port, messages, pipelining=True)
            yield Measured(
                name="pipelining",
                size=f"{messages} messages, {2 * way_ms} ms there and back",
                seconds=ours,
                bare_seconds=bare,
                rss_mb=None,
                value=bare / ours,
                unit="×",
                bar=2 if way_ms else None,
                at_least=True,
                note=f"{messages / ours:,.0f} messages a second / {messages / bare:,.0f} one command at a time",
            )


def seconds(port: int, messages: int, *, pipelining: bool) -> float:
    """How long one connection takes."""
    from tests.scripted_smtp import message, sender_to

    sender = sender_to(port, pipelining=pipelining)
    sender.check()
    began = time.perf_counter()
    for start in range(0, messages, BATCH):
        receipts = list(sender.send([message(n) for n in range(start, start + BATCH)]))
        if any(receipt.outcome != "accepted" for receipt in receipts):
            raise BenchFailed(f"not all were accepted: {receipts[0]}")
    took = time.perf_counter() - began
    sender.close()
    return took


@contextmanager
def far(port: int, way_ms: int) -> Iterator[int]:
    """A way to ``port`` that takes so long in each direction; answers its own port."""
    command = [sys.executable, "-m", "tests.bench.far", str(port), str(way_ms)]
    process = subprocess.Popen(command, stdout=subprocess.PIPE, text=True)
    assert process.stdout is not None
    try:
        yield int(process.stdout.readline())
    finally:
        process.terminate()
        process.wait()
        process.stdout.close()


BENCH = Bench(name="pipelining", summary="SMTP commands in one go, to servers far away", run=run, sized=False)
