"""Take a condition apart into the terms joined by AND, to be asked of one entity with their actual values."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from datetime import datetime

from sqlglot import exp
from sqlglot.tokenizer_core import TokenType

from sfactl.engine.conditions.compile import check, segment_levels, settings_of
from sfactl.engine.conditions.expressions import Checker
from sfactl.engine.conditions.model import Condition, Need, Question, SchemaLookup, Term
from sfactl.engine.conditions.needs import needs_of, subject_of
from sfactl.engine.conditions.plan import Plan, quote
from sfactl.engine.conditions.scope import Scope
from sfactl.engine.conditions.source import DIALECT, Source, operands, tokens
from sfactl.engine.conditions.typed import sql_of

HOLDS = "_holds"


def ask(
    text: str,
    *,
    entity: str = "leads",
    schemas: SchemaLookup,
    now: datetime,
    where: str = "",
    segments: Collection[str] | None = None,
    scores: Collection[str] | None = None,
    tags: Collection[str] | None = None,
    layers: Collection[str] | None = None,
    using: Sequence[Condition] = (),
) -> Question:
    """The question whether one entity (bound as ``$key``) meets ``text``, term by term.

    ``using`` are segments that ``member_of`` computes instead of looking up their stored members. Raises
    `ConditionError`.
    """
    plan = Plan(settings_of(entity, schemas, now, segments, scores, tags, layers))
    source = Source(text=text, where=where)
    tree = source.parse()
    levels, members = segment_levels(plan, using)
    checker = Checker(plan, Scope(plan.settings, source), members)
    columns = [f"{check(plan, source, tree, members)} as {quote(HOLDS)}"]
    terms = []
    for number, (node, written) in enumerate(term_texts(source, tree)):
        name, value_name = f"_t{number}", f"_v{number}"
        columns.append(f"{checker.condition(node)} as {quote(name)}")
        subject = subject_of(checker, node)
        if subject is not None:
            columns.append(f"{sql_of(subject, plan)} as {quote(value_name)}")
        needs: tuple[Need, ...] = needs_of(checker, node)
        terms.append(
            Term(text=written, column=name, value_column=value_name if subject is not None else None, needs=needs)
        )
    sql = plan.statement([*levels, columns], one=True)
    return Question(
        sql=sql,
        params=plan.used(sql),
        holds=HOLDS,
        terms=tuple(terms),
        relations=plan.relations(),
    )


def term_texts(source: Source, tree: exp.Expr) -> list[tuple[exp.Expr, str]]:
    """The terms joined by AND at the top, each with its text as people wrote it, in one line."""
    first, last = 0, len(source.text)
    while isinstance(tree, exp.Paren):
        first, last = source.text.index("(", first) + 1, source.text.rindex(")", first, last)
        tree = tree.this
    nodes = list(operands(tree, exp.And))
    texts = _split(source, first, last) if isinstance(tree, exp.And) else [source.text[first:last]]
    if len(texts) != len(nodes):  # a bracketed AND inside the chain was flattened with it
        texts = [node.sql(dialect=DIALECT) for node in nodes]
    return [(node, " ".join(text.split())) for node, text in zip(nodes, texts, strict=True)]


def _split(source: Source, first: int, last: int) -> list[str]:
    texts, begin, depth, betweens = [], first, 0, 0
    for token in tokens(source.text):
        if token.start < first or token.end >= last:
            continue
        if token.token_type == TokenType.L_PAREN:
            depth += 1
        elif token.token_type == TokenType.R_PAREN:
            depth -= 1
        elif token.token_type == TokenType.BETWEEN and depth == 0:
            betweens += 1
        elif token.token_type == TokenType.AND and depth == 0:
            if betweens:
                betweens -= 1
                continue
            texts.append(source.text[begin : token.start])
            begin = token.end + 1
    return [*texts, source.text[begin:last]]
