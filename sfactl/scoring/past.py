"""Show every lead as it was known before its outcome, so that one statement can look at all of them at once.

What a lead was known to be comes from the versions of its row; a lead that was only learned of after its outcome keeps
its values of today, without those that the outcome itself wrote. Of its events, those before the outcome count. All
times are shifted by whole days, so that the day of each lead's outcome becomes one day for all: ages, windows and days
keep their lengths, and one ``$now``, the end of that day, serves every lead. (Months are not equally long, so a window
in months may be off by up to three days.)
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime, time, timedelta

from sfactl.engine.conditions.plan import quote
from sfactl.scoring.features import OUTCOME

OWN = tuple(name for name in OUTCOME if name != "lead_id")


def common_now(now: datetime) -> datetime:
    """The time at which all leads are looked at, once shifted: the end of the day of ``now``."""
    return datetime.combine(now.date(), time()) + timedelta(days=1) - timedelta(microseconds=1)


def cuts_sql(lead_days: float) -> str:
    """One row: a lead with a known outcome; what came before ``cut`` may be known. ``$day`` is the common day."""
    cut = f'outcomes."at" - to_microseconds(cast({lead_days * 86_400_000_000:.0f} as bigint))'
    return (
        f'select lead_id, won, outcomes."at" as "at", {cut} as cut,'
        f" coalesce(date_diff('day', cast({cut} as date), cast($day as date)), 0) as shift from outcomes"
    )


def known_sql(versions: str) -> str:
    """One row: the last version of a lead's row before its cut. ``commit_times`` has the time of each commit."""
    return (
        f"select v.* from ({versions}) as v join commit_times as c on c.seq = v._seq"
        " join cuts as o on o.lead_id = v.lead_id where c.made_at < o.cut"
        " qualify row_number() over (partition by v.lead_id order by v._rank desc) = 1"
    )


def then_sql(types: Mapping[str, str]) -> str:
    """One row: a lead of ``cuts`` as known then, its times shifted."""
    cells = []
    for name, kind in types.items():
        today = "null" if name in OWN else f"l.{quote(name)}"
        cell = (
            f"case when k.lead_id is null then {today} else k.{quote(name)} end" if name != "lead_id" else "l.lead_id"
        )
        cells.append(f"{shifted(f'({cell})', kind)} as {quote(name)}")
    return (
        f"select {', '.join(cells)} from today as l join cuts as o on o.lead_id = l.lead_id"
        " left join (select * from known where not _deleted) as k on k.lead_id = l.lead_id"
    )


def events_sql(dataset: str, at: str | None, types: Mapping[str, str]) -> str:
    """One row: a row of ``dataset`` that belongs to a lead of ``cuts`` and happened before its cut, shifted."""
    cells = ", ".join(f"{shifted(f'r.{quote(name)}', kind)} as {quote(name)}" for name, kind in types.items())
    before = f" where o.cut is null or r.{quote(at)} < o.cut" if at else ""
    return f"select {cells} from {dataset} as r join cuts as o on o.lead_id = r.lead_id{before}"


def shifted(sql: str, kind: str) -> str:
    """``sql`` later by the lead's shift, where it is a date or a time."""
    if kind == "date":
        return f"cast({sql} + cast(o.shift as integer) as date)"
    if kind == "timestamp":
        return f"{sql} + to_days(cast(o.shift as integer))"
    return sql


def late_sql(names: Sequence[str]) -> str:
    """One row: for each outcome, how many leads were known before it, and per field (``_f0`` …) how many got their
    value later."""
    counts = ", ".join(
        f"count(*) filter (where l.{quote(name)} is not null and l.{quote(name)} is distinct from k.{quote(name)})"
        f" as _f{place}"
        for place, name in enumerate(names)
    )
    return (
        f"select o.won, count(*) as known{', ' if counts else ''}{counts} from cuts as o"
        " join known as k on k.lead_id = o.lead_id and not k._deleted"
        " join today as l on l.lead_id = o.lead_id where o.cut is not null group by o.won"
    )


def later_dates_sql(dates: Sequence[tuple[str, str]], names: Sequence[str]) -> str:
    """One row: for each outcome and date field (``_d0`` …), how many leads have one and how many one after the outcome;
    and per field how many have it filled exactly where the date is."""
    counts = []
    for place, (name, kind) in enumerate(dates):
        # A date is later only if its whole day is.
        moment = f"cast(l.{quote(name)} as timestamp)"
        later = f'{moment} > o."at"' if kind == "timestamp" else f'l.{quote(name)} > cast(o."at" as date)'
        counts.append(f"count(l.{quote(name)}) as _d{place}, count(*) filter (where {later}) as _l{place}")
        counts += [
            f"count(*) filter (where (l.{quote(other)} is null) = (l.{quote(name)} is null)) as _s{place}_{number}"
            for number, other in enumerate(names)
        ]
    return (
        f"select o.won, count(*) as leads, {', '.join(counts)} from cuts as o join today as l on l.lead_id = o.lead_id"
        ' where o."at" is not null group by o.won'
    )
