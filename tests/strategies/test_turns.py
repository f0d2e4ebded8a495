"""Touches that are judged together: those that nobody passes on the way to another in one walk."""

from __future__ import annotations

import pytest

from sfactl.strategies.files import parse_strategy
from sfactl.strategies.turns import turns

from .conftest import FRIDAY, HEAD, TASK, TOUCH, Acme

REMIND = TOUCH.replace('"offer"', '"remind"')
LAST = TOUCH.replace('"offer"', '"last"')


def step(text: str, name: str = "between") -> str:
    """A step between touches."""
    return f'[[steps]]\nname = "{name}"\n{text}\n'


SPLIT = (
    'action = "split"\narms = [{ name = "a", share = 1, next = "offer" }, { name = "b", share = 1, next = "remind" }]'
)


@pytest.mark.parametrize(
    ("steps", "told"),
    [
        pytest.param((TOUCH, REMIND, LAST), [0, 1, 2], id="one after the other"),
        pytest.param((TOUCH, step('action = "wait"\nfor = "1 day"'), REMIND), [0, 0], id="a wait between keeps all"),
        pytest.param(
            (TOUCH, step('action = "wait"\nfor = "1 day"\nuntil = "status = \'mql\'"'), REMIND),
            [0, 1],
            id="a wait that may end at once",
        ),
        pytest.param((TOUCH, step('action = "wait"\nfor = "0 days"'), REMIND), [0, 1], id="a wait of no length"),
        pytest.param((TOUCH, TASK, REMIND), [0, 1], id="a task between"),
        pytest.param((step(SPLIT), TOUCH + 'next = "last"\n', REMIND, LAST), [0, 0, 1], id="arms that meet again"),
        pytest.param((step(SPLIT), TOUCH + 'next = "end"\n', REMIND, LAST), [0, 0, 1], id="one that leads out"),
    ],
)
def test_a_touch_comes_after_those_that_may_be_passed_before_it(steps: tuple[str, ...], told: list[int]) -> None:
    strategy = parse_strategy(HEAD + "".join(steps), "winback", where="winback.toml")
    assert list(turns(strategy).values()) == told


def test_who_is_skipped_is_judged_with_those_who_stand_at_the_next_touch(acme: Acme) -> None:
    acme.leads(1, email="both@example.com")
    acme.leads(2, email="both@example.com")
    acme.leads(3)
    acme.strategy(TOUCH + 'channel = "sms"\n', REMIND)
    for number in (2, 3):
        acme.enrol(number, "remind", FRIDAY)
    assert acme.walked() == {
        (1, "entry"): "enter → offer",
        (1, "offer"): "skip (no address) → remind",
        (1, "remind"): "send",
        (2, "remind"): "skip (duplicate address) → end",
        (3, "remind"): "send",
    }
