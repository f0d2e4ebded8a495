"""Links in messages: nobody can make one up, change one, or use one for another purpose."""

from __future__ import annotations

from datetime import datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sfactl.engine.links import PATHS, ForgedLink, Link, Purpose, Signer, event_id

LINK = Link(
    purpose="click",
    message_key="3f7a.spring.invite.8841.1",
    lead_id=8841,
    campaign="spring",
    target="https://a.example/?x=1&y=雷射",
)
SIGNER = Signer(["first secret"])


@given(
    key=st.text(max_size=80),
    lead=st.integers(1, 2**53),
    target=st.text(max_size=200),
    purpose=st.sampled_from(sorted(PATHS)),
)
def test_a_link_reads_as_it_was_written(key: str, lead: int, target: str, purpose: Purpose) -> None:
    """Whatever stands in it, and the same each time it is written."""
    link = Link(purpose=purpose, message_key=key, lead_id=lead, target=target)
    token = SIGNER.token(link)
    assert SIGNER.read(purpose, token) == link
    assert SIGNER.token(link) == token


@given(place=st.integers(0, 150), char=st.sampled_from("aZ0-_.é "))
def test_a_changed_token_is_refused(place: int, char: str) -> None:
    """One other character anywhere spoils it."""
    token = SIGNER.token(LINK)
    place %= len(token) - 1  # the last character has bits that stand for nothing
    changed = token[:place] + char + token[place + 1 :]
    if changed != token:
        with pytest.raises(ForgedLink):
            SIGNER.read("click", changed)


@pytest.mark.parametrize("text", ["", ".", "a.b", "x" * 5000, "é", "\0", "....", "%00"])
def test_garbage_is_refused(text: str) -> None:
    """Nothing that comes from outside raises anything else."""
    with pytest.raises(ForgedLink):
        SIGNER.read("click", text)


def test_a_token_for_one_purpose_is_none_for_another() -> None:
    """A click is no unsubscribe."""
    token = SIGNER.token(LINK)
    for purpose in set(PATHS) - {"click"}:
        with pytest.raises(ForgedLink):
            SIGNER.read(purpose, token)


def test_links_outlive_a_change_of_the_secret() -> None:
    """What the former secret signed still counts; what a stranger's signed does not."""
    changed = Signer(["first secret", "second secret"])
    assert changed.read("click", SIGNER.token(LINK)) == LINK
    assert changed.token(LINK) != SIGNER.token(LINK)
    with pytest.raises(ForgedLink):
        Signer(["another"]).read("click", SIGNER.token(LINK))


def test_the_address_of_a_link_leads_to_the_collector() -> None:
    """One slash, the letter of the purpose, the token."""
    assert SIGNER.url("https://go.acme.example/x/", LINK) == f"https://go.acme.example/x/c/{SIGNER.token(LINK)}"


@pytest.mark.parametrize(
    ("purpose", "one", "other", "same"),
    [
        pytest.param("click", "10:00:01", "10:00:59", True, id="one click a minute"),
        pytest.param("click", "10:00:59", "10:01:00", False, id="the next minute"),
        pytest.param("unsubscribe", "10:00:01.1", "10:00:01.9", True, id="one unsubscribe a second"),
        pytest.param("preferences", "10:00:01", "10:00:02", False, id="the next second"),
        pytest.param("confirm", "10:00:01", "23:00:00", True, id="one confirmation for good"),
    ],
)
def test_what_was_done_has_one_id(purpose: Purpose, one: str, other: str, same: bool) -> None:
    """Whoever reads it, collector or log."""
    link = Link(purpose=purpose, message_key="k", lead_id=1)
    ids = {event_id(link, datetime.fromisoformat(f"2026-11-21T{at}")) for at in (one, other)}
    assert (len(ids) == 1) is same


def test_each_topic_of_the_preferences_has_an_id_of_its_own() -> None:
    """And leaving one is not coming back to it."""
    link, at = Link(purpose="preferences", message_key="k", lead_id=1), datetime(2026, 11, 21)
    done = [("unsubscribe", "news"), ("subscribe", "news"), ("unsubscribe", "events"), ("unsubscribe", "")]
    assert len({event_id(link, at, kind=k, topic=t) for k, t in done}) == len(done)
