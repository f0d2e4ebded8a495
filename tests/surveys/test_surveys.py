"""A survey from the first message to the figure: asked once, with consent and caps, answered by link or file, reported."""

from __future__ import annotations

import re
from collections.abc import Iterator
from datetime import datetime, timedelta
from pathlib import Path

import pytest

from sfactl.api.errors import ConfigError, DataError, NotFound, PolicyError, SfactlError, UserError
from sfactl.campaigns import usecases as campaigns
from sfactl.collect.model import Request
from sfactl.collect.usecases import import_spool, open_collector
from sfactl.session import FixedClock
from sfactl.surveys import usecases
from sfactl.surveys.model import AnswersImported
from sfactl.surveys.usecases.reporting import Asked
from tests.campaigns.conftest import FRIDAY, Acme

DAY = timedelta(days=1)
SURVEY = """schema = 1
kind = "nps"
summary = "Would they recommend us?"
template = "ask"
remind_after = "5 days"
minimum = 3

[[questions]]
name = "overall"
text = "Would you recommend us?"

[[questions]]
name = "service"
text = "And our service?"

[comment]
text = "Why?"

[when]
every = "3 months"
rest = "30 days"

[campaign]
where = "country = 'TW'"
sender = "outbox"
from = "Acme <care@acme.example>"
topic = "surveys"
caps = { messages = 1, within = "3 days" }
"""
TEMPLATE = """schema = 1
subject = "One question"
text = "{{ message.survey }} or never again: {{ message.unsubscribe }}"
"""
MORE = '[collect]\nurl = "https://go.acme.example"\n[topics.surveys]\ntitle = "Surveys"\n'
RIVAL = """schema = 1
summary = "News"
where = "lead_id = 6"
sender = "outbox"
from = "Acme <news@acme.example>"
[[steps]]
name = "news"
template = "ask2"
"""
SCORES = {1: [3, 10], 2: [9], 3: [8], 4: [2]}
"""What each lead answers, one after the other: the newest counts."""
TODAY = Asked(since=FRIDAY.date(), until=FRIDAY.date())


def acme_with_surveys(folder: Path) -> Acme:
    acme = Acme(folder)
    (acme.folder / "surveys").mkdir()
    settings = (acme.folder / "sfactl.toml").read_text(encoding="utf-8")
    acme.write("sfactl.toml", settings + MORE)
    acme.write("surveys/care.toml", SURVEY)
    acme.write("templates/ask.toml", TEMPLATE)
    return acme


@pytest.fixture(scope="module")
def world(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Acme]:
    """Eight leads, of whom one left the topic, one is suppressed, one has got news and one is elsewhere; four answer."""
    acme = acme_with_surveys(tmp_path_factory.mktemp("surveys") / "acme")
    acme.write("campaigns/news.toml", RIVAL)
    acme.write("templates/ask2.toml", TEMPLATE.replace("{{ message.survey }} or", "News, or"))
    acme.leads(*({"lead_id": n, "account_id": 1 + n % 2} for n in range(1, 9)), {"lead_id": 9, "country": "US"})
    acme.rows("accounts", [{"account_id": 1, "name": "Even"}, {"account_id": 2, "name": "Odd"}])
    left = {"event_id": "u5", "at": FRIDAY - DAY, "kind": "unsubscribe", "lead_id": 5, "topic": "surveys"}
    acme.rows("touchpoints", [left])
    acme.rows("suppressions", [{"kind": "email", "value": "u7@example.com", "scope": "all", "reason": "bounce"}])
    acme.run("news")
    acme.clock.advance(timedelta(hours=1))
    with acme.session() as session:
        acme.sent = usecases.send(session, "care")  # type: ignore[attr-defined]
    acme.clock.advance(timedelta(hours=1))
    answer(acme)
    return acme


@pytest.fixture(scope="module")
def plain(tmp_path_factory: pytest.TempPathFactory) -> Acme:
    """A workspace in which nobody is."""
    return acme_with_surveys(tmp_path_factory.mktemp("plain") / "acme")


def answer(acme: Acme) -> None:
    """Each of SCORES opens the link of the message and answers there."""
    mails = acme.outbox()
    with acme.session() as session:
        collector = open_collector(session)
        for lead, scores in SCORES.items():
            text = mails[f"u{lead}@example.com"].get_body().get_content()
            path = re.search(r"https://go\.acme\.example(/s/\S+)", text)[1]  # type: ignore[index]
            assert collector.answer(Request(method="GET", path=path)).status == "200 OK"
            for score in scores:
                body = f"form=survey&q.overall={score}&comment=c{score}" + ("&q.service=7" if lead < 3 else "")
                form = {"content-type": "application/x-www-form-urlencoded"}
                done = collector.answer(Request(method="POST", path=path, headers=form, body=body.encode()))
                assert done.status == "200 OK"
                acme.clock.advance(timedelta(seconds=2))
        for spool in (collector.spool, collector.surveys.spool):
            spool.close()
        acme.imports = [import_spool(session, None) for _ in range(2)]  # type: ignore[attr-defined]


def reported(acme: Acme, asked: Asked | None = None, *, as_of: str | None = None) -> list[dict[str, object]]:
    with acme.session(as_of=as_of) as session:
        return usecases.report(session, "care", asked or Asked()).table.to_pylist()


def test_consent_caps_and_suppressions_hold(world: Acme) -> None:
    sent = world.sent  # type: ignore[attr-defined]
    assert (sent.applied.accepted, sent.waits) == (5, False)
    assert world.verdicts(sent.plan)[5, "ask"] == "skip: unsubscribed"
    assert world.verdicts(sent.plan)[7, "ask"] == "skip: suppressed (bounce)"
    assert world.verdicts(sent.plan)[6, "ask"] == "wait: capped (1 in 3 days)"
    assert sorted(n for n, _ in world.verdicts(sent.plan)) == [1, 2, 3, 4, 5, 6, 7, 8]


def test_who_was_asked_is_in_the_one_ledger_and_not_asked_again(world: Acme) -> None:
    with world.session(dry_run=True) as session:
        found = usecases.schedule(session, "care")
        states = {(p["lead_id"], p["step"]): (p["state"], p["due_at"]) for p in found.people.to_pylist()}
        [status] = campaigns.status(session, "care").messages
    assert (status.step, status.state, status.messages) == ("ask", "accepted", 5)
    asked_at = FRIDAY + timedelta(hours=1)
    assert states[1, "ask"] == ("later", datetime(2027, 2, 20, 3))
    assert states[8, "remind"] == ("wait", asked_at + 5 * DAY)
    assert states[6, "ask"][0] == "wait"


def test_a_preview_says_why_it_is_not_time_and_its_link_answers_for_nobody(world: Acme) -> None:
    with world.session(dry_run=True) as session:
        ask, remind = campaigns.preview(session, "care", 8)
        path = re.search(r"https://go\.acme\.example(/s/\S+)", ask.text)[1]  # type: ignore[index]
        assert session.links.read("survey", path.removeprefix("/s/")).lead_id == 0
    assert (ask.verdict, remind.verdict) == ("wait · not yet", "wait · after ask")


def test_answers_are_brought_in_once(world: Acme) -> None:
    first, again = world.imports  # type: ignore[attr-defined]
    assert [(s.survey, s.new, s.known, s.strangers) for s in first.surveys] == [("care", 5, 0, 0)]
    assert again.surveys == ()
    with world.session() as session, session.query() as query:
        rows = query.rows(
            "select lead_id, \"value\", text, campaign, step from touchpoints where kind = 'survey_answer'"
            ' and message_key is not null order by lead_id, "at"'
        )
    assert rows == [
        (1, 3.0, "c3", "care", "ask"),
        (1, 10.0, "c10", "care", "ask"),
        (2, 9.0, "c9", "care", "ask"),
        (3, 8.0, "c8", "care", "ask"),
        (4, 2.0, "c2", "care", "ask"),
    ]


def test_the_newest_answer_to_a_message_counts(world: Acme) -> None:
    [row] = reported(world, TODAY)
    assert (row["answers"], row["promoters"], row["passives"], row["detractors"]) == (4, 2, 1, 1)
    assert (row["nps"], row["mean"]) == (25.0, 7.25)
    assert (row["asked"], row["answered"], row["response_rate"]) == (5, 4, 0.8)
    with world.session() as session:
        listed = usecases.answers(session, "care", lead="1", question="overall").to_pylist()
    assert [(r["score"], r["comment"]) for r in listed if r["channel"] == "web"] == [(10, "c10")]


def test_parts_with_too_few_answers_have_no_figure(world: Acme) -> None:
    rows = reported(world, Asked(by="account", since=FRIDAY.date()))
    assert [(r["account"], r["answers"], r["nps"], r["mean"], r["asked"]) for r in rows] == [
        ("Even", 2, None, None, 3),
        ("Odd", 2, None, None, 2),
    ]
    questions = reported(world, Asked(by="question", since=FRIDAY.date()))
    assert [(r["question"], r["answers"], r["nps"], r["asked"]) for r in questions] == [
        ("overall", 4, 25.0, 5),
        ("service", 2, None, 5),
    ]


def test_a_report_can_be_asked_as_of_a_commit_before_the_answers(world: Acme) -> None:
    [row] = reported(world, as_of=str(world.imports[0].commit - 1))  # type: ignore[attr-defined]
    assert (row["answers"], row["nps"], row["asked"], row["response_rate"]) == (0, None, 5, 0.0)


FILE = """lead,at,score,question,comment,channel,key
u1@example.com,2026-05-04T09:00,2,,Late again,phone,k1
u3@example.com,2026-05-05,4,,,,k2
lead:5,2026-05-06,5,,,,
1,2026-08-04,9,,,,k4
3,2026-08-05,10,,,,k5
5,2026-08-06,10,,,,k6
2,2026-08-06,10,service,,,k7
99,2026-08-06,10,,,,
,2026-08-06,10,,,,
1,2026-08-06,eleven,,,,
1,2027-08-06,10,,,,
1,yesterday,10,,,,
1,2026-08-06,10,price,,,
1,2026-08-07,10,,,,k4
"""


@pytest.fixture(scope="module")
def files(world: Acme) -> tuple[Path, list[AnswersImported]]:
    """A file of answers brought in: first tried, then twice for real, then with one row changed."""
    path = world.folder / "calls.csv"
    path.write_text(FILE, encoding="utf-8")
    done = []
    for dry in (True, False, False):
        with world.session(dry_run=dry) as session:
            done.append(usecases.import_answers(session, path, survey="care"))
    path.write_text(FILE.replace("1,2026-08-04,9", "1,2026-08-04,3"), encoding="utf-8")
    with world.session() as session:
        done.append(usecases.import_answers(session, path, survey="care"))
    return path, done


def test_a_file_is_brought_in_once_and_its_bad_rows_are_named(files: tuple[Path, list[AnswersImported]]) -> None:
    tried, done, again, changed = files[1]
    assert (tried.rows, tried.new, tried.commit) == (14, 7, None)
    assert (done.new, done.known, done.rejected) == (7, 0, tried.rejected)
    assert (again.new, again.known, again.commit) == (0, 7, None)
    assert [(r.row, r.reason) for r in done.rejected] == [
        (9, "lead: there is no lead '99'"),
        (10, "lead: is empty, and so is message"),
        (11, "score: 'eleven' is not a whole number from 0 to 10"),
        (12, "at: 2027-08-06 is yet to come"),
        (13, "'yesterday' is not a commit number, a date or a time"),
        (14, "there is no question 'price'; there are: overall, service"),
        (15, "the same answer as in row 5"),
    ]
    assert (changed.new, changed.known) == (0, 6)
    assert changed.rejected[0].reason == "was brought in with the score 9, not 3; answers never change"


def test_the_trend_of_each_account_names_its_periods(world: Acme, files: tuple[Path, list[AnswersImported]]) -> None:
    rows = reported(world, Asked(by="account", trend="quarter"))
    odd = next(r for r in rows if r["account"] == "Odd")
    assert (odd["account"], odd["before"], odd["after"]) == ("Odd", "2026-Q2", "2026-Q3")
    assert (odd["answers_before"], odd["nps_before"], odd["answers_after"], odd["nps_after"]) == (3, -100.0, 3, 100.0)
    assert (odd["change"], odd["direction"]) == (200.0, "no clear change"), "all alike tells no spread"
    quarters = reported(world, Asked(by="quarter"))
    assert [(r["quarter"], r["answers"], r["asked"]) for r in quarters] == [
        ("2026-Q2", 3, 0),
        ("2026-Q3", 3, 0),
        ("2026-Q4", 4, 5),
    ]
    halves = reported(world, Asked(by="half"))
    assert [(r["half"], r["answers"]) for r in halves] == [("2026-H1", 3), ("2026-H2", 7)]


@pytest.mark.parametrize(
    ("text", "says"),
    [
        ("", "empty"),
        ("lead,at,points\n1,2026-05-04,3\n", "unknown column 'points'"),
        ("lead,at\n1,2026-05-04\n", "no column score"),
        ("at,score\n2026-05-04,3\n", "no column lead, nor message"),
    ],
)
def test_a_file_of_something_else_is_refused(world: Acme, tmp_path: Path, text: str, says: str) -> None:
    path = tmp_path / "f.csv"
    path.write_text(text, encoding="utf-8")
    with world.session() as session, pytest.raises(DataError, match=says):
        usecases.import_answers(session, path, survey="care")


def test_answers_of_a_message_belong_to_its_round(world: Acme, tmp_path: Path) -> None:
    with world.session(dry_run=True) as session:
        with session.query() as query:
            [(key,)] = query.rows("select message_key from messages where campaign = 'care' and lead_id = 8")
            [(news,)] = query.rows("select message_key from messages where campaign = 'news'")
        path = tmp_path / "f.csv"
        path.write_text(
            f"survey,lead,message,at,score\ncare,,{key},2026-11-20,9\ncare,1,{key},2026-11-20,9\ncare,6,{news},2026-11-20,9\n"
            f"car,8,,2026-11-20,9\n",
            encoding="utf-8",
        )
        done = usecases.import_answers(session, path)
    assert (done.new, [r.row for r in done.rejected]) == (1, [3, 4, 5])
    assert "went to lead 8" in done.rejected[0].reason
    assert "sent no message" in done.rejected[1].reason
    assert "did you mean 'care'" in done.rejected[2].reason


@pytest.mark.parametrize(
    ("asked", "says"),
    [
        (Asked(question="price"), "there is no question 'price'"),
        (Asked(by="question", trend="year"), "trend"),
        (Asked(by="month", trend="year"), "trend"),
    ],
)
def test_what_cannot_be_reported_is_refused(world: Acme, asked: Asked, says: str) -> None:
    with pytest.raises(UserError, match=says):
        reported(world, asked)


def test_a_reminder_goes_to_those_who_have_not_answered(world: Acme) -> None:
    with world.session(dry_run=True) as session:
        session.clock = FixedClock(world.clock.at + 6 * DAY)
        made = usecases.send(session, "care").plan
    reminded = [c for c in made.counts if c.step == "remind"]
    assert {(c.action, c.reason, c.items) for c in reminded} == {("send", "", 1), ("skip", "condition of the step", 4)}


@pytest.mark.parametrize(
    ("path", "old", "new", "says"),
    [
        ("surveys/care.toml", 'every = "3 months"', 'evry = "3 months"', "when.evry: unknown key"),
        ("surveys/care.toml", 'rest = "30 days"', 'rest = "30 days"\nbeside = ["cares"]', "when.beside: there is no"),
        ("surveys/care.toml", 'topic = "surveys"', "steps = []", "campaign.steps: unknown key"),
        ("surveys/care.toml", 'topic = "surveys"', 'class = "transactional"', "campaign.class: unknown key"),
        ("surveys/care.toml", 'topic = "surveys"', 'topic = "survey"', "survey"),
        ("surveys/care.toml", 'remind_after = "5 days"', 'remind_after = "1 month"', "remind_after"),
        ("surveys/care.toml", 'template = "ask"', 'template = "aks"', "there is no template 'aks'"),
        ("surveys/care.toml", "country = 'TW'", "contry = 'TW'", 'Did you mean "country"'),
        ("templates/ask.toml", "{{ message.survey }}", "hello", "does not print message.survey"),
        ("sfactl.toml", 'url = "https://go.acme.example"', "", "[collect]"),
    ],
)
def test_a_survey_that_could_not_be_sent_is_refused(plain: Acme, path: str, old: str, new: str, says: str) -> None:
    text = (plain.folder / path).read_text(encoding="utf-8")
    plain.write(path, text.replace(old, new, 1))
    try:
        with plain.session(dry_run=True) as session:
            with pytest.raises(SfactlError) as told:
                usecases.send(session, "care")
            severities = {f.severity for f in usecases.check(session)}
    finally:
        plain.write(path, text)
    assert says in f"{told.value} {told.value.hint}"
    assert severities == {"warning" if path == "sfactl.toml" else "error"}


def test_names_are_told_apart(tmp_path: Path) -> None:
    acme = acme_with_surveys(tmp_path / "acme")
    with acme.session(dry_run=True) as session:
        with pytest.raises(NotFound, match="no survey 'car'"):
            usecases.send(session, "car")
        acme.write("campaigns/spring.toml", RIVAL.replace("ask2", "ask"))
        with pytest.raises(ConfigError, match=r"message\.survey, which only a survey has"):
            campaigns.plan(session, "spring")
        acme.write("campaigns/care.toml", RIVAL)
        with pytest.raises(ConfigError, match="there is a campaign of that name too"):
            usecases.send(session, "care")


def test_large_plans_wait_for_an_approval_and_paused_surveys_send_nothing(tmp_path: Path) -> None:
    acme = acme_with_surveys(tmp_path / "acme")
    acme.write("surveys/care.toml", SURVEY.replace("[campaign]", "[campaign]\napprove_above = 1"))
    acme.leads({"lead_id": 1}, {"lead_id": 2})
    with acme.session() as session:
        first = usecases.send(session, "care")
        assert (first.waits, first.applied) == (True, None)
        campaigns.approve(session, first.plan.plan_id)
        campaigns.pause(session, "care")
        with pytest.raises(PolicyError, match="paused"):
            usecases.send(session, "care")
        campaigns.unpause(session, "care")
        done = usecases.send(session, "care")
        assert done.applied is not None
        assert done.applied.accepted == 2
        assert usecases.send(session, "care").applied is None
        [line] = usecases.surveys(session)
    assert (line.survey, line.asked, line.answered, line.when) == ("care", 2, 0, "every 3 months")


ALERT = """
[alert]
at_most = 6
trend = "quarter"
within = "60 days"
priority = "high"
"""


def test_a_bad_answer_opens_one_case(world: Acme) -> None:
    world.write("surveys/care.toml", SURVEY + ALERT)
    try:
        done = []
        for dry in (True, False, False):
            with world.session(dry_run=dry) as session:
                done.append(usecases.alert(session))
        with world.session() as session, session.query() as query:
            cases = query.rows("select lead_id, subject, text, priority, silent, channel, opened_at from cases")
    finally:
        world.write("surveys/care.toml", SURVEY)
    assert [(len(d.opened), d.known, d.commit is None) for d in done] == [(1, 0, True), (1, 0, False), (0, 1, True)]
    [(lead, subject, text, priority, silent, channel, opened_at)] = cases
    assert (lead, text, priority, channel) == (4, "c2", "high", "web"), "who answered 3 and then 10 is content"
    assert (subject, silent) == ("u4@example.com answered 2 of 10 to care", "opened for an answer to a survey")
    assert opened_at.date() == FRIDAY.date()


def test_a_falling_account_opens_one_case_a_period(tmp_path: Path) -> None:
    acme = acme_with_surveys(tmp_path / "acme")
    acme.write("surveys/care.toml", SURVEY + ALERT.replace("at_most = 6", "at_most = 0"))
    acme.leads(*({"lead_id": n, "company": "Falls", "owner": "mei"} for n in range(1, 9)))
    acme.rows("reps", [{"rep_id": "mei"}])
    rows = [f"{n},2026-08-0{n},{10 if n < 8 else 8}" for n in range(1, 9)]
    rows += [f"{n},2026-11-0{n},{1 if n < 8 else 9}" for n in range(1, 9)]
    (acme.folder / "a.csv").write_text("\n".join(["lead,at,score", *rows]), encoding="utf-8")
    with acme.session() as session:
        usecases.import_answers(session, acme.folder / "a.csv", survey="care")
        first, again = usecases.alert(session), usecases.alert(session, ("care",))
        [case] = first.opened
        acme.clock.advance(150 * DAY)
        late = usecases.alert(session)
    assert (case.subject, case.owner, case.lead_id) == ("Falls: care fell by 162 points in 2026-Q4", "mei", 8)
    assert (again.opened, again.known, late.known) == ((), 1, 0)


def test_a_survey_without_alert_says_so(world: Acme) -> None:
    with world.session(dry_run=True) as session:
        assert usecases.alert(session).surveys == 0
        with pytest.raises(ConfigError, match="alert: missing"):
            usecases.alert(session, ("care",))
