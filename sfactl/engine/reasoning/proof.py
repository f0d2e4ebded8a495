"""Prove that conditions about one entity at one moment cannot all be as claimed, and name the terms that prevent it.

Nothing is called impossible that could be: what the reader does not understand, or the search cannot finish, may be.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime

from sqlglot import exp

from sfactl.engine.conditions.compile import settings_of
from sfactl.engine.conditions.entity import relation_of
from sfactl.engine.conditions.explain import term_texts
from sfactl.engine.conditions.expressions import Checker
from sfactl.engine.conditions.model import SchemaLookup
from sfactl.engine.conditions.plan import Plan
from sfactl.engine.conditions.scope import Scope
from sfactl.engine.conditions.source import Source, operands
from sfactl.engine.reasoning.domain import Domain
from sfactl.engine.reasoning.formula import ALWAYS, Formula, Search
from sfactl.engine.reasoning.reading import Reader, Rows, Want

ROWS_BUDGET = 400
"""Filters are small, and many pairs of them are compared."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Claim:
    """The condition ``text``, which stands at ``where``, holds; or with ``holds`` false, does not: false or unknown."""

    text: str
    where: str
    holds: bool = True


@dataclass(frozen=True, slots=True, kw_only=True)
class Reason:
    """One of the terms that cannot hold together: as written, with "not" before it where it must not hold."""

    where: str
    text: str


@dataclass(frozen=True, slots=True)
class _Term:
    reason: Reason
    formula: Formula


class Prover:
    """Proves about conditions on ``entity`` for the time ``now``. ``segments`` are the conditions of segments by name.

    All texts must compile; what does not raises `ConditionError`.
    """

    def __init__(
        self,
        schemas: SchemaLookup,
        *,
        now: datetime,
        entity: str = "leads",
        segments: Mapping[str, Claim] | None = None,
    ) -> None:
        self._plan = Plan(settings_of(entity, schemas, now))
        self._segments = segments or {}
        self._counts: dict[str, tuple[Rows, Checker]] = {}
        self._implied: dict[tuple[str, str], bool] = {}
        self._open: list[str] = []

    def clash(self, *claims: Claim) -> tuple[Reason, ...] | None:
        """The fewest terms of ``claims`` that are proven not to hold together, or None where they may.

        No term can be left out of the answer, but there may be others as small.
        """
        terms = [term for claim in claims for term in self._terms(claim)]
        if not self._impossible(terms):
            return None
        for term in list(terms):
            rest = [other for other in terms if other is not term]
            if self._impossible(rest):
                terms = rest
        return tuple(term.reason for term in terms)

    def never(self, claim: Claim) -> tuple[Reason, ...] | None:
        """The terms for which a condition can never hold, or None where it may."""
        return self.clash(claim)

    def always(self, claim: Claim) -> bool:
        """Whether a condition is proven to hold for everybody."""
        return self.clash(Claim(text=claim.text, where=claim.where, holds=False)) is not None

    def implies(self, one: Claim, other: Claim) -> bool:
        """Whether it is proven that ``other`` holds wherever ``one`` does."""
        return self.clash(one, Claim(text=other.text, where=other.where, holds=False)) is not None

    def dead_alternatives(self, claim: Claim) -> list[tuple[Reason, tuple[Reason, ...]]]:
        """Alternatives of an OR in ``claim`` that can never hold beside its other terms, each with the terms why."""
        source = Source(text=claim.text, where=claim.where)
        reader = self._reader(source)
        terms = term_texts(source, source.parse())
        found = []
        for term, _ in terms:
            bare = term
            while isinstance(bare, exp.Paren):
                bare = bare.this
            if not isinstance(bare, exp.Or):
                continue
            beside = [self._term(source, reader, n, "true", text) for n, text in terms if n is not term]
            for part in operands(bare, exp.Or):
                own = self._term(source, reader, part, "true", source.written(part))
                if self._impossible([own, *beside]) and not self._impossible(beside):
                    found.append((own.reason, self._fewest([own, *beside])))
        return found

    def idle_terms(self, claim: Claim) -> list[Reason]:
        """Terms of ``claim`` that leave nobody out whom the others let in."""
        source = Source(text=claim.text, where=claim.where)
        reader = self._reader(source)
        nodes = term_texts(source, source.parse())
        terms = [self._term(source, reader, node, "true", text) for node, text in nodes]
        found: list[int] = []
        for place, (node, text) in enumerate(nodes):
            others = [term for at, term in enumerate(terms) if at != place and at not in found]
            if others and self._impossible([*others, self._term(source, reader, node, "not true", text)]):
                found.append(place)
        return [terms[place].reason for place in found]

    def _fewest(self, terms: Sequence[_Term]) -> tuple[Reason, ...]:
        kept = list(terms)
        for term in terms[1:]:
            rest = [other for other in kept if other is not term]
            if self._impossible(rest):
                kept = rest
        return tuple(term.reason for term in kept)

    def _terms(self, claim: Claim) -> list[_Term]:
        source = Source(text=claim.text, where=claim.where)
        reader = self._reader(source)
        tree = source.parse()
        if not claim.holds:
            whole = " ".join(claim.text.split())
            return [self._term(source, reader, tree, "not true", f"not ({whole})")]
        return [self._term(source, reader, node, "true", text) for node, text in term_texts(source, tree)]

    def _term(self, source: Source, reader: Reader, node: exp.Expr, want: Want, written: str) -> _Term:
        try:
            formula = reader.read(node, want)
        except RecursionError:
            formula = ALWAYS
        return _Term(Reason(where=source.where, text=written), formula)

    def _reader(self, source: Source) -> Reader:
        return Reader(Checker(self._plan, Scope(self._plan.settings, source)), self._counts, self._members)

    def _members(self, name: str, want: Want) -> Formula | None:
        """What membership of the segment ``name`` means; None where it is not known, or in a circle."""
        if name not in self._segments or name in self._open:
            return None
        meant = self._segments[name]
        source = Source(text=meant.text, where=meant.where)
        self._open.append(name)
        try:
            return self._reader(source).read(source.parse(), want)
        finally:
            self._open.pop()

    def _impossible(self, terms: Sequence[_Term]) -> bool:
        return Search(self._fits).impossible([term.formula for term in terms])

    def _fits(self, known: Mapping[str, Domain]) -> bool:
        """Rows that meet a narrower filter are no more than those that meet a wider one."""
        counted = [key for key in known if key in self._counts]
        for narrow in counted:
            least = known[narrow].least
            if least is None or least <= 0:
                continue
            for wide in counted:
                most = known[wide].most
                if wide != narrow and most is not None and least > most and self._within(narrow, wide):
                    return False
        return True

    def _within(self, narrow: str, wide: str) -> bool:
        """Whether every row counted as ``narrow`` is proven to be counted as ``wide`` too."""
        if (narrow, wide) not in self._implied:
            self._implied[narrow, wide] = False  # what is being asked is not yet known
            self._implied[narrow, wide] = self._rows_within(*self._counts[narrow], *self._counts[wide])
        return self._implied[narrow, wide]

    def _rows_within(self, one: Rows, by: Checker, other: Rows, beside: Checker) -> bool:
        if one.relation != other.relation:
            return False
        if other.where is None:
            return True
        counts: dict[str, tuple[Rows, Checker]] = {}
        wide = self._row_reader(other, beside, counts).read(other.where, "not true")
        narrow = ALWAYS if one.where is None else self._row_reader(one, by, counts).read(one.where, "true")
        return Search(lambda _: True, ROWS_BUDGET).impossible([narrow, wide])

    def _row_reader(self, rows: Rows, checker: Checker, counts: dict[str, tuple[Rows, Checker]]) -> Reader:
        settings = self._plan.settings
        relation = relation_of(rows.relation, settings.entity, settings.schemas)
        assert relation is not None
        scan = self._plan.scan(relation.dataset, relation.time)
        scope = Scope(settings, checker.source, relation=relation, scan=scan)
        return Reader(checker.within(scope), counts, lambda _name, _want: None)
