"""Every kind of job does its own work in a workspace of the preset, and a second day finds nothing left to do."""

from __future__ import annotations

from pathlib import Path

import pytest

from sfactl.cli.init import create
from sfactl.runs import usecases
from sfactl.runs.jobs import NEEDS
from sfactl.session import FixedClock

from .conftest import MONDAY, Place

CARDS = """Company,Name,E-mail,Country,Industry,Employees
Formosa Precision,Wang Xiaoming,wang@formosa.example,Taiwan,machinery,420
Kato Seisakusho,Kato Ren,ren@kato.example,Japan,metalworking,85
Nobody Ltd,,not-an-address,Taiwan,machinery,10
"""


@pytest.fixture
def shop(tmp_path: Path) -> Place:
    place = Place(folder=tmp_path / "acme", clock=FixedClock(MONDAY))
    create(place.folder, preset="b2b")
    for file in (place.folder / "strategies").glob("*.toml"):
        file.unlink()
    jobs = [
        f'[run.jobs.{kind}]\nschedule = "0 1 * * *"\n'
        for kind in NEEDS
        if kind not in ("source", "mailbox", "strategy", "campaign", "erp")
    ]
    settings = (place.folder / "sfactl.toml").read_text(encoding="utf-8")
    place.write(
        "sfactl.toml",
        settings
        + "".join(jobs)
        + '[run.erp.files]\nschedule = "0 1 * * *"\n[run.campaigns.welcome]\nschedule = "0 1 * * *"\n',
    )
    place.write("sources/cards.toml", 'schema = 1\nuse = "file"\npath = "inbox/*.csv"\nschedule = "0 1 * * *"\n')
    place.write("inbox/cards.csv", CARDS)
    place.write("mailboxes/sales.toml", 'schema = 1\nuse = "files"\npath = "mail"\nschedule = "0 1 * * *"\n')
    cases = (place.folder / "cases.toml").read_text(encoding="utf-8")
    place.write("cases.toml", cases.replace('mailbox = ""', 'mailbox = "sales"'))
    place.write("mail/1.eml", "From: wang@formosa.example\nSubject: Re: Hello\n\nYes\n")
    return place


def test_all_jobs(shop: Place) -> None:
    first = {run.job: run for run in shop.run().jobs}
    assert list(first) == [
        "source:cards", "mailbox:sales", "collect", "dedupe", "scores", "segments", "qualify", "pool", "assign", "sla",
        "tags",
        "campaign:welcome", "surveys", "cases", "erp:files",
    ]  # fmt: skip
    assert {name: run.detail for name, run in first.items() if run.state in ("failed", "skipped")} == {}
    assert (first["source:cards"].state, dict(first["source:cards"].counts)) == (
        "partly",
        {"rows": 3, "new": 2, "rejected": 1},
    )
    assert dict(first["mailbox:sales"].counts) == {"mails": 1, "new": 1, "reply": 1}
    assert dict(first["cases"].counts) == {"opened": 1, "told": 1}
    assert first["scores"].state == first["segments"].state == "done"
    with shop.session() as session:
        commits = {e.run_id for e in _commits(session)}
        assert {run.run_id for run in first.values() if run.first_commit} <= commits
        assert sum(s.runs for s in usecases.savings(session)) == sum(
            run.state in ("done", "partly") for run in first.values()
        )
    shop.at("2026-11-24T01:00")
    again = {
        run.job: run.state for run in shop.run(only=("source", "mailbox", "dedupe", "segments", "qualify", "erp")).jobs
    }
    assert set(again.values()) == {"nothing"}


def _commits(session):  # type: ignore[no-untyped-def]
    from sfactl.workspace import history

    return history.log(session.workspace, limit=1000)
