"""Strain a real collector with many clients, kill it -9 in the middle, and compare its word with what came in."""

from __future__ import annotations

import asyncio
import json
import os
import random
import signal
import socket
import subprocess
import sys
import time
from collections import Counter
from dataclasses import dataclass, field
from datetime import timedelta
from pathlib import Path

import pyarrow as pa

from sfactl.collect.usecases import import_spool
from sfactl.config.settings import Settings
from sfactl.engine.links import Link, Purpose, Signer
from sfactl.session import FixedClock, SystemClock, open_session
from sfactl.workspace import Workspace

ROOT = Path(__file__).resolve().parents[2]
AGENT = "Mozilla/5.0 (X11; Linux x86_64; rv:131.0) Gecko/20100101 Firefox/131.0"
MIX: tuple[Purpose, ...] = ("click",) * 5 + ("open",) * 3 + ("unsubscribe",) * 2
LEADS = 1000


@dataclass(frozen=True, slots=True, kw_only=True)
class Load:
    """How much: answers in all, clients at a time, and how often the collector is killed."""

    requests: int
    connections: int
    kills: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Outcome:
    """What came of it. ``lost`` were answered and are not there; ``doubled`` are there more often than they were asked.

    A request that was broken off may have been kept, and asked again a second later it is another event.
    """

    answered: int
    broken: int
    kills: int
    per_second: float
    p50_ms: float
    p99_ms: float
    brought_in: int
    brought_in_per_second: float
    lost: int
    doubled: int


@dataclass(slots=True, kw_only=True)
class _Run:
    """What the clients share. ``answered`` are the keys of messages whose request was answered for."""

    load: Load
    signer: Signer
    port: int
    serving: asyncio.Event = field(default_factory=asyncio.Event)
    next_key: int = 0
    answered: list[str] = field(default_factory=list)
    took_s: list[float] = field(default_factory=list)
    asked: Counter[str] = field(default_factory=Counter)
    broken: int = 0


def strain(folder: Path, load: Load) -> Outcome:
    """Serve a workspace in ``folder``, strain it, and bring in what it collected."""
    secret = _workspace(folder)
    run = _Run(load=load, signer=Signer([secret]), port=_free_port())
    served_s, kills = asyncio.run(_strain(folder, run))
    begun = time.perf_counter()
    counts = _brought_in(folder)
    import_s = time.perf_counter() - begun
    ordered = sorted(run.took_s)
    return Outcome(
        answered=len(run.answered),
        broken=run.broken,
        kills=kills,
        per_second=len(run.answered) / served_s,
        p50_ms=1000 * ordered[len(ordered) // 2],
        p99_ms=1000 * ordered[len(ordered) * 99 // 100],
        brought_in=sum(counts.values()),
        brought_in_per_second=sum(counts.values()) / import_s,
        lost=sum(key not in counts for key in run.answered),
        doubled=sum(n > run.asked[key] for key, n in counts.items()),
    )


def _workspace(folder: Path) -> str:
    Workspace.create(folder).close()
    (folder / "sfactl.toml").write_text('schema = 1\n[collect]\nurl = "https://go.acme.example"\n')
    with open_session(folder, settings=Settings(), command="load", actor="load") as session:
        rows = [{"lead_id": n, "email": f"lead{n}@example.com"} for n in range(1, LEADS + 1)]
        with session.write("leads") as tx:
            tx.upsert("leads", pa.Table.from_pylist(rows, schema=session.workspace.schemas["leads"].arrow()))
            tx.commit()
        return session.workspace.link_secret()


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


async def _strain(folder: Path, run: _Run) -> tuple[float, int]:
    server = await asyncio.to_thread(start, folder, run.port)
    run.serving.set()
    served_s, begun, kills = 0.0, time.perf_counter(), 0
    clients = asyncio.gather(*(_client(run) for _ in range(run.load.connections)))
    try:
        while not clients.done():
            await asyncio.wait([clients], timeout=0.02)
            if kills < run.load.kills and len(run.answered) > run.load.requests * (kills + 1) / (run.load.kills + 1):
                run.serving.clear()
                stop(server, signal.SIGKILL)
                served_s += time.perf_counter() - begun
                kills += 1
                server = await asyncio.to_thread(start, folder, run.port)
                begun = time.perf_counter()
                run.serving.set()
        await clients
        served_s += time.perf_counter() - begun
    finally:
        stop(server)
    return served_s, kills


def start(folder: Path, port: int = 0) -> subprocess.Popen[bytes]:
    """A collector that serves ``folder``; it listens when this answers."""
    command = [sys.executable, "-m", "sfactl", "-w", str(folder), "collect", "serve", "--port", str(port)]
    environment = {**os.environ, "PYTHONPATH": str(ROOT)}
    server = subprocess.Popen([*command, "--format", "jsonl"], stdout=subprocess.PIPE, env=environment)
    assert server.stdout is not None
    told = server.stdout.readline()
    assert json.loads(told)["address"], told
    return server


def stop(server: subprocess.Popen[bytes], by: signal.Signals = signal.SIGTERM) -> int:
    """End it as an operator does, or as the system does; answers its exit code."""
    server.send_signal(by)
    code = server.wait(60)
    if server.stdout is not None:
        server.stdout.close()
    return code


async def _client(run: _Run) -> None:
    """Ask for one message after the other; what was broken off is asked again, as mail programs and people do."""
    streams: tuple[asyncio.StreamReader, asyncio.StreamWriter] | None = None
    while len(run.answered) < run.load.requests:
        run.next_key += 1
        key, purpose = f"k{run.next_key}", MIX[run.next_key % len(MIX)]
        link = Link(
            purpose=purpose,
            message_key=key,
            lead_id=1 + run.next_key % LEADS,
            campaign="load",
            target="https://a.example/x" if purpose == "click" else "",
        )
        asked = _request(run.signer.url("", link), purpose)
        while True:
            await run.serving.wait()
            begun = time.perf_counter()
            run.asked[key] += 1
            try:
                streams = streams or await asyncio.open_connection("127.0.0.1", run.port)
                status = await _answer(*streams, asked)
            except (OSError, asyncio.IncompleteReadError):
                if streams is not None:
                    streams[1].close()
                streams = None
                run.broken += 1
                await asyncio.sleep(random.uniform(0.01, 0.05))
                continue
            assert status in (200, 302), status
            run.took_s.append(time.perf_counter() - begun)
            run.answered.append(key)
            break
    if streams is not None:
        streams[1].close()


def _request(path: str, purpose: Purpose) -> bytes:
    head = f"Host: go.acme.example\r\nUser-Agent: {AGENT}\r\n"
    if purpose != "unsubscribe":
        return f"GET {path} HTTP/1.1\r\n{head}\r\n".encode()
    body = "List-Unsubscribe=One-Click"
    kind = "Content-Type: application/x-www-form-urlencoded\r\n"
    return f"POST {path} HTTP/1.1\r\n{head}{kind}Content-Length: {len(body)}\r\n\r\n{body}".encode()


async def _answer(reader: asyncio.StreamReader, writer: asyncio.StreamWriter, asked: bytes) -> int:
    writer.write(asked)
    head = (await reader.readuntil(b"\r\n\r\n")).decode("latin-1")
    fields = dict(line.lower().split(": ", 1) for line in head.split("\r\n")[1:] if line)
    await reader.readexactly(int(fields["content-length"]))
    return int(head.split(" ", 2)[1])


def _brought_in(folder: Path) -> dict[str, int]:
    """Bring it in; how many events each message has."""
    later = FixedClock(SystemClock().now() + timedelta(hours=1))
    with open_session(folder, settings=Settings(), command="load", actor="load", clock=later, quiet=True) as session:
        import_spool(session)
        import_spool(session)
        with session.query() as query:
            return dict(query.rows("select message_key, count(*) from touchpoints group by message_key"))
