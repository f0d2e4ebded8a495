"""Tags: those of people stay, those of rules follow their rule, and all end when they should."""

from __future__ import annotations

import threading
from datetime import timedelta
from typing import Any

import pytest

from sfactl.api.errors import ConditionError, ConfigError, NotFound, PolicyError, UserError
from sfactl.engine.conditions import compile_condition
from sfactl.portrait import tags as names
from sfactl.portrait.usecases import deriving, explaining, tag_import, tagging
from sfactl.schemas import core_schemas

from .conftest import NOW, Desk, touch

RULES = """
schema = 1
conflicts = [["hot", "cold"]]
[rules.asia]
where = "country in ('TW', 'CN')"
[rules.big]
tag = "Big  Budget"
where = "budget >= 50000"
expires = "90 days"
confidence = 0.9
[rules.asia-big]
where = "tag('asia') and tag('big budget')"
[rules.cold]
where = "not has(touchpoints) filter (where within('30 days'))"
"""
WHO = "select entity_id, tag from tags where source = 'derived' order by tag, entity_id"


def bearers(desk: Desk, tag: str, **options: Any) -> list[int]:
    return tagging.bearers_of(desk.session(**options), tag)["entity_id"].to_pylist()


def test_people_tag_and_the_same_again_changes_nothing(desk: Desk) -> None:
    done = tagging.set_tags(desk.session(), ["lead:1", "jo@acme.com"], ["VIP", "tier=gold"], source="rep", note="met")
    assert (done.changed, done.unchanged, done.bearers, done.new) == (4, 0, 2, ("vip", "tier"))
    again = tagging.set_tags(desk.session(), ["1", "2"], ["vip", "tier=gold"], source="rep")
    assert (again.changed, again.unchanged, again.commit) == (0, 4, None)
    assert desk.rows("select author, value, note from tags where tag = 'tier' and entity_id = 1") == [
        ("mei", "gold", "met")
    ]
    other = tagging.set_tags(desk.session(actor="tom"), ["1"], ["vip"], source="rep")
    assert other.changed == 1, "another author says it too"


@pytest.mark.parametrize("tag", ["夏季 活動", "🔥 hot", "a" * 100, "ＶＩＰ", "  many   spaces "])
def test_tags_may_be_called_anything(desk: Desk, tag: str) -> None:
    tagging.set_tags(desk.session(), ["1"], [tag])
    assert bearers(desk, tag) == [1]
    compiled = compile_condition(f"tag('{tag}')", schemas=core_schemas(), now=NOW)
    with desk.session() as session, session.query() as query:
        assert query.rows(compiled.sql, compiled.params) == [(1,)]


@pytest.mark.parametrize(
    ("tag", "said"),
    [("", "not a tag"), ("=x", "not a tag"), ("a" * 101, "101 characters"), ("bell\x07", "cannot be shown")],
)
def test_what_is_no_tag_is_refused(tag: str, said: str) -> None:
    with pytest.raises(UserError, match=said):
        names.tag_of(tag)


@pytest.mark.parametrize(
    ("text", "ends"),
    [
        ("90 days", NOW + timedelta(days=90)),
        ("1h", NOW + timedelta(hours=1)),
        ("2026-12-31", NOW.replace(year=2027, month=1, day=1, hour=0)),
        ("2026-11-22T10:00+08:00", NOW.replace(day=22, hour=2)),
    ],
)
def test_when_a_tag_ends(text: str, ends: object) -> None:
    assert names.expiry(text, NOW) == ends


@pytest.mark.parametrize("text", ["2020-01-01", "0 days", "soon", "2026-11-20"])
def test_an_expiry_that_passed_is_refused(text: str) -> None:
    with pytest.raises(UserError):
        names.expiry(text, NOW)


def test_a_tag_ends_at_its_time_and_the_past_stays_known(desk: Desk) -> None:
    tagging.set_tags(desk.session(), ["1"], ["vip"], expires="10 days")
    desk.later(days=11)
    assert bearers(desk, "vip") == []
    assert bearers(desk, "vip", as_of="2026-11-25") == [1]
    assert tagging.tags_of(desk.session(), "1").num_rows == 0
    assert tagging.tags_of(desk.session(), "1", expired=True)["counts"].to_pylist() == [False]
    tagging.set_tags(desk.session(), ["1"], ["vip"])
    assert desk.rows('select tags."at" from tags') == [(desk.clock.at,)], "given anew, it begins anew"


def test_a_closed_vocabulary_names_the_nearest_tag(desk: Desk) -> None:
    desk.file("tags.toml", 'schema = 1\nmanual = ["vip", "Key Account"]\n[rules.asia]\nwhere = "true"\n')
    with pytest.raises(UserError, match="'vpi' is no tag") as caught:
        tagging.set_tags(desk.session(), ["1"], ["vpi"])
    assert caught.value.hint == "Did you mean 'vip'?"
    tagging.set_tags(desk.session(), ["1"], ["key  account"])
    desk.file("segments/v.toml", "schema = 1\nwhere = \"tag('vpi')\"\n")
    from sfactl.segments import usecases as segments

    with pytest.raises(ConditionError, match=r'segments/v.toml: where, position 5: unknown tag "vpi".*"vip"'):
        segments.build(desk.session())


def test_rules_give_and_take_in_one_commit_whatever_builds_on_what(desk: Desk) -> None:
    desk.file("tags.toml", RULES)
    planned = deriving.derive(desk.session(dry_run=True))
    assert desk.rows(WHO) == []
    done = deriving.derive(desk.session())
    assert planned.rules == done.rules
    both = [(1, "asia"), (3, "asia"), (1, "asia-big"), (3, "asia-big"), (1, "big budget"), (3, "big budget")]
    assert desk.rows(WHO) == [*both, (1, "cold"), (2, "cold"), (3, "cold")]
    assert deriving.derive(desk.session()).commit is None
    desk.put("touchpoints", [touch(1, 1, "visit")])
    desk.put("leads", [{"lead_id": 3, "country": "US", "budget": 1}])
    again = {r.rule: (r.bearers, r.added, r.removed, r.kept) for r in deriving.derive(desk.session()).rules}
    assert again["asia"] == (1, 0, 1, 0)
    assert again["asia-big"] == (1, 0, 1, 0)
    assert again["big"] == (2, 0, 0, 1), "one that expires stays until then"
    assert again["cold"] == (2, 0, 1, 0)
    desk.later(days=91)
    assert [r.removed for r in deriving.derive(desk.session()).rules if r.rule == "big"] == [0]
    assert desk.rows("select entity_id from tags where author = 'big'") == [(1,)], "what ended is cleared away"


def test_deriving_never_touches_what_people_said(desk: Desk) -> None:
    desk.file("tags.toml", RULES)
    tagging.set_tags(desk.session(), ["2"], ["asia"], source="rep")
    deriving.derive(desk.session())
    desk.file("tags.toml", "schema = 1\n")
    gone = deriving.derive(desk.session())
    assert sum(r.removed for r in gone.rules) == 9
    assert desk.rows("select entity_id, source from tags") == [(2, "rep")]


def test_one_file_alone_leaves_other_rules_alone(desk: Desk) -> None:
    desk.file("tags.toml", RULES)
    deriving.derive(desk.session())
    before = len(desk.rows(WHO))
    own = desk.file("more.toml", "schema = 1\n[rules.us]\nwhere = \"country = 'US'\"\n")
    assert [(r.rule, r.added) for r in deriving.derive(desk.session(), own).rules] == [("us", 1)]
    assert len(desk.rows(WHO)) == before + 1


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ('[rules.a]\nwhere = "contry = 1"', r'tags.toml: rules.a.where, position 1: unknown field "contry"'),
        (
            "[rules.a]\nwhere = \"tag('b')\"\n[rules.b]\nwhere = \"tag('a')\"",
            "depend on each other: a → b → a|b → a → b",
        ),
        ('[rules.a]\nwhere = "true"\nexpires = "soon"', "'soon' is not a period"),
        ('[rules.a]\nwhere = "true"\nexpires = "0 days"', "no time at all"),
        ('[rules.a]\nwhere = "true"\nentity = "leed"', "Did you mean 'lead'"),
        ('[rules.a]\nwhere = "true"\nconfidence = 2', "between 0 and 1"),
        ('[rules.a]\nwhere = "true"\nexpire = "1 day"', "Did you mean 'expires'"),
    ],
)
def test_wrong_rules_are_told_before_anything_is_written(desk: Desk, text: str, said: str) -> None:
    desk.file("tags.toml", f"schema = 1\n{text}\n")
    with pytest.raises((ConditionError, ConfigError), match=said):
        deriving.derive(desk.session())
    assert deriving.check(desk.session())


def test_accounts_and_contacts_bear_tags_too(desk: Desk) -> None:
    desk.put("accounts", [{"account_id": 7, "name": "Acme", "country": "TW"}])
    desk.put("contacts", [{"contact_id": 9, "account_id": 7, "full_name": "Ann", "title": "CEO"}])
    desk.file("tags/local.toml", 'schema = 1\nentity = "account"\nwhere = "country = \'TW\'"\n')
    desk.file("tags/boss.toml", 'schema = 1\nentity = "contact"\nwhere = "title = \'CEO\'"\nvalue = "top"\n')
    deriving.derive(desk.session())
    assert desk.rows("select account_id, contact_id, tag, value from tags order by tag") == [
        (None, 9, "boss", "top"),
        (7, None, "local", None),
    ]


def test_explain_shows_who_said_it_and_the_rows_behind_the_rule(desk: Desk) -> None:
    desk.file("tags.toml", "schema = 1\n[rules.keen]\nwhere = \"has(touchpoints) filter (where kind = 'visit')\"\n")
    desk.put("touchpoints", [touch(1, 1, "visit", content="/pricing"), touch(2, 1, "call", text="hm")])
    deriving.derive(desk.session())
    tagging.set_tags(desk.session(), ["1"], ["keen"], source="rep")
    found = explaining.explain(desk.session(), "lead:1", "KEEN")
    assert found.bears
    assert [(g.source, g.author) for g in found.given] == [("derived", "keen"), ("rep", "mei")]
    (term,) = found.rules[0].terms
    assert term.holds
    assert [(row.relation, row.text) for row in term.rows] == [("touchpoints", "visit · /pricing")]
    assert not explaining.explain(desk.session(), "lead:2", "keen").bears
    with pytest.raises(NotFound, match="bears no tag 'ken'"):
        explaining.explain(desk.session(), "lead:2", "ken")


def test_what_speaks_against_a_rep_is_listed(desk: Desk) -> None:
    desk.file("tags.toml", RULES)
    tagging.set_tags(desk.session(actor="ann"), ["1"], ["hot", "tier=gold"], source="rep")
    tagging.set_tags(desk.session(actor="bob"), ["1"], ["tier=silver"], source="rep")
    tagging.set_tags(desk.session(actor="ann"), ["2"], ["asia"], source="rep")
    deriving.derive(desk.session())
    found = tagging.conflicts(desk.session()).to_pylist()
    assert [(r["entity_id"], r["tag"], r["conflict"], r["against_tag"], r["against_author"]) for r in found] == [
        (1, "hot", "excluded", "cold", "cold"),
        (1, "tier", "value", "tier", "bob"),
        (2, "asia", "rule does not hold", "asia", "asia"),
    ]


def test_only_people_s_tags_are_taken_away_by_hand(desk: Desk) -> None:
    desk.file("tags.toml", RULES)
    deriving.derive(desk.session())
    with pytest.raises(PolicyError, match="'asia' is given by 'asia'"):
        tagging.remove_tags(desk.session(), ["1"], ["asia"])
    tagging.set_tags(desk.session(), ["1"], ["asia", "vip"])
    done = tagging.remove_tags(desk.session(), ["1"], ["asia", "vip"])
    assert done.changed == 2
    assert desk.rows("select count(*) from tags where source = 'manual'") == [(0,)]
    assert 1 in bearers(desk, "asia")
    with pytest.raises(NotFound):
        tagging.remove_tags(desk.session(), ["1"], ["vip"])


def test_a_file_of_a_rep_keeps_who_said_it(desk: Desk) -> None:
    file = desk.file(
        "visits.csv",
        "\ufefflead,email,tags,rep,expires,note\n"
        "1,,VIP；熱門 客戶,ann,2027-01-01,met at expo\n"
        ",jo@acme.com,tier=gold,,,\n"
        ",nobody@x.com,vip,,,\n"
        "99,,vip,,,\n"
        "1,,,ann,,\n"
        "2,,vip,bob,2020-01-01,\n"
        "1,,late,ann\n",
    )
    done = tag_import.import_tags(desk.session(), file, author="mei")
    assert (done.rows, done.new, done.updated, done.unchanged) == (7, 3, 0, 0)
    assert [(r.row, r.reason.split(" (")[0]) for r in done.rejected] == [
        (4, "nobody we know: nobody@x.com"),
        (5, "nobody we know: lead:99"),
        (6, "has no tag"),
        (7, "the tag would have expired before it is set: 2020-01-01 is not after 2026-11-21 09:00"),
        (8, "has 4 columns, the header has 6"),
    ]
    assert desk.rows("select entity_id, tag, value, author from tags where source = 'rep' order by all") == [
        (1, "vip", None, "ann"),
        (1, "熱門 客戶", None, "ann"),
        (2, "tier", "gold", "mei"),
    ]
    again = tag_import.import_tags(desk.session(), file, author="mei")
    assert (again.new, again.updated, again.unchanged, again.commit) == (0, 0, 3, None)


def test_ten_thousand_tags_on_one_lead(desk: Desk) -> None:
    rows = "".join(f"1,tag {n}\n" for n in range(10_000))
    done = tag_import.import_tags(desk.session(), desk.file("many.csv", f"lead,tag\n{rows}"))
    assert done.new == 10_000
    assert tagging.tags_of(desk.session(), "1").num_rows == 10_000


def test_two_that_derive_at_once_agree(desk: Desk) -> None:
    desk.file("tags.toml", RULES)
    failed: list[BaseException] = []

    def run() -> None:
        try:
            with desk.session() as session:
                deriving.derive(session)
        except BaseException as err:
            failed.append(err)

    threads = [threading.Thread(target=run) for _ in range(3)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert not failed
    assert len(desk.rows(WHO)) == 9


def test_segments_follow_tags_that_expire_without_a_full_rebuild(desk: Desk) -> None:
    from sfactl.segments import usecases as segments

    desk.file("segments/v.toml", "schema = 1\nwhere = \"tag('vip') or count(tags) filter (where tag = 'x') > 0\"\n")
    tagging.set_tags(desk.session(), ["1"], ["vip"], expires="2 days")
    tagging.set_tags(desk.session(), ["2"], ["x"], expires="5 days")
    members = []
    for _ in range(3):
        segments.build(desk.session())
        members.append([row[0] for row in desk.rows("select lead_id from segment_members order by 1")])
        desk.later(days=3)
    assert members == [[1, 2], [2], []]


def test_why_not_names_the_tag_that_is_missing(desk: Desk) -> None:
    from sfactl.segments import usecases as segments

    desk.file("segments/v.toml", "schema = 1\nwhere = \"tag('tier', 'gold') and not tag('cold')\"\n")
    found = segments.explain(desk.session(), "v", 1)
    assert [(t.holds, t.change) for t in found.terms] == [(False, "the tag tier=gold"), (True, None)]
