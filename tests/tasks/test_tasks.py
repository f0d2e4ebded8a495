"""Tasks: made once however often they are asked for, closed and passed on, and bad rows told with their place."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from sfactl.api.errors import DataError, NotFound, PolicyError, UserError
from sfactl.config.settings import EngineSettings, Settings
from sfactl.session import FixedClock, Session, open_session
from sfactl.tasks import usecases
from sfactl.tasks.model import TasksMade
from sfactl.workspace import Workspace

NOW = datetime(2026, 5, 4, 9)
LEADS = """select unnest([1, 2, 3, 4]) as lead_id, unnest(['A', 'B', 'C', 'D']) as full_name,
    unnest(['a@x.example', 'b@x.example', 'twins@x.example', 'twins@x.example']) as email,
    unnest(['mei', 'mei', 'ken', null]) as owner"""
FILE = """key,title,kind,lead,owner,due
v1,Visit the factory,visit,a@x.example,ken,2026-05-08
,Send the drawings,,lead:2,,2 days
,No such lead,,99,,
,Which of the two,,twins@x.example,,
,No such rep,,1,zoe,
,,,1,,
v1,Visit the factory again,visit,1,,
,Bad date,,1,,next friday
"""


@pytest.fixture
def clock() -> FixedClock:
    return FixedClock(NOW)


@pytest.fixture
def session(tmp_path: Path, clock: FixedClock) -> Iterator[Session]:
    folder = tmp_path / "ws"
    Workspace.create(folder).close()
    settings = Settings(engine=EngineSettings(threads=1))
    with open_session(folder, settings=settings, command="task", actor="mei", clock=clock) as session:
        with session.write("leads", "reps", "segment_members") as tx:
            tx.upsert("leads", LEADS)
            tx.upsert("reps", "select unnest(['mei', 'ken']) as rep_id, true as active")
            tx.upsert("segment_members", "select 'hot' as segment, unnest([1, 2, 4]) as lead_id")
            tx.commit()
        yield session


@pytest.fixture
def file(tmp_path: Path) -> Path:
    path = tmp_path / "tasks.csv"
    path.write_text(FILE, encoding="utf-8")
    return path


def stored(session: Session, columns: str = "task_id, title, owner, state") -> list[tuple[Any, ...]]:
    with session.query() as query:
        return query.rows(f"select {columns} from tasks order by title, task_id")


def test_a_file_makes_its_tasks_and_tells_of_every_bad_row(session: Session, file: Path) -> None:
    """Good rows are made, each bad one is told with its row and the reason."""
    made = usecases.import_tasks(session, file)
    assert (made.new, made.changed, made.known, made.owners) == (2, 0, 0, 2)
    assert [(r.row, r.reason) for r in made.rejected] == [
        (4, "lead: there is no lead '99'"),
        (5, "lead: 'twins@x.example' is 2 leads"),
        (6, "owner: there is no rep 'zoe'"),
        (7, "title is empty"),
        (8, "the same task as in row 2"),
        (9, "'next friday' is not a commit number, a date or a time"),
    ]
    assert stored(session, "title, kind, lead_id, owner, due_at") == [
        ("Send the drawings", "call", 2, "mei", NOW + timedelta(days=2)),
        ("Visit the factory", "visit", 1, "ken", datetime(2026, 5, 8, 23, 59, 59)),
    ]


def test_the_same_file_again_makes_nothing_even_days_later(session: Session, file: Path, clock: FixedClock) -> None:
    """What was due two days from then stays due then."""
    usecases.import_tasks(session, file)
    before = stored(session, "*")
    clock.advance(timedelta(days=3))
    again = usecases.import_tasks(session, file)
    assert (again.new, again.changed, again.known, again.commit) == (0, 0, 2, None)
    assert stored(session, "*") == before


def test_a_changed_row_changes_an_open_task_and_no_closed_one(session: Session, file: Path) -> None:
    """The key says which task it is."""
    usecases.import_tasks(session, file)
    file.write_text("key,title,owner\nv1,Visit the new factory,mei\n", encoding="utf-8")
    assert usecases.import_tasks(session, file).changed == 1
    assert ("import.v1", "Visit the new factory", "mei", "open") in stored(session)
    usecases.close(session, ["import.v1"], "done", result="seen")
    file.write_text("key,title\nv1,Once more\n", encoding="utf-8")
    again = usecases.import_tasks(session, file)
    assert (again.changed, again.closed) == (0, 1)
    assert ("import.v1", "Visit the new factory", "mei", "done") in stored(session)


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("titel\nx\n", "unknown column 'titel'"),
        ("kind,lead\ncall,1\n", "no column title"),
        ("", "is empty"),
    ],
    ids=["misspelt", "without-title", "empty"],
)
def test_a_file_with_wrong_columns_is_refused_whole(session: Session, tmp_path: Path, text: str, said: str) -> None:
    """Nothing is made of it."""
    path = tmp_path / "bad.csv"
    path.write_text(text, encoding="utf-8")
    with pytest.raises(DataError, match=said):
        usecases.import_tasks(session, path)
    assert stored(session) == []


def test_a_push_reaches_each_member_once_and_later_ones_later(session: Session) -> None:
    """The same name again is for those who joined since."""

    def push() -> TasksMade:
        return usecases.push(session, "spring", "hot", "Call them", due="3 days")

    first = push()
    assert (first.new, first.owners, first.without_owner) == (3, 1, 1)
    assert (push().new, push().commit) == (0, None)
    with session.write("segment_members") as tx:
        tx.upsert("segment_members", "select 'hot' as segment, cast(3 as bigint) as lead_id")
        tx.commit()
    assert push().new == 1
    assert [row[0] for row in stored(session)] == [f"push.spring.{n}" for n in (1, 2, 3, 4)]


def test_tasks_are_listed_by_what_is_due_and_by_who_does_them(session: Session, clock: FixedClock) -> None:
    """Late ones are those still open whose time has passed."""
    usecases.add(session, "Soon", lead="1", due="1 hour")
    usecases.add(session, "Later", lead="3", due="5 days")
    usecases.add(session, "Whenever", owner="ken")
    clock.advance(timedelta(days=1))

    def titles(**asked: Any) -> list[str]:
        found: list[str] = usecases.list_tasks(session, **asked).column("title").to_pylist()
        return found

    assert titles() == ["Soon", "Later", "Whenever"]
    assert titles(owner="ken") == ["Later", "Whenever"]
    assert titles(late=True) == ["Soon"]
    assert titles(lead="3") == ["Later"]
    assert titles(kind="visit") == []


def test_closing_says_what_came_of_it_once(session: Session) -> None:
    """A second time changes nothing."""
    usecases.push(session, "spring", "hot", "Call them")
    closed = usecases.close(session, ["push.spring.1", "push.spring.2"], "done", result="wants a quote")
    assert (closed.same, closed.commit is not None) == (0, True)
    again = usecases.close(session, ["push.spring.1"], "done", result="something else")
    assert (again.same, again.commit) == (1, None)
    assert stored(session, "result")[0] == ("wants a quote",)


def test_a_task_is_named_by_its_beginning_if_only_one_fits(session: Session) -> None:
    """Else all that fit are told."""
    usecases.push(session, "spring", "hot", "Call them")
    with pytest.raises(UserError, match=r"could be push\.spring\.1, push\.spring\.2, push\.spring\.4"):
        usecases.close(session, ["push.spring"], "done")
    with pytest.raises(NotFound, match="there is no task 'nothing'"):
        usecases.give(session, ["nothing"], "ken")
    assert usecases.show(session, "push.spring.2")["lead_email"] == "b@x.example"


def test_only_open_tasks_go_to_another_rep(session: Session) -> None:
    """What is over stays with who did it."""
    usecases.push(session, "spring", "hot", "Call them")
    usecases.close(session, ["push.spring.1"], "dropped")
    assert usecases.give(session, ["push.spring.2", "push.spring.4"], "ken").same == 0
    assert stored(session, "owner, state") == [("mei", "dropped"), ("ken", "open"), ("ken", "open")]
    with pytest.raises(PolicyError, match=r"push\.spring\.1 is dropped"):
        usecases.give(session, ["push.spring.1"], "ken")
    with pytest.raises(NotFound, match="there is no rep 'zoe'"):
        usecases.give(session, ["push.spring.2"], "zoe")


def test_an_approval_is_no_task_to_be_ticked_off(session: Session) -> None:
    """It needs a word, and the hint says how to give it."""
    with session.write("tasks") as tx:
        tx.upsert(
            "tasks",
            "select 'ask.1' as task_id, 'approval' as kind, 'open' as state, 'winback' as campaign, 1 as lead_id",
        )
        tx.commit()
    with pytest.raises(PolicyError, match="asks for a word") as caught:
        usecases.close(session, ["ask.1"], "done")
    assert caught.value.hint == "sfactl strategy decide winback 1 approve|refuse"


def test_a_dry_run_writes_nothing(session: Session, file: Path) -> None:
    """It says what would be made."""
    session.dry_run = True
    assert usecases.import_tasks(session, file).new == 2
    assert stored(session) == []
