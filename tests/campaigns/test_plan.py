"""Who gets what, and why others do not: the one gate, its hash, and what refuses a plan."""

from __future__ import annotations

import random
from collections.abc import Callable
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from sfactl.api.errors import ConfigError, DataError
from sfactl.campaigns import usecases

from .conftest import CAMPAIGN, FRIDAY, Acme


def sent(lead_id: int, at: datetime, campaign: str = "other", step: str = "x", **more: Any) -> dict[str, Any]:
    row = {"message_key": f"w.{campaign}.{step}.{lead_id}.1", "campaign": campaign, "step": step, "lead_id": lead_id}
    return row | {"at": at, "state": "accepted", "recipient": f"u{lead_id}@example.com"} | more


def touch(lead_id: int, kind: str, at: datetime) -> dict[str, Any]:
    return {"event_id": f"{kind}-{lead_id}-{at}", "at": at, "kind": kind, "lead_id": lead_id}


def suppressed(value: str, reason: str = "bounce", scope: str = "all", kind: str = "email") -> dict[str, Any]:
    return {"kind": kind, "value": value, "scope": scope, "reason": reason, "at": FRIDAY}


DAY = timedelta(days=1)
CAPPED = CAMPAIGN.replace("[[steps]]", '[caps]\nmessages = 2\nwithin = "7 days"\n\n[[steps]]')
TRANSACTIONAL = CAMPAIGN.replace("sender =", 'class = "transactional"\nsender =')


def nothing(_: int) -> dict[str, list[Any]]:
    return {}


def case(
    id: str, campaign: str, verdict: str, data: Callable[[int], dict[str, list[Any]]] = nothing, **lead: Any
) -> Any:
    return pytest.param(campaign, lead, data, verdict, id=id)


def mail(n: int) -> str:
    return f"u{n}@example.com"


WINDOW = 'window = {{ days = ["{}"], hours = "09:00-18:00", tz = "{}" }}\n'
STEP_WHERE = CAMPAIGN + "where = \"city = 'X'\"\n"
CASES = [
    case("plain", CAMPAIGN, "send"),
    case("no-address", CAMPAIGN, "skip: no address", email=None),
    case("two-addresses", CAMPAIGN, "skip: several addresses in one field", email="a@b.example, c@d.example"),
    case("suppressed", CAMPAIGN, "skip: suppressed (bounce)", lambda n: {"suppressions": [suppressed(mail(n))]}),
    case("suppressed-elsewhere", CAMPAIGN, "send", lambda n: {"suppressions": [suppressed(mail(n), scope="other")]}),
    case("on-list", CAMPAIGN, "skip: unsubscribed", lambda n: {"suppressions": [suppressed(mail(n), "unsubscribe")]}),
    case("transactional", TRANSACTIONAL, "send", lambda n: {"suppressions": [suppressed(mail(n), "unsubscribe")]}),
    case(
        "transactional-bounced",
        TRANSACTIONAL,
        "skip: suppressed (bounce)",
        lambda n: {"suppressions": [suppressed(mail(n))]},
    ),
    case("event", CAMPAIGN, "skip: unsubscribed", lambda n: {"touchpoints": [touch(n, "unsubscribe", FRIDAY)]}),
    case(
        "consented-again",
        CAMPAIGN,
        "send",
        lambda n: {"touchpoints": [touch(n, "unsubscribe", FRIDAY - DAY), touch(n, "consent", FRIDAY)]},
    ),
    case(
        "both-at-once",
        CAMPAIGN,
        "skip: unsubscribed",
        lambda n: {"touchpoints": [touch(n, "unsubscribe", FRIDAY), touch(n, "consent", FRIDAY)]},
    ),
    case(
        "later-event",
        CAMPAIGN,
        "skip: unsubscribed",
        lambda n: {"touchpoints": [touch(n, "unsubscribe", FRIDAY + DAY)]},
    ),
    case("already-sent", CAMPAIGN, "skip: already sent", lambda n: {"messages": [sent(n, FRIDAY, "spring", "invite")]}),
    case(
        "address-already-sent",
        CAMPAIGN,
        "skip: already sent",
        lambda n: {"messages": [sent(n + 900, FRIDAY, "spring", "invite", recipient=mail(n).upper())]},
    ),
    case(
        "next-rotation",
        CAMPAIGN.replace("sender =", "rotation = 11\nsender ="),
        "send",
        lambda n: {"messages": [sent(n, FRIDAY, "spring", "invite")]},
    ),
    case(
        "refused-before",
        CAMPAIGN,
        "skip: refused before",
        lambda n: {"messages": [sent(n, FRIDAY, "spring", "invite", state="refused")]},
    ),
    case(
        "capped",
        CAPPED,
        "wait: capped (2 in 7 days)",
        lambda n: {"messages": [sent(n, FRIDAY - DAY), sent(n, FRIDAY, step="y")]},
    ),
    case("below-cap", CAPPED, "send", lambda n: {"messages": [sent(n, FRIDAY - DAY)]}),
    case("cap-slides", CAPPED, "send", lambda n: {"messages": [sent(n, FRIDAY), sent(n, FRIDAY - 8 * DAY, step="y")]}),
    case(
        "refused-counts-not",
        CAPPED,
        "send",
        lambda n: {"messages": [sent(n, FRIDAY), sent(n, FRIDAY, step="y", state="refused")]},
    ),
    case(
        "cap-by-address",
        CAPPED,
        "wait: capped (2 in 7 days)",
        lambda n: {"messages": [sent(n + 900, FRIDAY, recipient=mail(n)), sent(n + 950, FRIDAY, recipient=mail(n))]},
    ),
    case("window", CAMPAIGN + WINDOW.format("sat", "contact"), "wait: outside window"),
    case("window-of-the-contact", CAMPAIGN + WINDOW.format("fri", "contact"), "wait: outside window", country="US"),
    case(
        "window-open-there",
        CAMPAIGN + WINDOW.format("thu", "contact"),
        "send",
        time_zone="Pacific/Honolulu",
        country="TW",
    ),
    case("window-of-ours", CAMPAIGN + WINDOW.format("fri", "workspace"), "send", country="US"),
    case("step-condition", STEP_WHERE, "skip: condition of the step"),
    case("step-condition-holds", STEP_WHERE, "send", city="X"),
]


@pytest.fixture(scope="module")
def judged(tmp_path_factory: pytest.TempPathFactory) -> Callable[[str, str], str]:
    """The verdict of each case; cases of one campaign are leads of one workspace, which do not touch each other."""
    made: dict[str, dict[tuple[int, str], str]] = {}

    def verdict(campaign: str, id: str) -> str:
        if campaign not in made:
            world = Acme(tmp_path_factory.mktemp("judged") / "acme")
            world.write("campaigns/spring.toml", campaign)
            mine = [(n, c.values) for n, c in enumerate(CASES, 1) if c.values[0] == campaign]
            world.leads(*({"lead_id": n, **lead} for n, (_, lead, _, _) in mine))
            rows: dict[str, list[Any]] = {}
            for n, (_, _, data, _) in mine:
                for dataset, found in data(n).items():
                    rows.setdefault(dataset, []).extend(found)
            for dataset, found in rows.items():
                world.rows(dataset, found)
            made[campaign] = world.verdicts(world.plan())
        number = next(n for n, c in enumerate(CASES, 1) if c.id == id)
        return made[campaign][number, "invite"]

    return verdict


@pytest.mark.parametrize(("campaign", "lead", "data", "verdict"), CASES)
def test_verdict(
    judged: Callable[[str, str], str], request: pytest.FixtureRequest, campaign: str, lead: Any, data: Any, verdict: str
) -> None:
    assert judged(campaign, request.node.callspec.id) == verdict


def test_the_same_address_gets_one_message_whatever_its_case(acme: Acme) -> None:
    acme.leads({"lead_id": 3, "email": "A@Example.com"}, {"lead_id": 2, "email": "a@example.com"}, {"lead_id": 5})
    found = acme.verdicts(acme.plan())
    assert found == {(2, "invite"): "send", (3, "invite"): "skip: duplicate address", (5, "invite"): "send"}


def test_who_share_an_address_get_one_message_of_two_variants(acme: Acme) -> None:
    variants = (
        CAMPAIGN + 'where = "lead_id < 3"\n\n[[steps]]\nname = "others"\ntemplate = "invite"\nwhere = "lead_id >= 3"\n'
    )
    acme.write("campaigns/spring.toml", variants)
    acme.leads({"lead_id": 2, "email": "a@example.com"}, {"lead_id": 3, "email": "A@Example.com"}, {"lead_id": 5})
    found = acme.verdicts(acme.plan())
    assert {key: verdict for key, verdict in found.items() if "condition" not in verdict} == {
        (2, "invite"): "send",
        (3, "others"): "skip: duplicate address",
        (5, "others"): "send",
    }


def test_an_opt_out_holds_for_every_lead_with_the_address(acme: Acme) -> None:
    acme.leads(
        {"lead_id": 1, "status": "disqualified", "email": "a@example.com"}, {"lead_id": 2, "email": "a@example.com"}
    )
    acme.rows("touchpoints", [touch(1, "unsubscribe", FRIDAY)])
    assert acme.verdicts(acme.plan()) == {(2, "invite"): "skip: unsubscribed"}


def test_the_blacklist_holds_for_every_lead_with_the_address(acme: Acme) -> None:
    acme.write("campaigns/spring.toml", CAMPAIGN.replace("sender =", 'blacklist = "rivals"\nsender ='))
    acme.leads({"lead_id": 1, "email": "a@example.com"}, {"lead_id": 2, "email": "a@example.com"}, {"lead_id": 3})
    acme.rows("segment_members", [{"segment": "rivals", "lead_id": 2, "since": FRIDAY}])
    found = acme.verdicts(acme.plan())
    assert found == {(1, "invite"): "skip: blacklisted", (2, "invite"): "skip: blacklisted", (3, "invite"): "send"}


def test_a_segment_is_read_from_its_members(acme: Acme) -> None:
    acme.write("campaigns/spring.toml", CAMPAIGN.replace("where = \"status = 'new'\"", 'segment = "hot"'))
    acme.leads({"lead_id": 1}, {"lead_id": 2})
    acme.rows("segment_members", [{"segment": "hot", "lead_id": 2, "since": FRIDAY}])
    assert acme.verdicts(acme.plan()) == {(2, "invite"): "send"}


def test_an_unknown_segment_is_an_error(acme: Acme) -> None:
    acme.write("campaigns/spring.toml", CAMPAIGN.replace("where = \"status = 'new'\"", 'segment = "hott"'))
    with pytest.raises(ConfigError, match="no segment 'hott'"):
        acme.plan()


FOLLOWED = CAMPAIGN + (
    '\n[[steps]]\nname = "remind"\ntemplate = "invite"\nafter = { step = "invite", wait = "3 days" }\n'
    '\n[[steps]]\nname = "call"\naction = "task"\nafter = { step = "remind" }\n'
    'task = { title = "Call", kind = "call" }\n'
)


@pytest.mark.parametrize(
    ("days", "remind"),
    [
        pytest.param(0, "wait: after invite", id="just-accepted"),
        pytest.param(2.9999, "wait: after invite", id="just-before"),
        pytest.param(3, "send", id="to-the-second"),
        pytest.param(30, "send", id="long-after"),
    ],
)
def test_a_later_step_counts_from_the_acceptance_of_the_earlier(acme: Acme, days: float, remind: str) -> None:
    acme.write("campaigns/spring.toml", FOLLOWED)
    acme.leads({"lead_id": 1}, {"lead_id": 2})
    acme.rows("messages", [sent(1, FRIDAY - timedelta(days=days), "spring", "invite")])
    found = acme.verdicts(acme.plan())
    assert found == {(1, "invite"): "skip: already sent", (1, "remind"): remind, (2, "invite"): "send"}


def test_a_task_needs_an_owner_and_is_made_once(acme: Acme) -> None:
    acme.write("campaigns/spring.toml", FOLLOWED)
    acme.leads({"lead_id": 1, "owner": "mei"}, {"lead_id": 2})
    for step in ("invite", "remind"):
        acme.rows("messages", [sent(n, FRIDAY - 9 * DAY, "spring", step) for n in (1, 2)])
    first = acme.plan()
    assert {k: v for k, v in acme.verdicts(first).items() if k[1] == "call"} == {
        (1, "call"): "task",
        (2, "call"): "skip: no owner",
    }
    assert acme.apply(first.plan_id).tasks == 1
    assert acme.verdicts(acme.plan())[1, "call"] == "skip: already made"
    with acme.session() as session, session.query() as query:
        rows = query.rows("select kind, title, owner, lead_id, state, campaign, step from tasks")
    assert rows == [("call", "Call", "mei", 1, "open", "spring", "call")]


def test_two_steps_at_once_respect_the_cap_together(acme: Acme) -> None:
    more = "".join(f'\n[[steps]]\nname = "s{i}"\ntemplate = "invite"\n' for i in range(2))
    acme.write("campaigns/spring.toml", CAPPED + more)
    acme.leads({"lead_id": 1})
    acme.rows("messages", [sent(1, FRIDAY - DAY)])
    found = acme.verdicts(acme.plan())
    assert found == {
        (1, "invite"): "send",
        (1, "s0"): "wait: capped (2 in 7 days)",
        (1, "s1"): "wait: capped (2 in 7 days)",
    }


def test_transactional_messages_count_for_no_cap(acme: Acme) -> None:
    acme.write("campaigns/answers.toml", TRANSACTIONAL)
    acme.write("campaigns/spring.toml", CAPPED)
    acme.leads({"lead_id": 1})
    acme.rows("messages", [sent(1, FRIDAY, "answers", step) for step in "abc"])
    assert acme.verdicts(acme.plan()) == {(1, "invite"): "send"}


def test_the_control_group_is_its_share_and_stays_the_same(acme: Acme) -> None:
    acme.write("campaigns/spring.toml", CAMPAIGN.replace("sender =", "holdout = 10\nsender ="))
    acme.leads(*({"lead_id": n} for n in range(1, 2001)))
    first = acme.verdicts(acme.plan())
    held = {k for k, v in first.items() if v == "hold: holdout"}
    assert 150 < len(held) < 250  # 10 % of 2,000, four standard deviations wide
    acme.leads({"lead_id": 2001})
    again = acme.verdicts(acme.plan())
    assert {k for k, v in again.items() if v == "hold: holdout"} - {(2001, "invite")} == held


def test_nobody_in_the_audience_is_a_plan_too(acme: Acme) -> None:
    result = acme.plan()
    assert (result.counts, result.sends) == ((), 0)


def test_the_plan_is_the_same_on_another_machine_and_in_another_order(acme: Acme, tmp_path: Path) -> None:
    other = Acme(tmp_path / "other")
    rows = [
        {"lead_id": n, "email": f"u{n // 2}@example.com", "country": "JP" if n % 3 else "TW"} for n in range(1, 200)
    ]
    acme.leads(*rows)
    random.Random(7).shuffle(rows)
    for start in range(0, 199, 50):
        other.leads(*rows[start : start + 50])
    one, two = acme.plan(), other.plan()
    assert one.plan_id == two.plan_id
    with acme.session() as a, other.session() as b:
        left, right = usecases.items(a, one.plan_id), usecases.items(b, two.plan_id)
    assert left.equals(right)


def test_planning_twice_gives_the_same_plan_and_stores_it_once(acme: Acme) -> None:
    acme.leads({"lead_id": 1}, {"lead_id": 2})
    first = acme.plan()
    acme.clock.advance(timedelta(minutes=5))
    second = acme.plan()
    assert first.plan_id == second.plan_id
    with acme.session() as session, session.query() as query:
        assert query.rows("select count(*) from plan_items") == [(2,)]
        assert query.rows("select count(*) from plans") == [(1,)]


@pytest.mark.parametrize(
    "change",
    [
        pytest.param(("campaigns/spring.toml", CAMPAIGN.replace("Spring", "Summer")), id="campaign-file"),
        pytest.param(("templates/invite.toml", 'schema = 1\nsubject = "x"\ntext = "y"\n'), id="template"),
        pytest.param({"lead_id": 1, "email": "new@example.com"}, id="address"),
        pytest.param({"lead_id": 1, "first_name": "Else"}, id="a-value-that-is-printed"),
        pytest.param({"lead_id": 3}, id="one-more"),
    ],
)
def test_what_matters_moves_the_plan_id(acme: Acme, change: Any) -> None:
    acme.leads({"lead_id": 1}, {"lead_id": 2})
    first = acme.plan()
    acme.write(*change) if isinstance(change, tuple) else acme.leads(change)
    assert acme.plan().plan_id != first.plan_id


def test_what_does_not_matter_leaves_the_plan_id(acme: Acme) -> None:
    acme.leads({"lead_id": 1}, {"lead_id": 2})
    first = acme.plan()
    acme.leads({"lead_id": 1, "note": "called"}, {"lead_id": 7, "status": "sql"})
    acme.write("campaigns/spring.toml", "# a comment\n" + CAMPAIGN)
    assert acme.plan().plan_id == first.plan_id


def test_changes_since_the_plan_before(acme: Acme) -> None:
    acme.leads({"lead_id": 1}, {"lead_id": 2})
    acme.plan()
    acme.leads({"lead_id": 3})
    acme.rows("touchpoints", [touch(2, "unsubscribe", FRIDAY)])
    result = acme.plan()
    assert [(c.step, c.joined, c.left, c.why) for c in result.changes] == [("invite", 1, 1, "unsubscribed")]


@pytest.mark.parametrize(
    ("text", "lead", "said"),
    [
        pytest.param("{{ lead.company }}", {}, "lead.company is missing for lead 1 ", id="null"),
        pytest.param("{{ lead.company }}", {"company": " "}, "lead.company is missing for lead 1 ", id="blank"),
        pytest.param(
            "{% if lead.city == 'X' %}{{ lead.company }}{% endif %}",
            {"city": "X"},
            "lead.company is missing",
            id="in-a-branch",
        ),
        pytest.param("{{ lead.city or lead.company }}", {}, "lead.company is missing", id="no-alternative-left"),
        pytest.param("{{ rep.name }}", {"owner": "nobody"}, "rep.name is missing", id="unknown-rep"),
    ],
)
def test_a_missing_value_refuses_the_plan(acme: Acme, text: str, lead: dict[str, Any], said: str) -> None:
    acme.write("templates/invite.toml", f'schema = 1\nsubject = "s"\ntext = "{text}"\n')
    acme.leads({"lead_id": 1, **lead}, {"lead_id": 2, "company": "Co", "city": "Y"})
    with pytest.raises(DataError, match=r"template invite \(en\)") as caught:
        acme.plan()
    assert said in caught.value.message + " "
    assert "lead 1" in caught.value.message
    with acme.session() as session, session.query() as query:
        assert not query.rows("select * from plans")


def test_a_missing_value_of_somebody_who_gets_nothing_is_no_matter(acme: Acme) -> None:
    acme.leads({"lead_id": 1, "first_name": None}, {"lead_id": 2})
    acme.rows("suppressions", [suppressed("u1@example.com")])
    assert acme.plan().sends == 1


def test_a_line_break_in_a_subject_refuses_the_plan(acme: Acme) -> None:
    acme.leads({"lead_id": 1, "first_name": "A\nBcc: all@example.com"})
    with pytest.raises(DataError, match=r"lead\.first_name has a line break for lead 1"):
        acme.plan()


def test_each_gets_the_wording_of_their_language(acme: Acme) -> None:
    acme.write(
        "templates/invite.toml",
        'schema = 1\nsubject = "Hi"\ntext = "en"\n[languages.zh-TW]\nsubject = "您好"\ntext = "{{ lead.company }}"\n',
    )
    acme.leads({"lead_id": 1}, {"lead_id": 2, "language": "zh", "company": "台積"})
    acme.run()
    assert {k: m["Subject"] for k, m in acme.outbox().items()} == {"u1@example.com": "Hi", "u2@example.com": "您好"}


@pytest.mark.parametrize(
    ("old", "new", "said"),
    [
        pytest.param('sender = "outbox"', 'sender = "post"', "there is no senders/post.toml", id="no-sender"),
        pytest.param("Acme <news@acme.example>", "Acme", "is not an e-mail address", id="from"),
        pytest.param('template = "invite"', 'template = "invte"', "there is no template 'invte'", id="no-template"),
        pytest.param(
            'template = "invite"', 'template = "invite"\nchannel = "smss"', "'smss' is no channel", id="channel"
        ),
    ],
)
def test_files_that_cannot_work_refuse_the_plan(acme: Acme, old: str, new: str, said: str) -> None:
    acme.write("campaigns/spring.toml", CAMPAIGN.replace(old, new))
    with pytest.raises(ConfigError, match=r"spring\.toml") as caught:
        acme.plan()
    assert said in caught.value.message


def test_a_dry_run_keeps_nothing(acme: Acme) -> None:
    acme.leads({"lead_id": 1})
    with acme.session(dry_run=True) as session:
        result = usecases.plan(session, "spring")
    assert (result.sends, result.saved) == (1, False)
    with acme.session() as session, session.query() as query:
        assert not query.rows("select * from plans")


def test_a_plan_as_of_an_earlier_commit_sees_what_was_known(acme: Acme) -> None:
    acme.leads({"lead_id": 1})
    acme.leads({"lead_id": 2})
    with acme.session(as_of="1") as session:
        result = usecases.plan(session, "spring")
    assert (result.sends, result.data_seq, result.saved) == (1, 1, False)
