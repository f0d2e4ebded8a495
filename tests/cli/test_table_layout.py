"""Tables line up on a terminal, whatever the script, and fit its width."""

from __future__ import annotations

from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st
from wcwidth import wcswidth

from sfactl.cli import tables


def test_wide_characters_and_emoji_line_up() -> None:
    lines = tables.table(
        ("company", "city", "amount"),
        [("台灣精密機械", "台北", Decimal("1280000.00")), ("Acme 🚀", "Oslo", Decimal("-5.50")), ("é́", None, None)],
    )
    assert lines == [
        "company       city      amount",
        "台灣精密機械  台北  1280000.00",
        "Acme 🚀       Oslo       -5.50",
        "é́",
    ]


def test_numbers_are_right_aligned_and_never_cut() -> None:
    lines = tables.table(("name", "n"), [("a" * 40, 123456789012), ("b", 1)], fit=24)
    assert lines[1:] == ["aaaaaaaaa…  123456789012", "b                      1"]
    assert lines[0] == "name                   n"


@given(st.text(max_size=30), st.integers(min_value=1, max_value=40))
def test_cut_fits_and_keeps_what_fits(text: str, columns: int) -> None:
    text = "".join(c for c in text if c.isprintable())
    cut = tables.cut(text, columns)
    assert tables.width(cut) <= columns
    assert cut == text or (cut.endswith("…") and text.startswith(cut[:-1]))


@pytest.mark.parametrize("fit", [30, 50, 80])
def test_a_wide_table_fits_the_terminal(fit: int) -> None:
    rows = [("台灣精密機械股份有限公司", "a very long address somewhere in the hills", "x" * 50)]
    for line in tables.table(("company", "address", "note"), rows, fit=fit):
        assert wcswidth(line) <= fit


@pytest.mark.parametrize("fit", [30, 80, 120])
def test_columns_without_room_are_left_out_and_counted(fit: int) -> None:
    names = [f"column_{i}" for i in range(40)]
    lines = tables.table(names, [["some text"] * 40], fit=fit)
    assert all(wcswidth(line) <= fit for line in lines)
    shown, left = lines[0].split()[:-1], lines[0].split()[-1]
    assert left == f"+{40 - len(shown)}"


def test_markdown_escapes_bars() -> None:
    assert tables.markdown(("a", "n"), [("x|y", 1)]) == ["| a | n |", "| --- | ---: |", "| x\\|y | 1 |"]


def test_columns_variable_wins(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("COLUMNS", "44")
    assert tables.terminal_width() == 44
