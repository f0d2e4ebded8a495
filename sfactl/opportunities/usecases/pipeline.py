"""Look at all deals at once: list, pipeline by stage, board, win rates; and filter out the bad ones."""

from __future__ import annotations

import difflib
from collections.abc import Mapping
from datetime import date
from decimal import Decimal
from pathlib import Path
from typing import TYPE_CHECKING, Any

from sfactl.api.errors import DataError, UserError
from sfactl.config.objects import read_object
from sfactl.config.stages import Pipeline, pipeline_of, read_pipelines
from sfactl.opportunities.model import (
    Board,
    BoardColumn,
    Card,
    Filtered,
    FilterRules,
    PipelineTotals,
    StageTotal,
    WinRate,
    WinRates,
)
from sfactl.opportunities.winrate import win_rate

if TYPE_CHECKING:
    import pyarrow as pa

    from sfactl.engine.duck import Query
    from sfactl.session import Session
    from sfactl.workspace import Transaction

GROUPS: Mapping[str, str] = {
    "rep": "o.owner",
    "source": "o.source",
    "campaign": "o.campaign",
    "product": "o.product_interest",
    "pipeline": "o.pipeline",
    "month": "strftime(o.created_at, '%Y-%m')",
}
"""What a win rate may be told by. The source is that of the lead, kept when it was converted."""


def list_deals(
    session: Session,
    *,
    stage: str | None = None,
    owner: str | None = None,
    pipeline: str | None = None,
    category: str | None = None,
    account_id: int | None = None,
    where: str | None = None,
    disqualified: bool = False,
    limit: int = 0,
) -> pa.Table:
    """The deals that pass every filter, by number; those filtered out only if ``disqualified``; ``limit`` 0 is all."""
    params: dict[str, Any] = {"stage": stage, "owner": owner, "pipeline": pipeline, "category": category}
    params |= {"account_id": account_id, "disqualified": disqualified}
    with session.query() as query:
        sql = query.statement("opportunities", "chosen")
        if where is not None:
            held, more = _condition(session, where, "--where")
            sql, params = f"{sql} and o.opportunity_id in ({held})", params | more
        query.run(f"create temp table chosen as {sql}", params)
        return query.table(query.statement("opportunities", "list") + (f" limit {int(limit)}" if limit else ""))


def pipeline_totals(session: Session, *, owner: str | None = None, pipeline: str | None = None) -> PipelineTotals:
    """Open deals by stage with amounts, plain and weighted by their probabilities.

    Raises `DataError` naming the rows that are in a stage no pipeline has.
    """
    pipelines = read_pipelines(session.folder)
    if pipeline is not None:
        pipeline_of(pipelines, pipeline)
    with session.query() as query:
        check_stages(query, pipelines)
        rows = query.rows(query.statement("opportunities", "stages"), {"owner": owner, "pipeline": pipeline})
        filtered = query.one(
            "select count(*) from opportunities where category = 'open' and disqualified_reason is not null"
        )
        found = {(r[0], r[1], r[2]): r for r in rows}
        currencies = sorted({r[2] for r in rows}) or [session.settings.workspace.currency]
        totals = [
            _stage_total(p, stage.name, currency, found.get((p.name, stage.name, currency)))
            for p in pipelines.values()
            if pipeline in (None, p.name)
            for currency in currencies
            for stage in p.of("open")
        ]
        return PipelineTotals(
            as_of=session.as_of or "now",
            stages=tuple(totals),
            deals=sum(t.deals for t in totals),
            amount={c: sum((t.amount for t in totals if t.currency == c), Decimal(0)) for c in currencies},
            weighted={c: sum((t.weighted for t in totals if t.currency == c), Decimal(0)) for c in currencies},
            disqualified=filtered[0] if filtered else 0,
        )


def _stage_total(pipeline: Pipeline, stage: str, currency: str, row: tuple[Any, ...] | None) -> StageTotal:
    deals, without, amount, weighted = row[3:7] if row else (0, 0, Decimal(0), Decimal(0))
    return StageTotal(
        pipeline=pipeline.name,
        stage=stage,
        category=pipeline.stage(stage).category,
        probability=pipeline.stage(stage).probability,
        currency=currency,
        deals=deals,
        without_amount=without,
        amount=amount,
        weighted=weighted,
    )


def board(session: Session, *, pipeline: str | None = None, owner: str | None = None, cards: int = 5) -> Board:
    """One pipeline as a board: a column a stage, with its biggest deals as cards."""
    pipelines = read_pipelines(session.folder)
    chosen = pipeline_of(pipelines, pipeline)
    with session.query() as query:
        check_stages(query, pipelines)
        params = {"pipeline": chosen.name, "owner": owner, "cards": cards}
        sums = query.rows(query.statement("opportunities", "board"), params)
        shown = query.rows(query.statement("opportunities", "cards"), params)
    columns = tuple(
        BoardColumn(
            stage=stage.name,
            category=stage.category,
            deals=sum(r[2] for r in sums if r[0] == stage.name),
            amount={r[1]: r[3] for r in sorted(sums) if r[0] == stage.name},
            cards=tuple(
                Card(opportunity_id=r[0], name=r[1], amount=r[2], currency=r[3], owner=r[4])
                for r in sorted(shown, key=lambda r: r[6])
                if r[5] == stage.name
            ),
        )
        for stage in chosen.stages
    )
    currencies = sorted({r[1] for r in sums})
    return Board(
        pipeline=chosen.name,
        columns=columns,
        deals=sum(c.deals for c in columns),
        amount={c: sum((r[3] for r in sums if r[1] == c), Decimal(0)) for c in currencies},
    )


def win_rates(
    session: Session,
    *,
    by: str | None = None,
    denominator: str = "all",
    since: date | None = None,
    until: date | None = None,
) -> WinRates:
    """Won deals over all and over the closed ones, with 95 % intervals, for deals made from ``since`` to ``until``.

    Where deals were filtered out, each group comes twice: ``all`` of them, and only the ``qualified``.
    """
    with session.query() as query:
        check_stages(query, read_pipelines(session.folder))
        return WinRates(by=by, denominator=denominator, rows=tuple(_rates(query, by, since, until)))


def _rates(query: Query, by: str | None, since: date | None, until: date | None) -> list[WinRate]:
    sql = query.statement("opportunities", "outcomes").format(group=GROUPS[by] if by else "null")
    found = query.rows(sql, {"since": since, "until": until})
    if not by and not found:
        found = [(None, 0, 0, 0, 0)]
    rates = []
    for group, won, lost, still_open, filtered in found:
        rates.append(win_rate(group, "all", won=won, lost=lost, still_open=still_open))
        if filtered:
            rates.append(win_rate(group, "qualified", won=won, lost=lost, still_open=still_open - filtered))
    return rates


def filter_deals(session: Session, name: str) -> Filtered:
    """Take the open deals for which a rule holds out of the active pipeline; they stay in the history.

    ``name`` is that of a file in ``filters/``, or the path of one. The first rule that holds gives the reason. Deals
    that were filtered before stay as they are.
    """
    path = Path(name) if name.endswith(".toml") else session.folder / "filters" / f"{name}.toml"
    rules, tests = _filter_tests(session, path)
    with session.write("opportunities", "field_events") as tx:
        before = _rates(tx.query, None, None, None)[-1]
        parts = [
            f"select opportunity_id, {i} as place from opportunities where opportunity_id in ({sql})"
            for i, (sql, _) in enumerate(tests)
        ]
        params: dict[str, Any] = {key: value for _, more in tests for key, value in more.items()}
        params["names"], params["reasons"] = [r.name for r in rules.rules], [r.reason for r in rules.rules]
        tx.query.run(
            f"create temp table caught as {tx.query.statement('opportunities', 'caught')}".format(
                caught=" union all ".join(parts)
            ),
            params,
        )
        counted = dict(tx.query.rows("select rule, count(*) from caught group by rule order by rule"))
        caught = sum(counted.values())
        seq = _write_caught(session, tx, path, caught) if caught else None
        return Filtered(
            filtered=caught,
            by_rule={r.name: counted.get(r.name, 0) for r in rules.rules},
            before=before,
            after=win_rate(None, "qualified", won=before.won, lost=before.lost, still_open=before.open - caught),
            dry_run=session.dry_run,
            commit=seq,
        )


def _filter_tests(session: Session, path: Path) -> tuple[FilterRules, list[tuple[str, dict[str, Any]]]]:
    """The rules of a file and their compiled conditions. Raises `ConfigError` or `ConditionError`."""
    rules = read_object(FilterRules, path)
    if not rules.rules:
        raise UserError(f"{path}: rules: there are none")
    return rules, [_condition(session, r.where, f"{path}: rules[{i}].where", i) for i, r in enumerate(rules.rules)]


def check(session: Session) -> tuple[str, ...]:
    """What is wrong with pipelines and filters that only the schemas tell: unknown fields, wrong conditions."""
    types, problems = session.workspace.schemas["opportunities"].types, []
    for pipeline in read_pipelines(session.folder).values():
        for stage in pipeline.stages:
            for field in (*stage.enter, *stage.leave):
                if field not in types:
                    near = difflib.get_close_matches(field, types, 1)
                    hint = f" Did you mean {near[0]!r}?" if near else ""
                    problems.append(f"stages/{pipeline.name}.toml: stage {stage.name}: no field {field!r}.{hint}")
    for path in sorted((session.folder / "filters").glob("*.toml")):
        try:
            _filter_tests(session, path)
        except UserError as err:
            problems.append(err.message.replace(f"{session.folder}/", ""))
    return tuple(problems)


def _write_caught(session: Session, tx: Transaction, path: Path, caught: int) -> int | None:
    params = {"now": session.now(), "actor": session.actor, "seq": tx.query.seq, "file": path.name}
    tx.upsert("opportunities", tx.query.statement("opportunities", "disqualified"), params)
    tx.append("field_events", tx.query.statement("opportunities", "disqualified_events"), params)
    return tx.commit(filtered=caught).seq


def _condition(session: Session, text: str, where: str, place: int = 0) -> tuple[str, dict[str, Any]]:
    """A condition over deals as a SELECT of their numbers, its parameters named apart from those of others."""
    import re

    from sfactl.engine.conditions import compile_condition  # late: only a condition pays for its parser

    compiled = compile_condition(
        text, entity="opportunities", schemas=session.workspace.schemas, where=where, now=session.now()
    )
    sql, params = compiled.sql, {}
    for name in sorted(compiled.params, key=len, reverse=True):
        sql = re.sub(rf"\${re.escape(name)}\b", f"$c{place}_{name}", sql)
        params[f"c{place}_{name}"] = compiled.params[name]
    return sql, params


def check_stages(query: Query, pipelines: Mapping[str, Pipeline]) -> None:
    """Raise `DataError` naming the deals whose stage is in the data but in no pipeline."""
    import pyarrow as pa

    configured = [(p.name, s.name) for p in pipelines.values() for s in p.stages]
    names = ["pipeline", "stage"]
    query.register("configured", pa.table([list(column) for column in zip(*configured, strict=True)], names=names))
    problems = []
    for name, stage, deals, some in query.rows(query.statement("opportunities", "strangers")):
        known = [s for p, s in configured if p == name]
        near = difflib.get_close_matches(stage or "", known, 1)
        what = f"stage {stage!r} of pipeline {name!r}, which stages/{name}.toml does not have"
        more = f" and {deals - 5} more" if deals > 5 else ""
        problems.append(f"{some}{more}: {what}.{f' Did you mean {near[0]!r}?' if near else ''}")
    if problems:
        raise DataError("; ".join(problems), hint="Add the stage to the pipeline, or move the deals out of it.")
