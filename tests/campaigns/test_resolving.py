"""A person settles many unknown messages with one file; a wrong row settles nothing."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

from sfactl.api.errors import DataError, NotFound
from sfactl.campaigns import usecases

from .conftest import Acme, Scripted, leads


@pytest.fixture
def held(acme: Acme, scripted: Callable[..., Scripted]) -> dict[str, str]:
    """Four messages of which nobody knows whether they arrived: key by recipient."""
    scripted(lambda m, n: "unknown" if n == 1 and m.recipient < "u5" else "accepted")
    leads(acme, 6)
    acme.run()
    with acme.session() as session:
        found = usecases.messages(session, state="unknown").to_pylist()
    return {row["recipient"].split("@")[0]: row["key"] for row in found}


def test_a_file_settles_many_and_a_repeat_changes_nothing(acme: Acme, held: dict[str, str], tmp_path: Path) -> None:
    file = tmp_path / "held.csv"
    words = {"u1": "accepted", "u2": "retry", "u3": "Refused", "u4": ""}
    file.write_text("key,recipient,outcome,note\n" + "".join(f"{held[u]},{u},{w},seen\n" for u, w in words.items()))
    with acme.session(dry_run=True) as session:
        rehearsed = usecases.resolve_file(session, file)
    with acme.session() as session:
        first = usecases.resolve_file(session, file)
        again = usecases.resolve_file(session, file)
        left = usecases.messages(session, state="unknown").column("key").to_pylist()
        accepted = usecases.messages(session, state="accepted").to_pylist()
    assert rehearsed == first
    assert (first.accepted, first.refused, first.retry, first.before) == (1, 1, 1, 0)
    assert (again.accepted, again.refused, again.retry, again.before) == (0, 0, 0, 3)
    assert left == [held["u4"]]
    assert {row["detail"] for row in accepted if row["key"] == held["u1"]} == {"seen"}
    assert acme.verdicts(acme.plan())[2, "invite"] == "send"


@pytest.mark.parametrize(
    ("text", "wrong"),
    [
        pytest.param("key,outcome\n{u1},accepted\n{u2},perhaps\n", "line 3: outcome: 'perhaps'", id="outcome"),
        pytest.param("key,outcome\n{u1},accepted\nnobody,retry\n", "line 3: no message has the key 'nobody'", id="key"),
        pytest.param("key,outcome\n{u1},accepted\n{u1},retry\n", "accepted in line 2", id="two words"),
        pytest.param("key,result\n{u1},accepted\n", "no column 'outcome'", id="column"),
        pytest.param("key,outcome\n{u1},accepted,x\n", "line 2", id="too many cells"),
    ],
)
def test_a_wrong_row_settles_nothing(acme: Acme, held: dict[str, str], tmp_path: Path, text: str, wrong: str) -> None:
    file = tmp_path / "held.csv"
    file.write_text(text.format(**held))
    with acme.session() as session:
        with pytest.raises(DataError, match=wrong):
            usecases.resolve_file(session, file)
        assert usecases.messages(session, state="unknown").num_rows == 4
        with pytest.raises(NotFound):
            usecases.resolve(session, "nobody", "accepted")


def test_who_may_be_tried_again_and_is_in_no_plan_is_not_kept_quiet(
    acme: Acme, held: dict[str, str], capsys: pytest.CaptureFixture[str]
) -> None:
    leads(acme, 7)
    newer = acme.plan()
    with acme.session() as session:
        usecases.apply(session, newer.plan_id)
        usecases.resolve(session, held["u1"], "retry")
        session.quiet = False
        assert usecases.resume(session, newer.plan_id).nothing
    assert (
        "1 message of an earlier plan may be sent again. Next: sfactl campaign plan spring" in capsys.readouterr().err
    )
    assert acme.verdicts(acme.plan())[1, "invite"] == "send"
