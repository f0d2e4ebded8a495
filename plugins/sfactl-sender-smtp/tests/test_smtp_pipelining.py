"""Commands in one go (RFC 2920): the receipts stay as honest as one by one, and the server waits for fewer round trips."""

from __future__ import annotations

from collections import Counter
from email import message_from_bytes

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from sfactl.api.records import Receipt
from tests.scripted_smtp import (
    CLOSE,
    KEPT_THEN_CLOSE,
    Script,
    ScriptedServer,
    at,
    message,
    send,
    sender_for,
    serving,
)

IN_ONE_GO = ("PIPELINING",)


def taken(server: ScriptedServer) -> Counter[str]:
    """How often each subject was taken."""
    return Counter(str(message_from_bytes(content)["Subject"]) for content in server.taken)


def outcomes(receipts: list[Receipt]) -> dict[str, str]:
    return {receipt.key: receipt.outcome for receipt in receipts}


def test_a_message_takes_one_round_trip_instead_of_four() -> None:
    """The commands of the next message go with the final dot of this one."""
    sent: list[int] = []
    with serving(features=IN_ONE_GO) as server:
        sender = sender_for(server)
        sender.check()
        server_side = sender._connection.open().server
        send_all = server_side.send

        def counted(data: str | bytes) -> None:
            content = data.encode() if isinstance(data, str) else data
            sent.append(0 if b"Message-ID" in content else content.count(b"\r\n"))
            send_all(data)

        server_side.send = counted
        assert {r.outcome for r in send(sender, *(message(n) for n in range(10)))} == {"accepted"}
    # MAIL, RCPT and DATA of the first; then text, and the dot with the next three commands; at last text, dot and QUIT.
    assert [n for n in sent if n] == [3, *[4] * 9, 1, 1]


@pytest.mark.parametrize(
    ("script", "expected"),
    [
        pytest.param(at("RCPT TO:<2@", "550 no"), ["accepted", "refused", "accepted"], id="one-recipient-refused"),
        pytest.param(at("MAIL", "451 later", connection=1), ["retry_after"] * 3, id="all-put-off"),
        pytest.param(
            at("END", KEPT_THEN_CLOSE, connection=1), ["unknown", "accepted", "accepted"], id="lost-after-the-dot"
        ),
        pytest.param(at("END", "421 bye", connection=1), ["retry_after", "accepted", "accepted"], id="closing"),
        pytest.param(at("END", "999 what", connection=1), ["unknown", "accepted", "accepted"], id="nonsense"),
        pytest.param(at("DATA", "250 fine", connection=1), ["retry_after", "accepted", "accepted"], id="wrong-yes"),
    ],
)
def test_each_message_is_judged_by_its_own_dot(script: Script, expected: list[str]) -> None:
    with serving(script, features=IN_ONE_GO) as server:
        receipts = send(sender_for(server), *(message(n, f"{n}@example.com", subject=str(n)) for n in (1, 2, 3)))
    assert [r.outcome for r in receipts] == expected
    came = taken(server)
    assert all(came[r.key.removeprefix("key-")] == 1 for r in receipts if r.outcome == "accepted")
    assert not any(came[r.key.removeprefix("key-")] for r in receipts if r.outcome in ("refused", "retry_after"))


def test_a_server_that_wants_a_text_for_nobody_gets_a_lone_dot() -> None:
    def script(_: int, command: str) -> str | None:
        return {"RCPT TO:<1@example.com>": "550 no", "DATA": "354 go"}.get(command)

    with serving(script, features=IN_ONE_GO) as server:
        receipts = send(sender_for(server), *(message(n, f"{n}@example.com", subject=str(n)) for n in (1, 2)))
    assert [(r.outcome, r.detail[:3]) for r in receipts] == [("refused", "550"), ("accepted", "250")]
    assert taken(server) == {"2": 1}
    assert server.connections == 1


def test_a_server_that_cannot_bear_it_is_spoken_to_one_by_one() -> None:
    """It offers PIPELINING and hangs up on the second command, however it comes, unless it was asked singly."""
    with serving(at("RCPT", CLOSE, connection=1), features=IN_ONE_GO) as server:
        receipts = send(sender_for(server), *(message(n) for n in (1, 2)))
    assert [r.outcome for r in receipts] == ["accepted", "accepted"]
    assert (server.connections, len(server.taken)) == (2, 2)


def test_a_server_that_stumbles_over_the_next_message_does_so_once() -> None:
    """Where the answer to the dot was lost while the next message was announced, none is announced again."""

    def script(number: int, command: str) -> str | None:
        ends[0] += command == "END"
        return KEPT_THEN_CLOSE if command == "END" and ends[0] == 1 else None

    ends = [0]
    with serving(script, features=IN_ONE_GO) as server:
        receipts = send(sender_for(server), *(message(n, subject=str(n)) for n in range(4)))
        commands = server.commands
    assert [r.outcome for r in receipts] == ["unknown", *["accepted"] * 3]
    assert len([c for c in commands if c.startswith("MAIL")]) == 4
    assert set(taken(server).values()) == {1}


def test_who_stops_listening_leaves_nothing_half_said() -> None:
    with serving(features=IN_ONE_GO) as server:
        sender = sender_for(server)
        receipts = sender.send([message(n, subject=str(n)) for n in (1, 2, 3)])
        assert next(iter(receipts)).outcome == "accepted"
        receipts.close()
        again = send(sender, message(4, subject="4"))
    assert [r.outcome for r in again] == ["accepted"]
    assert taken(server) == {"1": 1, "4": 1}


def test_a_connection_ends_after_as_many_messages_as_it_may_carry() -> None:
    with serving(features=IN_ONE_GO) as server:
        receipts = send(sender_for(server, messages_per_connection=2), *(message(n) for n in range(5)))
    assert {r.outcome for r in receipts} == {"accepted"}
    assert (server.connections, [c.upper() for c in server.commands].count("QUIT")) == (3, 3)


def test_it_can_be_turned_off() -> None:
    with serving(features=IN_ONE_GO) as server:
        sender = sender_for(server, pipelining=False)
        assert sender.check().facts["pipelining"] == "no"
        sender.close()


def test_a_message_larger_than_the_server_takes_is_not_begun() -> None:
    with serving(features=(*IN_ONE_GO, "SIZE 2000")) as server:
        receipts = send(sender_for(server), message(1), message(2, text="long " * 1000), message(3))
    assert [r.outcome for r in receipts] == ["accepted", "refused", "accepted"]
    assert "the server takes at most 2,000" in receipts[1].detail
    assert all("SIZE=" in c for c in server.commands if c.startswith("MAIL"))


FAULTS = st.sampled_from([CLOSE, KEPT_THEN_CLOSE, "421 bye", "451 later", "550 no", "354 go", "999 what", "250 ok"])


@settings(max_examples=30, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(faults=st.dictionaries(st.integers(0, 40), FAULTS, max_size=6), features=st.sampled_from([(), IN_ONE_GO]))
def test_whatever_the_server_does_the_receipts_are_true(faults: dict[int, str], features: tuple[str, ...]) -> None:
    def script(_: int, command: str) -> str | None:
        fault = faults.get(next(turn))
        if command in ("HELLO", "BODY") or command.startswith("EHLO"):
            return CLOSE if fault == CLOSE else None
        if fault == KEPT_THEN_CLOSE and command != "END":
            return CLOSE
        # A yes out of place could make any client believe what is not so; only its own kind of yes is given.
        return None if fault and fault[:3] in ("250", "354") and command in ("END", "DATA") else fault

    turn = iter(range(10_000))
    with serving(script, features=features) as server:
        receipts = send(sender_for(server), *(message(n, subject=str(n)) for n in range(5)))
    came = taken(server)
    assert [r.key for r in receipts] == [f"key-{n}" for n in range(5)]
    for receipt in receipts:
        count = came[receipt.key.removeprefix("key-")]
        assert count in {"accepted": (1,), "unknown": (0, 1)}.get(receipt.outcome, (0,)), receipt
