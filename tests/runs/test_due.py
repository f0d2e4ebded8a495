"""What is due is done once, in order; what fails stops only what builds on it."""

from __future__ import annotations

import pytest

from sfactl.api.errors import ConfigError, Conflict, LockBusy, NotFound, TryLater
from sfactl.runs import usecases
from sfactl.runs.model import Done
from sfactl.session import Session

from .conftest import Place

CHAIN = """
[run.jobs.scores]
schedule = "0 9 * * *"
[run.jobs.segments]
schedule = "0 9 * * *"
[run.jobs.tags]
schedule = "0 9 * * *"
[run.jobs.dedupe]
schedule = "0 9 * * *"
[run.campaigns.welcome]
schedule = "0 9 * * *"
[run.erp.books]
schedule = "0 9 * * *"
"""


@pytest.fixture
def chain(place: Place) -> Place:
    place.write("campaigns/welcome.toml", "schema = 1\n")
    place.write("erp/books.toml", 'schema = 1\nuse = "files"\n')
    place.write("sources/web.toml", 'schema = 1\nuse = "file"\nschedule = "0 9 * * *"\n')
    place.jobs(CHAIN)
    return place


def test_jobs_are_done_in_the_order_in_which_they_build_on_each_other(chain: Place) -> None:
    summary = chain.run()
    assert chain.ran == ["source:web", "dedupe", "scores", "segments", "tags", "campaign:welcome", "erp:books"]
    assert summary.well
    assert (summary.batch, summary.next_job, str(summary.next_at)) == (1, "source:web", "2026-11-24 01:00:00")


def test_a_slot_is_done_once(chain: Place) -> None:
    chain.run(only=("scores",))
    assert chain.states(only=("scores",)) == {}
    assert "scores" not in chain.states()
    chain.at("2026-11-24T01:00")
    assert chain.states(only=("scores",)) == {"scores": "done"}
    assert chain.ran.count("scores") == 2


def test_a_failure_stops_what_builds_on_it_and_nothing_else(chain: Place) -> None:
    chain.does["scores"] = TryLater("the disk is busy", hint="Wait.")
    summary = chain.run()
    assert {run.job: run.state for run in summary.jobs} == {
        "source:web": "done",
        "dedupe": "done",
        "scores": "failed",
        "segments": "skipped",
        "tags": "skipped",
        "campaign:welcome": "skipped",
        "erp:books": "done",
    }
    told = {run.job: run.detail for run in summary.jobs}
    assert told["scores"] == "the disk is busy · Wait. (attempt 1 of 3; the next run tries again)"
    assert told["segments"] == "it builds on scores, which failed"
    assert not summary.well
    chain.does.clear()
    assert chain.states() == dict.fromkeys(["scores", "segments", "tags", "campaign:welcome"], "done")


def test_a_job_that_is_not_required_stops_nothing(chain: Place) -> None:
    chain.jobs(CHAIN + "[run.sources.web]\nrequired = false\n")
    chain.does["source:web"] = Done(state="failed", error="later", detail="no answer")
    states = chain.states()
    assert states.pop("source:web") == "failed"
    assert set(states.values()) == {"done"}


def test_needs_of_ones_own(chain: Place) -> None:
    chain.jobs(
        CHAIN.replace("[run.erp.books]", '[run.erp.books]\nneeds = ["tags"]').replace(
            "[run.jobs.segments]", "[run.jobs.segments]\nneeds = []"
        )
    )
    chain.does["tags"] = chain.does["dedupe"] = TryLater("no")
    states = chain.states()
    assert (states["segments"], states["erp:books"], states["tags"]) == ("done", "skipped", "skipped")


def test_a_slot_that_fails_too_often_is_given_up_until_the_next(chain: Place) -> None:
    chain.does["scores"] = TryLater("no")
    assert [chain.states()["scores"] for _ in range(3)] == ["failed"] * 3
    assert chain.states() == dict.fromkeys(["segments", "tags", "campaign:welcome"], "done")
    assert chain.states() == {}
    with chain.session() as session:
        assert [run.attempt for run in usecases.log(session, job="scores")] == [3, 2, 1]
        assert "given up until its next slot" in usecases.log(session, job="scores")[0].detail


def test_what_somebody_else_is_at_is_left_for_the_next_run(chain: Place) -> None:
    chain.does["scores"] = LockBusy("scores is being changed by another process")
    chain.jobs(CHAIN + "[run]\nattempts = 1\n")
    for _ in range(2):
        states = chain.states()
        assert (states["scores"], states["segments"]) == ("skipped", "skipped")
    chain.does.clear()
    assert chain.states()["scores"] == "done"
    with chain.session() as session:
        assert [run.attempt for run in usecases.log(session, job="scores")] == [1]


def test_a_bug_of_ours_stops_no_other_job(chain: Place) -> None:
    chain.does["scores"] = ZeroDivisionError("oh")
    summary = chain.run()
    failed = next(run for run in summary.jobs if run.job == "scores")
    assert (failed.state, failed.error) == ("failed", "bug")
    assert "this is a bug in sfactl: ZeroDivisionError: oh" in failed.detail


def test_a_dry_run_changes_nothing_and_says_what_would_be_done(chain: Place) -> None:
    before = {p: p.read_bytes() for p in sorted(chain.folder.rglob("*.parquet"))}
    summary = chain.run(dry_run=True)
    assert [run.job for run in summary.jobs][:2] == ["source:web", "dedupe"]
    assert chain.ran == []
    with chain.session() as session:
        assert session.workspace.head() == 0
        assert usecases.log(session) == ()
    assert before == {p: p.read_bytes() for p in sorted(chain.folder.rglob("*.parquet"))}


def test_what_is_due_as_of_then(chain: Place) -> None:
    chain.run()
    with chain.session(as_of="2026-11-25T09:30") as session:
        assert len(usecases.due_now(session)) == 7
    with chain.session() as session:
        assert usecases.due_now(session) == ()


def test_the_record_says_all(chain: Place) -> None:
    chain.jobs(CHAIN.replace("[run.jobs.scores]", "[run.jobs.scores]\nminutes_per_run = 10\nminutes_per_item = 0.5"))

    def commits(session: Session) -> Done:
        for n in range(2):
            with session.write() as tx:
                tx.set_cursor("c", {"n": n})
                tx.commit()
        return Done(state="done", items=8, counts={"changed": 8}, plan_id="abc123", detail="all well")

    chain.does["scores"] = commits
    chain.run()
    with chain.session() as session:
        (run,) = usecases.log(session, job="scores")
        (same,) = usecases.show(session, run.run_id[:8])
        assert same == run
        assert len(usecases.show(session, "1")) == 7
        rows = session.workspace.manifest.rows("select seq, command from commits where run_id = ?", run.run_id)
        saved = {s.job: s for s in usecases.savings(session)}
    assert rows == [(run.first_commit, "run scores"), (run.last_commit, "run scores")]
    assert (run.state, run.items, dict(run.counts), run.plan_id, run.detail) == (
        "done",
        8,
        {"changed": 8},
        "abc123",
        "all well",
    )
    assert (run.minutes_saved, run.actor, run.batch, run.attempt) == (14.0, "mei", 1, 1)
    assert (saved["scores"].minutes, saved["scores"].runs, saved["scores"].items) == (14.0, 1, 8)
    assert saved["tags"].minutes == 0


def test_the_same_clock_gives_the_same_record_on_any_machine(chain: Place) -> None:
    ids = {run.job: run.run_id for run in chain.run().jobs}
    assert ids["scores"].startswith("3b2fd053c7a46f21")
    with chain.session() as session:
        assert {run.job: run.run_id for run in usecases.log(session)} == ids


def test_a_secret_that_a_plugin_was_given_is_never_told(chain: Place, monkeypatch: pytest.MonkeyPatch) -> None:
    def leaks(session: Session) -> Done:
        session.host._secrets.add("hunter2")
        raise TryLater("refused the token hunter2")

    chain.does["source:web"] = leaks
    told = next(run.detail for run in chain.run().jobs if run.job == "source:web")
    assert "hunter2" not in told
    assert "refused the token •••" in told


def test_an_environment_has_its_own_record_and_its_own_jobs(chain: Place) -> None:
    chain.jobs(CHAIN + "[env.dev.run.campaigns.welcome]\nactive = false\n")
    assert "campaign:welcome" not in chain.states(env="dev")
    assert chain.states()["campaign:welcome"] == "done"
    assert chain.states(env="dev") == {}


def test_a_runner_that_was_taken_over_records_nothing(chain: Place) -> None:
    def overtaken(session: Session) -> Done:
        with session.workspace.manifest.writing() as db:
            db.execute("update fences set token = token + 1 where scope = 'run'")
        with session.write() as tx:
            tx.set_cursor("late", {"n": 1})
            tx.commit()
        return Done(state="done")

    chain.does["scores"] = overtaken
    with pytest.raises(Conflict, match="another runner has taken over"):
        chain.run()
    with chain.session() as session:
        assert session.workspace.cursor("late") is None
        assert [run.state for run in usecases.log(session, job="scores")] == ["started"]
    chain.does.clear()
    states = chain.states()
    assert states["scores"] == "done"
    with chain.session() as session:
        assert [run.state for run in usecases.log(session, job="scores")] == ["done", "interrupted"]


def test_an_atomic_job_whose_runner_died_after_its_commit_is_not_done_again(chain: Place) -> None:
    class Killed(BaseException):
        """Nothing catches it, as nothing catches a kill."""

    def dies(session: Session) -> Done:
        with session.write() as tx:
            tx.set_cursor("effect", {"n": 1})
            tx.commit()
        raise Killed

    chain.does["scores"] = dies  # type: ignore[assignment]
    with pytest.raises(Killed):
        chain.run()
    chain.does.clear()
    assert "scores" not in chain.states()
    with chain.session() as session:
        (run,) = usecases.log(session, job="scores")
    assert (run.state, run.detail) == ("done", "its runner died after the commit")
    assert chain.ran.count("scores") == 1


def test_a_job_that_kills_its_runners_does_not_keep_others_from_being_done(chain: Place) -> None:
    class Killed(BaseException):
        """Nothing catches it, as nothing catches a kill."""

    def dies(_: Session) -> Done:
        raise Killed

    chain.does["dedupe"] = dies
    for _ in range(4):
        with pytest.raises(Killed):
            chain.run()
    assert chain.ran == ["source:web", "dedupe", "dedupe", "dedupe", "erp:books", "dedupe"]
    chain.does.clear()
    assert list(chain.states()) == ["dedupe", "scores", "segments", "tags", "campaign:welcome"]


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ('[run.jobs.score]\nschedule = "0 9 * * *"', "run.jobs.score: there is no such job. Did you mean 'scores'"),
        ('[run.campaigns.welcom]\nschedule = "0 9 * * *"', "there is no campaigns/welcom.toml. Did you mean 'welcome'"),
        ('[run.jobs.scores]\nschedule = "0 9 * *"', "run.jobs.scores: schedule: '0 9 [*] [*]' is not a schedule"),
        ('[run.jobs.scores]\nneeds = ["segment"]', "needs: there is no job 'segment'. Did you mean 'segments'"),
        ('[run.jobs.scores]\nneeds = ["tags"]', "need each other"),
        ('[run.jobs.scores]\ncalendar = "offic"', "there is no calendars/offic.toml"),
        ('[run.jobs.scores]\ngrace = "soon"', "grace: 'soon' is not a period"),
        ('[run]\nmisfire = "twice"', "'twice' is not one of once, skip, each"),
        ('[run.jobs.scores]\nattempts = 0', "attempts: 0 is less than 1"),
        ('[run.jobs.scores]\nminutes_per_item = -1', "minutes_per_item: -1 is not a number of minutes"),
        ('[run.jobs.scores]\nschedul = "0 9 * * *"', "unknown key. Did you mean 'schedule'"),
        ('[run]\ntakeover_after = "1 month"', "takeover_after: '1 month' is not a length of time"),
    ],
)  # fmt: skip
def test_mistakes_name_the_key_and_the_nearest_name(chain: Place, text: str, message: str) -> None:
    chain.jobs(text)
    with pytest.raises(ConfigError, match=message.replace("(", r"\(")):
        chain.run()


def test_unknown_job(chain: Place) -> None:
    with pytest.raises(NotFound, match=r"there is no job 'score'\. Did you mean 'scores'"):
        chain.run(only=("score",))


def test_a_file_that_cannot_be_read_is_told_and_stops_no_other(chain: Place) -> None:
    chain.write("sources/odd.toml", "schema = 1\nuse = 'file'\nschedule = '0 9'\n")
    chain.write("sources/web.toml", "schema = 1\nuse = 3\n")
    chain.write("sources/bad.toml", "schema = 1\nuse = 'file'\nschedule = 7\n")
    chain.write("strategies/winback.toml", "schema = 1\n")
    summary = chain.run()
    assert [p.partition(".toml")[0].rpartition("/")[2] for p in summary.problems] == ["bad", "odd", "web", "winback"]
    assert not summary.well
    assert [run.state for run in summary.jobs] == ["done"] * 6
    assert summary.problems[1].startswith("sources/odd.toml: schedule: '0 9' is not a schedule: cron has five fields")
