"""Ask price books what a line costs, and by which steps."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from decimal import Decimal
from functools import cached_property
from typing import Any

from sfactl.api.errors import SfactlError, UserError
from sfactl.proofs.asked import Answers, Asked
from sfactl.proofs.model import Actual, Covered, Trial
from sfactl.proofs.mutants.model import Planted
from sfactl.proofs.mutants.prices import price_mutants
from sfactl.proofs.usecases.bench import Bench
from sfactl.quotes.books import PriceTable, choose, named, with_base
from sfactl.quotes.model import LineRequest, PriceBook, Product, Step
from sfactl.quotes.usecases.prices import price, read_books
from sfactl.quotes.waterfall import skipped_promotions

Books = Mapping[str, PriceBook]


class Prices:
    """Answers trials of prices."""

    def __init__(self, bench: Bench) -> None:
        self._bench = bench

    @cached_property
    def _books(self) -> Books:
        return read_books(self._bench.session)

    def rule(self, trial: Trial) -> Books:
        """The price books of the workspace, whatever the trial."""
        del trial
        return self._books

    def check(self, trial: Trial) -> None:
        """Refuse a question that no price has."""
        for name in ("quantity", "discount"):
            value = trial.asked.get(name, 1)
            if isinstance(value, bool) or not isinstance(value, int | float | str) or not _is_number(value):
                raise UserError(f"given.{name}: {value!r} is not a number")
        for name in ("book", "country", "tier"):
            if not isinstance(trial.asked.get(name, ""), str):
                raise UserError(f"given.{name}: {trial.asked[name]!r} is not text")
        if "products" not in trial.rows:
            said = f'given.products = [{{ sku = "{trial.subject}", name = "…", family = "…" }}]'
            raise UserError(f"given.products: missing; a price is that of a product. Write {said}")

    def observe(self, asked: Sequence[Asked[Books]]) -> Answers:
        """Amount, unit price, list price, book, currency and steps of each trial's line, or the error."""
        return [{trial.number: self._line(one.rule, trial) for trial in one.trials} for one in asked]

    def explain(self, trial: Trial, actual: Actual) -> tuple[tuple[str, ...], str]:
        """The steps of the price, and the promotions that did not count."""
        del trial
        if actual.get("error"):
            return (), str(actual.get("hint") or "")
        lines = [f"{step.layer:<10} {step.rule:<28} {step.amount:>16,}" for step in actual["waterfall"]]
        return (*lines, *(f"not applied: {said}" for said in actual["not_applied"])), ""

    def mutants(self, trials: Sequence[Trial]) -> tuple[list[Planted], list[str]]:
        """All mutants of the price books."""
        return [
            Planted(rule=f"prices {book}", file=f"prices/{book}.toml", mutant=mutant, trials=tuple(trials))
            for book, mutant in price_mutants(self._books)
        ], []

    def coverage(self, trials: Sequence[Trial]) -> list[Covered]:
        """Which books, rows of prices and promotions counted in a price."""
        seen = dict.fromkeys(self._ways(), 0)
        (answers,) = self.observe([Asked(rule=self._books, trials=tuple(trials))])
        for actual in answers.values():
            for key in actual.get("used", ()):
                if key in seen:
                    seen[key] += 1
        return [Covered(rule=rule, what=what, way=way, seen=n) for (rule, what, way), n in seen.items()]

    def _ways(self) -> list[tuple[str, str, str]]:
        found = []
        for book in self._books.values():
            rule = f"prices {book.name}"
            found.append((rule, "the book", "chosen"))
            found += [(rule, _row_name(row.sku, row.from_quantity), "reached") for row in book.prices]
            found += [(rule, f"percent {book.percent}", "taken")] if book.percent else []
            found += [(rule, f"promotion {promotion.name}", "taken") for promotion in book.promotions]
        return found

    def _line(self, books: Books, trial: Trial) -> Actual:
        asked, on = trial.asked, trial.clock.date()
        request = LineRequest(
            line_no=1,
            sku=trial.subject,
            quantity=Decimal(str(asked.get("quantity", 1))),
            discount_percent=Decimal(str(asked.get("discount", 0))),
        )
        try:
            name = asked.get("book", "")
            country, tier = asked.get("country", ""), asked.get("tier", "")
            book = named(books, name, on) if name else choose(books, country=country, tier=tier, on=on)
            base = with_base(book, books, on)
            table = PriceTable(book=book, base=base, products=_products(trial), priced_on=on)
            (line,) = price(self._bench.session, [request], table)
            skipped = skipped_promotions(table.product(trial.subject), table)
        except SfactlError as err:
            return {"error": err.message, "hint": err.hint}
        return {
            "amount": line.amount,
            "unit_price": line.unit_price,
            "list_price": line.list_price,
            "book": book.name,
            "currency": book.currency,
            "steps": {_step_name(step): step.amount for step in line.steps},
            "waterfall": line.steps,
            "not_applied": skipped,
            "used": _used(table, request, line.steps),
        }


def _products(trial: Trial) -> dict[str, Product]:
    return {
        row["sku"]: Product(
            sku=row["sku"],
            name=row.get("name") or row["sku"],
            family=row.get("family") or "",
            unit=row.get("unit") or "",
            active=row.get("active") is not False,
            cost=row.get("cost"),
            currency=row.get("currency") or "",
        )
        for row in trial.rows.get("products", ())
    }


def _step_name(step: Step) -> str:
    """A step as a test names it: its rule without the percentage, which the file says."""
    return "rounding" if step.layer == "rounding" else step.rule.split(" -")[0]


def _used(table: PriceTable, request: LineRequest, steps: Sequence[Step]) -> set[tuple[str, str, str]]:
    """The books, rows and promotions that a price came from."""
    found = {(f"prices {table.book.name}", "the book", "chosen")}
    own = table.own(request.sku)
    tiers, book = (own, table.book) if own else (table.inherited(request.sku), table.base)
    if tiers is not None and book is not None:
        graduated = [row for row in tiers.rows if row.from_quantity <= request.quantity]
        rows = graduated if tiers.mode == "graduated" else [tiers.reached(request.quantity)]
        found |= {(f"prices {book.name}", _row_name(row.sku, row.from_quantity), "reached") for row in rows}
    for step in steps:
        if step.layer == "promotion":
            found.add((f"prices {table.book.name}", f"promotion {_step_name(step).removeprefix('promo:')}", "taken"))
        if step.layer == "book" and own is None:
            found.add((f"prices {table.book.name}", f"percent {table.book.percent}", "taken"))
    return found


def _row_name(sku: str, quantity: Decimal) -> str:
    return f"{sku} from {quantity:f}"


def _is_number(value: Any) -> bool:
    try:
        return Decimal(str(value)).is_finite()
    except ArithmeticError:
        return False
