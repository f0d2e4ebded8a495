"""Rows that are a lead and an event at once: what somebody wrote into a form, and that they did.

The event goes to the lead that the row was matched with; its id is made from what the row says, so that the same
posting never counts twice. A row that is refused as a lead is no event either.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace

from sfactl.api.errors import ConfigError
from sfactl.engine.duck import Query
from sfactl.leads.cleaning.clean import Cleaned
from sfactl.leads.cleaning.expression import literal, name
from sfactl.leads.files.staging import Staged
from sfactl.leads.headers import recognise
from sfactl.leads.mapping import Defaults, plan_mapping
from sfactl.leads.model import LeadMapping, Plan, TouchRules
from sfactl.leads.visitors import resolve
from sfactl.schemas import Dataset
from sfactl.workspace import Transaction

FORM = "form_submit"
KEPT = ("lead_id", "contact_id", "account_id")
"""Columns of a touchpoint that matching fills."""


def rules_of(columns: Sequence[str], form: str) -> TouchRules:
    """How a file of the form ``form`` says when and where it was filled in, by its headers."""
    found = recognise(columns, "posts")
    said = {field: columns[i] for field, i in found.items() if field != "content"}
    return TouchRules(columns=said, constants={"content": form})


def plan(
    rules: TouchRules, mapping: LeadMapping | None, dataset: Dataset, columns: Sequence[str], defaults: Defaults
) -> Plan:
    """The rules laid over the columns. Raises `ConfigError` where no column says when it happened."""
    base = mapping or LeadMapping(name="form")
    touch = LeadMapping(
        name=base.name,
        columns=rules.columns,
        optional=rules.optional,
        constants={"kind": rules.kind, "channel": "web", "direction": "inbound", **rules.constants},
        transforms=rules.transforms,
        placeholders=replace(base.placeholders, fields={}),
        file=base.file,
        rejects=replace(base.rejects, bad_values="blank"),
    )
    made = plan_mapping(touch, dataset, columns, defaults, reserved=KEPT)
    if made.target("at") is None:
        raise ConfigError(
            f"{defaults.file}: no column says when the form was filled in ({', '.join(columns[:8])})",
            hint='State it in a mapping: [touchpoint.columns] at = "…"',
        )
    return replace(made, keys=("row",))


def with_origin(lead: Plan, touch: Plan) -> Plan:
    """The lead's plan, with what the posting says about where the lead came from."""
    targets = {t.field: t for t in lead.targets}
    for field in ("source", "campaign", "channel", "direction"):
        said = touch.target(field)
        if field not in targets and said is not None:
            targets[field] = replace(said, type="varchar")
    used = {i for t in (*targets.values(), *touch.targets) for i in t.columns}
    every = {n: i for t in touch.targets for n, i in zip(t.names, t.columns)}
    unmapped = tuple(c for c in lead.unmapped if every.get(c) not in used)
    source = lead.source if lead.source != "unknown" else "web-form"
    return replace(lead, targets=tuple(targets.values()), unmapped=unmapped, source=source)


def append(
    tx: Transaction, staged: Staged, touch: Cleaned, namespace: str, columns: Mapping[str, str]
) -> tuple[int, int]:
    """Append the events of the rows in ``assigned``; answers (events added, rows without a time).

    ``columns`` are those of touchpoints. Visitors whom a row names are remembered, and their earlier visits resolved.
    """
    query = tx.query
    cells = ", ".join(f"coalesce(c{i}, '')" for i in range(len(staged.columns)))
    given = f"'form:' || {literal(namespace)} || ':' || c.event_id" if "event_id" in touch.fields else "null"
    query.run(
        f"create or replace temp table raw_prints as select _row, md5(concat_ws(chr(31), {cells})) as print"
        f" from {staged.source}"
    )
    query.run(
        f"create or replace temp table posted as select c.*, a.lead_id, coalesce({given}, 'form:' || p.print || ':' ||"
        " row_number() over (partition by p.print order by c._row)) as made_id"
        f' from {touch.source} c join assigned a using (_row) join raw_prints p using (_row) where c."at" is not null'
    )
    query.run(
        "create or replace temp table posts as select * exclude (made_id) replace (made_id as event_id)"
        " from (select * exclude (event_id), event_id from posted)"
        if "event_id" in touch.fields
        else "create or replace temp table posts as select * exclude (made_id), made_id as event_id from posted"
    )
    query.run(
        "create or replace temp table new_posts as select * from posts where event_id not in"
        " (select event_id from touchpoints where event_id like 'form:%')"
        " qualify row_number() over (partition by event_id order by _row) = 1"
    )
    taken = [c for c in columns if c in ("event_id", "lead_id") or c in touch.fields]
    added = tx.append("touchpoints", f"select {', '.join(name(c) for c in taken)} from new_posts")
    _remember(tx, query, touch)
    (timeless,) = query.one(
        f'select count(*) from {touch.source} c join assigned using (_row) where c."at" is null'
    ) or (0,)
    return added, int(timeless)


def _remember(tx: Transaction, query: Query, touch: Cleaned) -> None:
    """Visitors whom the new postings name: from now on, and for their visits before."""
    if "visitor_id" not in touch.fields:
        return
    query.run(
        'create or replace temp table fresh_visitors as select visitor_id, arg_min(lead_id, "at") as lead_id,'
        ' min("at") as since, arg_min(event_id, "at") as cause from new_posts where visitor_id is not null'
        " and visitor_id not in (select visitor_id from visitors) group by 1"
    )
    query.run("create or replace temp table fresh_visits as select * from visits limit 0")
    resolve(tx)
