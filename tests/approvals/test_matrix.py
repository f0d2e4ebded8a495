"""The approval matrix of quotes and orders at the prompt: who may, by how much, never oneself, and never for other prices."""

from __future__ import annotations

from collections.abc import Callable
from decimal import Decimal
from pathlib import Path

import pytest

from sfactl.api.errors import ConfigError
from sfactl.cli.main import main
from sfactl.config.approvals import Approvals, Rule, read_approvals
from sfactl.config.settings import Settings
from sfactl.session import open_session

FILES = {
    "approvals.toml": """schema = 1
[[rules]]
what = "quote"
discount = 5
by = ["team:leads"]
[[rules]]
what = "quote"
discount = 15
by = ["boss"]
[[rules]]
what = "quote"
above = 10000
by = ["cfo", "boss"]
[[rules]]
what = "order"
above = 5000
by = ["desk"]
""",
    "prices/list.toml": 'schema = 1\ncurrency = "EUR"\nprices = [{ sku = "LX-300", price = 1000 }]\n',
    "erp/files.toml": 'schema = 1\nuse = "files"\nfolder = "books"\n',
    "products.csv": "sku,name\nLX-300,Laser\n",
}
Call = Callable[..., str]


@pytest.fixture
def shop(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> Call:
    """A workspace with a deal and reps; call it with an actor, a command and the code that is expected."""
    monkeypatch.setenv("SFACTL_NOW", "2026-06-15T12:00:00")
    folder = tmp_path / "shop"
    assert main(["-q", "init", str(folder)]) == 0
    for name, text in FILES.items():
        (folder / name).write_text(text, encoding="utf-8")
    (folder / "prices/dealer.toml").unlink()
    with open_session(folder, settings=Settings(), command="test", actor="tester") as session:
        with session.write("accounts", "opportunities", "reps") as tx:
            tx.upsert("accounts", "select 1 as account_id, 'Acme' as name")
            tx.upsert(
                "opportunities",
                "select 1 as opportunity_id, 1 as account_id, 'proposal' as stage, 'open' as category",
            )
            tx.upsert("reps", "select 'lena' as rep_id, 'leads' as team union all select 'amy', 'sales'")
            tx.commit()

    def call(actor: str, *args: str, code: int = 0) -> str:
        done = main(["-w", str(folder), "--actor", actor, *args])
        shown = capsys.readouterr()
        assert done == code, shown
        return shown.out + shown.err

    call("tester", "product", "import", str(folder / "products.csv"))
    return call


def quote(shop: Call, line: str) -> str:
    """Price a quote as amy."""
    return shop("amy", "quote", "create", "--opportunity", "1", "--line", line)


def test_a_small_quote_needs_nobody(shop: Call) -> None:
    """At the boundary the rule does not count yet."""
    assert "approval" not in quote(shop, "LX-300=1@5%")
    assert "nothing is left to approve" in shop("boss", "quote", "approve", "Q-1")
    shop("amy", "quote", "send", "Q-1")
    shop("amy", "quote", "accept", "Q-1")


def test_a_discount_is_approved_by_whom_its_size_asks_for(shop: Call) -> None:
    """Neither sent nor accepted before; not by who priced it, not by a colleague, not by the smaller rule's team."""
    assert "Needs an approval: more than 5 % off by hand: team:leads" in quote(shop, "LX-300=1@10%")
    for verb in ("send", "accept"):
        assert "Q-1 needs an approval: more than 5 % off by hand: team:leads" in shop(
            "amy", "quote", verb, "Q-1", code=2
        )
    assert "amy made it" in shop("amy", "quote", "approve", "Q-1", code=2)
    assert "is not for boss to approve" in shop("boss", "quote", "approve", "Q-1", code=2)
    assert "approved (more than 5 % off by hand)" in shop("lena", "quote", "approve", "Q-1", "--reason", "first order")
    assert "nothing is left" in shop("lena", "quote", "approve", "Q-1")
    assert "Approved: more than 5 % off by hand: team:leads, given by lena" in shop("amy", "quote", "show", "Q-1")
    shop("amy", "quote", "send", "Q-1")
    shop("amy", "quote", "accept", "Q-1")
    assert "there is nothing to approve" in shop("lena", "quote", "approve", "Q-1", code=2)


def test_what_is_priced_anew_is_asked_about_anew(shop: Call) -> None:
    """A word for ten percent is none for twelve."""
    quote(shop, "LX-300=1@10%")
    shop("lena", "quote", "approve", "Q-1")
    shop("amy", "quote", "revise", "Q-1", "--line", "LX-300=1@12%")
    assert "needs an approval" in shop("amy", "quote", "send", "Q-1", code=2)
    shop("lena", "quote", "approve", "Q-1")
    shop("amy", "quote", "send", "Q-1")


def test_discount_and_sum_are_two_words_which_one_person_may_give(shop: Call) -> None:
    """By the highest rule of each."""
    shown = quote(shop, "LX-300=20@20%")
    assert "more than 15 % off by hand: boss" in shown
    assert "more than 10,000: cfo or boss" in shown
    assert "team:leads" not in shown
    said = shop("cfo", "quote", "approve", "Q-1")
    assert "approved (more than 10,000)." in said
    assert "Still needs an approval: more than 15 % off by hand: boss" in said
    assert "needs an approval" in shop("amy", "quote", "send", "Q-1", code=2)
    shop("boss", "quote", "approve", "Q-1")
    shop("amy", "quote", "send", "Q-1")


def test_an_order_waits_for_its_approval_and_the_erp_is_told_after(shop: Call) -> None:
    """Not by who made it; what needs none goes on."""
    quote(shop, "LX-300=6")
    quote(shop, "LX-300=1")
    for name in ("Q-1", "Q-2"):
        shop("desk", "quote", "accept", name)
    pushed = shop("ci", "erp", "push", code=3)
    assert "1 order" in pushed
    assert "needs an approval: more than 5,000: desk (sfactl order approve O-1)" in " ".join(pushed.split())
    assert "desk made it" in shop("desk", "order", "approve", "O-1", code=2)
    assert "is not for amy to approve" in shop("amy", "order", "approve", "O-1", code=2)


def test_a_dry_run_gives_no_word(shop: Call) -> None:
    """It says whose it would be."""
    quote(shop, "LX-300=1@10%")
    assert "Dry run" in shop("lena", "quote", "approve", "Q-1", "--dry-run")
    assert "needs an approval" in shop("amy", "quote", "send", "Q-1", code=2)


def test_an_approved_order_is_pushed(shop: Call) -> None:
    """Once."""
    quote(shop, "LX-300=6")
    shop("amy", "quote", "accept", "Q-1")
    shop("desk", "order", "approve", "O-1")
    assert "Approved: more than 5,000: desk, given by desk" in shop("amy", "order", "show", "O-1")
    shop("ci", "erp", "push")
    assert "is pushed" in shop("desk", "order", "approve", "O-1", code=2)


RULES = Approvals(
    rules=(
        Rule(what="order", by=("a",), above=100),
        Rule(what="order", by=("b",), above=100, currency="TWD"),
        Rule(what="order", by=("c",), above=3000, currency="TWD"),
    )
)


@pytest.mark.parametrize(
    ("amount", "currency", "by"),
    [("100", "EUR", ""), ("100.01", "EUR", "a"), ("5000", "EUR", "a"), ("2000", "TWD", "b"), ("3001", "TWD", "c")],
)
def test_of_equal_rules_that_of_the_currency_counts(amount: str, currency: str, by: str) -> None:
    """Sums of other currencies are not compared."""
    found = RULES.needed("order", amount=Decimal(amount), discount=Decimal(0), currency=currency)
    assert "".join(r.by[0] for r in found) == by


@pytest.mark.parametrize(
    ("rule", "said"),
    [
        ('what = "order"\ndiscount = 5', "discount: it is for quotes"),
        ('what = "quote"\ndiscount = 100', "not a percentage"),
        ('what = "quote"\ndiscount = -1', "not a percentage"),
        ('what = "campaign"\ncurrency = "TWD"', "only quotes and orders"),
        ('what = "quote"\ndiscount = 5\nabove = 5', "neither above nor currency"),
    ],
    ids=["order", "all", "negative", "campaign", "both"],
)
def test_a_rule_that_cannot_be_meant_is_refused(tmp_path: Path, rule: str, said: str) -> None:
    """With what is wrong."""
    (tmp_path / "approvals.toml").write_text(f'schema = 1\n[[rules]]\nby = ["x"]\n{rule}\n', encoding="utf-8")
    with pytest.raises(ConfigError, match=said):
        read_approvals(tmp_path)


def test_two_rules_for_one_size_are_refused(tmp_path: Path) -> None:
    """Nobody could tell which counts."""
    text = '[[rules]]\nwhat = "quote"\ndiscount = 5\nby = ["x"]\n'
    (tmp_path / "approvals.toml").write_text(f"schema = 1\n{text}{text}", encoding="utf-8")
    with pytest.raises(ConfigError, match="two for quote with a discount above 5"):
        read_approvals(tmp_path)
