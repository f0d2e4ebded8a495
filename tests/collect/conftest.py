"""A collector on a clock of its own, whose spool lies in the test's folder."""

from __future__ import annotations

from datetime import datetime
from pathlib import Path

import pytest

from sfactl.collect import segments
from sfactl.collect.collector import Collector
from sfactl.collect.forms import Form, FormField
from sfactl.collect.model import Answer, Request
from sfactl.collect.pages import Topic
from sfactl.collect.segments import Record
from sfactl.collect.spool import Spool
from sfactl.collect.surveying import SurveyDesk
from sfactl.config.surveys import Question, Survey, Text
from sfactl.engine.links import PATHS, Link, Purpose, Signer
from sfactl.session import FixedClock

PERSON = "Mozilla/5.0 (Windows NT 10.0; Win64; x64; rv:131.0) Gecko/20100101 Firefox/131.0"
ENCODED = "application/x-www-form-urlencoded"
CONTACT = Form(
    name="contact",
    origins=("https://www.acme.example",),
    fields={
        "email": FormField(required=True, longest=50),
        "name": FormField(),
        "news": FormField(topic="news"),
    },
    redirect="https://www.acme.example/thanks",
    honeypot="website",
)

CARE = Survey(
    name="care",
    kind="nps",
    summary="",
    questions=(
        Question(name="overall", text="Would you recommend us?", languages={"ja": "薦めますか？"}),
        Question(name="service", text="And our service?"),
    ),
    comment=Text(text="Why?"),
    template="survey",
    when={},
    campaign={},
)


class Desk:
    """A collector, and the questions that a test has."""

    def __init__(self, folder: Path, **more: object) -> None:
        self.clock = FixedClock(datetime(2026, 11, 22, 9, 0, 0))
        self.folder = folder
        for part in ("links", "posts", "answers"):
            (folder / part).mkdir(parents=True)
        self.signer = Signer(["secret"])
        self.collector = Collector(
            signer=self.signer,
            spool=Spool(folder=folder / "links", now=self.clock.now),
            posts=Spool(folder=folder / "posts", now=self.clock.now),
            surveys=SurveyDesk(
                spool=Spool(folder=folder / "answers", now=self.clock.now), now=self.clock.now, surveys={"care": CARE}
            ),
            now=self.clock.now,
            forms={"contact": CONTACT},
            topics=(Topic(name="news", title="News & offers"), Topic(name="events", title="Events")),
            sender="Acme",
            **more,  # type: ignore[arg-type]
        )

    def token(self, purpose: Purpose, target: str = "", key: str = "k1", lead: int = 1) -> str:
        link = Link(purpose=purpose, message_key=key, lead_id=lead, campaign="spring", step="a", target=target)
        return self.signer.token(link)

    def path(self, purpose: Purpose, target: str = "") -> str:
        return f"/{PATHS[purpose]}/{self.token(purpose, target)}"

    def ask(self, method: str, path: str, body: str | bytes = b"", *, query: str = "", **headers: str) -> Answer:
        said = {"user-agent": PERSON, "content-type": ENCODED if body else ""}
        said |= {name.replace("_", "-"): value for name, value in headers.items()}
        raw = body.encode() if isinstance(body, str) else body
        return self.collector.answer(Request(method=method, path=path, query=query, headers=said, body=raw))

    def kept(self) -> list[Record]:
        """All that is on the disk."""
        return [r for part in ("links", "posts", "answers") for r in records(self.folder / part)]


def records(folder: Path) -> list[Record]:
    """What stands in a spool's folder."""
    with segments.reading(folder) as chunk:
        return [r for f in chunk.files for r in f.records]


@pytest.fixture
def desk(tmp_path: Path) -> Desk:
    """A collector of Acme's, with a form and two topics."""
    return Desk(tmp_path / "collect")
