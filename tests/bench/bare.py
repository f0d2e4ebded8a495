"""The bare work that ours is compared with, each in a process of its own: ``python -m tests.bench.bare WHAT …``."""

from __future__ import annotations

import json
import mailbox
import os
import smtplib
import sqlite3
import sys
import threading
import time
from email.message import EmailMessage
from pathlib import Path
from statistics import quantiles
from tempfile import TemporaryDirectory


def copy(source: str, target: str) -> None:
    """DuckDB's own CSV to Parquet."""
    import duckdb

    duckdb.execute(f"copy (select * from read_csv('{source}', all_varchar = true)) to '{target}' (format parquet)")


def lookup(folder: str, lead_id: str) -> None:
    """DuckDB's own way to one row."""
    import duckdb

    files = dataset_files(Path(folder), "leads")
    rows = duckdb.execute(f"select * from read_parquet({files}) where lead_id = {int(lead_id)}").fetchall()
    if len(rows) != 1:
        raise SystemExit(f"{len(rows)} rows")


def aggregate(folder: str) -> None:
    """One aggregation pass over all events, joined to all leads."""
    import duckdb

    events, leads = (dataset_files(Path(folder), name) for name in ("touchpoints", "leads"))
    (answer,) = duckdb.execute(
        'with e as (select lead_id, kind, count(*) as n, max("at") as last from'
        f" read_parquet({events}) group by lead_id, kind)"
        f" select count(*), sum(n) from read_parquet({leads}) l left join e on e.lead_id = l.lead_id"
    ).fetchall()
    print(json.dumps({"rows": answer[0]}))


def rank(folder: str, reps: str) -> None:
    """Deal the leads out in turns and write them anew: the least that any assignment must do."""
    import duckdb

    leads = dataset_files(Path(folder), "leads")
    with TemporaryDirectory(dir=folder) as place:
        duckdb.execute(
            f"copy (select * replace ('r' || (row_number() over (order by lead_id) % {int(reps)}) as owner)"
            f" from read_parquet({leads}) order by lead_id) to '{place}/leads.parquet' (format parquet, compression zstd)"
        )


def commits(folder: str, count: str) -> None:
    """One fsynced Parquet row and one durable SQLite commit, again and again."""
    import pyarrow as pa
    import pyarrow.parquet as pq

    row = pa.table({"event_id": ["a"], "kind": ["visit"], "lead_id": [1]})
    spent = []
    with TemporaryDirectory(dir=folder) as place:
        db = sqlite3.connect(Path(place) / "manifest.db", isolation_level=None)
        db.execute("pragma journal_mode = wal")
        db.execute("pragma synchronous = full")
        db.execute("create table commits (seq integer primary key, file text)")
        for n in range(int(count)):
            started = time.perf_counter()
            path = Path(place) / f"{n}.parquet"
            pq.write_table(row, path)
            for target in (path, path.parent):
                handle = os.open(target, os.O_RDONLY)
                os.fsync(handle)
                os.close(handle)
            db.execute("insert into commits (file) values (?)", (path.name,))
            spent.append(time.perf_counter() - started)
        db.close()
    print(json.dumps(latency(spent)))


def deliver(port: str, count: str, connections: str) -> None:
    """smtplib in a loop, one thread for each connection."""

    def work(numbers: range) -> None:
        with smtplib.SMTP("127.0.0.1", int(port)) as smtp:
            for n in numbers:
                message = EmailMessage()
                message["From"], message["To"] = "bench@acme.example", f"p{n}@people.example"
                message["Subject"], message["Message-ID"] = "Spring", f"<{n}@acme.example>"
                message.set_content("Dear customer, come and see our laser cutters.\n" * 10)
                smtp.send_message(message)

    threads = [
        threading.Thread(target=work, args=(range(k, int(count), int(connections)),)) for k in range(int(connections))
    ]
    started = time.perf_counter()
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    print(json.dumps({"seconds": time.perf_counter() - started}))


def walk(path: str) -> None:
    """Every mail of an mbox file parsed by the standard library, and two of its headers read."""
    for mail in mailbox.mbox(path):
        mail["From"], mail["Subject"]


def latency(spent: list[float]) -> dict[str, float]:
    """Median and the slowest of a hundred, in seconds."""
    cuts = quantiles(spent, n=100)
    return {"median": cuts[49], "p99": cuts[98]}


def dataset_files(folder: Path, dataset: str) -> list[str]:
    """The Parquet files of a dataset."""
    return sorted(str(p) for p in (folder / ".sfactl" / "data" / dataset).glob("*.parquet"))


if __name__ == "__main__":
    {
        "copy": copy,
        "lookup": lookup,
        "aggregate": aggregate,
        "rank": rank,
        "commits": commits,
        "deliver": deliver,
        "walk": walk,
    }[sys.argv[1]](*sys.argv[2:])
