"""Cases: opened once, moved only as the file allows, changed all or none, and told with all that happened."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from sfactl.api.errors import ConfigError, NotFound, UserError
from sfactl.cases import usecases
from sfactl.config.cases import read_cases
from sfactl.config.settings import EngineSettings, Settings
from sfactl.reps.usecases import unhandled
from sfactl.session import FixedClock, Session, open_session
from sfactl.workspace import Workspace

NOW = datetime(2026, 5, 4, 9)
LEADS = """select unnest([1, 2]) as lead_id, unnest(['Mei Lin', 'Bob Ray']) as full_name,
    unnest(['mei@x.example', 'bob@x.example']) as email, unnest(['ken', null]) as owner,
    unnest([31, null]) as contact_id, unnest([41, null]) as account_id"""


@pytest.fixture(scope="module")
def clock() -> FixedClock:
    return FixedClock(NOW)


@pytest.fixture(scope="module")
def session(tmp_path_factory: pytest.TempPathFactory, clock: FixedClock) -> Iterator[Session]:
    folder = tmp_path_factory.mktemp("cases") / "ws"
    Workspace.create(folder).close()
    settings = Settings(engine=EngineSettings(threads=1))
    with open_session(folder, settings=settings, command="case", actor="mei", clock=clock) as session:
        with session.write("leads", "reps") as tx:
            tx.upsert("leads", LEADS)
            tx.upsert("reps", "select unnest(['mei', 'ken']) as rep_id, true as active")
            tx.commit()
        yield session


def opened(session: Session, **said: str) -> str:
    return str(usecases.open_case(session, "Laser does not start", **{"lead": "1", **said}).case_id)


def events(session: Session, case: str) -> list[tuple[Any, ...]]:
    with session.query() as query:
        return query.rows(
            "select kind, from_status, to_status, field, new_value from case_events where case_id = $case"
            " order by event_no",
            {"case": int(case)},
        )


def case_of(session: Session, case: str) -> Mapping[str, Any]:
    with session.query() as query:
        return query.get("cases", int(case)) or {}


def test_a_case_knows_whose_it_is(session: Session) -> None:
    """Contact, account and rep are the lead's, where nobody says otherwise."""
    case = opened(session)
    row = case_of(session, case)
    assert [row[k] for k in ("lead_id", "contact_id", "account_id", "owner", "status", "state", "reopened")] == [
        *(1, 31, 41, "ken", "new", "open", 0)
    ]
    assert events(session, case) == [
        ("opened", None, "new", None, None),
        ("assigned", None, None, "owner", "ken"),
    ]
    assert case_of(session, opened(session, lead="bob@x.example"))["owner"] is None
    assert case_of(session, opened(session, owner="mei"))["owner"] == "mei"


def test_the_same_number_is_opened_once(session: Session) -> None:
    """A number of another system names a case; what another source calls the same is another case."""
    first = usecases.open_case(session, "Wrong invoice", key="T-1", source="web")
    again = usecases.open_case(session, "Wrong invoice", key="T-1", source="web")
    other = usecases.open_case(session, "Wrong invoice", key="T-1", source="desk")
    assert (again.case_id, again.known, again.commit) == (first.case_id, True, None)
    assert not other.known
    assert other.case_id != first.case_id


def test_times_of_the_way(session: Session, clock: FixedClock) -> None:
    """Resolved and closed say since when it is so, and are empty again once it is taken up."""
    case = opened(session)

    def moved(status: str) -> tuple[Any, ...]:
        clock.advance(timedelta(hours=1))
        usecases.change(session, [case], {"status": status})
        row = case_of(session, case)
        return row["resolved_at"], row["closed_at"], row["reopened"]

    begin = clock.now()
    assert moved("waiting") == (None, None, 0)
    assert moved("resolved") == (begin + timedelta(hours=2), None, 0)
    assert moved("closed") == (begin + timedelta(hours=2), begin + timedelta(hours=3), 0)
    assert moved("open") == (None, None, 1)
    assert moved("closed") == (begin + timedelta(hours=5), begin + timedelta(hours=5), 1)
    assert moved("open") == (None, None, 2)
    kinds = [e[0] for e in events(session, case)]
    assert kinds == ["opened", "assigned", "moved", "moved", "moved", "reopened", "moved", "reopened"]


WRONG: Mapping[str, tuple[dict[str, str], str]] = {
    "a move that is not allowed": ({"status": "closed", "subject": "x"}, "it cannot become"),
    "no such status": ({"status": "opne"}, "no status 'opne'. Did you mean 'open'?"),
    "no such priority": ({"priority": "hihg"}, "Did you mean 'high'?"),
    "no such rep": ({"owner": "zoe"}, "there is no rep 'zoe'"),
    "no such lead": ({"lead": "99"}, "there is no lead 99"),
    "an empty subject": ({"subject": " "}, "the subject is empty"),
    "nothing to change": ({}, "say what is to change"),
}


@pytest.mark.parametrize("name", WRONG)
def test_what_cannot_be_changes_nothing(session: Session, name: str) -> None:
    """One wrong word, and none of the cases is changed; the rule is named."""
    said, expected = WRONG[name]
    (session.folder / "cases.toml").write_text(
        'schema = 1\n[[statuses]]\nname = "new"\nnext = ["open"]\n[[statuses]]\nname = "open"\nnext = ["closed"]\n'
        '[[statuses]]\nname = "closed"\nstate = "closed"\n'
    )
    try:
        cases = [opened(session), opened(session)]
        usecases.change(session, cases[:1], {"status": "open"})
        seq = session.workspace.head()
        with pytest.raises(UserError) as failed:
            usecases.change(session, cases, said)
        assert expected in f"{failed.value}"
        if "cannot" in expected:
            assert (failed.value.hint, failed.value.exit_code) == ("cases.toml: statuses[0].next", 2)
        assert session.workspace.head() == seq
    finally:
        (session.folder / "cases.toml").unlink()


def test_what_is_so_already_is_no_change(session: Session) -> None:
    """The same word again writes nothing."""
    case = opened(session)
    usecases.change(session, [case], {"status": "open", "priority": "low"})
    done = usecases.change(session, [case, f"case:{case}"], {"status": "open", "priority": "low"})
    assert (done.changes, done.same, done.commit) == ((), 1, None)


def test_show_tells_the_whole_history(session: Session) -> None:
    """Every event stands there in order, with who and why, and what may follow."""
    case = opened(session, text="since Monday")
    usecases.change(session, [case], {"status": "waiting", "note": "called back"}, reason="spare part")
    found = usecases.show(session, case)
    assert [(e.what, e.detail) for e in found.events] == [
        ("opened", "phone"),
        ("assigned: owner", "ken"),
        ("note", "called back"),
        ("moved: new → waiting", "spare part"),
    ]
    assert found.lead == "Mei Lin · mei@x.example"
    assert found.next == ("open", "resolved", "closed")
    with pytest.raises(NotFound, match="no case 9999"):
        usecases.show(session, "9999")


def test_lists_are_of_what_is_asked_for(session: Session) -> None:
    """Settled cases are left out; those that nobody works on can be asked for."""
    mine = opened(session, lead="2", category="billing", priority="urgent")
    done = opened(session, lead="2", category="billing")
    usecases.change(session, [done], {"status": "resolved"})
    found = usecases.list_cases(session, category="billing", unowned=True)
    assert found.column("case_id").to_pylist() == [int(mine)]
    assert usecases.list_cases(session, category="billing", state="all").num_rows == 2
    assert usecases.list_cases(session, category="billing", status="resolved").num_rows == 1
    assert usecases.list_cases(session, lead="bob@x.example", priority="urgent").num_rows == 1


FILES: Mapping[str, tuple[str, str]] = {
    "unknown next": ('[[statuses]]\nname = "new"\nnext = ["opn"]\n[[statuses]]\nname = "open"', "Did you mean 'open'?"),
    "twice": ('[[statuses]]\nname = "new"\n[[statuses]]\nname = "new"', "'new' is there twice"),
    "no end": ('[[statuses]]\nname = "new"', "no case would ever end"),
    "begins settled": ('[[statuses]]\nname = "new"\nstate = "closed"', "a case begins open or waiting"),
    "itself": ('[[statuses]]\nname = "new"\nnext = ["new"]', "cannot follow itself"),
    "bad name": ('[[statuses]]\nname = "a.b"', "use letters, digits"),
    "unknown key": ('[[statuses]]\nname = "new"\nstat = "open"', "Did you mean 'state'?"),
    "no messages": ('[notices]\nsender = "o"\nfrom = "a@b.c"\nper_day = 0', "per_day: 0"),
    "no age": ('[notices]\nsender = "o"\nfrom = "a@b.c"\nmax_age = "soon"', "max_age"),
    "reply": ('[[statuses]]\nname = "new"\non_reply = "x"', "on_reply: 'x' is not among"),
}


@pytest.mark.parametrize("name", FILES)
def test_a_file_that_cannot_be_meant_is_refused(tmp_path: Path, name: str) -> None:
    """The message names file, key and what is wrong."""
    text, expected = FILES[name]
    (tmp_path / "cases.toml").write_text(f"schema = 1\n{text}\n")
    with pytest.raises(ConfigError) as failed:
        read_cases(tmp_path)
    assert expected in f"{failed.value} {failed.value.hint or ''}"
    assert "cases.toml" in str(failed.value)


def test_a_case_that_nobody_works_on_is_listed_until_somebody_does(session: Session) -> None:
    """No case is lost: it stands in the list with its age, and is off it once it has an owner."""
    case = opened(session, lead="2", category="service")

    def listed() -> bool:
        return int(case) in unhandled(session).column("case_id").to_pylist()

    assert listed()
    usecases.change(session, [case], {"owner": "ken"})
    assert not listed()


def test_what_is_posted_into_a_form_opens_a_case_once(session: Session) -> None:
    """The words are the case's, the first line its subject; other forms, and old postings, open nothing."""
    said = [
        ("p1", "complaint", 1, "It broke\nsince Monday", 1),
        ("p2", "complaint", None, "", 2),
        ("p3", "price-list", 2, "please", 1),
        ("p4", "complaint", 2, "long ago", 40 * 24),
    ]
    with session.write("touchpoints") as tx:
        for event, form, lead, text, hours in said:
            tx.append(
                "touchpoints",
                "select $event as event_id, cast($at as timestamp) as \"at\", 'form_submit' as kind, $form as content,"
                " cast($lead as bigint) as lead_id, $text as text",
                {"event": event, "at": NOW - timedelta(hours=hours), "form": form, "lead": lead, "text": text},
            )
        tx.commit()
    with pytest.raises(ConfigError, match="no form opens a case"):
        usecases.open_posted(session)
    rules = session.folder / "cases.toml"
    rules.write_text('schema = 1\n[[forms]]\nform = "complaint"\npriority = "high"\n')
    try:
        done = usecases.open_posted(session)
        assert (done.opened, usecases.open_posted(session).opened) == (2, 0)
        first, second = (case_of(session, str(n)) for n in sorted(done.cases, reverse=True))
        shown = ("subject", "text", "lead_id", "owner", "priority", "channel", "address", "opened_at")
        assert [first[k] for k in shown] == [
            *("It broke", "It broke\nsince Monday", 1, "ken", "high", "web", "mei@x.example", NOW - timedelta(hours=1))
        ]
        assert [second[k] for k in shown[:3]] == ["complaint", None, None]
    finally:
        rules.unlink()
